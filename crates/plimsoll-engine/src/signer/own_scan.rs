//! What a signer reads out of the report of a scanner of Plimsoll, beside what it reads out of every SARIF.

use plimsoll_attest::{
    predicate::scan::{Coverage, Database, MAX_RESULTS, OwnLicense, OwnResult, OwnScan},
    report::{ReportError, ScanReport},
};
use plimsoll_model::{ScanEngine, reason::printable};
use plimsoll_scan::{
    report::Licensed,
    sarif::{ReadBack, ReadResult, read_back},
};
use std::collections::BTreeSet;

/// The report, if it is one of this scanner, and what stands in the statement.
pub(super) fn own(
    report: Result<ScanReport, ReportError>,
    bytes: Option<&[u8]>,
    engine: ScanEngine,
) -> (Result<ScanReport, ReportError>, Option<OwnScan>) {
    let read = report.and_then(|report| {
        let read = read_back(bytes.unwrap_or_default())
            .map_err(|error| ReportError::Malformed(printable(&error.to_string(), 200)))?;
        if read.facts.engine != engine {
            let problem = format!("it is of {}, not of {engine}", read.facts.engine);
            return Err(ReportError::Inconsistent(problem));
        }
        Ok((report, read))
    });
    match read {
        Ok((report, read)) => (Ok(report), Some(stated(read))),
        Err(error) => (Err(error), None),
    }
}

/// Bytes of a name that a statement holds. What is longer is left out, and then no exception by that name is about it.
const MAX_NAME: usize = 1000;
/// Names of one advisory that a statement holds.
const MAX_NAMES: usize = 50;

fn result(read: &ReadResult) -> OwnResult {
    let short = |text: &String| !text.is_empty() && text.len() <= MAX_NAME;
    OwnResult {
        suppressed: read.suppressed,
        rule: Some(&read.rule).filter(|rule| short(rule)).cloned(),
        path: read.path.clone().filter(short),
        package: Some(&read.subject).filter(|subject| short(subject) && subject.starts_with("pkg:")).cloned(),
        advisories: read.aliases.iter().filter(|name| short(name)).take(MAX_NAMES).cloned().collect(),
        ..OwnResult::new(read.fingerprint.digest(), read.severity)
    }
}

fn licenses(listed: Vec<Licensed>) -> Vec<OwnLicense> {
    let stated = listed.into_iter().map(|Licensed { package, license }| OwnLicense { package, license });
    stated.collect::<BTreeSet<_>>().into_iter().collect()
}

fn stated(read: ReadBack) -> OwnScan {
    let mut results: Vec<OwnResult> = read.results.iter().map(result).collect();
    results.sort();
    results.dedup();
    let unlisted = results.len().saturating_sub(MAX_RESULTS);
    // The worst stay listed.
    results.sort_by_key(|result| std::cmp::Reverse(result.severity));
    results.truncate(MAX_RESULTS);
    results.sort();
    let facts = read.facts;
    OwnScan {
        engine: facts.engine,
        rules_digest: facts.rules_digest,
        imported: facts.imported,
        database: facts.database.map(|data| Database { digest: data.digest, updated: data.updated }),
        coverage: Coverage {
            files: facts.coverage.files,
            bytes: facts.coverage.bytes,
            packages: facts.coverage.packages,
        },
        results,
        unlisted: unlisted as u64,
        licenses: facts.coverage.licenses.map(licenses),
    }
}

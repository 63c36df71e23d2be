//! What lets a finding stand that would block: an exception of the delivery repository while it counts. It is named in the
//! decision, so that whoever recomputes it sees which finding passed by whose word.

use super::Bench;
use crate::decision::{Excused, ExcusedBy};
use plimsoll_attest::predicate::scan::{OwnResult, OwnScan};
use plimsoll_model::{ScanEngine, removed};
use plimsoll_pipeline::{Excepted, Exception};

/// Findings of one scan that may stand.
const MAX_EXCUSED: usize = 1000;
/// The rule about packages that are an attack.
const MALICIOUS: &str = "dependencies/malicious";

/// Findings that would block, by what becomes of them.
pub(super) struct Sorted<'s> {
    /// Those that may stand.
    pub(super) excused: Vec<Excused>,
    /// Those that do not.
    pub(super) open: Vec<&'s OwnResult>,
}

impl Bench<'_> {
    /// Sorts findings that would block. At most [`MAX_EXCUSED`] may stand.
    pub(super) fn sorted<'s>(
        &self,
        name: &str,
        scan: &OwnScan,
        blocking: impl Iterator<Item = &'s OwnResult>,
    ) -> Sorted<'s> {
        let mut sorted = Sorted { excused: vec![], open: vec![] };
        for result in blocking {
            match self.excuse(name, scan.engine, result).filter(|_| sorted.excused.len() < MAX_EXCUSED) {
                Some(by) => sorted.excused.push(excused(name, result, by)),
                None => sorted.open.push(result),
            }
        }
        sorted
    }

    fn excuse(&self, name: &str, engine: ScanEngine, result: &OwnResult) -> Option<ExcusedBy> {
        if may_be_malicious(engine, result) {
            return None;
        }
        let counts = |exception: &&Exception| is_about(exception, name, result) && self.counts(exception);
        self.inputs.exceptions.iter().find(counts).map(|exception| ExcusedBy::Exception {
            owner: exception.owner.clone(),
            reason: exception.reason.clone(),
            until: exception.until,
        })
    }

    fn counts(&self, exception: &Exception) -> bool {
        let over = exception.until <= self.inputs.now && !removed!("exception-expiry");
        exception.from <= self.inputs.now && !over
    }

    /// Why an exception that somebody wrote for one of these findings does not count; empty where there is none.
    pub(super) fn in_vain(&self, name: &str, scan: &OwnScan, open: &[&OwnResult]) -> String {
        let mut written = open.iter().filter_map(|result| {
            let about = |exception: &&Exception| is_about(exception, name, result);
            Some((*result, self.inputs.exceptions.iter().find(about)?))
        });
        written.next().map_or_else(String::new, |(result, exception)| {
            let problem = match () {
                () if may_be_malicious(scan.engine, result) => "is about an attack".to_owned(),
                () if exception.until <= self.inputs.now => format!("ended at {}", exception.until),
                () if exception.from > self.inputs.now => format!("counts from {} on", exception.from),
                () => format!("is one of more than {MAX_EXCUSED}"),
            };
            format!(" (the exception of {} {problem})", exception.owner)
        })
    }
}

fn excused(name: &str, result: &OwnResult, by: ExcusedBy) -> Excused {
    Excused {
        gate: format!("scans.{name}"),
        finding: result.fingerprint,
        rule: result.rule.clone(),
        package: result.package.clone(),
        advisories: result.advisories.clone(),
        by,
    }
}

/// A package that is an attack stays one, whoever answers for it. Statements of earlier versions do not tell which are.
fn may_be_malicious(engine: ScanEngine, result: &OwnResult) -> bool {
    let attack = |name: &String| name.to_ascii_uppercase().starts_with("MAL-");
    engine == ScanEngine::Dependencies
        && (result.rule.as_deref().is_none_or(|rule| rule == MALICIOUS)
            || result.advisories.iter().any(attack))
}

fn is_about(exception: &Exception, name: &str, result: &OwnResult) -> bool {
    let is = |said: &Option<String>, meant: &str| said.as_deref() == Some(meant);
    exception.scan.as_str() == name
        && match &exception.of {
            Excepted::Finding(fingerprint) => *fingerprint == result.fingerprint,
            Excepted::Place { rule, path } => is(&result.rule, rule) && is(&result.path, path),
            Excepted::Package { rule, package } => is(&result.rule, rule) && is(&result.package, package),
            Excepted::Advisory { advisory, package } => {
                is(&result.package, package)
                    && result.advisories.iter().any(|name| name.eq_ignore_ascii_case(advisory))
            }
        }
}

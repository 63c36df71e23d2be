//! What lets a finding of a scan stand that would block, of Plimsoll's own or of a foreign scanner behind a manifest: an exception of the delivery repository while it counts, or a VEX document of
//! somebody whom the environment names. It is named in the decision, so that whoever recomputes it sees which finding
//! passed by whose word.

use super::Bench;
use crate::decision::{Excused, ExcusedBy};
use plimsoll_attest::predicate::scan::{AdapterScan, OwnLicense, OwnResult, OwnScan};
use plimsoll_model::{ScanEngine, reason::printable, removed};
use plimsoll_pipeline::{Excepted, Exception, RequireScan};

/// Findings of one scan that may stand.
const MAX_EXCUSED: usize = 1000;
/// Characters of a reason that a decision holds.
const MAX_REASON: usize = 300;
/// The rule about packages that are an attack.
const MALICIOUS: &str = "dependencies/malicious";

/// Findings that would block, by what becomes of them.
pub(super) struct Sorted<'s> {
    /// Those that may stand.
    pub(super) excused: Vec<Excused>,
    /// Those that do not.
    pub(super) open: Vec<&'s OwnResult>,
}

/// A scan that an environment asks for, and what it said.
#[derive(Clone, Copy)]
pub(super) struct Asked<'s> {
    pub(super) name: &'s str,
    pub(super) require: &'s RequireScan,
    pub(super) said: Said<'s>,
}

/// What a scan said of what it found.
#[derive(Clone, Copy)]
pub(super) enum Said<'s> {
    /// A scan of Plimsoll.
    Own(&'s OwnScan),
    /// A foreign scanner that a manifest describes.
    Foreign(&'s AdapterScan),
}

impl<'s> Said<'s> {
    pub(super) fn results(self) -> &'s [OwnResult] {
        match self {
            Self::Own(own) => &own.results,
            Self::Foreign(adapter) => &adapter.results,
        }
    }

    /// What packages state as their licences; none where the scan does not list them.
    pub(super) fn licenses(self) -> Option<&'s [OwnLicense]> {
        match self {
            Self::Own(own) => own.licenses.as_deref(),
            Self::Foreign(_) => None,
        }
    }

    const fn engine(self) -> Option<ScanEngine> {
        match self {
            Self::Own(own) => Some(own.engine),
            Self::Foreign(_) => None,
        }
    }
}

impl Bench<'_> {
    /// Sorts findings that would block. At most [`MAX_EXCUSED`] may stand.
    pub(super) fn sorted<'s>(
        &self,
        asked: Asked<'_>,
        blocking: impl Iterator<Item = &'s OwnResult>,
    ) -> Sorted<'s> {
        let mut sorted = Sorted { excused: vec![], open: vec![] };
        for result in blocking {
            match self.excuse(asked, result).filter(|_| sorted.excused.len() < MAX_EXCUSED) {
                Some(by) => sorted.excused.push(excused(asked.name, result, by)),
                None => sorted.open.push(result),
            }
        }
        sorted
    }

    fn excuse(&self, asked: Asked<'_>, result: &OwnResult) -> Option<ExcusedBy> {
        if may_be_malicious(asked.said.engine(), result) {
            return None;
        }
        let counts =
            |exception: &&Exception| is_about(exception, asked.name, result) && self.counts(exception);
        let exception = self.inputs.exceptions.iter().find(counts).map(|exception| ExcusedBy::Exception {
            owner: exception.owner.clone(),
            reason: exception.reason.clone(),
            justification: exception.justification.map(|word| word.as_str().to_owned()),
            until: exception.until,
        });
        exception.or_else(|| self.cleared(asked, result).ok().flatten())
    }

    fn counts(&self, exception: &Exception) -> bool {
        let over = exception.until <= self.inputs.now && !removed!("exception-expiry");
        exception.from <= self.inputs.now && !over
    }

    /// What VEX documents say about a vulnerability. A package inside a product is meant only in this artifact.
    fn cleared(&self, asked: Asked<'_>, result: &OwnResult) -> Result<Option<ExcusedBy>, &'static str> {
        let Some(package) = result.package.as_deref().filter(|_| !result.advisories.is_empty()) else {
            return Ok(None);
        };
        let names: Vec<&str> = result.advisories.iter().map(String::as_str).collect();
        let product = format!("pkg:oci/{}@{}", self.inputs.project.name, self.inputs.release.artifact);
        let cleared = self.vex.said(&asked.require.vex, &names, package, &product)?;
        Ok(cleared.map(|cleared| ExcusedBy::Vex {
            document: cleared.document.digest,
            person: cleared.person.to_owned(),
            status: cleared.statement.status.as_str().to_owned(),
            reason: printable(&cleared.statement.reason, MAX_REASON),
        }))
    }

    /// Why what somebody wrote so that one of these findings may stand does not count; empty where nobody did.
    pub(super) fn in_vain(&self, asked: Asked<'_>, open: &[&OwnResult]) -> String {
        let mut all = open.iter().filter_map(|result| self.problem(asked, result));
        let unread =
            || self.vex.problem.clone().filter(|_| !asked.require.vex.is_empty() && !open.is_empty());
        let problem = all.next().or_else(unread);
        problem.map_or_else(String::new, |problem| format!(" ({problem})"))
    }

    fn problem(&self, asked: Asked<'_>, result: &OwnResult) -> Option<String> {
        let malicious = may_be_malicious(asked.said.engine(), result);
        let disputed = self.cleared(asked, result).err().map(str::to_owned);
        let about = |exception: &&Exception| is_about(exception, asked.name, result);
        let exception = self.inputs.exceptions.iter().find(about).map(|exception| {
            let problem = match () {
                () if malicious => "is about an attack".to_owned(),
                () if exception.until <= self.inputs.now => format!("ended at {}", exception.until),
                () if exception.from > self.inputs.now => format!("counts from {} on", exception.from),
                () => format!("is one of more than {MAX_EXCUSED}"),
            };
            format!("the exception of {} {problem}", exception.owner)
        });
        exception.or(disputed)
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
/// `engine` is that of a scan of Plimsoll; a foreign scanner has none.
#[must_use]
pub fn may_be_malicious(engine: Option<ScanEngine>, result: &OwnResult) -> bool {
    let attack = |name: &str| name.to_ascii_uppercase().starts_with("MAL-");
    let rule = result.rule.as_deref();
    let says = rule.is_none_or(|rule| rule == MALICIOUS || attack(rule));
    match engine {
        None | Some(ScanEngine::Dependencies) => says || result.advisories.iter().any(|name| attack(name)),
        Some(_) => false,
    }
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

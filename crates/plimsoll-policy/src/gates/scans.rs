//! The gates of scans: what looked, at what, with which rules and data, and which findings block.

use super::{
    Bench, Judged, Refused,
    exceptions::{Asked, Said, Sorted},
    licenses,
};
use crate::{
    decide::Evidence,
    decision::{Excused, Summary},
};
use plimsoll_attest::{
    Statement, Verified,
    predicate::{
        Scan,
        run::{Attempt, AttemptKind},
        scan::OwnScan,
    },
};
use plimsoll_model::{Code, Digest, Outcome, ScanEngine, Severity, removed};
use plimsoll_pipeline::{BlockLevel, RequireScan};
use std::collections::BTreeSet;

type Decided = Verified<Statement<Summary>>;
type Scanned = Verified<Statement<Scan>>;

impl Bench<'_> {
    /// The scan looked at what the plan says, did its work with the tool that the environment names, and found nothing
    /// of a level that blocks here.
    pub(super) fn scan(&self, name: &str, require: &RequireScan) -> Judged {
        let (attempt, statement) = self.scanned(name)?;
        let (digest, scan) = (*statement.payload_digest(), &statement.value().predicate);
        self.passed(name, scan.outcome, &scan.reasons, digest)?;
        if !super::foreign::says_found(scan) {
            self.ended_well(name, scan.exit, digest)?;
        }
        self.judged_by(name, scan, require, digest)?;
        self.by_manifest(name, scan, require, digest)?;
        match ScanEngine::of_check(name) {
            Some(_) => self.own(name, scan, require, digest)?,
            None => match &scan.adapter {
                Some(adapter) => {
                    let asked = Asked { name, require, said: Said::Foreign(adapter) };
                    self.found(asked, adapter.unlisted, digest)?;
                }
                None => self.blocked(name, scan, require.block, digest)?,
            },
        }
        self.closed_well(attempt, name, digest)?;
        Ok(Some(digest))
    }

    /// The newest statement of this scan, which is about what would run.
    fn scanned(&self, name: &str) -> Result<(&Attempt, &Scanned), Refused> {
        let on = self.planned::<Scan>(name)?.on;
        let subject = self.subject(on);
        let attempt = self.newest(AttemptKind::Check, name, name, subject)?;
        let statement = self.statement(attempt, name, |evidence| match evidence {
            Evidence::Scan(statement) => Some(statement),
            _ => None,
        })?;
        let scan = &statement.value().predicate;
        self.about(statement, name, subject)?;
        let place = (&scan.run, scan.plan, scan.check.as_str(), scan.on, scan.attempt);
        if place != (&self.run.run, self.run.plan, name, on, attempt.attempt) {
            return Err(self.other_run(name, *statement.payload_digest()));
        }
        Ok((attempt, statement))
    }

    /// The findings that may stand, of every scan that the environment asks for.
    pub(super) fn excused(&self) -> Vec<Excused> {
        let scans = &self.inputs.declared.require.scans;
        let all = scans.iter().filter_map(|(name, require)| {
            let (_, statement) = self.scanned(name.as_str()).ok()?;
            let scan = &statement.value().predicate;
            let said = match ScanEngine::of_check(name.as_str()) {
                Some(_) => Said::Own(scan.own.as_ref()?),
                None => Said::Foreign(scan.adapter.as_ref()?),
            };
            let asked = Asked { name: name.as_str(), require, said };
            let mut excused = self.blocking(asked).excused;
            excused.extend(self.sorted(asked, licenses::refused(asked).iter()).excused);
            Some(excused)
        });
        all.flatten().collect()
    }

    fn judged_by(
        &self,
        name: &str,
        scan: &Scan,
        require: &RequireScan,
        digest: Digest,
    ) -> Result<(), Refused> {
        if scan.rules == 0 {
            let reason = self.detailed(Code::EvidenceEmpty, name, "no rules were applied");
            return Err(Refused::new(Outcome::Errored, Some(digest), reason));
        }
        if scan.report.is_none() {
            let reason = self.detailed(Code::EvidenceParse, name, "there is no report");
            return Err(Refused::new(Outcome::Errored, Some(digest), reason));
        }
        match require.tool {
            Some(expected) if !removed!("scan-tool") && expected != scan.tool.digest => {
                let reason = Code::EvidenceTool.reason().with("check", name);
                let reason = reason.with("actual", scan.tool.digest).with("expected", expected);
                Err(Refused::new(Outcome::Failed, Some(digest), reason))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Nothing of a level that blocks here was found by a foreign tool.
    fn blocked(&self, name: &str, scan: &Scan, block: BlockLevel, digest: Digest) -> Result<(), Refused> {
        let found = &scan.findings;
        let blocking = match block {
            BlockLevel::Error | BlockLevel::Critical => found.error,
            BlockLevel::Warning => found.error.saturating_add(found.warning),
            BlockLevel::Note => found.error.saturating_add(found.warning).saturating_add(found.note),
        };
        self.at_most(0, blocking, "findings of a level that blocks here", name, digest)
    }

    /// A scan of Plimsoll looked at something, with data that is fresh enough, and found nothing that blocks here.
    fn own(&self, name: &str, scan: &Scan, require: &RequireScan, digest: Digest) -> Result<(), Refused> {
        let errored = |code, detail: String| {
            Err(Refused::new(Outcome::Errored, Some(digest), self.detailed(code, name, detail)))
        };
        let Some(own) = scan.own.as_ref().filter(|own| ScanEngine::of_check(name) == Some(own.engine)) else {
            return errored(Code::EvidenceSelf, "it says nothing of what it looked at".to_owned());
        };
        if own.coverage.files == 0 {
            return errored(Code::EvidenceEmpty, "there was no file that it knows how to read".to_owned());
        }
        self.by_rules(name, own, require, digest)?;
        self.fresh(name, own, require, digest)?;
        let asked = Asked { name, require, said: Said::Own(own) };
        self.licenses(asked, digest)?;
        self.found(asked, own.unlisted, digest)
    }

    /// Nothing of a severity that blocks here was found, or nothing that was not found in what runs here already, but for
    /// what may stand. What a comment or the tool suppresses counts as found, unless the environment says otherwise.
    pub(super) fn found(&self, asked: Asked<'_>, unlisted: u64, digest: Digest) -> Result<(), Refused> {
        let Asked { name, require, .. } = asked;
        if unlisted > 0 {
            let detail = format!("{unlisted} findings are not listed");
            let reason = self.detailed(Code::EvidenceFailed, name, detail);
            return Err(Refused::new(Outcome::Errored, Some(digest), reason));
        }
        let open = self.blocking(asked).open;
        let (silenced, open): (Vec<_>, Vec<_>) = open.into_iter().partition(|result| result.suppressed);
        if !silenced.is_empty() && !require.comments && !removed!("scan-comments") {
            let reason = self.detailed(Code::EvidenceConfig, name, format!("{} findings", silenced.len()));
            return Err(Refused::new(Outcome::Failed, Some(digest), reason));
        }
        let what = if require.new.is_some() { "new findings" } else { "findings" };
        let what = format!("{what} that block here{}", self.in_vain(asked, &open));
        self.at_most(require.new.unwrap_or(0), open.len() as u64, &what, name, digest)
    }

    /// Findings of a severity that blocks here, without those that the release that runs here has where only new ones
    /// count.
    fn blocking<'s>(&self, asked: Asked<'s>) -> Sorted<'s> {
        let Asked { name, require, said } = asked;
        let known = require.new.map_or_else(BTreeSet::new, |_| self.known(name));
        let blocking = said
            .results()
            .iter()
            .filter(|result| blocks(result.severity, require.block) && !known.contains(&result.fingerprint));
        self.sorted(asked, blocking)
    }

    /// Who may choose the rules may choose what is found, so an environment can name those that must have been imported.
    fn by_rules(
        &self,
        name: &str,
        own: &OwnScan,
        require: &RequireScan,
        digest: Digest,
    ) -> Result<(), Refused> {
        match require.rules {
            Some(expected) if own.imported != Some(expected) && !removed!("scan-rules") => {
                let actual = own.imported.map_or_else(|| "none".to_owned(), |actual| actual.to_string());
                let reason = Code::EvidenceRules.reason().with("check", name);
                let reason = reason.with("actual", actual).with("expected", expected);
                Err(Refused::new(Outcome::Failed, Some(digest), reason))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Data that is older than the environment allows could not find what became known since.
    fn fresh(&self, name: &str, own: &OwnScan, require: &RequireScan, digest: Digest) -> Result<(), Refused> {
        let asked = require.database_age.filter(|_| !removed!("scan-age"));
        let Some(limit) = asked else { return Ok(()) };
        let updated = own.database.as_ref().map(|database| database.updated);
        let age = updated.map(|updated| self.inputs.now.duration_since(updated).as_secs());
        if age.is_some_and(|age| age <= i64::try_from(limit).unwrap_or(i64::MAX)) {
            return Ok(());
        }
        let updated = updated.map_or_else(|| "no known date".to_owned(), |updated| updated.to_string());
        let reason = Code::EvidenceStale.reason().with("check", name).with("updated", updated);
        let reason = reason.with("limit", format!("{limit} seconds"));
        Err(Refused::new(Outcome::Stale, Some(digest), reason))
    }

    /// What the scan of this name had found in the release that runs here.
    pub(super) fn known(&self, name: &str) -> BTreeSet<Digest> {
        let Some((_, scan)) = self.scan_of_what_runs(name) else { return BTreeSet::new() };
        let scan = &scan.value().predicate;
        let own = scan.own.iter().flat_map(|own| &own.results);
        let foreign = scan.adapter.iter().flat_map(|adapter| &adapter.results);
        own.chain(foreign).map(|result| result.fingerprint).collect()
    }

    /// The scan of this name in the run of the release that runs here, and the decision that tells which run that was.
    fn scan_of_what_runs(&self, name: &str) -> Option<(&Decided, &Scanned)> {
        let runs = self.around.runs(self.inputs)?;
        let decision = self.inputs.evidence.iter().find_map(|evidence| match evidence {
            Evidence::Decision(decision) if *decision.payload_digest() == runs => Some(decision.as_ref()),
            _ => None,
        })?;
        let run = &decision.value().predicate.decision.run;
        let of_it = self.inputs.evidence.iter().filter_map(|evidence| match evidence {
            Evidence::Scan(scan) => Some(scan),
            _ => None,
        });
        let of_it = of_it.filter(|scan| {
            let scan = &scan.value().predicate;
            scan.run == *run && scan.check.as_str() == name
        });
        let newest = of_it.max_by_key(|scan| (scan.value().predicate.attempt, *scan.payload_digest()))?;
        Some((decision, newest))
    }

    /// The statements that say what was found before, as far as the environment asks for nothing *new*.
    pub(super) fn baselines(&self) -> BTreeSet<Digest> {
        let scans = self.inputs.declared.require.scans.iter().filter(|(_, scan)| scan.new.is_some());
        let found = scans.filter_map(|(name, _)| self.scan_of_what_runs(name.as_str()));
        found.flat_map(|(decision, scan)| [*decision.payload_digest(), *scan.payload_digest()]).collect()
    }

    pub(super) fn at_most(
        &self,
        limit: u64,
        found: u64,
        what: &str,
        name: &str,
        digest: Digest,
    ) -> Result<(), Refused> {
        if found <= limit {
            return Ok(());
        }
        let reason = self.detailed(Code::EvidenceFailed, name, format!("{found} {what}"));
        Err(Refused::new(Outcome::Failed, Some(digest), reason))
    }
}

pub(super) fn blocks(severity: Severity, block: BlockLevel) -> bool {
    let least = match block {
        BlockLevel::Note => Severity::Info,
        BlockLevel::Warning => Severity::Medium,
        BlockLevel::Error => Severity::High,
        BlockLevel::Critical => Severity::Critical,
    };
    severity >= least
}

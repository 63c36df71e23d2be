//! The gates of tests. A result was judged when it was signed; what it counted and how its command ended must
//! still agree with that.

use super::{Bench, Judged, Refused};
use crate::decide::Evidence;
use plimsoll_attest::predicate::{
    TestResult,
    common::{Ending, On},
    run::AttemptKind,
    test::{TestCheck, TestVerdict},
};
use plimsoll_model::{Code, Digest, Outcome, Reason};
use plimsoll_pipeline as pipeline;

impl Bench<'_> {
    /// The test looked at what the environment says it must have looked at, and passed.
    pub(super) fn test(&self, name: &str, on: pipeline::On) -> Judged {
        let on = match on {
            pipeline::On::Source => On::Source,
            pipeline::On::Artifact => On::Artifact,
        };
        let subject = self.subject(on);
        self.planned::<TestResult>(name)?;
        let attempt = self.newest(AttemptKind::Check, name, name, subject)?;
        let statement = self.statement(attempt, name, |evidence| match evidence {
            Evidence::Test(statement) => Some(statement),
            _ => None,
        })?;
        let digest = *statement.payload_digest();
        let result = &statement.value().predicate;
        let check = &result.check;
        self.about(statement, name, subject)?;
        let place = (&check.run, check.plan, check.check.as_str(), check.on, check.attempt);
        if place != (&self.run.run, self.run.plan, name, on, attempt.attempt) {
            return Err(self.other_run(name, digest));
        }
        self.passed(name, check.outcome, &check.reasons, digest)?;
        self.agrees(name, result, digest)?;
        self.closed_well(attempt, name, digest)?;
        Ok(Some(digest))
    }

    pub(super) fn subject(&self, on: On) -> Digest {
        match on {
            On::Source => self.run.tree,
            On::Artifact => self.inputs.release.artifact,
        }
    }

    pub(super) fn passed(
        &self,
        name: &str,
        outcome: Outcome,
        reasons: &[Reason],
        digest: Digest,
    ) -> Result<(), Refused> {
        match outcome {
            Outcome::Passed => Ok(()),
            Outcome::Failed
            | Outcome::Errored
            | Outcome::Skipped
            | Outcome::NotApplicable
            | Outcome::Missing
            | Outcome::Stale => {
                let given = reasons.first().cloned();
                let reason = given.unwrap_or_else(|| self.detailed(Code::EvidenceErrored, name, outcome));
                Err(Refused::new(outcome, Some(digest), reason))
            }
        }
    }

    /// A test that passed ended well, and what it counted has a success and no failure.
    fn agrees(&self, name: &str, result: &TestResult, digest: Digest) -> Result<(), Refused> {
        let TestCheck { exit, counts, .. } = &result.check;
        self.ended_well(name, *exit, digest)?;
        let (code, detail) = match (counts, result.result) {
            (Some(counts), _) if counts.failed > 0 => {
                (Code::EvidenceSelf, format!("{} tests failed", counts.failed))
            }
            (Some(counts), _) if counts.passed == 0 => (Code::EvidenceEmpty, "no test ran".to_owned()),
            (_, TestVerdict::Failed | TestVerdict::Warned) => {
                (Code::EvidenceSelf, "other tools read its result as not passed".to_owned())
            }
            (Some(_) | None, TestVerdict::Passed) => return Ok(()),
        };
        Err(Refused::new(Outcome::Errored, Some(digest), self.detailed(code, name, detail)))
    }

    pub(super) fn ended_well(&self, name: &str, exit: Ending, digest: Digest) -> Result<(), Refused> {
        if exit == Ending::Status(0) {
            return Ok(());
        }
        let reason =
            self.detailed(Code::EvidenceSelf, name, "it says passed, and its command ended with an error");
        Err(Refused::new(Outcome::Errored, Some(digest), reason))
    }
}

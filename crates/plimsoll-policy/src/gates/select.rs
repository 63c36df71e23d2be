//! Which statement counts: of what the run statement lists, the newest attempt, if it is there, was verified and says
//! what the run statement says. Whatever is not clear does not count.

use super::{Bench, Refused};
use crate::decide::Evidence;
use plimsoll_attest::{
    Predicate, Statement, Verified, check_subject,
    predicate::run::{Attempt, AttemptKind, Planned},
};
use plimsoll_model::{Code, Digest, Outcome, Reason};

impl Bench<'_> {
    /// The newest attempt of something. Attempts are numbered from 1 without a gap, in the order in which they were
    /// closed; otherwise one is missing or stands twice, and nobody can say which is the newest.
    pub(super) fn newest(
        &self,
        kind: AttemptKind,
        name: &str,
        check: &str,
        subject: Digest,
    ) -> Result<&Attempt, Refused> {
        let of_it: Vec<_> = self.run.attempts.iter().filter(|a| a.kind == kind && a.name == name).collect();
        let in_order = of_it.iter().zip(1..).all(|(attempt, number)| attempt.attempt == number);
        match of_it.last() {
            None => Err(self.missing(check, subject)),
            Some(_) if !in_order => {
                let reason =
                    self.detailed(Code::EvidenceErrored, check, "its attempts are not numbered in order");
                Err(Refused::new(Outcome::Errored, None, reason))
            }
            Some(newest) => Ok(newest),
        }
    }

    /// The plan's entry for a check with results of kind `P`; there is exactly one.
    pub(super) fn planned<P: Predicate>(&self, check: &str) -> Result<&Planned, Refused> {
        let mut of_it = self.run.planned.iter().filter(|planned| planned.check.as_str() == check);
        match (of_it.next(), of_it.next()) {
            (Some(planned), None) if planned.predicate_type == P::TYPE => Ok(planned),
            _ => Err(self.missing(check, self.run.tree)),
        }
    }

    /// The statement that an attempt names, if it was given and could be verified.
    pub(super) fn statement<'s, P: Predicate>(
        &'s self,
        attempt: &Attempt,
        check: &str,
        pick: impl Fn(&'s Evidence) -> Option<&'s Verified<Statement<P>>>,
    ) -> Result<&'s Verified<Statement<P>>, Refused> {
        let named = |statement: &&Verified<Statement<P>>| {
            attempt.predicate_type.as_deref() == Some(P::TYPE)
                && attempt.statement == Some(*statement.payload_digest())
                && attempt.role == *statement.role()
        };
        let found = self.inputs.evidence.iter().filter_map(pick).find(named);
        found.ok_or_else(|| self.missing(check, attempt.statement.unwrap_or(self.run.tree)))
    }

    /// The statement is about `subject`.
    pub(super) fn about<P>(
        &self,
        statement: &Verified<Statement<P>>,
        check: &str,
        subject: Digest,
    ) -> Result<(), Refused> {
        check_subject(statement.value(), &subject).map_err(|other| {
            let actual = other.parameters.get("actual").cloned().unwrap_or_default();
            let reason = Code::EvidenceSubject.reason().with("check", check).with("actual", actual);
            Refused::new(Outcome::Failed, Some(*statement.payload_digest()), reason.with("expected", subject))
        })
    }

    /// The run statement says that the attempt passed. Where it says otherwise, a statement that passes is not believed.
    pub(super) fn closed_well(&self, attempt: &Attempt, check: &str, digest: Digest) -> Result<(), Refused> {
        if attempt.outcome == Outcome::Passed {
            return Ok(());
        }
        let detail = format!("the run statement says {}", attempt.outcome);
        let reason = self.detailed(Code::EvidenceErrored, check, detail);
        Err(Refused::new(attempt.outcome, Some(digest), reason))
    }

    pub(super) fn missing(&self, check: &str, subject: Digest) -> Refused {
        let reason = Code::EvidenceMissing.reason().with("check", check).with("subject", subject);
        Refused::new(Outcome::Missing, None, reason)
    }

    pub(super) fn other_run(&self, check: &str, digest: Digest) -> Refused {
        let reason =
            Code::EvidenceSubject.reason().with("check", check).with("actual", "another run or check");
        let expected = format!("run {}", self.run.run);
        Refused::new(Outcome::Failed, Some(digest), reason.with("expected", expected))
    }

    /// A reason with the facts that all codes about evidence share.
    pub(super) fn detailed(&self, code: Code, check: &str, detail: impl std::fmt::Display) -> Reason {
        code.reason().with("check", check).with("detail", detail).with("run", &self.run.run)
    }
}

//! The gate of the list of what an artifact is made of: it is there, about what would run, and as complete as the
//! environment asks for.

use super::{Bench, Judged, Refused};
use crate::decide::Evidence;
use plimsoll_attest::predicate::{Sbom, run::AttemptKind, sbom::Aggregate};
use plimsoll_model::{Code, Outcome};
use plimsoll_pipeline::RequireSbom;

/// The check that leaves the list.
const CHECK: &str = "sbom";

impl Bench<'_> {
    /// The run listed what its artifact is made of.
    pub(super) fn sbom(&self, asked: RequireSbom) -> Judged {
        let subject = self.inputs.release.artifact;
        self.planned::<Sbom>(CHECK)?;
        let attempt = self.newest(AttemptKind::Check, CHECK, CHECK, subject)?;
        let statement = self.statement(attempt, CHECK, |evidence| match evidence {
            Evidence::Sbom(statement) => Some(statement.as_ref()),
            _ => None,
        })?;
        let digest = *statement.payload_digest();
        self.about(statement, CHECK, subject)?;
        self.closed_well(attempt, CHECK, digest)?;
        let list = &statement.value().predicate;
        match (asked, list.completeness()) {
            (RequireSbom::Any, _) | (RequireSbom::Complete, Aggregate::Complete) => Ok(Some(digest)),
            (RequireSbom::Complete, Aggregate::Incomplete | Aggregate::Unknown) => {
                let reason = self.detailed(Code::EvidenceIncomplete, CHECK, shortcoming(list));
                Err(Refused::new(Outcome::Failed, Some(digest), reason))
            }
        }
    }
}

/// What the list lacks first.
fn shortcoming(list: &Sbom) -> String {
    let mut all = list.shortcomings();
    match (all.next(), all.count()) {
        (None, _) => "no file that names packages was found".to_owned(),
        (Some((file, problem)), 0) => format!("{file}: {problem}"),
        (Some((file, problem)), more) => format!("{file}: {problem}, and {more} more"),
    }
}

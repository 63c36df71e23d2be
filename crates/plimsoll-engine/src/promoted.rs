//! A promoted decision as an agent finds it in the delivery repository: signed, and promoted by a commit that changes
//! nothing else. Whether it may start is for its chain, its dossier and a permit.

use crate::{
    delivery::{self, Chain},
    ports::{CommitFacts, Source},
    run::RunError,
};
use plimsoll_attest::{Bundle, Statement, Trust, Verified};
use plimsoll_model::{Code, CommitId, Digest, EnvironmentName, ProjectName, Reason, RelPath, jcs};
use plimsoll_policy::{
    Decision, Kind, Summary,
    repository::{decision_path, release_path},
};
use std::collections::BTreeSet;

/// Merges between the head and a promotion commit.
const MAX_MERGES: usize = 1_000;
/// The gate of a rollback; its evidence is the earlier decision.
const ROLLBACK: &str = "rollback";
/// Bytes of a bundle, and of release.json.
const LIMIT: u64 = 32 << 20;

/// A unit of the delivery repository.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'a> {
    /// The project.
    pub project: &'a ProjectName,
    /// Where.
    pub environment: &'a EnvironmentName,
}

/// The newest promoted decision of a unit at `head`, if its promotion is in order; none where nothing was promoted. How
/// the decision that was `accepted` already came to be there again does not matter: nothing new starts from it.
///
/// # Errors
/// Those of verification by the environment's decision key, `E-DELIVERY-COMMIT` for a promotion commit that is not the
/// direct child of the commit that was judged or changes anything else, or for a release.json that says something else,
/// those of [`rests_on_promoted`], and those of the source.
pub fn promoted(
    delivery: &dyn Source,
    head: &CommitId,
    trust: &Trust,
    unit: Unit<'_>,
    accepted: Option<&Digest>,
) -> Result<Option<Verified<Statement<Summary>>>, RunError> {
    let standing = delivery::standing(delivery, head, trust, unit.project, unit.environment)?;
    let Some(statement) = standing else { return Ok(None) };
    let judged = &statement.value().predicate.decision;
    let found = Promotion { delivery, unit, judged };
    if accepted != Some(statement.payload_digest()) {
        found.check(&found.commit(head)?)?;
        rests_on_promoted(delivery, trust, unit, judged)?;
    }
    found.release(head)?;
    Ok(Some(statement))
}

/// The way back of a rollback is a decision that stood here before it: an allow that nobody promoted, such as one that
/// lost a race, allows none. Anything else rests on no earlier decision.
///
/// # Errors
/// `E-NO-DECISION`, `E-ROLLBACK` for a chain that is broken before it is found, and those of the source.
pub fn rests_on_promoted(
    delivery: &dyn Source,
    trust: &Trust,
    unit: Unit<'_>,
    judged: &Decision,
) -> Result<(), RunError> {
    if judged.kind != Kind::Rollback {
        return Ok(());
    }
    let earlier = judged.gates.iter().find(|gate| gate.name == ROLLBACK).and_then(|gate| gate.evidence);
    let chain = Chain::new(delivery, judged.delivery_commit.clone(), trust, unit.project, unit.environment);
    match earlier.map(|earlier| chain.has(&earlier)).transpose()? {
        Some(true) => Ok(()),
        Some(false) | None => {
            let reason = Code::NoDecision.reason().with("release", judged.release_digest);
            Err(reason.with("project", unit.project).with("environment", unit.environment).into())
        }
    }
}

/// What is known of one promotion.
struct Promotion<'a> {
    delivery: &'a dyn Source,
    unit: Unit<'a>,
    judged: &'a Decision,
}

impl Promotion<'_> {
    /// The commit at which the decision came in. People merge promotions into what they are working on; where they do,
    /// the side that has the decision is followed, and no other side may have got as far.
    fn commit(&self, head: &CommitId) -> Result<CommitFacts, RunError> {
        let path = path(&decision_path(self.unit.project, self.unit.environment))?;
        let mut head = head.clone();
        for _ in 0..MAX_MERGES {
            let found = self.delivery.last_change(&head, &path)?.unwrap_or(head);
            let facts = self.delivery.commit(&found, &[])?;
            if facts.parents.len() < 2 {
                return Ok(facts);
            }
            let now = self.delivery.file(&found, &path, LIMIT)?;
            let mut side = None;
            for parent in &facts.parents {
                let there = self.delivery.file(parent, &path, LIMIT)?;
                if there == now {
                    side = Some(parent.clone());
                } else if counter(there.as_deref()) >= self.judged.counter {
                    return Err(self.refuse(&found, "it merges another decision away").into());
                }
            }
            head = side.ok_or_else(|| self.refuse(&found, "it is a merge that brings in a decision"))?;
        }
        Err(self.refuse(&head, "there are too many merges behind it").into())
    }

    fn check(&self, commit: &CommitFacts) -> Result<(), RunError> {
        let judged = &self.judged.delivery_commit;
        if commit.parents != [judged.clone()] {
            let problem = format!("it is not the direct child of {}, which was judged", judged.short());
            return Err(self.refuse(&commit.commit, problem).into());
        }
        let own = [decision_path, release_path].map(|path| path(self.unit.project, self.unit.environment));
        let own = BTreeSet::from(own);
        let changed = self.delivery.changed_paths(&commit.commit, Some(judged))?;
        match changed.difference(&own).next() {
            Some(other) => Err(self.refuse(&commit.commit, format!("it also changes {other}")).into()),
            None => Ok(()),
        }
    }

    /// release.json is for people and other tools: it must not tell them anything else.
    fn release(&self, head: &CommitId) -> Result<(), RunError> {
        let path = path(&release_path(self.unit.project, self.unit.environment))?;
        let expected = jcs::to_bytes(&self.judged.release);
        let expected = expected.map_err(|error| RunError::internal("write a release", &error))?;
        if self.delivery.file(head, &path, LIMIT)? == Some(expected) {
            return Ok(());
        }
        let changed = self.delivery.last_change(head, &path)?.unwrap_or_else(|| head.clone());
        Err(self.refuse(&changed, format!("{path} is not the release that was decided about")).into())
    }

    fn refuse(&self, commit: &CommitId, problem: impl ToString) -> Reason {
        let reason =
            Code::DeliveryCommit.reason().with("commit", commit).with("problem", problem.to_string());
        reason.with("project", self.unit.project).with("environment", self.unit.environment)
    }
}

/// The place that a decision claims, whoever signed it; none where there is no decision.
fn counter(bundle: Option<&[u8]>) -> Option<u64> {
    let bundle = Bundle::parse(bundle?).ok()?;
    let statement = Statement::<Summary>::from_bytes(&bundle.envelope().payload).ok()?;
    statement.predicate.decision.counter
}

fn path(text: &str) -> Result<RelPath, RunError> {
    text.parse().map_err(|error| RunError::internal("name a file", &error))
}

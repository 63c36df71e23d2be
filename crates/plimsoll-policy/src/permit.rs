//! The permit: an allow in memory that nobody can forge, and the only thing that starts a release.

use crate::{
    decide::{RULES, place},
    decision::{Decision, Kind, Named, Summary, Verdict},
};
use plimsoll_attest::{Statement, Verified};
use plimsoll_model::{Code, Digest, EnvironmentName, Outcome, ProjectName, Reason, Role, Timestamp, removed};

/// Leave to start one release, once, now. It has private fields, and no way to be copied, read from bytes or made up:
/// [`permit`] is the only mint.
#[derive(Debug)]
pub struct Permit {
    release: Digest,
    artifact: Digest,
    decision: Digest,
    kind: Kind,
}

impl Permit {
    /// The release that may start.
    #[must_use]
    pub fn release(&self) -> &Digest {
        &self.release
    }

    /// The artifact of the release.
    #[must_use]
    pub fn artifact(&self) -> &Digest {
        &self.artifact
    }

    /// Payload digest of the decision behind it.
    #[must_use]
    pub fn decision(&self) -> &Digest {
        &self.decision
    }

    /// Why it was asked for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// Where an environment stands, as whoever acts sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The environment. Its name says whose key counts, its identity which place is meant.
    pub environment: Named<EnvironmentName>,
    /// The project.
    pub project: Named<ProjectName>,
    /// Digest of the release that is about to start, computed from what would really run.
    pub release: Digest,
    /// The decision that counts now, with its place in the chain; none before the first.
    pub current: Option<(Digest, u64)>,
}

/// Why something is about to start. What may start afresh is judged more strictly than what runs already, so that
/// nobody needs a way around the rules to keep a service up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// A release that does not run yet, under a decision that follows the current one.
    New,
    /// The current release, which ended.
    Restart,
    /// The current release, which is not what was decided any more.
    Repair {
        /// Whether the environment is frozen now.
        frozen: bool,
    },
}

/// Mints a permit, if the decision allows exactly this release, here, for this kind of start.
///
/// A new start must follow what stands now, in time. A restart and a repair need the current decision, however old; a
/// repair pauses in a freeze. Going back to the release before starts nothing: it is still there (`plimsoll-host`).
///
/// # Errors
/// `E-ROLE` for a decision by another key than this environment's, `E-RULES-UNKNOWN` for one by rules that this binary
/// does not have, `E-NO-DECISION` for one that refuses or is about something else, `E-ROLLBACK` for one that has not the
/// place in the chain that this start needs, `E-CLOCK` for one that was made after `now`, `E-DECISION-EXPIRED` for one
/// that waited too long, `E-FREEZE` for a repair in a freeze.
pub fn permit(
    decision: &Verified<Statement<Summary>>,
    observed: &Observed,
    start: Start,
    now: Timestamp,
) -> Result<Permit, Reason> {
    let summary = &decision.value().predicate;
    let judged = &summary.decision;
    by_its_role(decision, observed)?;
    if (judged.schema, judged.rules) != (1, RULES) {
        return Err(Code::RulesUnknown.reason().with("version", judged.rules));
    }
    if !(allows(judged) && is_about(judged, observed) && says_one_thing(decision.value())) {
        return Err(here(Code::NoDecision, observed).with("release", observed.release));
    }
    match start {
        Start::New => {
            follows(judged, observed)?;
            in_time(summary, observed, now)?;
        }
        Start::Restart | Start::Repair { frozen: false } => is_current(decision, observed)?,
        Start::Repair { frozen: true } => {
            let reason = here(Code::Freeze, observed).with("window", "repairs pause");
            return Err(reason.with("until", "the freeze ends"));
        }
    }
    Ok(Permit {
        release: observed.release,
        artifact: judged.release.artifact,
        decision: *decision.payload_digest(),
        kind: judged.kind,
    })
}

fn by_its_role(decision: &Verified<Statement<Summary>>, observed: &Observed) -> Result<(), Reason> {
    let expected = Role::Decision(observed.environment.name.clone());
    if *decision.role() == expected {
        return Ok(());
    }
    Err(Code::RoleMismatch.reason().with("actual", decision.role()).with("expected", expected))
}

/// The decision is the one that stands here now.
fn is_current(decision: &Verified<Statement<Summary>>, observed: &Observed) -> Result<(), Reason> {
    let judged = &decision.value().predicate.decision;
    let itself = (*decision.payload_digest(), judged.counter.unwrap_or_default());
    if observed.current == Some(itself) {
        return Ok(());
    }
    let actual = standing(Some(itself));
    Err(here(Code::Rollback, observed).with("actual", actual).with("expected", standing(observed.current)))
}

/// The verdict is what the gates say.
fn allows(judged: &Decision) -> bool {
    let passed = judged.gates.iter().all(|gate| gate.outcome == Outcome::Passed && gate.reasons.is_empty());
    judged.verdict == Verdict::Allow && !judged.gates.is_empty() && passed
}

fn is_about(judged: &Decision, observed: &Observed) -> bool {
    judged.environment == observed.environment
        && judged.project == observed.project
        && judged.release_digest == observed.release
        && judged.release.digest().ok() == Some(observed.release)
}

/// What other verifiers read, subject included, is what follows from the decision.
fn says_one_thing(statement: &Statement<Summary>) -> bool {
    let Summary { time_verified, input_attestations, decision, .. } = &statement.predicate;
    decision.clone().into_statement(*time_verified, input_attestations.clone()) == *statement
}

fn follows(judged: &Decision, observed: &Observed) -> Result<(), Reason> {
    let current = observed.current;
    let expected = place(current.map(|(_, counter)| counter));
    let follows = judged.previous == current.map(|(digest, _)| digest)
        && expected.is_some()
        && judged.counter == expected;
    if removed!("permit-chain") || follows {
        return Ok(());
    }
    let before = judged.counter.and_then(|counter| counter.checked_sub(1));
    let actual = standing(judged.previous.map(|digest| (digest, before.unwrap_or(0))));
    Err(here(Code::Rollback, observed).with("actual", actual).with("expected", standing(current)))
}

fn standing(current: Option<(Digest, u64)>) -> String {
    current.map_or_else(
        || "the beginning".to_owned(),
        |(digest, counter)| format!("decision {counter} ({})", digest.short()),
    )
}

/// A clock that stands before the decision would let it wait longer than it may.
fn in_time(summary: &Summary, observed: &Observed, now: Timestamp) -> Result<(), Reason> {
    if now < summary.time_verified {
        return Err(Code::Clock.reason().with("now", now).with("last", summary.time_verified));
    }
    if now > summary.decision.start_by {
        return Err(here(Code::DecisionExpired, observed).with("start_by", summary.decision.start_by));
    }
    Ok(())
}

fn here(code: Code, observed: &Observed) -> Reason {
    code.reason().with("project", &observed.project.name).with("environment", &observed.environment.name)
}

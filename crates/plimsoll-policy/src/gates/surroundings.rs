//! What stands around a release: what runs there and in the environment before, what changes, and when. Which statement
//! counts is decided here once, for all gates.

use super::{Bench, Judged, Refused};
use crate::{
    decide::{Evidence, Inputs},
    decision::{Kind, Named, Summary, Verdict},
    frozen,
};
use plimsoll_attest::{
    Statement, Verified, check_subject,
    predicate::{Delta, Observation, observation::UnitState},
};
use plimsoll_model::{Code, Digest, EnvironmentName, Outcome, Reason, Role, Timestamp};
use std::{collections::BTreeSet, time::Duration};

/// An observation older than this does not say what runs now: agents write one every five minutes.
const FRESH: Duration = Duration::from_secs(15 * 60);
/// How far the clock of an agent may be ahead.
const SKEW: Duration = Duration::from_secs(60);

type Observed<'a> = &'a Verified<Statement<Observation>>;

/// The statements beside those of the run that gates look at.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// What runs where the release would start.
    pub(super) here: Option<Observed<'a>>,
    /// What runs in the environment before.
    pub(super) before: Option<Observed<'a>>,
    /// What changes.
    pub(super) delta: Option<&'a Verified<Statement<Delta>>>,
    /// The decision that allowed the same release here earlier.
    pub(super) earlier: Option<&'a Verified<Statement<Summary>>>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(inputs: &'a Inputs) -> Self {
        Self {
            here: newest(inputs, &inputs.environment),
            before: inputs.after.as_ref().and_then(|before| newest(inputs, before)),
            delta: delta(inputs),
            earlier: earlier(inputs),
        }
    }

    /// Their names.
    pub(super) fn digests(&self) -> BTreeSet<Digest> {
        let observations = [self.here, self.before].into_iter().flatten().map(|o| *o.payload_digest());
        let delta = self.delta.map(|delta| *delta.payload_digest());
        let earlier = self.earlier.map(|earlier| *earlier.payload_digest());
        observations.chain(delta).chain(earlier).collect()
    }

    /// The decision behind what runs: as its agent saw it, or where no agent is, the one promoted last.
    pub(super) fn runs(&self, inputs: &Inputs) -> Option<Digest> {
        let seen = self.here.map(|here| here.value().predicate.decision);
        if inputs.hosted { seen } else { inputs.standing.as_ref().map(|standing| standing.decision) }
    }
}

/// The newest observation of this project by the agent of `environment`; none where its statement is about something
/// else than what it says runs.
fn newest<'a>(inputs: &'a Inputs, environment: &Named<EnvironmentName>) -> Option<Observed<'a>> {
    let role = Role::Agent(environment.name.clone());
    let of_it = inputs.evidence.iter().filter_map(|evidence| match evidence {
        Evidence::Observation(observation) => Some(observation),
        _ => None,
    });
    let about = |observation: &Observed<'a>| {
        let seen = &observation.value().predicate;
        *observation.role() == role
            && (&seen.environment.id, &seen.environment.name) == (&environment.id, &environment.name)
            && (&seen.project.id, &seen.project.name) == (&inputs.project.id, &inputs.project.name)
    };
    let newest = of_it.filter(about).max_by_key(|observation| {
        let seen = &observation.value().predicate;
        (seen.sequence, seen.observed, *observation.payload_digest())
    });
    newest.filter(|newest| check_subject(newest.value(), &newest.value().predicate.artifact).is_ok())
}

/// The delta to exactly this commit, read at exactly this commit of the delivery repository.
fn delta(inputs: &Inputs) -> Option<&Verified<Statement<Delta>>> {
    let of_it = inputs.evidence.iter().filter_map(|evidence| match evidence {
        Evidence::Delta(delta) => Some(delta),
        _ => None,
    });
    let about = |delta: &&Verified<Statement<Delta>>| {
        let read = &delta.value().predicate;
        read.project == inputs.project.name
            && read.environment == inputs.environment.name
            && read.head == inputs.run.value().predicate.commit
            && read.delivery_head == inputs.delivery_commit
            && read.subject().is_ok_and(|subject| check_subject(delta.value(), &subject).is_ok())
    };
    of_it.filter(about).max_by_key(|delta| *delta.payload_digest())
}

/// A decision that allowed exactly this release in this environment.
fn earlier(inputs: &Inputs) -> Option<&Verified<Statement<Summary>>> {
    if inputs.kind != Kind::Rollback {
        return None;
    }
    let release = inputs.release.digest().ok()?;
    let role = Role::Decision(inputs.environment.name.clone());
    let of_it = inputs.evidence.iter().filter_map(|evidence| match evidence {
        Evidence::Decision(decision) => Some(decision.as_ref()),
        _ => None,
    });
    let allowed = |decision: &&Verified<Statement<Summary>>| {
        let judged = &decision.value().predicate.decision;
        let before = inputs.standing.as_ref().is_some_and(|s| judged.counter.is_some_and(|c| c <= s.counter));
        *decision.role() == role
            && judged.verdict == Verdict::Allow
            && (&judged.environment, &judged.project) == (&inputs.environment, &inputs.project)
            && judged.release_digest == release
            && before
    };
    of_it.filter(allowed).max_by_key(|decision| *decision.payload_digest())
}

impl Bench<'_> {
    /// The same artifact runs in the environment before.
    pub(super) fn after(&self, before: &Named<EnvironmentName>) -> Judged {
        let Some(observation) = self.around.before else {
            let problem = "no observation of its agent is there that agrees with itself";
            return Err(Refused::new(Outcome::Missing, None, self.not_after(before, problem)));
        };
        let digest = Some(*observation.payload_digest());
        let seen = &observation.value().predicate;
        let refused =
            |outcome, problem: String| Err(Refused::new(outcome, digest, self.not_after(before, problem)));
        if is_stale(seen, self.inputs.now) {
            return refused(Outcome::Stale, format!("the newest observation is of {}", seen.observed));
        }
        if seen.artifact != self.inputs.release.artifact {
            return refused(Outcome::Failed, format!("{} runs there", seen.artifact));
        }
        if seen.state != UnitState::Serving {
            return refused(Outcome::Failed, format!("it is {}", seen.state));
        }
        match seen.drift.first() {
            Some(drift) => refused(Outcome::Failed, drift.sentence()),
            None => Ok(digest),
        }
    }

    fn not_after(&self, before: &Named<EnvironmentName>, problem: impl std::fmt::Display) -> Reason {
        let reason = Code::After.reason().with("artifact", self.inputs.release.artifact);
        reason.with("after", &before.name).with("project", &self.inputs.project.name).with("problem", problem)
    }

    /// It was seen running there for long enough.
    pub(super) fn soak(&self, before: &Named<EnvironmentName>) -> Judged {
        let digest = self.after(before)?;
        let need = Duration::from_secs(self.inputs.declared.soak_seconds);
        let have = self.around.before.map_or(Duration::ZERO, |observation| {
            let seen = &observation.value().predicate;
            passed(seen.since, seen.observed)
        });
        if have >= need {
            return Ok(digest);
        }
        let reason = Code::Soak.reason().with("artifact", self.inputs.release.artifact);
        let reason = reason.with("after", &before.name).with("environment", &self.inputs.environment.name);
        let seconds = |time: Duration| format!("{} s", time.as_secs());
        let reason = reason.with("have", seconds(have)).with("need", seconds(need));
        Err(Refused::new(Outcome::Failed, digest, reason.with("project", &self.inputs.project.name)))
    }

    /// No freeze is on.
    pub(super) fn freeze(&self) -> Judged {
        match frozen(&self.inputs.declared.freeze, self.inputs.now) {
            None => Ok(None),
            Some(frozen) => {
                let reason = Code::Freeze.reason().with("environment", &self.inputs.environment.name);
                let reason = reason.with("until", frozen.until).with("window", frozen.window);
                Err(Refused::new(Outcome::Failed, None, reason))
            }
        }
    }

    /// The release was allowed here before: then it is not asked again for what it showed at that time.
    pub(super) fn rollback(&self) -> Judged {
        if let Some(earlier) = self.around.earlier {
            return Ok(Some(*earlier.payload_digest()));
        }
        let release =
            self.inputs.release.digest().map_or_else(|_| "?".to_owned(), |digest| digest.to_string());
        let reason = Code::NoDecision.reason().with("release", release);
        let reason = reason.with("project", &self.inputs.project.name);
        let reason = reason.with("environment", &self.inputs.environment.name);
        Err(Refused::new(Outcome::Missing, None, reason))
    }
}

/// Whether an observation does not say any more, or not yet, what runs now.
pub(super) fn is_stale(seen: &Observation, now: Timestamp) -> bool {
    passed(seen.observed, now) > FRESH || passed(now, seen.observed) > SKEW
}

/// The time from one instant to a later one; none where it is earlier.
fn passed(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

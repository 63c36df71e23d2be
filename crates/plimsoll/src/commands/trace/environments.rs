//! The part of `plimsoll trace` that leaves this machine: the environments in which a run stands, by the delivery
//! repository, or runs, by the word of their agents. Only what is signed leads anywhere.

use super::Way;
use crate::{places::Place, records::RunRecord};
use plimsoll_attest::predicate::Observation;
use plimsoll_engine::delivery::Promoted;
use plimsoll_model::{CommitId, Digest, Reason, RunId, Timestamp};
use plimsoll_policy::{Decision, Kind};
use serde::Serialize;
use serde_json::Value;

/// Digits that name a commit or run, and digits that name a digest.
const SHORTEST: (usize, usize) = (7, 8);

/// An environment that something leads to.
#[derive(Debug, Serialize)]
pub(super) struct Environment {
    /// `project@environment`.
    unit: String,
    /// What was promoted there last; none where that is of another run.
    stands: Option<Stands>,
    /// What its agent saw there last; none where it saw nothing yet.
    observed: Option<Seen>,
}

/// A promoted decision.
#[derive(Debug, Serialize)]
struct Stands {
    decision: Digest,
    counter: u64,
    kind: Kind,
    run: RunId,
    commit: CommitId,
    artifact: Digest,
    decided: Timestamp,
}

/// An observation, as far as it belongs here.
#[derive(Debug, Serialize)]
struct Seen {
    /// Whether what was seen is what is traced.
    same: bool,
    state: String,
    decision: Digest,
    artifact: Digest,
    executable: Option<Digest>,
    agent: String,
    since: Timestamp,
    observed: Timestamp,
    drift: Vec<Reason>,
}

/// Environments where this run was promoted last, or where its artifact was seen.
pub(super) fn of_run(places: &[Place], run: &RunRecord) -> Vec<Environment> {
    let made = run.artifact.as_ref().map(|artifact| artifact.manifest);
    let stands = |decision: &Decision, _: &Digest| decision.run == run.run;
    let seen = |seen: &Observation| Some(seen.artifact) == made && seen.commit == run.commit;
    places.iter().filter_map(|place| Environment::of(place, &stands, &seen)).collect()
}

/// Environments that `of` names, a commit, run, digest or PROJECT@ENVIRONMENT, where what stands comes from a run that
/// is not among `runs`: the delivery repository knows more than this machine.
pub(super) fn made_elsewhere(places: &[Place], of: &str, runs: &[RunRecord]) -> Vec<Environment> {
    let hex = of.strip_prefix("sha256:").unwrap_or(of);
    let digest = |digest: &Digest| hex.len() >= SHORTEST.1 && digest.hex().starts_with(hex);
    let id = |id: &str| of.len() >= SHORTEST.0 && id.starts_with(of);
    let of_place = |place: &Place| {
        let unit = place.unit.to_string() == of;
        let stands = |decision: &Decision, payload: &Digest| {
            let digests = [payload, &decision.release.artifact, &decision.release_digest];
            let named = id(decision.run.as_str()) || id(decision.commit.as_str());
            let here = runs.iter().any(|run| run.run == decision.run);
            !here && (unit || named || digests.into_iter().any(digest))
        };
        let seen = |seen: &Observation| {
            let here = runs.iter().any(|run| {
                run.commit == seen.commit
                    && run.artifact.as_ref().is_some_and(|a| a.manifest == seen.artifact)
            });
            let digests = [&seen.decision, &seen.artifact, &seen.release];
            !here && (unit || id(seen.commit.as_str()) || digests.into_iter().any(digest))
        };
        Environment::of(place, &stands, &seen)
    };
    places.iter().filter_map(of_place).collect()
}

/// The ways of this machine, and what is known without one.
pub(super) fn with_elsewhere(ways: &[Way], elsewhere: &[Environment]) -> Value {
    let mut all: Vec<Value> = ways.iter().map(|way| serde_json::json!(way)).collect();
    all.extend((!elsewhere.is_empty()).then(|| serde_json::json!({ "environments": elsewhere })));
    Value::Array(all)
}

impl Environment {
    /// A place, if what stands or what was seen there is meant.
    fn of(
        place: &Place,
        stands: &dyn Fn(&Decision, &Digest) -> bool,
        seen: &dyn Fn(&Observation) -> bool,
    ) -> Option<Self> {
        let promoted = place.standing.as_ref().ok().and_then(Option::as_ref).filter(|promoted| {
            let statement = &promoted.statement;
            stands(&statement.value().predicate.decision, statement.payload_digest())
        });
        let same = place.observed.as_ref().is_some_and(seen);
        if promoted.is_none() && !same {
            return None;
        }
        let observed = place.observed.as_ref().map(|observed| Seen::of(observed, same));
        Some(Self { unit: place.unit.to_string(), stands: promoted.map(Stands::of), observed })
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(Stands { decision, counter, kind, commit, decided, .. }) = &self.stands {
            let kind = match kind {
                Kind::Deploy => "deploy",
                Kind::Rollback => "rollback",
            };
            let commit = commit.short();
            text.push_str(&format!(
                "stands    {}  decision {counter}  {decision}  {kind} of {commit}  {decided}\n",
                self.unit
            ));
        }
        text.push_str(&format!("runs      {}  {}\n", self.unit, self.runs()));
        text
    }

    fn runs(&self) -> String {
        let Some(seen) = &self.observed else { return "nobody has seen it yet".into() };
        let by = format!("seen {} by {}", seen.observed, seen.agent);
        if !seen.same {
            return format!("SOMETHING ELSE: decision {}, {by}", seen.decision.short());
        }
        let drift: String = seen.drift.iter().map(|reason| format!("  {}", reason.sentence())).collect();
        format!("{} since {}, {by}{drift}", seen.state, seen.since)
    }
}

impl Stands {
    fn of(promoted: &Promoted) -> Self {
        let summary = &promoted.statement.value().predicate;
        let decision = &summary.decision;
        Self {
            decision: *promoted.statement.payload_digest(),
            counter: decision.counter.unwrap_or_default(),
            kind: decision.kind,
            run: decision.run.clone(),
            commit: decision.commit.clone(),
            artifact: decision.release.artifact,
            decided: summary.time_verified,
        }
    }
}

impl Seen {
    fn of(seen: &Observation, same: bool) -> Self {
        Self {
            same,
            state: seen.state.to_string(),
            decision: seen.decision,
            artifact: seen.artifact,
            executable: seen.executable,
            agent: seen.agent.name.clone(),
            since: seen.since,
            observed: seen.observed,
            drift: seen.drift.clone(),
        }
    }
}

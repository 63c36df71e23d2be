//! Observations of services that this machine started itself: signed with the environment's agent key, and published
//! where decisions about the environment after it look.

use crate::{
    cli::ProjectAt,
    commands::{stop, trace},
    context::{Context, Pinned},
    failure::Failure,
    promotion, records,
};
use plimsoll_attest::{
    Statement, Subject,
    predicate::{
        Observation,
        observation::{AgentId, AgentIsolation, UnitState},
    },
    seal, verify,
};
use plimsoll_engine::{delivery, ports::Blobs as _, signer::Key as _};
use plimsoll_git::Place;
use plimsoll_host::{ServiceRecord, ServiceState};
use plimsoll_model::{Code, CommitId, Opaque, Reason, Role, Timestamp};
use plimsoll_policy::Summary;
use plimsoll_store::StateDir;

/// Bytes of a bundle.
const LIMIT: u64 = 32 << 20;
/// Name of the agent that a person's own machine is.
const LOCAL: &str = "local";

/// Looks at the service of a unit, if this machine runs it, and publishes what it sees.
///
/// # Errors
/// When the delivery repository does not take it.
pub(crate) fn publish(
    context: &Context,
    state: &StateDir,
    pinned: &Pinned,
    head: &CommitId,
    unit: &ProjectAt,
) -> Result<(), Failure> {
    let Some(record) = stop::directory(context, unit)?.read() else { return Ok(()) };
    let Some(decided) = records::decision(state, &record.decision)? else { return Ok(()) };
    let role = Role::Agent(unit.environment.clone());
    if !context.keys().exists(&role) {
        return Ok(());
    }
    let bundle = state.layout().read(&decided.bundle, LIMIT)?;
    let decision = verify::<Summary>(&bundle, &context.trust()?, &Role::Decision(unit.environment.clone()))?;
    let judged = &decision.value().predicate.decision;
    let before = newest(context, pinned, unit)?;
    let predicate = Observation {
        schema: 1,
        agent: AgentId { name: LOCAL.into(), id: identity(pinned)? },
        environment: judged.environment.clone(),
        project: judged.project.clone(),
        sequence: before.map_or(1, |before| before.sequence.saturating_add(1)),
        state: match record.state {
            ServiceState::Serving => UnitState::Serving,
            ServiceState::Restarting | ServiceState::Failed => UnitState::Failed,
            ServiceState::Stopped => UnitState::Stopped,
        },
        decision: record.decision,
        release: judged.release_digest,
        artifact: judged.release.artifact,
        commit: judged.commit.clone(),
        decided_at: judged.delivery_commit.clone(),
        executable: trace::executable(record.process),
        since: record.since,
        observed: Timestamp::now(),
        delivery_commit: head.clone(),
        wanted: record.decision,
        problem: None,
        drift: drift(unit, &record),
        agent_isolation: AgentIsolation::None,
    };
    let broken =
        |error: &(dyn std::error::Error + 'static)| Failure::broken("the observation was not signed", error);
    let statement =
        Statement { subject: vec![Subject::new(unit.to_string(), predicate.artifact)], predicate };
    let payload = statement.to_bytes().map_err(|error| broken(&error))?;
    let key = context.keys().load(&role).map_err(|error| broken(&error))?;
    let bundle = seal(&payload, key.public(), |message| Ok::<_, Failure>(key.sign(message)))?;
    let place = Place::Observations(unit.environment.clone());
    let message = format!("{unit}: {}\n", statement.predicate.state);
    promotion::append(context, pinned, place, [(format!("{}.sigstore.json", unit.project), bundle)], message)
}

/// The newest observation of a unit that was fetched.
fn newest(context: &Context, pinned: &Pinned, unit: &ProjectAt) -> Result<Option<Observation>, Failure> {
    let root = pinned.accept()?;
    let repository = context.delivery()?;
    let seen = delivery::observed(&repository, root.trust(), &unit.project, &unit.environment)?;
    Ok(seen.map(|seen| seen.value().predicate.clone()))
}

/// What runs differs from what was decided.
fn drift(unit: &ProjectAt, record: &ServiceRecord) -> Vec<Reason> {
    let actual = trace::executable(record.process);
    if record.state != ServiceState::Serving || actual == Some(record.executable) {
        return vec![];
    }
    let cause = actual
        .map_or_else(|| "its executable cannot be read".to_owned(), |digest| format!("it executes {digest}"));
    vec![Code::Drift.reason().with("unit", unit).with("what", "executable").with("cause", cause)]
}

/// A machine that is no enrolled agent is known by the delivery repository that it follows.
fn identity(pinned: &Pinned) -> Result<Opaque, Failure> {
    Ok(pinned.accept()?.genesis().clone())
}

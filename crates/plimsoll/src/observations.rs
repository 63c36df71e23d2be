//! Observations: what runs, signed with the environment's agent key, and published where decisions about the environment
//! after it look. Agents make them; so does a person's own machine, of the services that it started itself.

use crate::{
    cli::ProjectAt,
    commands::{stop, trace},
    context::{Context, Pinned},
    failure::Failure,
    installed, promotion, records,
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
use plimsoll_model::{Code, CommitId, Digest, EnvironmentName, Reason, Role, Timestamp};
use plimsoll_policy::{Decision, Summary};
use plimsoll_store::StateDir;

/// Bytes of a bundle.
const LIMIT: u64 = 32 << 20;
/// Name of the agent that a person's own machine is.
const LOCAL: &str = "local";

/// What is seen of a unit at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) agent: AgentId,
    pub(crate) state: UnitState,
    /// Payload digest of the decision behind what runs.
    pub(crate) decision: Digest,
    pub(crate) judged: Decision,
    pub(crate) executable: Option<Digest>,
    pub(crate) since: Timestamp,
    /// The decision that the delivery repository names.
    pub(crate) wanted: Digest,
    pub(crate) problem: Option<Reason>,
    pub(crate) drift: Vec<Reason>,
}

impl Sight {
    /// The observation of it.
    pub(crate) fn observation(self, sequence: u64, head: CommitId) -> Observation {
        let judged = self.judged;
        Observation {
            schema: 1,
            agent: self.agent,
            environment: judged.environment,
            project: judged.project,
            sequence,
            state: self.state,
            decision: self.decision,
            release: judged.release_digest,
            artifact: judged.release.artifact,
            commit: judged.commit,
            decided_at: judged.delivery_commit,
            executable: self.executable,
            since: self.since,
            observed: Timestamp::now(),
            delivery_commit: head,
            wanted: self.wanted,
            problem: self.problem,
            drift: self.drift,
            agent_isolation: isolation(),
        }
    }
}

/// Started by root, services run under a user of their own (`plimsoll-sandbox`).
fn isolation() -> AgentIsolation {
    if rustix::process::geteuid().is_root() { AgentIsolation::OwnUid } else { AgentIsolation::None }
}

/// Signs observations of one environment and publishes them in one commit.
///
/// # Errors
/// When there is no key, or the delivery repository does not take them.
pub(crate) fn publish(
    context: &Context,
    pinned: &Pinned,
    environment: &EnvironmentName,
    observations: Vec<Observation>,
) -> Result<(), Failure> {
    let broken =
        |error: &(dyn std::error::Error + 'static)| Failure::broken("the observation was not signed", error);
    let key = context.keys().load(&Role::Agent(environment.clone())).map_err(|error| broken(&error))?;
    let (mut files, mut lines) = (Vec::new(), Vec::new());
    for predicate in observations {
        let project = predicate.project.name.clone();
        let unit = ProjectAt { project: project.clone(), environment: environment.clone() };
        lines.push(format!("{unit}: {}\n", predicate.state));
        let subject = vec![Subject::new(unit.to_string(), predicate.artifact)];
        let payload = Statement { subject, predicate }.to_bytes().map_err(|error| broken(&error))?;
        let bundle = seal(&payload, key.public(), |message| Ok::<_, Failure>(key.sign(message)))?;
        files.push((format!("{project}.sigstore.json"), bundle));
    }
    promotion::append(context, pinned, Place::Observations(environment.clone()), files, lines.concat())
}

/// What a person's own machine sees of a unit.
struct Own {
    state: UnitState,
    decision: Digest,
    executable: Option<Digest>,
    since: Timestamp,
    drift: Vec<Reason>,
    isolation: AgentIsolation,
}

/// Looks at the service of a unit, or at what is installed, if this machine has it for a person, and publishes what it
/// sees.
///
/// # Errors
/// When the delivery repository does not take it.
pub(crate) fn publish_own(
    context: &Context,
    state: &StateDir,
    pinned: &Pinned,
    head: &CommitId,
    unit: &ProjectAt,
) -> Result<(), Failure> {
    let Some(own) = own(context, state, unit)? else { return Ok(()) };
    let Some(decided) = records::decision(state, &own.decision)? else { return Ok(()) };
    if !context.keys().exists(&Role::Agent(unit.environment.clone())) {
        return Ok(());
    }
    let bundle = state.layout().read(&decided.bundle, LIMIT)?;
    let decision = verify::<Summary>(&bundle, &context.trust()?, &Role::Decision(unit.environment.clone()))?;
    // A machine that is no enrolled agent is known by the delivery repository that it follows.
    let genesis = pinned.accept()?.genesis().clone();
    let sight = Sight {
        agent: AgentId { name: LOCAL.into(), id: genesis },
        state: own.state,
        decision: own.decision,
        judged: decision.value().predicate.decision.clone(),
        executable: own.executable,
        since: own.since,
        wanted: own.decision,
        problem: None,
        drift: own.drift,
    };
    let sequence = newest(context, pinned, unit)?.map_or(1, |before| before.sequence.saturating_add(1));
    let observation =
        Observation { agent_isolation: own.isolation, ..sight.observation(sequence, head.clone()) };
    publish(context, pinned, &unit.environment, vec![observation])
}

/// What this machine has of a unit, if anything.
fn own(context: &Context, state: &StateDir, unit: &ProjectAt) -> Result<Option<Own>, Failure> {
    let directory = stop::directory(context, unit)?;
    if let Some(installed) = installed::of(&directory) {
        let seen = installed::look(context, state, unit, &installed)?;
        return Ok(Some(Own {
            state: if seen.current { UnitState::Serving } else { UnitState::Failed },
            decision: seen.decision,
            executable: seen.executable(),
            since: seen.since,
            drift: seen.drift,
            // Whoever executes what is installed does so as whom they like.
            isolation: AgentIsolation::None,
        }));
    }
    Ok(directory.read().map(|record| Own {
        state: match record.state {
            ServiceState::Serving => UnitState::Serving,
            ServiceState::Restarting | ServiceState::Failed => UnitState::Failed,
            ServiceState::Stopped => UnitState::Stopped,
        },
        decision: record.decision,
        executable: trace::executable(record.process),
        since: record.since,
        drift: drift(unit, &record),
        isolation: isolation(),
    }))
}

/// The newest observation of a unit that was fetched.
pub(crate) fn newest(
    context: &Context,
    pinned: &Pinned,
    unit: &ProjectAt,
) -> Result<Option<Observation>, Failure> {
    let root = pinned.accept()?;
    let repository = context.mirror(pinned)?.source()?;
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

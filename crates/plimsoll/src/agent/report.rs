//! Tells what is seen: signs observations and publishes them when something changed, when something has served for as long
//! as another environment wants to see it, and now and then so that nobody takes silence for health.

use super::{follow::Followed, look};
use crate::{
    cli::ProjectAt,
    commands::{stop, trace},
    context::{Context, Pinned},
    failure::Failure,
    observations::{self, Sight},
};
use plimsoll_attest::{
    Bundle, Statement,
    predicate::{
        Observation,
        observation::{AgentId, UnitState},
    },
};
use plimsoll_engine::ports::Blobs as _;
use plimsoll_host::{Look, ServiceRecord, ServiceState, agent_state::AgentState};
use plimsoll_model::{Code, CommitId, Digest, ProjectName, Reason, Timestamp};
use plimsoll_policy::{Decision, Summary, dossier};
use plimsoll_store::StateDir;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long an observation stands unless something changes. A third of the time after which nobody believes it
/// (`plimsoll-policy`).
const REPEAT: Duration = Duration::from_secs(5 * 60);
/// For how long another agent's observation means that it is at work.
const AT_WORK: i64 = 15 * 60;

/// What was told by this process.
#[derive(Default)]
pub(crate) struct Reporter {
    told: BTreeMap<ProjectName, (Sight, Instant, Timestamp)>,
    decisions: BTreeMap<Digest, Decision>,
}

impl Reporter {
    /// Publishes what is worth it. `problems` is what holds each unit back.
    ///
    /// # Errors
    /// `E-AGENT-TWICE`; when a decision cannot be read, or the delivery repository does not take the observation.
    pub(crate) fn report(
        &mut self,
        context: &Context,
        (state, pinned): (&StateDir, &Pinned),
        followed: &Followed,
        problems: &BTreeMap<ProjectName, Vec<Reason>>,
        (head, memory): (&CommitId, &mut AgentState),
    ) -> Result<(), Failure> {
        let mut news = Vec::new();
        for (project, promoted) in &followed.wanted.units {
            let unit = look::unit(memory, project);
            let problem = problems.get(project).and_then(|reasons| reasons.first()).cloned();
            let sight = self.look(context, state, &unit, memory, (promoted.decision, problem))?;
            if let Some(sight) = sight.filter(|sight| self.is_news(project, sight, followed)) {
                news.push((project.clone(), sight));
            }
        }
        if news.is_empty() {
            return Ok(());
        }
        let mut observations = Vec::new();
        for (project, sight) in &news {
            let sequence = self.sequence(context, pinned, project, memory)?;
            observations.push(sight.clone().observation(sequence, head.clone()));
        }
        observations::publish(context, pinned, &memory.environment.name, observations.clone())?;
        self.note(news, observations, memory);
        Ok(())
    }

    fn note(
        &mut self,
        news: Vec<(ProjectName, Sight)>,
        observations: Vec<Observation>,
        memory: &mut AgentState,
    ) {
        for ((project, sight), observation) in news.into_iter().zip(observations) {
            if let Some(known) = memory.units.get_mut(&project) {
                known.sequence = observation.sequence;
            }
            self.told.insert(project, (sight, Instant::now(), observation.observed));
        }
    }

    fn is_news(&self, project: &ProjectName, sight: &Sight, followed: &Followed) -> bool {
        let Some((told, at, observed)) = self.told.get(project) else { return true };
        let served = |at: Timestamp| at.as_second().saturating_sub(sight.since.as_second());
        let (then, now) = (served(*observed), served(Timestamp::now()));
        let soaked = |soak: &u64| i64::try_from(*soak).is_ok_and(|soak| then < soak && soak <= now);
        told != sight || at.elapsed() >= REPEAT || followed.soaks.iter().any(soaked)
    }

    /// What is seen of a unit; none where nothing that was decided ever ran.
    fn look(
        &mut self,
        context: &Context,
        state: &StateDir,
        unit: &ProjectAt,
        memory: &AgentState,
        (wanted, problem): (Digest, Option<Reason>),
    ) -> Result<Option<Sight>, Failure> {
        let directory = stop::directory(context, unit)?;
        let record = directory.read();
        let decision = record.as_ref().map_or(wanted, |record| record.decision);
        let Some(judged) = self.decision(state, &decision)? else { return Ok(None) };
        let agent = AgentId { name: memory.agent.name.clone(), id: memory.agent.id.clone() };
        let known = memory.units.get(&unit.project).and_then(|known| known.taken_back.as_ref());
        let taken_back = known.filter(|taken_back| taken_back.decision == wanted);
        let drift = directory.look().map(|look| drift(unit, look)).unwrap_or_default();
        let sight = Sight {
            agent,
            state: state_of(record.as_ref(), taken_back.is_some()),
            decision,
            judged,
            executable: record.as_ref().and_then(|record| trace::executable(record.process)),
            since: record.as_ref().map_or(Timestamp::UNIX_EPOCH, |record| record.since),
            wanted,
            problem,
            drift,
        };
        Ok(Some(sight))
    }

    /// A decision that was accepted here, from its dossier.
    fn decision(&mut self, state: &StateDir, decision: &Digest) -> Result<Option<Decision>, Failure> {
        if let Some(known) = self.decisions.get(decision) {
            return Ok(Some(known.clone()));
        }
        let Some(found) = state.layout().dossier(decision)? else { return Ok(None) };
        let parts = dossier::read(&state.layout().read(&found.digest, dossier::MAX_DOSSIER as u64)?)?;
        let bundle = Bundle::parse(&parts.decision)
            .map_err(|error| Failure::broken("a dossier cannot be read", &error))?;
        let statement = Statement::<Summary>::from_bytes(&bundle.envelope().payload);
        let statement = statement.map_err(|error| Failure::broken("a dossier cannot be read", &error))?;
        self.decisions.insert(*decision, statement.predicate.decision.clone());
        Ok(Some(statement.predicate.decision))
    }

    /// The place of the next observation.
    fn sequence(
        &self,
        context: &Context,
        pinned: &Pinned,
        project: &ProjectName,
        memory: &AgentState,
    ) -> Result<u64, Failure> {
        let own = memory.units.get(project).map_or(0, |known| known.sequence);
        let newest = observations::newest(context, pinned, &look::unit(memory, project))?;
        if let Some(reason) = newest.as_ref().and_then(|newest| self.twin(newest, project, memory)) {
            return Err(reason.into());
        }
        Ok(newest.map_or(own, |newest| own.max(newest.sequence)).saturating_add(1))
    }

    /// Another agent at work: somebody else who tells about this unit under the same name, or who goes on where this
    /// process was the last to tell.
    ///
    /// # Errors
    /// When the observations cannot be read.
    pub(crate) fn other(
        &self,
        context: &Context,
        pinned: &Pinned,
        project: &ProjectName,
        memory: &AgentState,
    ) -> Result<Option<Reason>, Failure> {
        let newest = observations::newest(context, pinned, &look::unit(memory, project))?;
        Ok(newest.and_then(|newest| self.twin(&newest, project, memory)))
    }

    fn twin(&self, newest: &Observation, project: &ProjectName, memory: &AgentState) -> Option<Reason> {
        let ago = Timestamp::now().as_second().saturating_sub(newest.observed.as_second());
        // By a clock that was far ahead, this says nothing of now.
        let at_work = (-AT_WORK..AT_WORK).contains(&ago);
        let own = memory.units.get(project).map_or(0, |known| known.sequence);
        let same = newest.agent.id == memory.agent.id;
        let other = newest.agent.name == memory.agent.name && !same;
        let copy = same && newest.sequence > own && self.told.contains_key(project);
        let who = match (other, copy) {
            (true, _) => "an agent that was enrolled under the same name",
            (_, true) => "a copy of this agent's memory",
            (false, false) => return None,
        };
        let unit = look::unit(memory, project);
        let problem = format!("{who} told of {unit} at {}", newest.observed);
        let reason = Code::AgentTwice.reason().with("environment", &unit.environment);
        at_work.then(|| reason.with("problem", problem))
    }
}

/// What a supervisor sees, as reasons. That it cannot look is told like what it would find.
fn drift(unit: &ProjectAt, look: Look) -> Vec<Reason> {
    let unseen =
        |problem| Code::Drift.reason().with("unit", unit).with("what", "unseen").with("cause", problem);
    look.drift.iter().map(|drift| drift.reason(unit)).chain(look.problem.map(unseen)).collect()
}

fn state_of(record: Option<&ServiceRecord>, taken_back: bool) -> UnitState {
    match record.map(|record| record.state) {
        Some(ServiceState::Serving) if taken_back => UnitState::FellBack,
        Some(ServiceState::Serving) => UnitState::Serving,
        Some(ServiceState::Restarting | ServiceState::Failed) | None => UnitState::Failed,
        Some(ServiceState::Stopped) => UnitState::Stopped,
    }
}

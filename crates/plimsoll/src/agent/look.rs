//! What runs here of the agent's environment, as the supervisors' records tell.

use super::{follow::Followed, start::Starts};
use crate::{
    cli::ProjectAt,
    commands::{status, stop},
    context::Context,
    failure::Failure,
};
use plimsoll_host::{
    ServiceDirectory, ServiceRecord, ServiceState,
    agent_state::{AgentState, TakenBack},
    reconcile::{Current, Phase, Seen, SeenUnit},
};
use plimsoll_model::{Code, ProjectName, Reason};
use std::collections::BTreeMap;

/// A project in the agent's environment.
pub(crate) fn unit(memory: &AgentState, project: &ProjectName) -> ProjectAt {
    ProjectAt { project: project.clone(), environment: memory.environment.name.clone() }
}

/// Everything that runs, ran, or is about to run.
///
/// # Errors
/// When the services cannot be listed.
pub(crate) fn seen(
    context: &Context,
    memory: &AgentState,
    followed: &Followed,
    (starts, problems): (&Starts, &BTreeMap<ProjectName, Vec<Reason>>),
) -> Result<Seen, Failure> {
    let mut records: BTreeMap<ProjectName, Option<ServiceRecord>> =
        memory.units.keys().map(|project| (project.clone(), None)).collect();
    let services = status::services(context)?.into_iter();
    let own = services.filter(|(unit, _)| unit.environment == memory.environment.name);
    // What a person started here is theirs, until the agent is asked to keep it.
    let own = own.filter(|(unit, _)| memory.units.contains_key(&unit.project));
    records.extend(own.map(|(unit, record)| (unit.project, Some(record))));
    let mut seen = Seen::default();
    for (project, record) in records {
        let directory = stop::directory(context, &unit(memory, &project))?;
        let found = look(&directory, &project, record, memory, followed);
        let phase = if starts.is_open(&project) { Phase::Starting } else { found.phase };
        seen.units.insert(project, SeenUnit { phase, ..found });
    }
    for (project, reported) in problems {
        seen.units.entry(project.clone()).or_default().reported.clone_from(reported);
    }
    Ok(seen)
}

fn look(
    directory: &ServiceDirectory,
    project: &ProjectName,
    record: Option<ServiceRecord>,
    memory: &AgentState,
    followed: &Followed,
) -> SeenUnit {
    let known = memory.units.get(project);
    let phase = record.as_ref().map_or(Phase::Absent, |record| match record.state {
        ServiceState::Serving | ServiceState::Restarting => Phase::Serving,
        ServiceState::Failed => Phase::Failed,
        ServiceState::Stopped => Phase::Absent,
    });
    let current = record.map(|record| Current {
        decision: record.decision,
        grandfathered: followed.grandfathered.contains(&record.decision),
    });
    SeenUnit {
        current,
        phase,
        taken_back: known.and_then(|known| known.taken_back.clone()),
        failures: known.and_then(|known| known.failures.clone()),
        drift: directory.look().map(|look| look.drift).unwrap_or_default(),
        repairs: known.map_or(0, |known| known.repairs),
        reported: vec![],
    }
}

/// What failed in its confirm window here, as the supervisor that took over wrote it down.
pub(crate) fn taken_back(directory: &ServiceDirectory) -> Option<TakenBack> {
    let setback = directory.setback().filter(|setback| setback.reason.code == Code::Fallback)?;
    let problem = setback.reason.parameters.get("problem").cloned().unwrap_or_default();
    Some(TakenBack { decision: setback.decision, problem })
}

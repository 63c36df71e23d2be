//! `plimsoll agent`: keeps an environment on this machine as the delivery repository says.

use crate::{
    agent::{self, Agent},
    cli::{AgentCommand, AgentEnroll},
    context::{self, Context, Pinned},
    failure::Failure,
    interrupt,
    output::Output,
};
use plimsoll_engine::derive::required;
use plimsoll_engine::signer::Key as _;
use plimsoll_host::agent_state::{self, AgentState, AgentStore};
use plimsoll_model::{CommitId, Role};
use plimsoll_pipeline::Environment;
use plimsoll_policy::{Named, repository::environment_path};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::Duration,
};

pub(crate) fn agent(context: &Context, command: &AgentCommand, output: &Output) -> Result<(), Failure> {
    match command {
        AgentCommand::Enroll(arguments) => enroll(context, arguments, output),
        AgentCommand::Run { interval } => run(context, Duration::from_secs(*interval), output),
        AgentCommand::Show => show(context, output),
    }
}

/// Makes this machine the agent of an environment: pins whom it believes, makes its key, remembers where it starts.
fn enroll(context: &Context, arguments: &AgentEnroll, output: &Output) -> Result<(), Failure> {
    let state = context.writer("agent enroll")?;
    if agent_state::read(&agent::directory(context)).is_ok() {
        return Err(agent_state::AgentStateError::Enrolled(agent::directory(context)).into());
    }
    let own = context.pinned()?.map(|_| state.layout().path());
    let artifacts = artifacts(arguments.artifacts.as_deref().or(own))?;
    let (pinned, head) = pinned(context, arguments.delivery.as_deref())?;
    let root = pinned.accept()?;
    let environment = environment(context, &pinned, &head, arguments)?;
    let role = Role::Agent(environment.name.clone());
    let key = context.keys().load_or_create(&role);
    let key = key.map_err(|error| Failure::broken("the agent has no key", &error))?;
    let id = super::init::random_id()?;
    let memory = AgentState {
        version: 1,
        agent: Named { name: arguments.name.to_string(), id },
        environment,
        artifacts,
        delivery_commit: head,
        units: BTreeMap::new(),
    };
    let public = context.keys().public_path(&role);
    let known = root.trust().find(key.public().fingerprint()).is_some();
    let next = if known {
        "plimsoll agent run".to_owned()
    } else {
        format!("plimsoll trust add {role} {}", public.display())
    };
    let memory = AgentStore::enroll(&agent::directory(context), memory)?.state().clone();
    let text = format!(
        "enrolled  {} for {}\ngenesis   {}  (compare it with somebody who knows)\nkey       {}\nnext      {next}",
        memory.agent.name,
        memory.environment.name,
        root.genesis(),
        public.display(),
    );
    let value = serde_json::json!({
        "agent": memory.agent, "environment": memory.environment, "genesis": root.genesis(), "key": public,
        "trusted": known, "next": next,
    });
    output.result(&text, &value);
    Ok(())
}

/// The store that artifacts come from. A state directory that nothing was promoted from has none to offer.
fn artifacts(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let expected = "the directory `layout` of the promoter's state directory, or a copy of it";
    let named = named.ok_or_else(|| {
        Failure::Usage(format!("where do artifacts come from? name with --artifacts {expected}"))
    })?;
    let found = named.canonicalize().ok().filter(|path| path.join("oci-layout").is_file());
    found.ok_or_else(|| Failure::Usage(format!("{} is no OCI layout: expected {expected}", named.display())))
}

/// What is pinned here; at first contact the delivery repository's trust root.
fn pinned(context: &Context, delivery: Option<&str>) -> Result<(Pinned, CommitId), Failure> {
    let known = context.pinned()?;
    match (known, delivery) {
        (Some(known), Some(named)) if known.delivery != context::location(named) => {
            Err(Failure::Usage(format!(
                "{} is pinned here already: another delivery repository needs another --state",
                known.delivery
            )))
        }
        (Some(_), _) => context.refresh(),
        (None, Some(named)) => context.pin_first(named),
        (None, None) => {
            Err(Failure::Usage("nothing is pinned here: name the repository with --delivery".into()))
        }
    }
}

/// The environment by the identity that it has now.
fn environment(
    context: &Context,
    pinned: &Pinned,
    head: &CommitId,
    arguments: &AgentEnroll,
) -> Result<Named<plimsoll_model::EnvironmentName>, Failure> {
    let name = arguments.environment.clone();
    let path = environment_path(&name);
    let bytes = required(&context.mirror(pinned)?.source()?, head, &path)?;
    let declared = Environment::read(&path, &bytes).map_err(|errors| Failure::Refused(errors.reasons()))?;
    Ok(Named { name, id: declared.id })
}

/// Works until it is asked to end. What it started goes on without it.
fn run(context: &Context, interval: Duration, output: &Output) -> Result<(), Failure> {
    let mut agent = Agent::open(context, output)?;
    let stop = interrupt::flag().map_err(|error| Failure::broken("failed to listen for signals", &error))?;
    let memory = agent_state::read(&agent::directory(context))?;
    output.progress(&format!("agent     {} of {}", memory.agent.name, memory.environment.name));
    while !stop.load(Ordering::Relaxed) {
        agent.turn();
        agent.wait(interval, stop);
    }
    output.progress("ended     what runs goes on");
    Ok(())
}

fn show(context: &Context, output: &Output) -> Result<(), Failure> {
    let memory = agent_state::read(&agent::directory(context))?;
    let mut text = format!(
        "agent     {}  {}\nkeeps     {}\nfollows   {}\nartifacts {}\n",
        memory.agent.name,
        memory.agent.id,
        memory.environment.name,
        memory.delivery_commit,
        memory.artifacts.display(),
    );
    for (project, unit) in &memory.units {
        let accepted = unit.accepted;
        text.push_str(&format!("{project:<16} decision {} ({})\n", accepted.counter, accepted.decision));
        if let Some(failures) = &unit.failures {
            text.push_str(&format!("  {} failed starts: {}\n", failures.count, failures.reason));
        }
    }
    output.result(&text, &memory);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_directory_that_is_no_layout_is_no_store() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(artifacts(None), Err(Failure::Usage(_))));
        assert!(matches!(artifacts(Some(directory.path())), Err(Failure::Usage(_))));
        fs::write(directory.path().join("oci-layout"), "{}").unwrap();
        assert!(artifacts(Some(directory.path())).is_ok());
    }
}

//! `plimsoll promote`: decide, sign the decision, put it into the delivery repository, and see that exactly what was
//! decided starts on this machine.

use super::supervisor;
use crate::{
    cli::{self, ProjectAt},
    context::{Context, Pinned},
    decisions::{self, Made, Question, note_refusal},
    door::Why,
    failure::Failure,
    installed, observations,
    output::Output,
    promotion,
    records::{self, RunRecord},
    service,
};
use plimsoll_attest::predicate::{Observation, observation::UnitState};
use plimsoll_model::{Code, Reason};
use plimsoll_pipeline::{Place, ServiceTarget, Target};
use plimsoll_policy::{Kind, gather};
use plimsoll_store::StateDir;
use std::{
    thread,
    time::{Duration, Instant},
};

/// How long an agent may take to notice a promotion and to tell of it, beside the time that the service may take.
const AGENT_PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at what an agent tells.
const LOOK: Duration = Duration::from_millis(500);

pub(crate) fn promote(context: &Context, arguments: &cli::Promote, output: &Output) -> Result<(), Failure> {
    let unit = ProjectAt { project: arguments.project.clone(), environment: arguments.to.clone() };
    let state = context.writer("promote")?;
    let (pinned, head) = context.refresh()?;
    let run = find_run(&state, arguments)?;
    let question =
        Question { kind: Kind::Deploy, unit: &unit, run: &run, delivery_commit: head, given: vec![] };
    release(context, &state, &pinned, &question, output)
}

/// From a question to a release that serves.
pub(super) fn release(
    context: &Context,
    state: &StateDir,
    pinned: &Pinned,
    question: &Question<'_>,
    output: &Output,
) -> Result<(), Failure> {
    let (unit, run) = (question.unit, question.run);
    let target = service::target(context, unit)?;
    if let Target::Directory { .. } = target {
        let artifact = run.artifact.as_ref().map(|artifact| &artifact.manifest);
        installed::suits(context, state, unit, artifact, &question.delivery_commit)?;
    }
    look_before(context, state, pinned, question)?;
    let (id, commit) = (&run.run.as_str()[..8], run.commit.short());
    output.progress(&format!("decide    {unit}  run {id}  commit {commit}"));
    let made = decisions::decide(context, state, question, output)?;
    if !made.record.allowed {
        return Err(refused(context, pinned, unit, &made, output));
    }
    output.progress(&format!("allowed   decision {}", made.record.decision));
    let commit = promotion::promote(context, state, pinned, unit, &made).inspect_err(|failure| {
        drop(note_refusal(state, failure, Some(unit), Some(&run.run), Some(&made.record.decision)))
    })?;
    output.progress(&format!("promoted  delivery commit {}", commit.short()));
    match &target {
        Target::Service(ServiceTarget { place: Place::Local, .. }) => {
            start_here(context, state, unit, run, &made, output)?;
            observations::publish_own(context, state, pinned, &commit, unit)
        }
        Target::Directory { .. } => {
            install_here(context, state, unit, run, &made, output)?;
            observations::publish_own(context, state, pinned, &commit, unit)
        }
        Target::Service(ServiceTarget { place: Place::Host { agent }, start_timeout_seconds, .. }) => {
            let patience = Duration::from_secs(*start_timeout_seconds) + AGENT_PATIENCE;
            wait_for(context, pinned, (unit, agent), &made, patience, output)
        }
    }
}

/// Waits for the agent of a unit to say what came of a decision.
fn wait_for(
    context: &Context,
    pinned: &Pinned,
    (unit, agent): (&ProjectAt, &str),
    made: &Made,
    patience: Duration,
    output: &Output,
) -> Result<(), Failure> {
    let decision = made.record.decision;
    output.progress(&format!("waiting   for the agent {agent}"));
    let until = Instant::now() + patience;
    while Instant::now() < until {
        context.mirror(pinned)?.fetch()?;
        let newest = observations::newest(context, pinned, unit)?;
        match newest.filter(|seen| seen.wanted == decision) {
            Some(seen) if seen.decision == decision && seen.state == UnitState::Serving => {
                let text = format!(
                    "serving   {unit}  by {agent}\nrun       {}\ndecision  {decision}\nrelease   {}\nnext      plimsoll status",
                    made.record.run, seen.release
                );
                output.result(&text, &serde_json::json!({ "unit": unit.to_string(), "run": made.record.run, "decision": made.record, "observation": seen }));
                return Ok(());
            }
            Some(Observation { problem: Some(problem), .. }) => return Err(problem.into()),
            _ => thread::sleep(LOOK),
        }
    }
    let what = format!(
        "{unit} is promoted, and the agent {agent} has not told within {} s what came of it",
        patience.as_secs()
    );
    Err(Failure::Broken { what, next: Some("plimsoll status".into()) })
}

/// Where nothing is missing but people, they are asked. A policy may deny as long as they have not approved.
fn refused(context: &Context, pinned: &Pinned, unit: &ProjectAt, made: &Made, output: &Output) -> Failure {
    let reasons = made.record.reasons.clone();
    let people = |reason: &Reason| reason.code.as_str().starts_with("E-APPR-");
    let may_wait = |reason: &Reason| people(reason) || reason.code == Code::PolicyFailed;
    if reasons.iter().any(people) && reasons.iter().all(may_wait) {
        match promotion::ask_people(context, pinned, unit, made) {
            Ok(()) => output.progress(&format!("waiting   for approval: plimsoll approve {unit}")),
            Err(failure) => {
                output.progress(&format!("the request for approval was not published: {}", failure.text()))
            }
        }
    }
    Failure::Refused(reasons)
}

/// What comes after an environment of this very machine looks at what runs there now.
fn look_before(
    context: &Context,
    state: &StateDir,
    pinned: &Pinned,
    question: &Question<'_>,
) -> Result<(), Failure> {
    let ProjectAt { project, environment } = question.unit;
    let files = plimsoll_engine::delivery::files(
        &context.delivery()?,
        &question.delivery_commit,
        project,
        environment,
    )?;
    let before = gather::after(&files, environment)
        .map_err(|error| Failure::broken("the environment cannot be read", &error))?;
    match before {
        Some(environment) => {
            let unit = ProjectAt { project: project.clone(), environment };
            match service::target(context, &unit)?.agent() {
                None => observations::publish_own(context, state, pinned, &question.delivery_commit, &unit),
                // Its agent tells.
                Some(_) => Ok(()),
            }
        }
        None => Ok(()),
    }
}

fn find_run(state: &StateDir, arguments: &cli::Promote) -> Result<RunRecord, Failure> {
    if let Some(text) = &arguments.run {
        let found = records::find(state, text)?;
        return found
            .record
            .ok_or_else(|| Failure::Usage(format!("run {} did not finish; run again", found.run)));
    }
    for found in records::list(state)? {
        if let Some(record) = found?.record.filter(|record| record.project == arguments.project) {
            return Ok(record);
        }
    }
    Err(Failure::Usage(format!("there is no finished run of {}: plimsoll run", arguments.project)))
}

fn start_here(
    context: &Context,
    state: &StateDir,
    unit: &ProjectAt,
    run: &RunRecord,
    made: &Made,
    output: &Output,
) -> Result<(), Failure> {
    let record = &made.record;
    let started = supervisor::start(context, unit, &record.dossier, Why::New);
    let service = started.inspect_err(|failure| {
        // The failure that is reported is the first.
        let _ = note_refusal(state, failure, Some(unit), Some(&run.run), Some(&record.decision));
    })?;
    let text = format!(
        "serving   {unit}  http://{}\nrun       {}\ndecision  {}\nrelease   {}\nprocess   {}  executable {}\nnext      plimsoll trace {unit}",
        service.listen, run.run, record.decision, service.release, service.process, service.executable
    );
    output.result(&text, &serde_json::json!({ "unit": unit.to_string(), "run": run.run, "decision": record, "service": service }));
    Ok(())
}

fn install_here(
    context: &Context,
    state: &StateDir,
    unit: &ProjectAt,
    run: &RunRecord,
    made: &Made,
    output: &Output,
) -> Result<(), Failure> {
    let record = &made.record;
    let installed = installed::install_release(context, state, unit, record);
    let installed = installed.inspect_err(|failure| {
        // The failure that is reported is the first.
        let _ = note_refusal(state, failure, Some(unit), Some(&run.run), Some(&record.decision));
    })?;
    let (current, dossier) = (installed.path.join("current"), installed.dossier());
    let text = format!(
        "installed {unit}  {}\nrun       {}\ndecision  {}\nrelease   {}\ndossier   {}\nnext      plimsoll trace {unit}",
        current.display(),
        run.run,
        record.decision,
        installed.release,
        dossier.display()
    );
    output.result(&text, &serde_json::json!({ "unit": unit.to_string(), "run": run.run, "decision": record, "installed": installed, "dossier": dossier }));
    Ok(())
}

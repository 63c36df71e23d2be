//! `plimsoll promote`: decide, sign the decision, put it into the delivery repository, and see that exactly what was
//! decided starts on this machine.

use super::supervisor;
use crate::{
    cli::{self, ProjectAt},
    context::{Context, Pinned},
    decisions::{self, Made, Question, note_refusal},
    failure::Failure,
    observations,
    output::Output,
    promotion,
    records::{self, RunRecord},
    service,
};
use plimsoll_model::Reason;
use plimsoll_pipeline::Place;
use plimsoll_policy::{Kind, gather};
use plimsoll_store::StateDir;

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
fn release(
    context: &Context,
    state: &StateDir,
    pinned: &Pinned,
    question: &Question<'_>,
    output: &Output,
) -> Result<(), Failure> {
    let (unit, run) = (question.unit, question.run);
    if let Place::Host { agent } = service::target(context, unit)?.place {
        let problem = format!(
            "{unit} lives where the agent {agent} is, and this version starts services on this machine only"
        );
        return Err(Failure::Usage(problem));
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
    start_here(context, state, unit, run, &made, output)?;
    observations::publish(context, state, pinned, &commit, unit)
}

/// Where nothing is missing but people, they are asked.
fn refused(context: &Context, pinned: &Pinned, unit: &ProjectAt, made: &Made, output: &Output) -> Failure {
    let reasons = made.record.reasons.clone();
    let people = |reason: &Reason| reason.code.as_str().starts_with("E-APPR-");
    if !reasons.is_empty() && reasons.iter().all(people) {
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
            observations::publish(context, state, pinned, &question.delivery_commit, &unit)
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
    let newest = records::list(state)?.into_iter().filter_map(|found| found.record);
    let mut of_project = newest.filter(|record| record.project == arguments.project);
    of_project.next().ok_or_else(|| {
        Failure::Usage(format!("there is no finished run of {}: plimsoll run", arguments.project))
    })
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
    let started = supervisor::start(context, unit, &record.dossier, supervisor::Why::New);
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

//! `plimsoll __supervisor`: starts what a decision allows. It is a process of its own, so it believes nothing that it is
//! told: it verifies the decision, computes the release from what would really run, and mints its own permit.

use super::{stop, why};
use crate::{
    assembler::Assembler,
    cli::ProjectAt,
    context::{self, Context},
    failure::Failure,
    records::{self, DecisionRecord},
    service,
};
use plimsoll_engine::gate;
use plimsoll_host::{ServiceRecord, SuperviseError, supervise as run_service};
use plimsoll_model::{Reason, Timestamp};
use plimsoll_policy::{Observed, Permit, gather, permit};
use plimsoll_store::StateDir;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

/// What a supervisor says to whoever started it: one line, once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case", deny_unknown_fields)]
enum Told {
    Serving { service: ServiceRecord },
    Refused { reasons: Vec<Reason> },
    Broken { problem: String },
}

/// Starts a supervisor for the newest decision about `unit` and waits until it serves or says why not.
pub(crate) fn start(context: &Context, unit: &ProjectAt) -> Result<ServiceRecord, Failure> {
    let broken = |error: &dyn std::error::Error| Failure::broken("failed to start the supervisor", error);
    let log = File::options().create(true).append(true).open(stop::directory(context, unit)?.log());
    let log = log.map_err(|error| broken(&error))?;
    let mut child = Command::new("/proc/self/exe")
        .env_clear()
        .args(["__supervisor", &unit.to_string(), "--state"])
        .arg(&context.state)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(|error| broken(&error))?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).map_err(|error| broken(&error))?;
    }
    match serde_json::from_str(&line).map_err(|error| broken(&error))? {
        Told::Serving { service } => Ok(service),
        Told::Refused { reasons } => Err(Failure::Refused(reasons)),
        Told::Broken { problem } => {
            Err(Failure::Broken { what: problem, next: Some(format!("plimsoll logs {unit}")) })
        }
    }
}

/// The supervisor itself.
pub(crate) fn supervise(context: &Context, unit: &ProjectAt) -> Result<(), Failure> {
    // Its own session: it outlives the terminal it was started from.
    let _ = rustix::process::setsid();
    let told = prepare_and_serve(context, unit);
    if let Err(failure) = told {
        tell(&match failure {
            Failure::Refused(reasons) => Told::Refused { reasons },
            Failure::Usage(problem) | Failure::Broken { what: problem, .. } => Told::Broken { problem },
            Failure::Interrupted => Told::Broken { problem: "interrupted".into() },
        });
    }
    Ok(())
}

fn prepare_and_serve(context: &Context, unit: &ProjectAt) -> Result<(), Failure> {
    let state = context.member()?;
    let record = records::newest_decision(&state, &unit.to_string())?;
    let permit = mint(context, &state, unit, &record)?;
    let directory = stop::directory(context, unit)?;
    let assembler = Assembler { blobs: state.layout(), project: context.state.clone() };
    let target = service::target(context, unit)?;
    let service = service::prepare(context, &state, &assembler, &permit, &target, unit)?;
    let sandbox = context::sandbox()?;
    let artifact = *permit.artifact();
    let serving = |record: &ServiceRecord| {
        // The service before this one is gone. Files that cannot be removed are removed by the next.
        let _ = service::sweep(context, unit, &artifact);
        tell(&Told::Serving { service: record.clone() });
    };
    run_service(permit, &service, &sandbox, &directory, Timestamp::now, serving).map_err(
        |error| match error {
            SuperviseError::Unhealthy(reason) => {
                reason.with("project", &unit.project).with("environment", &unit.environment).into()
            }
            SuperviseError::Start(error) => error.into(),
            other => Failure::broken("the service does not serve", &other),
        },
    )
}

fn mint(
    context: &Context,
    state: &StateDir,
    unit: &ProjectAt,
    record: &DecisionRecord,
) -> Result<Permit, Failure> {
    let decision = why::verified(context, state, unit, record)?;
    let judged = &decision.value().predicate.decision;
    let pinned = context.pinned()?.ok_or_else(context::not_pinned)?;
    let delivery = pinned.delivery()?;
    let files = gate::read_delivery(&delivery, &judged.delivery_commit, &unit.project, &unit.environment);
    let files = files.map_err(Failure::from)?;
    let release = gather::release(&files, &unit.project, &unit.environment, judged.release.artifact);
    let release = release.map_err(|error| Failure::broken("the release cannot be computed", &error))?;
    let ids = gather::identities(&files, &unit.project, &unit.environment);
    let (project, environment) =
        ids.map_err(|error| Failure::broken("the environment cannot be read", &error))?;
    let observed = Observed {
        environment,
        project,
        release: release.digest().map_err(|error| Failure::broken("the release has no digest", &error))?,
        current: gate::current(state.journal(), &unit.project, &unit.environment).map_err(Failure::from)?,
    };
    Ok(permit(&decision, &observed, Timestamp::now())?)
}

fn tell(told: &Told) {
    let mut out = std::io::stdout();
    if let Ok(line) = serde_json::to_string(told) {
        // Whoever started the supervisor may be gone; the service serves all the same.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }
}

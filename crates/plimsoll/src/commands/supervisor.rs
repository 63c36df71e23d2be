//! `plimsoll __supervisor`: starts what a decision allows. It is a process of its own, so it believes nothing that it is
//! told: it verifies the decision, computes the release from what would really run, and mints its own permit.

use super::{stop, why};
use crate::{
    assembler::Assembler,
    cli::ProjectAt,
    context::{self, Context},
    failure::Failure,
    records::{self, DecisionRecord},
    service::{self, Prepared},
};
use plimsoll_engine::gate;
use plimsoll_host::{Progress, ServiceRecord, SuperviseError, supervise as run_service};
use plimsoll_model::{Reason, Timestamp};
use plimsoll_policy::{Observed, Permit, gather, permit};
use plimsoll_store::StateDir;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

/// What a supervisor says to whoever started it, a line each. The last line is one of the others.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case", deny_unknown_fields)]
enum Told {
    Healthy,
    Serving { service: Box<ServiceRecord> },
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
    let mut lines = child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
    loop {
        let line = lines.next().unwrap_or_else(|| Ok(String::new())).map_err(|error| broken(&error))?;
        match serde_json::from_str(&line).map_err(|error| broken(&error))? {
            Told::Healthy => {}
            Told::Serving { service } => return Ok(*service),
            Told::Refused { reasons } => return Err(Failure::Refused(reasons)),
            Told::Broken { problem } => {
                return Err(Failure::Broken { what: problem, next: Some(format!("plimsoll logs {unit}")) });
            }
        }
    }
}

/// The supervisor itself.
pub(crate) fn supervise(context: &Context, unit: &ProjectAt) -> Result<(), Failure> {
    // Its own session: it outlives the terminal it was started from.
    let _ = rustix::process::setsid();
    let told = prepare_and_serve(context, unit);
    if let Err(failure) = told {
        // If nobody listens any more, nobody needs to know.
        let _ = tell(&match failure {
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
    let Prepared { service, files: _files } =
        service::prepare(context, &state, &assembler, &permit, &target, unit)?;
    let sandbox = context::sandbox()?;
    let progress = |progress: Progress<'_>| {
        if let Progress::Alone(_) = progress {
            // Files that cannot be removed are removed by the next.
            let _ = service::sweep(context, unit);
        }
        // A promotion ends when nothing of the release before is left, unless that one is kept for a while.
        if let Progress::Serving(record) | Progress::Alone(record) = progress
            && (record.standby.is_none() || record.confirm.is_some())
        {
            // Whoever started it may be gone by now; the service serves all the same.
            let _ = tell(&Told::Serving { service: Box::new(record.clone()) });
        }
    };
    let wanted = || tell(&Told::Healthy).is_ok();
    run_service(permit, &service, &sandbox, &directory, Timestamp::now, wanted, progress).map_err(|error| {
        match error {
            SuperviseError::Unhealthy(reason) => reason.into(),
            SuperviseError::Start(error) => error.into(),
            other => Failure::broken("the service does not serve", &other),
        }
    })
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

/// Fails when whoever started this supervisor is gone.
fn tell(told: &Told) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::to_string(told)?)?;
    out.flush()
}

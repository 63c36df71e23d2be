//! `plimsoll __supervisor`: starts what a decision allows. It is a process of its own, so it goes through the door
//! ([`door`]) by itself.

use super::stop;
use crate::{
    cli::ProjectAt,
    context::{self, Context},
    door::{self, Admitted, Why},
    failure::Failure,
    highest,
    service::{self, Permitted},
};
use plimsoll_host::{
    Progress, ServiceDirectory, ServiceRecord, Setback, SuperviseError, supervise as run_service,
};
use plimsoll_model::{Digest, Reason, Timestamp};
use plimsoll_policy::{Decision, Permit};
use plimsoll_sandbox::LinuxSandbox;
use plimsoll_store::StateDir;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
    thread,
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

/// Starts a supervisor for the release of a dossier and waits until it serves or says why not.
pub(crate) fn start(
    context: &Context,
    unit: &ProjectAt,
    dossier: &Digest,
    why: Why,
) -> Result<ServiceRecord, Failure> {
    let broken =
        |error: &(dyn std::error::Error + 'static)| Failure::broken("failed to start the supervisor", error);
    let log = File::options().create(true).append(true).open(stop::directory(context, unit)?.log());
    let log = log.map_err(|error| broken(&error))?;
    let mut child = super::this_binary()
        .args(["__supervisor", &unit.to_string(), "--state"])
        .arg(&context.state)
        .args(["--dossier", &dossier.to_string(), "--why", why.as_str()])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(|error| broken(&error))?;
    let mut lines = child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
    // It outlives most of those who start it; one who lives longer than the service must take notice of its end.
    thread::spawn(move || child.wait());
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
pub(crate) fn supervise(
    context: &Context,
    unit: &ProjectAt,
    dossier: &Digest,
    why: Why,
) -> Result<(), Failure> {
    // Its own session: it outlives the terminal it was started from.
    let _ = rustix::process::setsid();
    let told = prepare_and_serve(context, unit, dossier, why);
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

fn prepare_and_serve(context: &Context, unit: &ProjectAt, blob: &Digest, why: Why) -> Result<(), Failure> {
    let state = context.member()?;
    let directory = stop::directory(context, unit)?;
    let Admitted { permit, statement, files } = door::admit(context, &state, &directory, unit, blob, why)?;
    let decision = &statement.value().predicate.decision;
    let sandbox = context::sandbox()?;
    let permitted = Permitted { permit: &permit, decision, files: &files };
    let served = service::prepare(context, &state, &sandbox, unit, &permitted)
        .and_then(|service| serve(context, &state, unit, (permit, &service, &sandbox), decision, &directory));
    // Files that cannot be removed are removed by the next.
    let _ = service::remove_own(context, unit);
    served
}

fn serve(
    context: &Context,
    state: &StateDir,
    unit: &ProjectAt,
    (permit, service, sandbox): (Permit, &plimsoll_host::Service, &LinuxSandbox),
    decision: &Decision,
    directory: &ServiceDirectory,
) -> Result<(), Failure> {
    let counter = decision.counter.unwrap_or_default();
    let progress = |progress: Progress<'_>| {
        match progress {
            // A mark that is not written lets the same decision start again, and no other.
            Progress::Serving(_) => drop(highest::raise(directory, counter)),
            // Files that cannot be removed are removed by the next.
            Progress::Alone(_) => drop(service::sweep(context, unit)),
            Progress::FellBack(setback) => fell_back(state, unit, setback),
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
    run_service(permit, service, sandbox, directory, Timestamp::now, wanted, progress).map_err(|error| {
        match error {
            SuperviseError::Unhealthy(reason) => reason.into(),
            SuperviseError::Start(error) => error.into(),
            other => Failure::broken("the service does not serve", &other),
        }
    })
}

/// Writes down that a release was taken back. The record of the service says so too; the journal is for later.
fn fell_back(state: &StateDir, unit: &ProjectAt, setback: &Setback) {
    let failure = Failure::Refused(vec![setback.reason.clone()]);
    let _ = crate::decisions::note_refusal(state, &failure, Some(unit), None, Some(&setback.decision));
}

/// Fails when whoever started this supervisor is gone.
fn tell(told: &Told) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", serde_json::to_string(told)?)?;
    out.flush()
}

//! One file per command. Each reads its arguments, calls what does the work, and shows what came of it.

mod adapter;
mod advisories;
mod agent;
mod approve;
mod audit;
mod check;
mod completions;
mod doctor;
mod dossier;
mod explain;
mod export;
mod hook;
pub(crate) mod init;
mod logs;
mod man;
mod policy;
mod promote;
mod rollback;
mod rules;
mod run;
mod sbom;
pub(crate) mod scan;
pub(crate) mod signer;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod supervisor;
pub(crate) mod trace;
mod trust;
mod unpacker;
mod verify;
pub(crate) mod why;

use crate::{
    cli::{Arguments, Command},
    context::Context,
    failure::Failure,
    output::Output,
};
use std::process::{self, ExitCode};

pub(crate) fn dispatch(arguments: &Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let context = Context::new(arguments.shared.state.as_deref())?;
    let done = |result: Result<(), Failure>| result.map(|()| ExitCode::SUCCESS);
    match &arguments.command {
        Command::Init(arguments) => done(init::init(&context, arguments, output)),
        Command::Run(arguments) => run::run(&context, arguments, output),
        Command::Status => done(status::status(&context, output)),
        Command::Why(arguments) => done(why::why(&context, arguments, output)),
        Command::Approve(arguments) => done(approve::approve(&context, arguments, output)),
        Command::Promote(arguments) => done(promote::promote(&context, arguments, output)),
        Command::Rollback(arguments) => done(rollback::rollback(&context, arguments, output)),
        Command::Hook(arguments) => done(hook::hook(&context, &arguments.command, output)),
        Command::Scan(arguments) => scan::scan(&context, arguments, output),
        Command::Sbom(arguments) => done(sbom::sbom(&context, arguments, output)),
        Command::Audit(arguments) => audit::audit(arguments, output),
        Command::Verify(arguments) => done(verify::verify(&context, arguments, output)),
        Command::Doctor => doctor::doctor(output),
        Command::Check(arguments) => done(check::check(arguments, output)),
        Command::Logs(arguments) => done(logs::logs(&context, arguments, output)),
        Command::Trace(arguments) => done(trace::trace(&context, arguments, output)),
        Command::Dossier(arguments) => done(dossier::dossier(&context, arguments, output)),
        Command::Export(arguments) => done(export::export(&context, arguments, output)),
        Command::Stop(arguments) => done(stop::stop(&context, &arguments.unit, output)),
        Command::Explain(arguments) => done(explain::explain(arguments, output)),
        Command::Completions(arguments) => {
            completions::completions(arguments.shell, output);
            Ok(ExitCode::SUCCESS)
        }
        Command::Man(arguments) => done(man::man(arguments, output)),
        Command::Adapter(arguments) => adapter::adapter(&context, &arguments.command, output),
        Command::Advisories(arguments) => done(advisories::advisories(&context, &arguments.command, output)),
        Command::Rules(arguments) => done(rules::rules(&context, arguments, output)),
        Command::Agent(arguments) => done(agent::agent(&context, &arguments.command, output)),
        Command::Policy(arguments) => policy::policy(&context, &arguments.command, output),
        Command::Trust(arguments) => done(trust::trust(&context, &arguments.command, output)),
        Command::Signer(arguments) => done(signer::serve(&context, arguments)),
        Command::Bill(arguments) => done(sbom::bill_of(arguments)),
        Command::Unpacker(arguments) => unpacker::unpack(arguments),
        Command::Supervisor(arguments) => {
            done(supervisor::supervise(&context, &arguments.unit, &arguments.dossier, arguments.why))
        }
    }
}

/// This binary again, as another process with nothing of this one's environment.
fn this_binary() -> process::Command {
    let mut command = process::Command::new("/proc/self/exe");
    command.env_clear();
    #[cfg(plimsoll_sensitivity)]
    for control in plimsoll_model::sensitivity::removed() {
        command.args(["--without-control", &control]);
    }
    command
}

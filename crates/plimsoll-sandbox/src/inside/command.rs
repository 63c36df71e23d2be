//! The command's own process, from its birth to `execve(2)`. Whatever goes wrong on the way is told to the first process
//! over a pipe that a successful execution closes.

use super::{confine, outer::Commission};
use crate::{
    channel, sys,
    wire::{Event, Failure, Task, errno, isolation, system},
};
use plimsoll_engine::ports::SandboxPlan;
use plimsoll_model::reason::printable;
use rustix::{
    fd::OwnedFd,
    fs::{Mode, OFlags},
    io::Errno,
    pipe::PipeFlags,
    process::Pid,
    thread::{SecureComputingMode, UnshareFlags},
};
use std::{
    ffi::CString,
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, BorrowedFd},
};

/// Bytes of the longest report of a failure.
const LONGEST_REPORT: u64 = 64 << 10;

/// Starts the command and returns when it executes; with its process id inside.
pub(super) fn start(control: BorrowedFd<'_>, commission: &Commission) -> Result<Pid, Failure> {
    let (report, reporter) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(system("make a pipe"))?;
    match sys::clone_process(0).map_err(system("start the command's process"))? {
        sys::Side::Child => {
            drop(report);
            std::process::exit(main(control, commission, reporter));
        }
        sys::Side::Parent(pid) => {
            drop(reporter);
            let mut text = Vec::new();
            let read = File::from(report).take(LONGEST_REPORT).read_to_end(&mut text);
            read.map_err(|error| system("start the command")(errno(&error)))?;
            if text.is_empty() {
                return Ok(pid);
            }
            let lost = |_| Failure::System("start the command".into(), libc::EPROTO);
            Err(serde_json::from_slice(&text).map_err(lost)?)
        }
    }
}

fn main(control: BorrowedFd<'_>, commission: &Commission, reporter: OwnedFd) -> i32 {
    let failure = match run(control, commission) {
        Ok(()) => return 0,
        Err(failure) => failure,
    };
    let text = serde_json::to_vec(&failure).unwrap_or_default();
    i32::from(File::from(reporter).write_all(&text).is_err()) + 1
}

/// Returns only when it fails, or when the task is a probe.
fn run(control: BorrowedFd<'_>, commission: &Commission) -> Result<(), Failure> {
    let plan = &commission.order.plan;
    channel::send(control, &Event::Here, &[]).map_err(|e| system("report to the engine")(errno(&e)))?;
    rustix::process::setsid().map_err(system("make a session"))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    sys::reset_signals().map_err(system("reset signals"))?;
    let null =
        rustix::fs::open("/dev/null", OFlags::RDONLY, Mode::empty()).map_err(system("open /dev/null"))?;
    rustix::stdio::dup2_stdin(&null).map_err(system("connect standard input"))?;
    rustix::process::chdir(plan.cwd.as_str()).map_err(|error| {
        Failure::Plan(format!("the working directory {} cannot be entered: {error}", plan.cwd))
    })?;
    sys::close_from_on_exec(3).map_err(isolation("close descriptors"))?;
    confine::limit_resources(&commission.order)?;
    confine::restrict_paths(plan, commission.executable.as_ref())?;
    match commission.order.task {
        Task::Command => Err(execute(plan, commission.executable.as_ref())),
        Task::Probe => look_around(),
    }
}

fn execute(plan: &SandboxPlan, executable: Option<&OwnedFd>) -> Failure {
    let strings = plan.argv.iter().map(|a| CString::new(a.as_str())).collect::<Result<Vec<_>, _>>();
    let env = plan.env.iter().map(|(n, v)| CString::new(format!("{n}={v}"))).collect::<Result<Vec<_>, _>>();
    let (Ok(argv), Ok(env)) = (strings, env) else {
        return Failure::Plan("an argument or variable contains a zero byte".into());
    };
    let name = plan.argv.first().map_or("", String::as_str);
    let Some(file) = executable else {
        let error = execute_first(&candidates(plan), &argv, &env);
        std::process::exit(unexecuted(name, error));
    };
    let error = sys::execute_open(file.as_fd(), &argv, &env);
    Failure::Plan(format!("the command {name} cannot be executed: {error}"))
}

/// A name that leads to no program is the plan's author's mistake and no failure of the sandbox: it is told where the
/// command would have written, and ends as shells end (POSIX.1-2024, Shell Command Language, 2.8.2).
fn unexecuted(name: &str, error: Errno) -> i32 {
    let said = format!("plimsoll: the command {} cannot be executed: {error}\n", printable(name, 256));
    // Where nobody listens, the status still tells.
    let _ = rustix::io::write(rustix::stdio::stderr(), said.as_bytes());
    if error == Errno::NOENT { 127 } else { 126 }
}

/// Paths that the first argument can mean, in order (`execvp(3)`).
fn candidates(plan: &SandboxPlan) -> Vec<String> {
    let name = plan.argv.first().map_or("", String::as_str);
    if name.contains('/') {
        return vec![name.to_owned()];
    }
    let path = plan.env.get("PATH").map_or("", String::as_str);
    path.split(':').filter(|directory| directory.starts_with('/')).map(|d| format!("{d}/{name}")).collect()
}

/// Tries one path after the other; a missing file or directory is not the last word, anything else is.
fn execute_first(paths: &[String], argv: &[CString], env: &[CString]) -> Errno {
    let mut answer = Errno::NOENT;
    for path in paths {
        let Ok(path) = CString::new(path.as_str()) else { continue };
        match sys::execute(&path, argv, env) {
            Errno::NOENT | Errno::NOTDIR => {}
            Errno::ACCESS => answer = Errno::ACCESS,
            error => return error,
        }
    }
    answer
}

/// Checks from inside what the record promises.
fn look_around() -> Result<(), Failure> {
    let missing = |what: &str| Failure::Isolation(format!("see from inside that {what}"), libc::EPERM);
    let caps = rustix::thread::capabilities(None).map_err(|_| missing("capabilities are readable"))?;
    if !(caps.effective | caps.permitted | caps.inheritable).is_empty() {
        return Err(missing("no capability is left"));
    }
    if !rustix::thread::no_new_privs().unwrap_or(false) {
        return Err(missing("no_new_privs is set"));
    }
    if !matches!(rustix::thread::secure_computing_mode(), Ok(SecureComputingMode::Filter)) {
        return Err(missing("system calls are filtered"));
    }
    // SAFETY: this process has one thread, is about to exit, and expects to be refused.
    if unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER) } != Err(Errno::PERM) {
        return Err(missing("namespaces cannot be made"));
    }
    match rustix::fs::mkdir("/probe", Mode::RWXU) {
        Err(Errno::ROFS | Errno::ACCESS) => Ok(()),
        _ => Err(missing("the root is read-only")),
    }
}

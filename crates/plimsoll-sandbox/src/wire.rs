//! What the engine tells the processes inside a sandbox, and what they answer. Both ends are the same binary, so these
//! types have no versions.

use plimsoll_engine::ports::SandboxPlan;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Everything that the sandbox's own processes need to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// What to run.
    pub(crate) plan: SandboxPlan,
    /// The user of the host that the command is.
    pub(crate) host_uid: u32,
    /// The group of the host that the command is.
    pub(crate) host_gid: u32,
    /// Files that the first process writes `0` to, to enter its control groups.
    pub(crate) control_groups: Vec<PathBuf>,
    /// Whether no control group holds memory, so that each process has its own limit.
    pub(crate) limit_memory: bool,
    /// What to do in the end.
    pub(crate) task: Task,
}

/// What the sandbox is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Run the plan's command.
    Command,
    /// Look from inside whether everything is in force, and exit.
    Probe,
}

/// The first message: the order, the filter and perhaps the executable are its descriptors.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Begin;

/// What the sandbox reports.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Event {
    /// The first process exists; a descriptor of it (`pidfd_open(2)`) comes along.
    Supervised,
    /// The root is built. The gateway's listener, if asked for, and then the roots of these writable mounts come along.
    Prepared {
        /// Names of writable mounts.
        writable: Vec<String>,
    },
    /// Sent by the command's process itself, so that the credentials tell its id.
    Here,
    /// The command runs.
    Started,
    /// The command ended.
    Ended {
        /// How.
        ending: Ending,
        /// How often another machine was asked for; none where the kernel does not say.
        network_attempts: Option<u64>,
    },
    /// The sandbox could not be set up.
    Failed(Failure),
}

/// How the command ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Ending {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

/// What the engine asks of the sandbox's first process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Send SIGTERM to the command and its process group.
    Terminate,
    /// Make a TCP socket in the sandbox's network namespace and send it over the socket that came along.
    Socket,
}

/// The answer to [`Request::Socket`]; the socket comes along.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SocketMade;

/// Why a sandbox could not be set up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Failure {
    /// The plan asks for something that is not there.
    Plan(String),
    /// The machine does not let us isolate: what was tried, and what it said.
    Isolation(String, i32),
    /// Something else: what was tried, and what the system said.
    System(String, i32),
}

/// For `map_err`: the machine refused something that isolation needs.
pub(crate) fn isolation(action: &str) -> impl FnOnce(Errno) -> Failure + '_ {
    move |errno| Failure::Isolation(action.to_owned(), errno.raw_os_error())
}

/// For `map_err`: something failed that works on every machine.
pub(crate) fn system(action: &str) -> impl FnOnce(Errno) -> Failure + '_ {
    move |errno| Failure::System(action.to_owned(), errno.raw_os_error())
}

/// The error number of a standard error; EIO where it has none.
pub(crate) fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

//! Where foreign code runs.

use plimsoll_model::{Reason, record::IsolationRecord};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, net::TcpListener, os::fd::OwnedFd, path::PathBuf, time::Duration};

/// One command in one fresh sandbox: pure data, and everything that the command will see. What is not listed is not
/// there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxPlan {
    /// The command and its arguments. The first is an absolute path inside, or a name that is looked up in `PATH` of
    /// [`SandboxPlan::env`].
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: BTreeMap<String, String>,
    /// Working directory inside, absolute.
    pub cwd: String,
    /// What the root consists of, applied in order; parents are made where needed. The root itself is read-only.
    pub mounts: Vec<Mount>,
    /// What the command may reach.
    pub network: Network,
    /// What it may use up.
    pub limits: Limits,
}

/// A piece of the sandbox's file system. Targets are absolute paths inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mount", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Mount {
    /// A file or directory of the host, read-only, without devices and set-user-id bits.
    ReadOnly {
        /// Absolute path on the host.
        source: PathBuf,
        /// Where it appears.
        target: String,
    },
    /// A directory that starts empty and can be written. The engine keeps it when the sandbox is gone and finds it in
    /// [`Finished::writable`] under `name`; size and number of entries are limited by [`Limits`].
    Writable {
        /// Its name in [`Finished::writable`].
        name: String,
        /// Where it appears.
        target: String,
    },
    /// A directory of the host that can be written and stays, without devices, set-user-id bits and code: nothing in it
    /// can be executed or mapped as such. It must belong to the command's user; [`Limits`] do not hold for it.
    Persistent {
        /// Absolute path on the host; a directory, no link to one.
        source: PathBuf,
        /// Where it appears.
        target: String,
    },
    /// A directory that starts empty, can be written, and goes with the sandbox.
    Scratch {
        /// Where it appears.
        target: String,
    },
    /// A read-only file with this content.
    File {
        /// Where it appears.
        target: String,
        /// Its content.
        content: String,
    },
    /// A symbolic link.
    Symlink {
        /// Where it appears.
        target: String,
        /// What it points to, as written.
        to: String,
    },
}

/// What a sandbox may reach. There is always a fresh network namespace with its own loopback and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Only its own loopback.
    None,
    /// Its own loopback, where 127.0.0.1:3128 is a listener that is handed out (see [`Running::take_gateway`]).
    Gateway,
}

/// What a sandbox may use up. Every limit is finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Wall-clock time; none only for services under a supervisor.
    pub wall: Option<Duration>,
    /// Bytes of memory of the whole tree, where a control group can hold it.
    pub memory: u64,
    /// Processes and threads of the whole tree.
    pub processes: u64,
    /// Bytes of standard output and error together; the sandbox is killed beyond.
    pub log: u64,
    /// Bytes of each [`Mount::Writable`] and [`Mount::Scratch`].
    pub output: u64,
    /// Entries of each [`Mount::Writable`] and [`Mount::Scratch`].
    pub output_entries: u64,
}

impl Limits {
    /// The defaults, with so many seconds of time.
    #[must_use]
    pub fn within(seconds: u64) -> Self {
        Self { wall: Some(Duration::from_secs(seconds)), ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Some(Duration::from_secs(30 * 60)),
            memory: 8 << 30,
            processes: 4096,
            log: 16 << 20,
            output: 8 << 30,
            output_entries: 1_000_000,
        }
    }
}

/// Which stream a piece of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "exit", content = "value", rename_all = "kebab-case")]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Killed at the end of its time.
    TimedOut,
    /// Killed because the caller asked for it.
    Cancelled,
    /// Killed because it printed too much.
    LogLimit,
    /// Killed because it used too much memory.
    OutOfMemory,
}

impl Exit {
    /// Whether the command ended by itself with status 0.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Status(0))
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::TimedOut => f.write_str("a kill at the end of its time"),
            Self::Cancelled => f.write_str("a kill on request"),
            Self::LogLimit => f.write_str("a kill because it printed too much"),
            Self::OutOfMemory => f.write_str("a kill because it used too much memory"),
        }
    }
}

/// What is left when a sandbox is gone: no process of it exists any more.
#[derive(Debug)]
pub struct Finished {
    /// How the command ended.
    pub exit: Exit,
    /// How it was isolated, as enforced.
    pub record: IsolationRecord,
    /// Roots of the writable mounts by name; only the holder of the descriptor can reach them.
    pub writable: BTreeMap<String, OwnedFd>,
}

/// This machine cannot isolate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this machine cannot isolate a step: {problem}")]
pub struct IsolationUnavailable {
    /// What is missing.
    pub problem: String,
    /// What to change, as commands or settings, one per line.
    pub remedy: Vec<String>,
}

/// Why a sandbox did not come to run its command.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The machine cannot isolate as promised.
    #[error(transparent)]
    Unavailable(#[from] IsolationUnavailable),
    /// The plan cannot be carried out: a source is missing, a target is not absolute, or the open executable is none. A
    /// command that is given by name and is not there starts, says so and ends, as in a shell.
    #[error("the sandbox plan cannot be carried out: {0}")]
    Plan(String),
    /// Setting up failed in another way.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A refusal of the registry.
    #[error(transparent)]
    Refused(#[from] Reason),
}

/// Starts sandboxes.
pub trait Sandbox: Send + Sync {
    /// Tries, for real, to isolate a trivial command, and says what was enforced.
    ///
    /// # Errors
    /// When less than the promised isolation is possible.
    fn probe(&self) -> Result<IsolationRecord, IsolationUnavailable>;

    /// Starts a command. With `executable`, that open file is executed (by descriptor) in place of what the first
    /// argument names, so that the bytes that were hashed are the bytes that run.
    ///
    /// # Errors
    /// When the sandbox cannot be set up; then nothing of it is left.
    fn start(
        &self,
        plan: &SandboxPlan,
        executable: Option<OwnedFd>,
    ) -> Result<Box<dyn Running>, SandboxError>;
}

/// A command in its sandbox. Dropping it kills the whole tree.
pub trait Running: Send {
    /// Host process id of the command (not of the sandbox's first process).
    fn pid(&self) -> u32;

    /// The listening socket of [`Network::Gateway`]; once.
    fn take_gateway(&mut self) -> Option<TcpListener>;

    /// A handle that stops the command, from any thread.
    fn stopper(&self) -> Box<dyn Stopper>;

    /// A handle that connects to ports inside, from any thread.
    fn connector(&self) -> Box<dyn Connector>;

    /// Waits for the end, passing on output as it comes, and then kills whatever the command left behind.
    ///
    /// # Errors
    /// When the sandbox itself failed, as opposed to the command.
    fn wait(self: Box<Self>, output: &mut dyn FnMut(Stream, &[u8])) -> Result<Finished, SandboxError>;
}

/// Stops a running command.
pub trait Stopper: Send + Sync {
    /// Asks the command to end (SIGTERM).
    fn terminate(&self);
    /// Kills the whole tree; the command's end is then [`Exit::Cancelled`].
    fn kill(&self);
}

/// Connects to ports inside a sandbox, whose first process makes the socket there and passes it out.
pub trait Connector: Send + Sync {
    /// Connects to `port` on the sandbox's loopback.
    ///
    /// # Errors
    /// When nothing listens there, or the sandbox is gone.
    fn connect(&self, port: u16) -> std::io::Result<std::net::TcpStream>;
}

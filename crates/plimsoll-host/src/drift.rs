//! Drift: how a running service differs from its release, read from `/proc` of its process and from its files. It looks
//! and says what it sees; it repairs nothing. Other processes that the service starts are its own business, they run in
//! the same sandbox from the same files.

mod code;
mod files;
mod mounts;
mod process;
#[cfg(test)]
mod tests;

pub use mounts::MountSet;

use files::Stamp;
use plimsoll_engine::ports::{Mount, SandboxPlan};
use plimsoll_model::{Code, Digest, Reason, Tree, reason::printable};
use process::Process;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
};

/// One look in so many hashes everything again; the others hash what shows signs of a change.
const FULL_LOOK: u32 = 32;
/// Bytes of the largest executable that a service can have.
const EXECUTABLE_LIMIT: u64 = 2 << 30;
/// Characters of a cause.
const CAUSE_LIMIT: usize = 500;

/// What a release says about the process that runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// SHA-256 of the file that is executed.
    pub executable: Digest,
    /// Its arguments, the first included.
    pub argv: Vec<String>,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
    /// Directories and files, as absolute paths inside, whose content may be mapped as code beside the executable.
    pub code: Vec<String>,
    /// Where the artifact is unpacked on the host, and what it consists of.
    pub root: Option<(PathBuf, Tree)>,
    /// The same of the configuration.
    pub config: Option<(PathBuf, Tree)>,
    /// The mounts as they were right after the start.
    pub mounts: MountSet,
}

impl Expected {
    /// What follows from the plan that was started: code comes from what it mounts read-only.
    #[must_use]
    pub fn of(plan: &SandboxPlan, executable: Digest, mounts: MountSet) -> Self {
        let read_only = |mount: &Mount| match mount {
            Mount::ReadOnly { target, .. } => Some(target.clone()),
            Mount::Persistent { .. }
            | Mount::Writable { .. }
            | Mount::Scratch { .. }
            | Mount::File { .. }
            | Mount::Symlink { .. } => None,
        };
        Self {
            executable,
            argv: plan.argv.clone(),
            env: plan.env.clone(),
            code: plan.mounts.iter().filter_map(read_only).collect(),
            root: None,
            config: None,
            mounts,
        }
    }
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// Another file is executed.
    Executable,
    /// Code is mapped from a file that is neither the executable nor named by the release.
    Code,
    /// Code stands in memory that no file backs.
    GeneratedCode,
    /// Other arguments.
    Arguments,
    /// Another environment.
    Environment,
    /// Other mounts.
    Mounts,
    /// Other files of the artifact.
    Files,
    /// Another configuration.
    Config,
}

impl DriftKind {
    /// The name used in files, statements and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Executable => "executable",
            Self::Code => "code",
            Self::GeneratedCode => "generated-code",
            Self::Arguments => "arguments",
            Self::Environment => "environment",
            Self::Mounts => "mounts",
            Self::Files => "files",
            Self::Config => "config",
        }
    }
}

impl fmt::Display for DriftKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// What differs.
    pub what: DriftKind,
    /// How: the first thing that was found, printable, without values of variables.
    pub cause: String,
    /// Whether starting the release again can be expected to help. It cannot where programs do such things by
    /// themselves: compile code at run time, or rewrite the title that they show.
    pub repairable: bool,
}

impl Drift {
    fn new(what: DriftKind, cause: impl fmt::Display) -> Self {
        let repairable = what != DriftKind::GeneratedCode;
        Self { what, cause: printable(&cause.to_string(), CAUSE_LIMIT), repairable }
    }

    /// `E-DRIFT` of a unit, as in `shop@production`.
    #[must_use]
    pub fn reason(&self, unit: impl fmt::Display) -> Reason {
        Code::Drift.reason().with("unit", unit).with("what", self.what).with("cause", &self.cause)
    }
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum DriftError {
    /// The process has ended, or its id belongs to another one by now. That is no drift.
    #[error("the process is gone")]
    Gone,
    /// Something could not be read.
    #[error("failed to read {what}")]
    Unreadable {
        /// What was read.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

impl DriftError {
    fn unreadable(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Unreadable { what: what.into(), source: source.into() }
    }

    fn malformed(what: &str, problem: &str) -> Self {
        Self::unreadable(what, io::Error::new(io::ErrorKind::InvalidData, problem.to_owned()))
    }
}

/// What earlier looks at one process have found in order. A fresh one makes the next look a full one.
#[derive(Debug, Default)]
pub struct Memory {
    looks: u32,
    /// Process id and start time.
    process: Option<(u32, u64)>,
    /// The program image whose arguments and environment were right.
    image: Option<Digest>,
    executable: Option<Stamp>,
    root: Option<files::Stamps>,
    config: Option<files::Stamps>,
}

impl Memory {
    /// Another process id is another instance, about which nothing is known; another start time under the same id is a
    /// stranger.
    fn meet(&mut self, process: &Process) -> Result<(), DriftError> {
        match self.process {
            Some((pid, started)) if pid == process.pid && started != process.started => {
                return Err(DriftError::Gone);
            }
            Some((pid, _)) if pid == process.pid => {}
            Some(_) | None => {
                *self = Self { process: Some((process.pid, process.started)), ..Self::default() };
            }
        }
        self.looks = self.looks.wrapping_add(1);
        Ok(())
    }

    fn is_full_look(&self) -> bool {
        self.looks % FULL_LOOK == 1
    }
}

/// Compares the files below `path` with what was unpacked there; none where they do not differ.
///
/// # Errors
/// [`DriftError`] when they cannot be read.
pub fn inspect_files(path: &Path, expected: &Tree) -> Result<Option<Drift>, DriftError> {
    let cause = files::difference(path, expected, &mut None, true)?;
    Ok(cause.map(|cause| Drift::new(DriftKind::Files, cause)))
}

/// Compares the process with what is expected of it; empty where it does not differ. The caller may be root or the user
/// who started the service.
///
/// # Errors
/// [`DriftError::Gone`] when the process ends meanwhile, whatever was seen of it by then.
pub fn inspect(pid: u32, expected: &Expected, memory: &mut Memory) -> Result<Vec<Drift>, DriftError> {
    let process = Process::open(pid)?;
    memory.meet(&process)?;
    let seen = look(&process, expected, memory);
    // While a process ends, its files in /proc are empty or missing one after the other.
    process.check_alive()?;
    seen
}

fn look(process: &Process, expected: &Expected, memory: &mut Memory) -> Result<Vec<Drift>, DriftError> {
    let full = memory.is_full_look();
    let mut found = Vec::new();
    found.extend(executable(process, &expected.executable, memory, full)?);
    found.extend(code::foreign(process, &expected.code)?);
    found.extend(texts(process, expected, memory)?);
    let mounts = MountSet::of_process(process)?.difference(&expected.mounts);
    found.extend(mounts.map(|cause| Drift::new(DriftKind::Mounts, cause)));
    if let Some((path, tree)) = &expected.root {
        let cause = files::difference(path, tree, &mut memory.root, full)?;
        found.extend(cause.map(|cause| Drift::new(DriftKind::Files, cause)));
    }
    if let Some((path, tree)) = &expected.config {
        let cause = files::difference(path, tree, &mut memory.config, full)?;
        found.extend(cause.map(|cause| Drift::new(DriftKind::Config, cause)));
    }
    Ok(found)
}

/// The bytes behind `/proc/PID/exe`, whatever they are called.
fn executable(
    process: &Process,
    expected: &Digest,
    memory: &mut Memory,
    full: bool,
) -> Result<Option<Drift>, DriftError> {
    let file = process.executable()?;
    let stamp = Stamp::of(&file)?;
    if !full && memory.executable == Some(stamp) {
        return Ok(None);
    }
    let name = process.executable_name();
    if stamp.size() > EXECUTABLE_LIMIT {
        let cause = format!("{name} is executed, which has {} bytes", stamp.size());
        return Ok(Some(Drift::new(DriftKind::Executable, cause)));
    }
    let hashed = plimsoll_fs::open_and_hash(file.as_fd());
    let actual = hashed.map_err(|error| DriftError::unreadable("the executable", io::Error::other(error)))?;
    if actual == *expected {
        memory.executable = Some(stamp);
        return Ok(None);
    }
    let cause = format!("{name} is executed, with digest {actual} instead of {expected}");
    Ok(Some(Drift::new(DriftKind::Executable, cause)))
}

/// Arguments and environment. Both lie in the process's own memory, where programs rewrite them to show a title. So they
/// are compared once for each program image; a process that executes again, even itself, has another image.
fn texts(process: &Process, expected: &Expected, memory: &mut Memory) -> Result<Vec<Drift>, DriftError> {
    let image = process.image()?;
    if memory.image == Some(image) {
        return Ok(Vec::new());
    }
    let arguments = arguments(&process.read("cmdline", process::TEXT_LIMIT)?, &expected.argv);
    let environment = environment(&process.read("environ", process::TEXT_LIMIT)?, &expected.env);
    if arguments.is_none() && environment.is_none() {
        // Only if it was one image all the time.
        memory.image = (process.image()? == image).then_some(image);
    }
    let executed_again = memory.image.is_some();
    let drift = |what, cause| Drift { repairable: executed_again, ..Drift::new(what, cause) };
    let arguments = arguments.map(|cause| drift(DriftKind::Arguments, cause));
    let environment = environment.map(|cause| drift(DriftKind::Environment, cause));
    Ok(arguments.into_iter().chain(environment).collect())
}

fn arguments(actual: &[u8], expected: &[String]) -> Option<String> {
    let actual: Vec<&[u8]> = zero_terminated(actual);
    if actual.len() != expected.len() {
        return Some(format!("there are {} instead of {}", actual.len(), expected.len()));
    }
    let at = actual.iter().zip(expected).position(|(actual, expected)| *actual != expected.as_bytes())?;
    let (actual, expected) = (String::from_utf8_lossy(actual[at]), &expected[at]);
    Some(format!("argument {at} is `{}` instead of `{}`", printable(&actual, 100), printable(expected, 100)))
}

/// Names only: values can be secret.
fn environment(actual: &[u8], expected: &BTreeMap<String, String>) -> Option<String> {
    let expected: BTreeSet<Vec<u8>> = expected.iter().map(|(name, value)| entry(name, value)).collect();
    let actual: Vec<&[u8]> = zero_terminated(actual);
    if let Some(foreign) = actual.iter().find(|entry| !expected.contains(**entry)) {
        let name = foreign.split(|byte| *byte == b'=').next().unwrap_or_default();
        return Some(format!(
            "the variable {} is foreign or has another value",
            String::from_utf8_lossy(name)
        ));
    }
    (actual.len() != expected.len())
        .then(|| format!("there are {} variables instead of {}", actual.len(), expected.len()))
}

/// What follows the first of `count` findings.
fn and_others(count: usize) -> String {
    if count > 1 { format!(", and {} more", count - 1) } else { String::new() }
}

fn entry(name: &str, value: &str) -> Vec<u8> {
    format!("{name}={value}").into_bytes()
}

fn zero_terminated(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.strip_suffix(b"\0").map_or_else(
        || if bytes.is_empty() { Vec::new() } else { bytes.split(|byte| *byte == 0).collect() },
        |inner| inner.split(|byte| *byte == 0).collect(),
    )
}

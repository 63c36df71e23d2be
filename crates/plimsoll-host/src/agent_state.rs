//! What an agent remembers outside of the repository that it polices: who it is, how far it has followed the delivery
//! repository, and where each unit stands in its chain of decisions. One file, replaced whole, with one writer.
//!
//! An older copy of this file makes the agent follow the chain once more; a repository that is behind the file is
//! refused. Where both were put back to an earlier time, nothing on this machine can tell: without an independent
//! witness a rollback of both is undetectable.

#[cfg(test)]
mod tests;

use plimsoll_model::{Code, CommitId, Digest, EnvironmentName, ProjectName, Reason, Timestamp};
use plimsoll_policy::decision::Named;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// The newest version of the file that this code reads and writes.
const VERSION: u64 = 1;
const FILE: &str = "agent.json";
const UNFINISHED: &str = "agent.json.new";
const LOCK: &str = "agent.lock";
/// Bytes of the file.
const LIMIT: u64 = 16 << 20;

/// The memory of one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentState {
    /// Version of this shape; 1.
    pub version: u64,
    /// The agent, as `target.yaml` names it, with the identity that it got when it was enrolled.
    pub agent: Named<String>,
    /// The one environment that it keeps.
    pub environment: Named<EnvironmentName>,
    /// The OCI layout that artifacts come from.
    pub artifacts: PathBuf,
    /// The newest commit of the delivery repository that was accepted.
    pub delivery_commit: CommitId,
    /// Where each unit stands.
    pub units: BTreeMap<ProjectName, UnitState>,
}

/// Where one project stands in the agent's environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitState {
    /// The newest promoted decision that was accepted, started or not.
    pub accepted: Place,
    /// The release that it names.
    pub release: Digest,
    /// What failed in its confirm window and is not tried again; none once another release came to serve.
    pub taken_back: Option<TakenBack>,
    /// Starts that failed, one after the other.
    pub failures: Option<Failures>,
    /// Repairs of the current decision's drift.
    pub repairs: u32,
    /// Sequence number of the newest observation; 0 before the first.
    pub sequence: u64,
}

/// A decision whose release gave its place back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenBack {
    /// The decision.
    pub decision: Digest,
    /// Why.
    pub problem: String,
}

/// A decision and its place in the chain of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Payload digest of the decision.
    pub decision: Digest,
    /// Its counter.
    pub counter: u64,
}

/// Starts of one decision that failed in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failures {
    /// The decision.
    pub decision: Digest,
    /// How many.
    pub count: u32,
    /// When the last one failed.
    pub last: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// Why the memory cannot be used or changed. What is on the disk is then as it was.
#[derive(Debug, thiserror::Error)]
pub enum AgentStateError {
    /// A refusal of the registry.
    #[error(transparent)]
    Refused(#[from] Reason),
    /// There is none: the agent was not enrolled.
    #[error("no agent is enrolled in {0}")]
    NotEnrolled(PathBuf),
    /// There is one already. Enrolling again would forget what the agent has seen.
    #[error("an agent is enrolled in {0} already")]
    Enrolled(PathBuf),
    /// It is not what an agent wrote.
    #[error("the agent's memory {path} is damaged: {problem}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Anything else.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: io::Error,
    },
}

/// The memory, held by the one process that works on it.
#[derive(Debug)]
pub struct AgentStore {
    directory: PathBuf,
    state: AgentState,
    _lock: File,
}

impl AgentStore {
    /// Makes the memory of a new agent in `directory`, which is made (mode 0700) if it is not there.
    ///
    /// # Errors
    /// `E-STATE-LOCKED`, `E-STATE-FULL`; [`AgentStateError::Enrolled`] when there is one, whatever it holds.
    pub fn enroll(directory: &Path, state: AgentState) -> Result<Self, AgentStateError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| failed("make", directory, error))?;
        let lock = lock(directory)?;
        if fs::symlink_metadata(directory.join(FILE)).is_ok() {
            return Err(AgentStateError::Enrolled(directory.to_owned()));
        }
        let state = AgentState { version: VERSION, ..state };
        write(directory, &state)?;
        Ok(Self { directory: directory.to_owned(), state, _lock: lock })
    }

    /// Opens the memory of an enrolled agent to work on it.
    ///
    /// # Errors
    /// `E-STATE-LOCKED` while another process has it, and those of [`read`].
    pub fn open(directory: &Path) -> Result<Self, AgentStateError> {
        if !directory.join(FILE).exists() {
            return Err(AgentStateError::NotEnrolled(directory.to_owned()));
        }
        let lock = lock(directory)?;
        let state = read(directory)?;
        Ok(Self { directory: directory.to_owned(), state, _lock: lock })
    }

    /// What is remembered.
    #[must_use]
    pub const fn state(&self) -> &AgentState {
        &self.state
    }

    /// Remembers `state` instead: on the disk first, then here.
    ///
    /// # Errors
    /// `E-STATE-FULL`, and failures to write; then what was remembered before still is.
    pub fn replace(&mut self, state: AgentState) -> Result<(), AgentStateError> {
        if state != self.state {
            write(&self.directory, &state)?;
            self.state = state;
        }
        Ok(())
    }
}

/// Reads the memory, whoever works on it.
///
/// # Errors
/// `E-STATE-NEWER` for one of a newer version, [`AgentStateError::NotEnrolled`], [`AgentStateError::Damaged`], and
/// [`AgentStateError::Io`] also for one that others may write to.
pub fn read(directory: &Path) -> Result<AgentState, AgentStateError> {
    let path = directory.join(FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(AgentStateError::NotEnrolled(directory.to_owned()));
        }
        Err(error) => return Err(failed("open", &path, error)),
    };
    refuse_foreign_writers(&path, &file)?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| failed("read", &path, error))?;
    let damaged = |problem: String| AgentStateError::Damaged { path: path.clone(), problem };
    if bytes.len() as u64 > LIMIT {
        return Err(damaged(format!("it has more than {LIMIT} bytes")));
    }
    check_version(&path, &bytes)?;
    serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))
}

/// The version alone, since everything else may have another shape in a newer file.
fn check_version(path: &Path, bytes: &[u8]) -> Result<(), AgentStateError> {
    #[derive(Deserialize)]
    struct Version {
        version: u64,
    }
    let damaged = |problem: String| AgentStateError::Damaged { path: path.to_owned(), problem };
    match serde_json::from_slice::<Version>(bytes).map_err(|error| damaged(error.to_string()))?.version {
        VERSION => Ok(()),
        found @ VERSION.. => {
            let reason = Code::StateNewer.reason().with("path", path.display());
            Err(reason.with("found", found).with("known", VERSION).into())
        }
        0 => Err(damaged("it has version 0".to_owned())),
    }
}

fn refuse_foreign_writers(path: &Path, file: &File) -> Result<(), AgentStateError> {
    let metadata = file.metadata().map_err(|error| failed("open", path, error))?;
    if metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(failed("use", path, io::Error::new(io::ErrorKind::PermissionDenied, "others may write to it")))
}

/// Takes the lock, which ends with the process however it ends, and says in the file who has it.
fn lock(directory: &Path) -> Result<File, AgentStateError> {
    let path = directory.join(LOCK);
    let error = |error: io::Error| failed("lock", &path, error);
    let options = File::options().create(true).truncate(false).read(true).write(true).mode(0o600).clone();
    let mut file = options.open(&path).map_err(error)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(locked(directory, file)),
        Err(TryLockError::Error(source)) => return Err(error(source)),
    }
    let written = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    written.map_err(error)?;
    Ok(file)
}

fn locked(directory: &Path, holder: File) -> AgentStateError {
    let mut pid = String::new();
    // Who has just locked it may not have written yet.
    let read = holder.take(32).read_to_string(&mut pid).is_ok() && !pid.is_empty();
    let pid = if read { pid } else { "that has not said who it is yet".to_owned() };
    Code::StateLocked.reason().with("path", directory.display()).with("pid", pid).into()
}

/// Replaces the file: whoever reads it, at any instant, gets the old one or the new one. The one writer holds the lock,
/// so what a killed one left unfinished can be overwritten.
fn write(directory: &Path, state: &AgentState) -> Result<(), AgentStateError> {
    let (path, unfinished) = (directory.join(FILE), directory.join(UNFINISHED));
    let written = serde_json::to_vec_pretty(state).map_err(io::Error::from).and_then(|bytes| {
        let options = File::options().create(true).truncate(true).write(true).mode(0o600).clone();
        let mut file = options.open(&unfinished)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(directory)?.sync_all()
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        failed("write", &path, error)
    })
}

/// The error of doing `action` to `path`. A file system that takes nothing more is `E-STATE-FULL`.
fn failed(action: &str, path: &Path, source: io::Error) -> AgentStateError {
    let problem = match source.kind() {
        io::ErrorKind::StorageFull => "no space is left on the device",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        io::ErrorKind::FileTooLarge => "the file would be larger than allowed",
        _ => return AgentStateError::Io { action: format!("{action} {}", path.display()), source },
    };
    Code::StateFull.reason().with("path", path.display()).with("problem", problem).into()
}

/// Whether the agent, which saw `last`, may go on to `head`. `is_ancestor` tells whether `last` is an ancestor of
/// `head`; it is asked only where they differ.
///
/// # Errors
/// `E-DELIVERY-REWIND` when it is not: then nothing changes. The error of `is_ancestor`.
pub fn accept_head<E: From<Reason>>(
    last: &CommitId,
    head: &CommitId,
    is_ancestor: impl FnOnce(&CommitId, &CommitId) -> Result<bool, E>,
) -> Result<(), E> {
    if last == head || is_ancestor(last, head)? {
        return Ok(());
    }
    Err(Code::DeliveryRewind.reason().with("head", head).with("last", last).into())
}

/// What a promoted decision says of its place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The decision and its counter.
    pub place: Place,
    /// The decision before it; none for the first.
    pub previous: Option<Digest>,
}

/// Where a unit stands after `link`, given where it stood. What was accepted is accepted again; anything else must be
/// the next in the chain. An agent that was away, or has an older memory, accepts one link after the other; one without
/// memory of the unit takes the chain from wherever it finds it.
///
/// # Errors
/// `E-ROLLBACK` for a decision that is behind, beside, or does not follow.
pub fn accept_decision(
    unit: (&ProjectName, &EnvironmentName),
    standing: Option<Place>,
    link: Link,
) -> Result<Place, Reason> {
    let Some(last) = standing else { return Ok(link.place) };
    let next =
        last.counter.checked_add(1) == Some(link.place.counter) && link.previous == Some(last.decision);
    if link.place == last || next {
        return Ok(link.place);
    }
    let actual = link.previous.map_or_else(
        || "the beginning".to_owned(),
        |previous| shown(previous, link.place.counter.saturating_sub(1)),
    );
    let reason = Code::Rollback.reason().with("project", unit.0).with("environment", unit.1);
    Err(reason.with("actual", actual).with("expected", shown(last.decision, last.counter)))
}

fn shown(decision: Digest, counter: u64) -> String {
    format!("decision {counter} ({})", decision.short())
}

//! Opening a state directory: its format, its one writer, and what the last writer left unfinished.

use crate::{
    FileJournal, Layout, Runs,
    durable::{ensure_directory, failed, read_limited, replace, unused_name},
};
use plimsoll_engine::ports::StoreError;
use plimsoll_model::Code;
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

/// The newest format that this code reads and writes.
const FORMAT: u64 = 1;
const FORMAT_FILE: &str = "format.json";
const LOCK_FILE: &str = "lock";
const TEMPORARY: &str = "tmp";
/// Files, and bytes of each, that must fit before a writer begins: more than keys, lock and first entries need.
const ROOM: (usize, usize) = (32, 16 << 10);
/// What may be there without a format file: what a first writer that was killed left, and what commands keep that record
/// nothing, such as a scan.
const OWN_NAMES: [&str; 6] = [LOCK_FILE, TEMPORARY, "index.lock", "scan", "tools", "toolchain.cache"];

/// A state directory. It is for one user: whoever else may write to it could change what was recorded.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    layout: Layout,
    journal: FileJournal,
    runs: Runs,
    /// Held as long as this value lives, by the one writer.
    _lock: Option<File>,
}

#[derive(Serialize, Deserialize)]
struct Format {
    version: u64,
}

#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    command: String,
}

impl StateDir {
    /// Opens the directory as its one writer, makes it (mode 0700) if it is not there, and removes what killed writers
    /// left unfinished. `command` is shown to whoever else wants to write. A disk that is almost full is refused here,
    /// before anything begins that would have to stop half way.
    ///
    /// # Errors
    /// `E-STATE-LOCKED` while another writer is there, `E-STATE-NEWER`, `E-STATE-FULL`; [`StoreError::Io`] also for a
    /// directory with other content, or one that others may write to.
    pub fn open_writer(path: &Path, command: &str) -> Result<Self, StoreError> {
        create(path)?;
        let lock = lock(path, command)?;
        ensure_directory(&path.join(TEMPORARY))?;
        if !check_format(path)? {
            replace(&path.join(TEMPORARY), &path.join(FORMAT_FILE), br#"{"version":1}"#)?;
        }
        remove_unfinished(&path.join(TEMPORARY))?;
        has_room(&path.join(TEMPORARY))?;
        Self::assemble(path, true, Some(lock))
    }

    /// Makes the directory (mode 0700) for a command that keeps something there and records nothing, or checks that it
    /// may be used.
    ///
    /// # Errors
    /// [`StoreError::Io`] for a directory with other content, or one that others may write to.
    pub fn prepare(path: &Path) -> Result<(), StoreError> {
        create(path)
    }

    /// Whether nothing was ever recorded there: it is not there, or no writer opened it yet.
    ///
    /// # Errors
    /// [`StoreError::Io`] when it cannot be listed.
    pub fn is_unused(path: &Path) -> Result<bool, StoreError> {
        Ok(!path.exists() || (!path.join(FORMAT_FILE).exists() && has_only_own(path)?))
    }

    /// Opens the directory for a process that works for its writer, as a signer does: it may append to the journal and
    /// write blobs while the writer holds its lock.
    ///
    /// # Errors
    /// `E-STATE-NEWER`; [`StoreError::Io`] when it is no state directory.
    pub fn open_member(path: &Path) -> Result<Self, StoreError> {
        Self::open_existing(path, true)
    }

    /// Opens the directory for reading, whoever writes.
    ///
    /// # Errors
    /// `E-STATE-NEWER`; [`StoreError::Io`] when it is no state directory.
    pub fn open_reader(path: &Path) -> Result<Self, StoreError> {
        Self::open_existing(path, false)
    }

    fn open_existing(path: &Path, writable: bool) -> Result<Self, StoreError> {
        if !check_format(path)? {
            let source = io::Error::new(io::ErrorKind::NotFound, "it is no state directory");
            return Err(failed("open", path, source));
        }
        Self::assemble(path, writable, None)
    }

    fn assemble(path: &Path, writable: bool, lock: Option<File>) -> Result<Self, StoreError> {
        let temporary = path.join(TEMPORARY);
        Ok(Self {
            path: path.to_owned(),
            layout: Layout::open(path.join("layout"), temporary.clone(), writable)?,
            journal: FileJournal::new(path.join("journal.jsonl"), writable),
            runs: Runs::new(path.join("runs"), temporary, writable),
            _lock: lock,
        })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Content by digest.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What was opened, closed, decided and refused.
    #[must_use]
    pub const fn journal(&self) -> &FileJournal {
        &self.journal
    }

    /// The records of runs.
    #[must_use]
    pub const fn runs(&self) -> &Runs {
        &self.runs
    }
}

/// Makes the directory, or checks that it is one that may be used.
fn create(path: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| failed("make the directory", path, error))?;
    let metadata = fs::metadata(path).map_err(|error| failed("open", path, error))?;
    let refused =
        |problem| Err(failed("use", path, io::Error::new(io::ErrorKind::PermissionDenied, problem)));
    if metadata.mode() & 0o022 != 0 {
        return refused("others may write to it");
    }
    if path.join(FORMAT_FILE).exists() || has_only_own(path)? {
        return Ok(());
    }
    refused("it has other files and is no state directory")
}

fn has_only_own(path: &Path) -> Result<bool, StoreError> {
    for entry in fs::read_dir(path).map_err(|error| failed("list", path, error))? {
        let name = entry.map_err(|error| failed("list", path, error))?.file_name();
        if !OWN_NAMES.iter().any(|own| name == *own) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes the writer's lock, which ends with the process however it ends.
fn lock(path: &Path, command: &str) -> Result<File, StoreError> {
    let lock_path = path.join(LOCK_FILE);
    let error = |error: io::Error| failed("lock", &lock_path, error);
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&lock_path)
        .map_err(error)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::AGAIN) => return Err(locked(path, &lock_path)?),
        Err(errno) => return Err(error(errno.into())),
    }
    let holder = Holder { pid: std::process::id(), command: command.to_owned() };
    let text = serde_json::to_vec(&holder).map_err(|problem| error(problem.into()))?;
    file.set_len(0).and_then(|()| file.write_all(&text)).map_err(error)?;
    Ok(file)
}

fn locked(path: &Path, lock_path: &Path) -> Result<StoreError, StoreError> {
    let bytes = read_limited(lock_path, 1 << 16)?.unwrap_or_default();
    let holder: Option<Holder> = serde_json::from_slice(&bytes).ok();
    let pid = holder.map_or_else(
        || "that has not said who it is yet".to_owned(),
        |holder| format!("{} ({})", holder.pid, holder.command),
    );
    Ok(Code::StateLocked.reason().with("path", path.display()).with("pid", pid).into())
}

/// Whether there is a format file, of a version that this code knows.
fn check_format(path: &Path) -> Result<bool, StoreError> {
    let file = path.join(FORMAT_FILE);
    let Some(bytes) = read_limited(&file, 1 << 16)? else { return Ok(false) };
    let format: Format =
        serde_json::from_slice(&bytes).map_err(|error| failed("read", &file, error.into()))?;
    if format.version > FORMAT {
        let reason = Code::StateNewer.reason().with("path", path.display());
        return Err(reason.with("found", format.version).with("known", FORMAT).into());
    }
    Ok(true)
}

/// Writes what a writer needs at least, and removes it again.
fn has_room(temporary: &Path) -> Result<(), StoreError> {
    let (files, bytes) = ROOM;
    let names = (0..files).map(|_| unused_name(temporary)).collect::<Result<Vec<_>, _>>()?;
    let written = names.iter().try_for_each(|name| fs::write(name, vec![0; bytes]));
    // One that was not made cannot be removed; one that stays is removed by the next writer.
    names.iter().for_each(|name| drop(fs::remove_file(name)));
    written.map_err(|error| failed("write in", temporary, error))
}

/// Only the one writer calls this. A signer of a killed writer that is still at work fails to give its blob a name, and
/// stores nothing.
fn remove_unfinished(temporary: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(temporary).map_err(|error| failed("list", temporary, error))? {
        let path = entry.map_err(|error| failed("list", temporary, error))?.path();
        fs::remove_file(&path).map_err(|error| failed("remove", &path, error))?;
    }
    Ok(())
}

//! The records of runs: documents replaced whole, and logs appended to. Nothing here is evidence; evidence is content,
//! by digest.

use crate::durable::{ensure_directory, failed, read_limited, replace, sync_directory};
use plimsoll_engine::ports::StoreError;
use plimsoll_fs::{Opened, open_beneath};
use plimsoll_model::{RelPath, RunId, Timestamp, jcs};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fs::{self, File},
    io,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
};

/// How large a document may be.
const DOCUMENT_LIMIT: u64 = 64 << 20;
/// When a run began; its presence makes a directory a run.
const CREATED: &str = "created.json";

#[derive(Serialize, Deserialize)]
struct Created {
    version: u32,
    time: Timestamp,
}

/// All runs of a state directory.
#[derive(Debug)]
pub struct Runs {
    root: PathBuf,
    temporary: PathBuf,
    writable: bool,
}

impl Runs {
    pub(crate) const fn new(root: PathBuf, temporary: PathBuf, writable: bool) -> Self {
        Self { root, temporary, writable }
    }

    /// Makes the record of a run that begins at `time`.
    ///
    /// # Errors
    /// When there is one already, or nothing can be written.
    pub fn create(&self, run: &RunId, time: Timestamp) -> Result<RunDirectory, StoreError> {
        if !self.writable {
            let source = io::Error::new(io::ErrorKind::PermissionDenied, "it was opened for reading");
            return Err(failed("write to", &self.root, source));
        }
        ensure_directory(&self.root)?;
        let directory = self.directory(run);
        fs::create_dir(&directory.path)
            .map_err(|error| failed("make the directory", &directory.path, error))?;
        sync_directory(&self.root)?;
        directory.write_document(CREATED, &Created { version: 1, time })?;
        Ok(directory)
    }

    /// The record of a run.
    ///
    /// # Errors
    /// When there is none ([`io::ErrorKind::NotFound`]).
    pub fn open(&self, run: &RunId) -> Result<RunDirectory, StoreError> {
        let directory = self.directory(run);
        fs::metadata(directory.path.join(CREATED)).map_err(|error| failed("open", &directory.path, error))?;
        Ok(directory)
    }

    /// Every run with the time it began at, newest first.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub fn list(&self) -> Result<Vec<(RunId, Timestamp)>, StoreError> {
        let failed = |error| failed("list", &self.root, error);
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut runs = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let Some(run) = name.to_str().and_then(|name| name.parse::<RunId>().ok()) else { continue };
            if let Some(created) = self.directory(&run).read_document::<Created>(CREATED)? {
                runs.push((run, created.time));
            }
        }
        runs.sort_by(|(one, a), (other, b)| b.cmp(a).then_with(|| one.cmp(other)));
        Ok(runs)
    }

    fn directory(&self, run: &RunId) -> RunDirectory {
        RunDirectory {
            path: self.root.join(run.as_str()),
            temporary: self.temporary.clone(),
            writable: self.writable,
        }
    }
}

/// The record of one run.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    temporary: PathBuf,
    writable: bool,
}

impl RunDirectory {
    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the document `name` by the canonical JSON of `value`.
    ///
    /// # Errors
    /// When it cannot be written; then the old one is still there.
    pub fn write_json<T: Serialize>(&self, name: &RelPath, value: &T) -> Result<(), StoreError> {
        self.make_parents(name)?;
        self.write_document(name.as_str(), value)
    }

    /// The document `name`, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, has more than 64 MiB, or is of another shape.
    pub fn read_json<T: DeserializeOwned>(&self, name: &RelPath) -> Result<Option<T>, StoreError> {
        self.read_document(name.as_str())
    }

    /// Opens the log `name` for appending, and makes it if it is not there. Whoever writes limits its size. Logs are
    /// not synced.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn append_log(&self, name: &RelPath) -> Result<File, StoreError> {
        self.make_parents(name)?;
        let path = self.path.join(name.as_str());
        let opened = File::options().append(true).create(true).mode(0o600).open(&path);
        opened.map_err(|error| failed("open", &path, error))
    }

    /// Opens the log `name` for reading.
    ///
    /// # Errors
    /// When there is none ([`io::ErrorKind::NotFound`]).
    pub fn read_log(&self, name: &RelPath) -> Result<File, StoreError> {
        let directory = File::open(&self.path).map_err(|error| failed("open", &self.path, error))?;
        Ok(open_beneath(directory.as_fd(), name, Opened::File)?.into())
    }

    fn make_parents(&self, name: &RelPath) -> Result<(), StoreError> {
        if !self.writable {
            let source = io::Error::new(io::ErrorKind::PermissionDenied, "it was opened for reading");
            return Err(failed("write to", &self.path, source));
        }
        match name.parent() {
            Some(parent) => fs::create_dir_all(self.path.join(parent.as_str()))
                .map_err(|error| failed("make a directory in", &self.path, error)),
            None => Ok(()),
        }
    }

    fn write_document<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let bytes = jcs::to_bytes(value).map_err(|error| failed("write", &path, io::Error::other(error)))?;
        replace(&self.temporary, &path, &bytes)
    }

    fn read_document<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let path = self.path.join(name);
        let Some(bytes) = read_limited(&path, DOCUMENT_LIMIT)? else { return Ok(None) };
        let value = serde_json::from_slice(&bytes).map_err(|error| failed("read", &path, error.into()))?;
        Ok(Some(value))
    }
}

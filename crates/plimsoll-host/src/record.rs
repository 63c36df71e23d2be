//! What is known about a service on disk, for `status`, `trace` and `logs`, and for the next supervisor.

use plimsoll_model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// A log file is turned over when it is longer, in bytes; one older file is kept.
const LOG_LIMIT: u64 = 4 << 20;

/// State of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceState {
    /// It is healthy and reachable.
    Serving,
    /// It ended by itself and is about to be started again.
    Restarting,
    /// It ended too often.
    Failed,
    /// It was stopped.
    Stopped,
}

/// What runs, by digest, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRecord {
    /// Version of this shape; 1.
    pub version: u32,
    /// State when this was written.
    pub state: ServiceState,
    /// Payload digest of the decision it was started under.
    pub decision: Digest,
    /// Digest of the release.
    pub release: Digest,
    /// Digest of the file that is executed.
    pub executable: Digest,
    /// Process id of the supervisor.
    pub supervisor: u32,
    /// Process id of the service on the host.
    pub process: u32,
    /// Address that the supervisor listens on.
    pub listen: String,
    /// When the instance was started.
    pub started: Timestamp,
    /// How often it was started again.
    pub restarts: u32,
}

/// The directory of one service.
#[derive(Debug, Clone)]
pub struct ServiceDirectory {
    path: PathBuf,
}

impl ServiceDirectory {
    /// The directory at `path`, made with mode 0700 where it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        Ok(Self { path })
    }

    /// Waits until no other supervisor takes over, and keeps others from it while the file is held.
    ///
    /// # Errors
    /// When the lock file cannot be opened or locked.
    pub fn lock(&self) -> io::Result<File> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(self.path.join("lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// The control socket's path.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    /// The log file's path.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("service.log")
    }

    /// Replaces the record.
    ///
    /// # Errors
    /// When it cannot be written; the old one stays.
    pub fn write(&self, record: &ServiceRecord) -> io::Result<()> {
        let temporary = self.path.join(format!("service.json.{}", std::process::id()));
        let mut file = File::create(&temporary)?;
        serde_json::to_writer_pretty(&mut file, record)?;
        file.sync_all()?;
        fs::rename(&temporary, self.path.join("service.json"))
    }

    /// The record, if there is one that can be read, with its state corrected where its supervisor is gone.
    #[must_use]
    pub fn read(&self) -> Option<ServiceRecord> {
        let bytes = fs::read(self.path.join("service.json")).ok()?;
        let mut record: ServiceRecord = serde_json::from_slice(&bytes).ok()?;
        let alive = std::os::unix::net::UnixStream::connect(self.control()).is_ok();
        if !alive && matches!(record.state, ServiceState::Serving | ServiceState::Restarting) {
            record.state = ServiceState::Failed;
        }
        Some(record)
    }

    /// The log, opened for appending.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_log(&self) -> io::Result<Log> {
        Log::open(&self.log())
    }
}

/// A log that is turned over before it grows without end.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, length })
    }

    /// Appends `bytes`. A log that cannot be written does not stop a service.
    pub fn append(&mut self, bytes: &[u8]) {
        if self.length > LOG_LIMIT
            && fs::rename(&self.path, self.path.with_extension("log.1")).is_ok()
            && let Ok(next) = Self::open(&self.path)
        {
            *self = next;
        }
        if self.file.write_all(bytes).is_ok() {
            self.length += bytes.len() as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_turned_over_and_one_older_file_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let service = ServiceDirectory::open(directory.path().join("shop@local")).unwrap();
        let mut log = service.open_log().unwrap();
        for _ in 0..12 {
            log.append(&vec![b'x'; 1 << 20]);
        }
        let total: u64 = fs::read_dir(directory.path().join("shop@local"))
            .unwrap()
            .map(|e| e.unwrap().metadata().unwrap().len())
            .sum();
        assert!(total <= 2 * (LOG_LIMIT + (2 << 20)), "{total}");
        assert!(service.log().with_extension("log.1").exists());
    }

    #[test]
    fn a_service_whose_supervisor_is_gone_is_not_serving() {
        let directory = tempfile::tempdir().unwrap();
        let service = ServiceDirectory::open(directory.path().join("shop@local")).unwrap();
        let digest = Digest::of(b"x");
        let record = ServiceRecord {
            version: 1,
            state: ServiceState::Serving,
            decision: digest,
            release: digest,
            executable: digest,
            supervisor: 1,
            process: 2,
            listen: "127.0.0.1:1".into(),
            started: Timestamp::UNIX_EPOCH,
            restarts: 0,
        };
        service.write(&record).unwrap();
        assert_eq!(service.read().unwrap().state, ServiceState::Failed);
    }
}

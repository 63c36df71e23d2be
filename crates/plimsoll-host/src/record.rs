//! What is known about a service on disk, for `status`, `trace` and `logs`, and for the next supervisor.

use crate::{control, look::Look};
use plimsoll_model::{Digest, Reason, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// What has the traffic.
const RECORD: &str = "service.json";
/// What failed last.
const SETBACK: &str = "setback.json";
/// What was seen of the instance that has the traffic.
const LOOK: &str = "drift.json";
/// What is installed, where the unit is no service.
const INSTALLED: &str = "installed.json";
/// Bytes of a record that are read.
const FILE_LIMIT: u64 = 1 << 20;

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
    /// It ended too often, or its supervisor was killed.
    Failed,
    /// It was stopped.
    Stopped,
}

/// What has the traffic of a service, by digest, and what would get it back. Only the supervisor that has the traffic
/// writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRecord {
    /// Version of this shape; 2.
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
    /// When traffic moved to this release.
    pub since: Timestamp,
    /// The release before it, while it is kept warm or has not ended yet.
    pub standby: Option<Standby>,
    /// When the confirm window ends; none outside of one. Until then a failure gives traffic back to the standby.
    pub confirm: Option<Timestamp>,
}

/// A release whose supervisor has handed traffic over and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standby {
    /// Payload digest of the decision it was started under.
    pub decision: Digest,
    /// Digest of the release.
    pub release: Digest,
    /// Process id of the supervisor.
    pub supervisor: u32,
    /// Process id of the service on the host.
    pub process: u32,
}

/// The last release that failed here since traffic moved forward, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setback {
    /// Version of this shape; 1.
    pub version: u32,
    /// Payload digest of the decision that the failed release was started under.
    pub decision: Digest,
    /// Digest of the failed release.
    pub release: Digest,
    /// `E-FALLBACK` where the release before has the traffic again, `E-HEALTH` where the release did not come to serve,
    /// or ended too often with nothing to fall back to.
    pub reason: Reason,
    /// When it failed.
    pub at: Timestamp,
}

/// A release that was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installed {
    /// The directory that its target names.
    pub path: PathBuf,
    /// Payload digest of the decision that it was installed under.
    pub decision: Digest,
    /// Digest of the release.
    pub release: Digest,
    /// When it was installed.
    pub at: Timestamp,
}

/// What was installed last, and before it. Which of them is in place says the link in their directory alone: it is
/// changed after this is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InstallRecord {
    /// Version of this shape; 1.
    pub(crate) version: u32,
    pub(crate) newest: Installed,
    pub(crate) before: Option<Installed>,
}

/// Version 1 of [`ServiceRecord`]: one supervisor at a time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordV1 {
    #[serde(rename = "version")]
    _version: u32,
    state: ServiceState,
    decision: Digest,
    release: Digest,
    executable: Digest,
    supervisor: u32,
    process: u32,
    listen: String,
    started: Timestamp,
    restarts: u32,
}

impl From<RecordV1> for ServiceRecord {
    fn from(old: RecordV1) -> Self {
        Self {
            version: 2,
            state: old.state,
            decision: old.decision,
            release: old.release,
            executable: old.executable,
            supervisor: old.supervisor,
            process: old.process,
            listen: old.listen,
            started: old.started,
            restarts: old.restarts,
            since: old.started,
            standby: None,
            confirm: None,
        }
    }
}

/// A record of any version that this program knows; none for all else.
fn parse(bytes: &[u8]) -> Option<ServiceRecord> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    match serde_json::from_slice::<Versioned>(bytes).ok()?.version {
        1 => serde_json::from_slice::<RecordV1>(bytes).ok().map(ServiceRecord::from),
        2 => serde_json::from_slice(bytes).ok(),
        _ => None,
    }
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

    /// The path, for sockets.
    pub(crate) fn path(&self) -> &Path {
        &self.path
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
        self.replace(RECORD, record)
    }

    /// The record, if there is one that can be read, with its state corrected where its supervisor is gone.
    #[must_use]
    pub fn read(&self) -> Option<ServiceRecord> {
        let mut record = self.written()?;
        let open = matches!(record.state, ServiceState::Serving | ServiceState::Restarting);
        if open && !control::answers(self) {
            record = ServiceRecord { state: ServiceState::Failed, standby: None, confirm: None, ..record };
        }
        Some(record)
    }

    /// The record as it was written: its supervisor may be gone.
    pub(crate) fn written(&self) -> Option<ServiceRecord> {
        parse(&self.bytes(RECORD)?)
    }

    /// What the supervisor saw last of the process that the record names; none where it has not looked yet, or what it
    /// saw cannot be read.
    #[must_use]
    pub fn look(&self) -> Option<Look> {
        let look: Look = serde_json::from_slice(&self.bytes(LOOK)?).ok()?;
        (look.version == 1 && look.process == self.written()?.process).then_some(look)
    }

    /// Replaces what was seen. Where that fails nothing is known any more: better than something that was true once.
    pub(crate) fn write_look(&self, look: &Look) {
        if self.replace(LOOK, look).is_err() {
            let _ = fs::remove_file(self.path.join(LOOK));
        }
    }

    /// The last failure since traffic moved forward.
    #[must_use]
    pub fn setback(&self) -> Option<Setback> {
        let setback: Setback = serde_json::from_slice(&self.bytes(SETBACK)?).ok()?;
        (setback.version == 1).then_some(setback)
    }

    /// Replaces what is known of the last failure.
    ///
    /// # Errors
    /// When it cannot be written; what was known before stays.
    pub(crate) fn write_setback(&self, setback: &Setback) -> io::Result<()> {
        self.replace(SETBACK, setback)
    }

    /// Traffic moved forward: a failure before that is history.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub(crate) fn forget_setback(&self) -> io::Result<()> {
        match fs::remove_file(self.path.join(SETBACK)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// What is installed, if anything was; where neither it nor what was before is in place any more, what was installed
    /// last.
    #[must_use]
    pub fn installed(&self) -> Option<Installed> {
        let record: InstallRecord = serde_json::from_slice(&self.bytes(INSTALLED)?).ok()?;
        let InstallRecord { version: 1, newest, before } = record else { return None };
        let before = before.filter(|before| !newest.is_current() && before.is_current());
        Some(before.unwrap_or(newest))
    }

    /// Replaces what is known to be installed, durably.
    ///
    /// # Errors
    /// When it cannot be written; what was known before stays.
    pub(crate) fn write_installed(&self, record: &InstallRecord) -> io::Result<()> {
        self.replace(INSTALLED, record)?;
        File::open(&self.path)?.sync_all()
    }

    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(self.path.join(name)).ok()?;
        file.take(FILE_LIMIT).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// A reader sees the old file or the new one.
    fn replace(&self, name: &str, value: &impl Serialize) -> io::Result<()> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = NEXT.fetch_add(1, Ordering::Relaxed);
        let temporary = self.path.join(format!("{name}.{}.{unique}", std::process::id()));
        let written =
            write_new(&temporary, value).and_then(|()| fs::rename(&temporary, self.path.join(name)));
        if written.is_err() {
            // What is left of it may be what fills the disk.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// The log, opened for appending.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_log(&self) -> io::Result<Log> {
        Log::open(&self.log())
    }
}

fn write_new(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    file.sync_all()
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

    const FIRST: &str = r#"{"version":1,"state":"serving",
        "decision":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "release":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "executable":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "supervisor":1,"process":2,"listen":"127.0.0.1:1","started":"1970-01-01T00:00:00Z","restarts":0}"#;

    const SECOND: &str = r#"{"version":2,"state":"stopped",
        "decision":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "release":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "executable":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "supervisor":1,"process":2,"listen":"127.0.0.1:1","started":"1970-01-01T00:00:00Z","restarts":0,
        "since":"1970-01-01T00:00:01Z","standby":{
        "decision":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "release":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "supervisor":3,"process":4},"confirm":"1970-01-01T00:10:01Z"}"#;

    fn read(text: &str) -> Option<ServiceRecord> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(RECORD), text).unwrap();
        ServiceDirectory::open(directory.path()).unwrap().read()
    }

    #[test]
    fn records_of_every_version_are_read_and_nothing_else() {
        let record = read(SECOND).unwrap();
        assert_eq!(record.standby.as_ref().map(|standby| standby.supervisor), Some(3));
        let again = read(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(again, record);
        assert_eq!(read(FIRST).unwrap().since, Timestamp::UNIX_EPOCH);
        for other in ["", "{}", "[]", "{\"version\":1}", "{\"version\":2}", "\u{0}"] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(read(&SECOND.replace("\"version\":2", "\"version\":3")), None);
        assert_eq!(read(&SECOND.replace("\"restarts\"", "\"more\"")), None);
    }

    const INSTALL: &str = r#"{"version":1,"newest":{"path":"/opt/shop",
        "decision":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "release":"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "at":"1970-01-01T00:00:01Z"},"before":null}"#;

    #[test]
    fn what_is_installed_is_what_current_leads_to() {
        let directory = tempfile::tempdir().unwrap();
        let service = ServiceDirectory::open(directory.path().join("shop@local")).unwrap();
        let read = |text: &str| {
            fs::write(directory.path().join("shop@local").join(INSTALLED), text).unwrap();
            service.installed()
        };
        let newest = read(INSTALL).unwrap();
        assert_eq!((newest.path.to_str(), newest.is_current()), (Some("/opt/shop"), false));
        for other in ["", "{}", &INSTALL.replace("\"version\":1", "\"version\":2")] {
            assert_eq!(read(other), None, "{other}");
        }
        let installed = |content: &str| {
            let release = Digest::of(content.as_bytes());
            Installed { path: directory.path().to_owned(), release, ..newest.clone() }
        };
        let (old, new) = (installed("old"), installed("new"));
        let record = InstallRecord { version: 1, newest: new.clone(), before: Some(old.clone()) };
        service.write_installed(&record).unwrap();
        let link = directory.path().join("current");
        // Killed before the link was changed, after it, and once somebody else changed it.
        for (release, expect) in [(&old, &old), (&new, &new), (&installed("foreign"), &new)] {
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(format!("releases/{}", release.release.hex()), &link).unwrap();
            assert_eq!(service.installed().as_ref(), Some(expect));
        }
    }

    #[test]
    fn a_service_whose_supervisor_is_gone_is_not_serving() {
        for (text, state) in [(FIRST, ServiceState::Failed), (SECOND, ServiceState::Stopped)] {
            assert_eq!(read(text).unwrap().state, state);
        }
        let serving = read(&SECOND.replace("stopped", "serving")).unwrap();
        assert_eq!((serving.state, serving.standby, serving.confirm), (ServiceState::Failed, None, None));
    }
}

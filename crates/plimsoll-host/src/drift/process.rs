//! One process, held by its directory in `/proc`: when the process ends, reads fail instead of reaching whoever gets its
//! id next (`proc(5)`).

use super::DriftError;
use plimsoll_model::Digest;
use rustix::{
    fs::{CWD, Mode, OFlags, openat, readlinkat},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::OwnedFd,
};

/// Bytes of arguments or environment that are read; the kernel takes 6 MiB (`execve(2)`).
pub(super) const TEXT_LIMIT: u64 = 16 << 20;
/// Bytes of the auxiliary vector.
const VECTOR_LIMIT: u64 = 64 << 10;

/// A process that was alive when it was opened.
pub(super) struct Process {
    pub(super) pid: u32,
    /// Its start, in clock ticks since boot.
    pub(super) started: u64,
    directory: OwnedFd,
}

impl Process {
    /// Opens it.
    pub(super) fn open(pid: u32) -> Result<Self, DriftError> {
        let path = format!("/proc/{pid}");
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, path, flags, Mode::empty()).map_err(|errno| failed("/proc", errno))?;
        let mut process = Self { pid, started: 0, directory };
        process.started = process.start_time()?;
        Ok(process)
    }

    /// Whether it still is the same process and has not ended.
    pub(super) fn check_alive(&self) -> Result<(), DriftError> {
        if self.start_time()? == self.started { Ok(()) } else { Err(DriftError::Gone) }
    }

    fn start_time(&self) -> Result<u64, DriftError> {
        let text = self.read("stat", 1 << 16)?;
        let (state, started) =
            state_and_start(&text).ok_or_else(|| DriftError::malformed("stat", "it has another form"))?;
        if matches!(state, b'Z' | b'X') { Err(DriftError::Gone) } else { Ok(started) }
    }

    /// The whole file `name` of its directory.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, DriftError> {
        let file = File::from(self.open_file(name, OFlags::RDONLY)?);
        let mut bytes = Vec::new();
        let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| from_io(name, error))?;
        if bytes.len() as u64 > limit {
            return Err(DriftError::malformed(name, &format!("it has more than {limit} bytes")));
        }
        Ok(bytes)
    }

    /// The file that it executes, open for reading.
    pub(super) fn executable(&self) -> Result<OwnedFd, DriftError> {
        self.open_file("exe", OFlags::RDONLY)
    }

    /// What the kernel calls that file; only to be shown.
    pub(super) fn executable_name(&self) -> String {
        let name = readlinkat(&self.directory, "exe", Vec::new());
        name.map_or_else(|_| "an unnamed file".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// Its root directory, to look up paths as it does.
    pub(super) fn root(&self) -> Result<OwnedFd, DriftError> {
        self.open_file("root", OFlags::PATH | OFlags::DIRECTORY)
    }

    /// Tells one execution of a program from the next: the auxiliary vector (`getauxval(3)`) has addresses that the
    /// kernel chooses at random for each.
    pub(super) fn image(&self) -> Result<Digest, DriftError> {
        Ok(Digest::of(&self.read("auxv", VECTOR_LIMIT)?))
    }

    fn open_file(&self, name: &str, flags: OFlags) -> Result<OwnedFd, DriftError> {
        let opened = openat(&self.directory, name, flags | OFlags::CLOEXEC, Mode::empty());
        opened.map_err(|errno| failed(name, errno))
    }
}

fn failed(name: &str, errno: Errno) -> DriftError {
    match errno {
        Errno::NOENT | Errno::SRCH => DriftError::Gone,
        errno => DriftError::unreadable(format!("{name} of the process"), errno),
    }
}

fn from_io(name: &str, error: io::Error) -> DriftError {
    match Errno::from_io_error(&error) {
        Some(errno) => failed(name, errno),
        None => DriftError::unreadable(format!("{name} of the process"), error),
    }
}

/// Fields 3 and 22 of `/proc/PID/stat` (`proc_pid_stat(5)`). The second is the program's name in parentheses, which can
/// itself contain spaces and parentheses.
pub(super) fn state_and_start(text: &[u8]) -> Option<(u8, u64)> {
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let mut fields = text.get(end + 1..)?.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let state = *fields.next()?.first()?;
    let started = str::from_utf8(fields.nth(18)?).ok()?.parse().ok()?;
    Some((state, started))
}

//! Writes a tree: every file is new, opened below a directory that this module opened itself, and nothing is followed.

use crate::error::failed;
use plimsoll_engine::ports::SourceError;
use rustix::{
    fs::{
        AtFlags, Dir, Mode, OFlags, RawMode, ResolveFlags, Timespec, Timestamps, fchmod, futimens, mkdirat,
        openat2, symlinkat, utimensat,
    },
    io::Result,
};
use std::{
    fs::File,
    io::Write,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// A directory that is being filled.
pub(crate) struct Directory<'a> {
    descriptor: Descriptor<'a>,
    time: i64,
}

enum Descriptor<'a> {
    Given(BorrowedFd<'a>),
    Opened(OwnedFd),
}

impl AsFd for Descriptor<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Given(descriptor) => *descriptor,
            Self::Opened(descriptor) => descriptor.as_fd(),
        }
    }
}

impl<'a> Directory<'a> {
    /// The destination, which must be empty. Everything written gets `time`, in seconds since 1970.
    ///
    /// # Errors
    /// When it is not empty or cannot be read.
    pub(crate) fn root(at: BorrowedFd<'a>, time: i64) -> std::result::Result<Self, SourceError> {
        let action = "export into the destination";
        if !is_empty(at).map_err(|error| failed(action, error))? {
            return Err(failed(action, "it is not empty"));
        }
        Ok(Self { descriptor: Descriptor::Given(at), time })
    }

    /// Makes and opens a directory of mode 0755.
    pub(crate) fn directory(&self, name: &str) -> std::result::Result<Directory<'static>, SourceError> {
        let make = || -> Result<OwnedFd> {
            mkdirat(&self.descriptor, name, mode(0o700))?;
            let opened = self.open(name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
            fchmod(&opened, mode(0o755))?;
            Ok(opened)
        };
        let opened = make().map_err(|error| failed(format!("make the directory {name}"), error))?;
        Ok(Directory { descriptor: Descriptor::Opened(opened), time: self.time })
    }

    /// Writes a new file of mode 0644, or 0755 if it is `executable`.
    pub(crate) fn file(
        &self,
        name: &str,
        content: &[u8],
        executable: bool,
    ) -> std::result::Result<(), SourceError> {
        let write = || -> std::io::Result<()> {
            let created = self.open(name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, mode(0o600))?;
            let mut file = File::from(created);
            file.write_all(content)?;
            fchmod(&file, mode(if executable { 0o755 } else { 0o644 }))?;
            Ok(futimens(&file, &self.times())?)
        };
        write().map_err(|error| failed(format!("write the file {name}"), error))
    }

    /// Makes a symbolic link.
    pub(crate) fn symlink(&self, name: &str, target: &str) -> std::result::Result<(), SourceError> {
        symlinkat(target, &self.descriptor, name)
            .and_then(|()| utimensat(&self.descriptor, name, &self.times(), AtFlags::SYMLINK_NOFOLLOW))
            .map_err(|error| failed(format!("make the symbolic link {name}"), error))
    }

    /// Sets the time of the directory itself, after everything in it was written.
    pub(crate) fn finish(&self) -> std::result::Result<(), SourceError> {
        let set = match &self.descriptor {
            Descriptor::Opened(opened) => futimens(opened, &self.times()),
            Descriptor::Given(given) => reopened(*given).and_then(|opened| futimens(opened, &self.times())),
        };
        set.map_err(|error| failed("set the time of a directory", error))
    }

    fn open(&self, name: &str, flags: OFlags, mode: Mode) -> Result<OwnedFd> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        openat2(&self.descriptor, name, flags, mode, resolve)
    }

    fn times(&self) -> Timestamps {
        let time = Timespec { tv_sec: self.time, tv_nsec: 0 };
        Timestamps { last_access: time, last_modification: time }
    }
}

fn mode(bits: RawMode) -> Mode {
    Mode::from_raw_mode(bits)
}

/// The caller's descriptor may be one that only names the directory (`O_PATH`).
fn reopened(directory: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat2(directory, ".", flags, Mode::empty(), ResolveFlags::BENEATH)
}

fn is_empty(directory: BorrowedFd<'_>) -> Result<bool> {
    for entry in Dir::new(reopened(directory)?)? {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    Ok(true)
}

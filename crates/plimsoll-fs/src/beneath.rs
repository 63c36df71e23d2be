//! Opening a path below a descriptor (`openat2(2)`), and nothing else: no link, no other mount, no magic link, no way
//! up. Kernels without `openat2` (before 5.6) are refused, since every emulation has a race.

use crate::FsError;
use plimsoll_model::{RelPath, removed};
use rustix::{
    fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat2},
    io::Errno,
    path::Arg,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The rule for every lookup.
const BENEATH: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_XDEV)
    .union(ResolveFlags::NO_MAGICLINKS);

/// How often a lookup is repeated when something was renamed underneath it.
const RACES: usize = 64;

/// What a path is opened as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// A regular file, for reading.
    File,
    /// A directory, for listing and for paths below it.
    Directory,
}

/// Opens what stands at `path` below `root`, if it is of the kind that `opened` names.
///
/// # Errors
/// [`FsError::Io`]; a symbolic link anywhere on the way is `ELOOP`, another mount `EXDEV`, another kind `ENOTDIR` or
/// `EINVAL`.
pub fn open_beneath(root: BorrowedFd<'_>, path: &RelPath, opened: Opened) -> Result<OwnedFd, FsError> {
    let result = match opened {
        Opened::Directory => directory(root, path.as_str()),
        Opened::File => file(root, path.as_str()).map(|(fd, _)| fd),
    };
    result.map_err(|errno| FsError::io(format!("open {path}"), errno))
}

/// A descriptor that only names the file, whatever its kind; a link at the end is not followed either.
pub(crate) fn handle(root: BorrowedFd<'_>, path: impl Arg + Copy) -> Result<OwnedFd, Errno> {
    lookup(root, path, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())
}

/// A descriptor that only names a directory, even one that may not be read.
pub(crate) fn directory_handle(root: BorrowedFd<'_>, path: impl Arg + Copy) -> Result<OwnedFd, Errno> {
    lookup(root, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

pub(crate) fn directory(root: BorrowedFd<'_>, path: impl Arg + Copy) -> Result<OwnedFd, Errno> {
    lookup(root, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

/// A regular file for reading. Its kind is looked up before it is opened, because opening a fifo waits and opening a
/// device does something; and again afterwards, because the name could have changed hands in between.
pub(crate) fn file(root: BorrowedFd<'_>, path: impl Arg + Copy) -> Result<(OwnedFd, Stat), Errno> {
    let before = fstat(handle(root, path)?)?;
    if !is(&before, FileType::RegularFile) {
        return Err(Errno::INVAL);
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = lookup(root, path, flags, Mode::empty())?;
    let after = fstat(&fd)?;
    if is(&after, FileType::RegularFile) && same(&before, &after) {
        Ok((fd, after))
    } else {
        Err(Errno::STALE)
    }
}

/// Creates a regular file for writing; fails with `EEXIST` when anything has that name.
pub(crate) fn create(parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    lookup(parent, name, flags, Mode::RUSR | Mode::WUSR)
}

pub(crate) fn is(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
}

pub(crate) fn same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

fn lookup(root: impl AsFd, path: impl Arg + Copy, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let flags = if removed!("last-link") { flags - OFlags::NOFOLLOW } else { flags };
    let rule = if removed!("beneath") { ResolveFlags::empty() } else { BENEATH };
    for _ in 0..RACES {
        match openat2(&root, path, flags | OFlags::CLOEXEC, mode, rule) {
            // openat2(2): "EAGAIN … the kernel could not ensure that a '..' component did not escape (due to a race
            // condition or potential attack). The caller may choose to retry."
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

//! Directories that people name, and that only the caller and root can change: every name on the way is looked up once,
//! below the descriptor of the directory before it, and judged there. What was judged is what is used.

use crate::{FsError, beneath};
use plimsoll_model::Code;
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat},
    io::Errno,
    process::geteuid,
};
use std::{
    ffi::OsStr,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Component, Path},
};

/// Leave to write for the group and for all others.
const OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// Opens the directory at `path`, which is absolute and normalized; none where only its last name is missing. No
/// symbolic link is followed. It belongs to the caller or root, nobody else may write to it, and the same holds for
/// every directory on the way, so that nobody else can put another one in its place. Directories on the way whose
/// sticky bit is set, as `/tmp`, may be written to by all.
///
/// # Errors
/// `E-TARGET-PATH` for a directory that others have a hand in, and [`FsError::Io`].
pub fn open_own(path: &Path) -> Result<Option<OwnedFd>, FsError> {
    walk(path, false)
}

/// The same, and makes the directory with mode 0755 where only its last name is missing.
///
/// # Errors
/// Those of [`open_own`].
pub fn make_own(path: &Path) -> Result<OwnedFd, FsError> {
    walk(path, true)?.ok_or_else(|| refused(path, "it was removed while it was looked at"))
}

fn walk(path: &Path, make: bool) -> Result<Option<OwnedFd>, FsError> {
    let names: Option<Vec<&OsStr>> = path.components().skip(1).map(name).collect();
    let names = names.filter(|names| path.is_absolute() && !names.is_empty());
    let names = names.ok_or_else(|| refused(path, "it is no absolute path of a directory"))?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = openat(CWD, "/", flags, Mode::empty()).map_err(|errno| FsError::io("open /", errno))?;
    judge(path, Path::new("/"), &here, false)?;
    for (index, name) in names.iter().enumerate() {
        let (last, prefix) = (index + 1 == names.len(), prefix(&names, index));
        if last && make {
            let mode = Mode::from_raw_mode(0o755);
            match mkdirat(&here, *name, mode) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(FsError::io(format!("make {}", prefix.display()), errno)),
            }
        }
        here = match openat(&here, *name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()) {
            Ok(next) => next,
            Err(Errno::NOENT) if last => return Ok(None),
            Err(Errno::NOENT) => return Err(refused(path, format!("there is no {}", prefix.display()))),
            Err(errno) => return Err(FsError::io(format!("open {}", prefix.display()), errno)),
        };
        judge(path, &prefix, &here, last)?;
    }
    let opened = beneath::directory(here.as_fd(), ".");
    opened.map(Some).map_err(|errno| FsError::io(format!("open {}", path.display()), errno))
}

fn name(component: Component<'_>) -> Option<&OsStr> {
    match component {
        Component::Normal(name) => Some(name),
        _ => None,
    }
}

fn prefix(names: &[&OsStr], index: usize) -> std::path::PathBuf {
    Path::new("/").join(names.iter().take(index + 1).collect::<std::path::PathBuf>())
}

/// Whether a directory on the way, or the last one, is nobody else's.
fn judge(path: &Path, at: &Path, handle: &OwnedFd, last: bool) -> Result<(), FsError> {
    let stat = fstat(handle).map_err(|errno| FsError::io(format!("look at {}", at.display()), errno))?;
    match problem(&stat, last) {
        None => Ok(()),
        Some(problem) => Err(refused(path, format!("{} {problem}", at.display()))),
    }
}

/// Why somebody else has a hand in a directory.
fn problem(stat: &Stat, last: bool) -> Option<String> {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => {}
        FileType::Symlink => return Some("is a symbolic link".into()),
        _ => return Some("is no directory".into()),
    }
    if stat.st_uid != 0 && stat.st_uid != geteuid().as_raw() {
        return Some(format!("belongs to user {}", stat.st_uid));
    }
    let passage = !last && stat.st_mode & STICKY != 0;
    let others = stat.st_mode & OTHERS != 0 && !passage;
    others.then(|| format!("may be written to by others (mode {:o})", stat.st_mode & 0o7777))
}

/// Refuses a directory below an open one, by its name, where somebody else has a hand in it.
///
/// # Errors
/// `E-TARGET-PATH`, naming `path`, and [`FsError::Io`]; `ENOENT` where there is none.
pub fn open_own_beneath(path: &Path, parent: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, FsError> {
    let at = path.join(name);
    let handle = beneath::handle(parent, name)
        .map_err(|errno| FsError::io(format!("open {}", at.display()), errno))?;
    judge(path, &at, &handle, true)?;
    let opened = beneath::directory(handle.as_fd(), ".");
    opened.map_err(|errno| FsError::io(format!("open {}", at.display()), errno))
}

fn refused(path: &Path, problem: impl std::fmt::Display) -> FsError {
    Code::TargetPath.reason().with("path", path.display()).with("problem", problem).into()
}

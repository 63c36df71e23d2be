//! Making and removing the directories that a run works in. What is removed was written by foreign code: it can be
//! unreadable, endlessly deep, or full of links, and none of that may reach beyond the directory.

use crate::{FsError, beneath};
use plimsoll_model::RelPath;
use rustix::{
    fs::{AtFlags, Dir, Mode, chmod, fstat, mkdirat, renameat, unlinkat},
    io::Errno,
    path::Arg,
};
use std::{
    ffi::CString,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

/// Makes the directory `path` below `parent` with mode 0700 and opens it. Its own parent must exist.
///
/// # Errors
/// [`FsError::Io`], in particular `EEXIST` when anything has that name.
pub fn create_directory(parent: BorrowedFd<'_>, path: &RelPath) -> Result<OwnedFd, FsError> {
    let failed = |errno| FsError::io(format!("make the directory {path}"), errno);
    let above = directory_above(parent, path).map_err(failed)?;
    mkdirat(&above, path.file_name(), Mode::RWXU).map_err(failed)?;
    beneath::directory(above.as_fd(), path.file_name()).map_err(failed)
}

/// Removes the directory `path` below `parent` and everything in it. Follows no link, crosses no mount, and needs a
/// bounded number of descriptors however deep the directory is. A directory that is not there is removed already.
///
/// # Errors
/// [`FsError::Io`], in particular for a mount inside; what was removed by then stays removed.
pub fn remove_tree(parent: BorrowedFd<'_>, path: &RelPath) -> Result<(), FsError> {
    let failed = |errno| FsError::io(format!("remove {path}"), errno);
    match remove(parent, path) {
        Err(Errno::NOENT) | Ok(()) => Ok(()),
        Err(errno) => Err(failed(errno)),
    }
}

/// How many directories are open at once; deeper ones are moved up first.
const LEVELS: usize = 64;

fn remove(parent: BorrowedFd<'_>, path: &RelPath) -> Result<(), Errno> {
    let above = directory_above(parent, path)?;
    let root = open_forcibly(above.as_fd(), path.file_name())?;
    let mut lifted = 0;
    while !names(root.as_fd())?.is_empty() {
        empty(root.as_fd(), root.as_fd(), LEVELS, &mut lifted)?;
    }
    unlinkat(&above, path.file_name(), AtFlags::REMOVEDIR)
}

fn directory_above(parent: BorrowedFd<'_>, path: &RelPath) -> Result<OwnedFd, Errno> {
    match path.parent() {
        Some(above) => beneath::directory(parent, above.as_str()),
        None => beneath::directory(parent, "."),
    }
}

/// Removes what `directory` holds. Where `levels` run out, the directories found are moved up into the root, to be
/// removed in another round.
fn empty(
    directory: BorrowedFd<'_>,
    root: BorrowedFd<'_>,
    levels: usize,
    lifted: &mut u64,
) -> Result<(), Errno> {
    for name in names(directory)? {
        if remove_simple(directory, &name)? {
            continue;
        }
        let child = open_forcibly(directory, name.as_c_str())?;
        if levels == 0 {
            lift(directory, &name, root, lifted)?;
        } else {
            empty(child.as_fd(), root, levels - 1, lifted)?;
            unlinkat(directory, &name, AtFlags::REMOVEDIR)?;
        }
    }
    Ok(())
}

fn names(directory: BorrowedFd<'_>) -> Result<Vec<CString>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

/// Removes a file or an empty directory; says no for a directory with something in it.
fn remove_simple(directory: BorrowedFd<'_>, name: &CString) -> Result<bool, Errno> {
    match unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(true),
        // unlink(2) on a directory: EISDIR on Linux, EPERM by POSIX and on some file systems.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    match unlinkat(directory, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Moves a directory up into the root under a name of its own.
fn lift(from: BorrowedFd<'_>, name: &CString, root: BorrowedFd<'_>, lifted: &mut u64) -> Result<(), Errno> {
    loop {
        *lifted += 1;
        match renameat(from, name, root, format!(".removed-{lifted}")) {
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
            result => return result,
        }
    }
}

fn open_forcibly(directory: BorrowedFd<'_>, name: impl Arg + Copy) -> Result<OwnedFd, Errno> {
    make_accessible(&beneath::directory_handle(directory, name)?)?;
    beneath::directory(directory, name)
}

/// Gives the owner every permission on a directory, where whoever wrote it took them away. Through `/proc`, since the
/// descriptor, unlike a name, cannot become a link to something else.
fn make_accessible(handle: &OwnedFd) -> Result<(), Errno> {
    if fstat(handle)?.st_mode & 0o700 == 0o700 {
        return Ok(());
    }
    chmod(format!("/proc/self/fd/{}", handle.as_raw_fd()), Mode::RWXU)
}

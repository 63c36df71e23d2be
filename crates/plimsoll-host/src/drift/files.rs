//! Unpacked files against the tree that they were unpacked from. What is hashed is read by the one walker of
//! `plimsoll-fs`; between full looks only the stamps of known files and directories are compared, which change with
//! every write, exchange, addition and removal.

use super::DriftError;
use plimsoll_fs::{FsError, Limits};
use plimsoll_model::{Entry, RelPath, Tree};
use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, Stat, fstat, openat, statat},
    io::Errno,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

/// Bytes of foreign files that are read before the walk gives up.
const SLACK: u64 = 64 << 20;
/// Set-user-id, set-group-id, sticky, and leave to write for others: nothing unpacked has them.
const FOREIGN_MODE: u32 = 0o7022;

/// What changes with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    identity: (u64, u64),
    mode: u32,
    owner: (u32, u32),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of an open file.
    pub(super) fn of(file: &OwnedFd) -> Result<Self, DriftError> {
        fstat(file).map(Self::from).map_err(|errno| DriftError::unreadable("an open file", errno))
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

impl From<Stat> for Stamp {
    fn from(stat: Stat) -> Self {
        Self {
            identity: (stat.st_dev, stat.st_ino),
            mode: stat.st_mode,
            owner: (stat.st_uid, stat.st_gid),
            size: stat.st_size.unsigned_abs(),
            modified: (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or_default()),
            changed: (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or_default()),
        }
    }
}

/// The stamps of a tree that was in order: of each entry and each directory, the root as the empty path.
pub(super) type Stamps = BTreeMap<String, Option<Stamp>>;

/// The first difference between the files at `path` and `expected`, with the number of others.
pub(super) fn difference(
    path: &Path,
    expected: &Tree,
    memory: &mut Option<Stamps>,
    full: bool,
) -> Result<Option<String>, DriftError> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let root = match openat(CWD, path, flags, Mode::empty()) {
        Ok(root) => root,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
            return Ok(Some(format!("{} is no directory any more", path.display())));
        }
        Err(errno) => return Err(DriftError::unreadable(path.display().to_string(), errno)),
    };
    let before = stamps(&root, expected)?;
    if !full && memory.as_ref() == Some(&before) {
        return Ok(None);
    }
    *memory = None;
    let found = read_all(&root, path, expected)?;
    let found = found.or_else(|| foreign_mode(&before));
    if found.is_none() {
        *memory = Some(before);
    }
    Ok(found)
}

fn read_all(root: &OwnedFd, path: &Path, expected: &Tree) -> Result<Option<String>, DriftError> {
    let limits = Limits { bytes: expected.size().saturating_add(SLACK), ..Limits::default() };
    match plimsoll_fs::hash_tree(root.as_fd(), limits) {
        Ok(actual) => Ok(compare(&actual, expected)),
        Err(FsError::Refused(reason)) => Ok(Some(reason.sentence())),
        Err(error @ FsError::Io { .. }) => {
            Err(DriftError::unreadable(path.display().to_string(), io::Error::other(error)))
        }
    }
}

fn stamps(root: &OwnedFd, tree: &Tree) -> Result<Stamps, DriftError> {
    let mut paths: BTreeSet<&str> = BTreeSet::from([""]);
    for path in tree.entries.keys().map(RelPath::as_str) {
        paths.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
        paths.insert(path);
    }
    let stamp = |path: &str| match statat(root, path, AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH) {
        Ok(stat) => Ok((path.to_owned(), Some(Stamp::from(stat)))),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok((path.to_owned(), None)),
        Err(errno) => Err(DriftError::unreadable(path, errno)),
    };
    paths.into_iter().map(stamp).collect()
}

fn foreign_mode(stamps: &Stamps) -> Option<String> {
    let link = |stamp: &Stamp| rustix::fs::FileType::from_raw_mode(stamp.mode).is_symlink();
    let modes = stamps.iter().filter_map(|(path, stamp)| Some((path, stamp.as_ref()?)));
    let mut foreign = modes.filter(|(_, stamp)| !link(stamp) && stamp.mode & FOREIGN_MODE != 0);
    foreign.next().map(|(path, stamp)| format!("{} has mode {:o}", shown(path), stamp.mode & 0o7777))
}

fn shown(path: &str) -> &str {
    if path.is_empty() { "the root" } else { path }
}

/// What differs first, in the order of paths.
pub(super) fn compare(actual: &Tree, expected: &Tree) -> Option<String> {
    let paths: BTreeSet<&RelPath> = actual.entries.keys().chain(expected.entries.keys()).collect();
    let differing = |path: &&RelPath| actual.entries.get(*path) != expected.entries.get(*path);
    let found: Vec<&RelPath> = paths.into_iter().filter(differing).collect();
    let first = *found.first()?;
    let how = change(actual.entries.get(first), expected.entries.get(first));
    Some(format!("{first} {how}{}", super::and_others(found.len())))
}

fn change(actual: Option<&Entry>, expected: Option<&Entry>) -> &'static str {
    match (actual, expected) {
        (None, _) => "is missing",
        (_, None) => "was added",
        (Some(Entry::File { digest, .. }), Some(Entry::File { digest: before, .. })) if digest == before => {
            "is executable where it should not be, or the other way round"
        }
        (Some(Entry::File { .. }), Some(Entry::File { .. })) => "has another content",
        (Some(Entry::Symlink { .. }), Some(Entry::Symlink { .. })) => "points elsewhere",
        (Some(_), Some(_)) => "is of another kind",
    }
}

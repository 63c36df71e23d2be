//! Writing a tree out: every byte is checked against its digest on the way, and nothing that is already there is
//! reused or replaced.

use crate::{FsError, beneath};
use plimsoll_model::{Digest, Entry, Hasher, RelPath, Tree, tree::symlink_is_contained};
use rustix::{
    fs::{AtFlags, Mode, Timespec, Timestamps, fchmod, fsync, futimens, mkdirat, symlinkat, utimensat},
    io::Errno,
};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// Gives the bytes behind a digest, unchecked.
pub type Contents<'a> = dyn Fn(&Digest) -> Result<Box<dyn Read>, FsError> + 'a;

/// Writes `tree` below `destination`: files 0444 or 0555, directories 0755, links as data, everything with the
/// modification time `mtime` (seconds since 1970) whatever the umask is. Nothing is synced: what is written can always be written again.
///
/// # Errors
/// `E-DIGEST` when content does not fit its name or size, `E-OUT-KIND` for a link that leads outside, and
/// [`FsError::Io`], in particular `EEXIST` when something stands in the way. What was written by then stays there.
pub fn write_tree(
    tree: &Tree,
    contents: &Contents<'_>,
    destination: BorrowedFd<'_>,
    mtime: i64,
) -> Result<(), FsError> {
    let time = Timespec { tv_sec: mtime, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    let mut writer = Writer { root: destination, contents, times, directories: BTreeSet::new() };
    for (path, entry) in &tree.entries {
        writer.entry(path, entry)?;
    }
    writer.finish()
}

/// Makes what [`write_tree`] wrote last: directories become 0555, that of `destination` too, and everything is synced.
///
/// # Errors
/// [`FsError::Io`]; what was settled by then stays so.
pub fn settle(tree: &Tree, destination: BorrowedFd<'_>) -> Result<(), FsError> {
    let mut directories = BTreeSet::new();
    for (path, entry) in &tree.entries {
        let mut above = path.parent();
        while let Some(directory) = above {
            above = directory.parent();
            directories.insert(directory);
        }
        match entry {
            Entry::EmptyDirectory => drop(directories.insert(path.clone())),
            // The directory that holds it is synced.
            Entry::Symlink { .. } => {}
            Entry::File { .. } => {
                let file = beneath::file(destination, path.as_str()).map_err(|errno| failed(path, errno))?;
                fsync(&file.0).map_err(|errno| failed(path, errno))?;
            }
        }
    }
    for path in directories.iter().rev() {
        let fd = beneath::directory(destination, path.as_str()).map_err(|errno| failed(path, errno))?;
        close_directory(fd.as_fd()).map_err(|errno| failed(path, errno))?;
    }
    close_directory(destination).map_err(|errno| FsError::io("sync the destination", errno))
}

/// Nothing is added to it any more.
fn close_directory(directory: BorrowedFd<'_>) -> Result<(), Errno> {
    fchmod(directory, Mode::from_raw_mode(0o555))?;
    fsync(directory)
}

struct Writer<'a> {
    root: BorrowedFd<'a>,
    contents: &'a Contents<'a>,
    times: Timestamps,
    /// Directories that this writer made; any other is a collision.
    directories: BTreeSet<RelPath>,
}

impl Writer<'_> {
    fn entry(&mut self, path: &RelPath, entry: &Entry) -> Result<(), FsError> {
        match entry {
            Entry::EmptyDirectory => self.directory(path),
            Entry::Symlink { target } => self.symlink(path, target),
            Entry::File { digest, size, executable } => {
                let parent = self.parent(path)?;
                let mut reader = (self.contents)(digest)?;
                self.file(parent.as_fd(), path, &mut *reader, digest, *size, *executable)
            }
        }
    }

    /// The directory that holds `path`, made if it is not there yet.
    fn parent(&mut self, path: &RelPath) -> Result<OwnedFd, FsError> {
        let Some(parent) = path.parent() else {
            return self.root.try_clone_to_owned().map_err(|error| FsError::io("use the destination", error));
        };
        if !self.directories.contains(&parent) {
            self.directory(&parent)?;
        }
        beneath::directory(self.root, parent.as_str()).map_err(|errno| failed(&parent, errno))
    }

    fn directory(&mut self, path: &RelPath) -> Result<(), FsError> {
        let parent = self.parent(path)?;
        mkdirat(&parent, path.file_name(), Mode::from_raw_mode(0o700))
            .map_err(|errno| failed(path, errno))?;
        self.directories.insert(path.clone());
        Ok(())
    }

    fn symlink(&mut self, path: &RelPath, target: &str) -> Result<(), FsError> {
        if !symlink_is_contained(path, target) {
            return Err(FsError::kind(path, "a symbolic link that leads outside"));
        }
        let parent = self.parent(path)?;
        let name = path.file_name();
        symlinkat(target, &parent, name).map_err(|errno| failed(path, errno))?;
        utimensat(&parent, name, &self.times, AtFlags::SYMLINK_NOFOLLOW).map_err(|errno| failed(path, errno))
    }

    fn file(
        &self,
        parent: BorrowedFd<'_>,
        path: &RelPath,
        reader: &mut dyn Read,
        digest: &Digest,
        size: u64,
        executable: bool,
    ) -> Result<(), FsError> {
        let fd = beneath::create(parent, path.file_name()).map_err(|errno| failed(path, errno))?;
        let file = File::from(fd);
        let (actual, length) =
            copy(reader, &file, size).map_err(|error| FsError::io(format!("write {path}"), error))?;
        if (actual, length) != (*digest, size) {
            let what = format!("the content of {path}, {length} bytes instead of {size},");
            return Err(FsError::digest(what, &actual, digest));
        }
        let mode = Mode::from_raw_mode(if executable { 0o555 } else { 0o444 });
        fchmod(&file, mode).map_err(|errno| failed(path, errno))?;
        futimens(&file, &self.times).map_err(|errno| failed(path, errno))
    }

    /// Modes and times of the directories, last, because writing into them changes their times.
    fn finish(self) -> Result<(), FsError> {
        for path in self.directories.iter().rev() {
            let fd = beneath::directory(self.root, path.as_str()).map_err(|errno| failed(path, errno))?;
            fchmod(&fd, Mode::from_raw_mode(0o755)).map_err(|errno| failed(path, errno))?;
            futimens(&fd, &self.times).map_err(|errno| failed(path, errno))?;
        }
        Ok(())
    }
}

/// Copies and hashes, and reads one byte more than `size` if there is one: enough to see that it is too long.
fn copy(reader: &mut dyn Read, mut file: &File, size: u64) -> io::Result<(Digest, u64)> {
    let mut hasher = Hasher::new();
    let mut reader = reader.take(size.saturating_add(1));
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), length)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                length += count as u64;
                file.write_all(&buffer[..count])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn failed(path: &RelPath, errno: Errno) -> FsError {
    FsError::io(format!("write {path}"), errno)
}

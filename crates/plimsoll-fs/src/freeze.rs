//! Freezing: turns files that somebody else wrote into a [`Tree`], handing their bytes to a sink on the way. What
//! could name something outside, or change under the reader, is refused, never left out.

use crate::{FsError, beneath};
use plimsoll_model::{Digest, Entry, Hasher, RelPath, Tree, tree::symlink_is_contained};
use rustix::{
    fs::{Dir, FileType, Stat, fstat, readlinkat},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// Where frozen bytes go.
pub trait Sink {
    /// Reads `content` to its end, keeps it, and gives the digest of exactly what was read.
    ///
    /// # Errors
    /// When the bytes cannot be kept or `content` cannot be read; then the freeze ends.
    fn store(&mut self, content: &mut dyn Read) -> Result<Digest, FsError>;
}

/// What may be frozen at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together, by their apparent size: a hole counts like data.
    pub bytes: u64,
    /// Files, links and directories together.
    pub entries: u64,
    /// Components of the longest path.
    pub depth: usize,
    /// Which files may have several names.
    pub hard_links: HardLinks,
}

/// Which files may have several names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HardLinks {
    /// None: another name can stand outside of what is frozen, and whoever holds it can still write.
    Refused,
    /// All: the root is that of a mount of its own, which no process can reach any more. A hard link cannot cross
    /// mounts, so every other name stands in the same mount (docs/decisions/0009-hard-links-in-outputs.md).
    OwnMount,
}

impl Default for Limits {
    /// 4 GiB, 200,000 entries, 64 levels, and no hard links.
    fn default() -> Self {
        Self { bytes: 4 << 30, entries: 200_000, depth: 64, hard_links: HardLinks::Refused }
    }
}

/// What is frozen.
#[derive(Debug, Clone, Copy)]
pub enum Select<'a> {
    /// Everything below the root.
    Everything,
    /// These paths and everything below them; each must exist.
    Paths(&'a [RelPath]),
}

/// Walks what `select` names below `root` and hands every file to `sink`. Files have one link, symbolic links stay
/// inside and are kept as data, directories without entries are kept; names are UTF-8 without control characters.
///
/// # Errors
/// `E-OUT-MISSING`, `E-OUT-KIND`, `E-OUT-LIMIT`, whatever the sink refuses, and failures to read. What the sink has
/// taken by then is not taken back.
pub fn freeze(
    root: BorrowedFd<'_>,
    select: Select<'_>,
    sink: &mut dyn Sink,
    limits: Limits,
) -> Result<Tree, FsError> {
    let mut walk = Walk { sink, limits, bytes: 0, entries: 0, tree: Tree::default() };
    match select {
        Select::Everything => walk.everything(root)?,
        Select::Paths(paths) => paths.iter().try_for_each(|path| walk.selected(root, path))?,
    }
    Ok(walk.tree)
}

/// The tree below `root`, read again and kept nowhere: to be compared with what it should be.
///
/// # Errors
/// Those of [`freeze`].
pub fn hash_tree(root: BorrowedFd<'_>, limits: Limits) -> Result<Tree, FsError> {
    freeze(root, Select::Everything, &mut HashOnly, limits)
}

struct HashOnly;

impl Sink for HashOnly {
    fn store(&mut self, content: &mut dyn Read) -> Result<Digest, FsError> {
        hash(content).map_err(|error| FsError::io("read a file", error))
    }
}

/// The digest of everything that `content` gives.
pub(crate) fn hash(content: &mut dyn Read) -> io::Result<Digest> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

const CHANGED: &str = "changing while it is read";

struct Walk<'a> {
    sink: &'a mut dyn Sink,
    limits: Limits,
    bytes: u64,
    entries: u64,
    tree: Tree,
}

impl Walk<'_> {
    fn everything(&mut self, root: BorrowedFd<'_>) -> Result<(), FsError> {
        let fd = beneath::directory(root, ".").map_err(|errno| FsError::io("open the root", errno))?;
        self.children(fd, None).map(|_| ())
    }

    /// A path that was asked for: its absence is an answer of its own. Paths may overlap; each entry is read once.
    fn selected(&mut self, root: BorrowedFd<'_>, path: &RelPath) -> Result<(), FsError> {
        match beneath::handle(root, path.as_str()) {
            Err(Errno::NOENT | Errno::NOTDIR) => Err(FsError::missing(path)),
            Err(errno) => Err(refused(path, errno)),
            Ok(handle) => {
                self.take_entry()?;
                self.visit(root, path.as_str(), path, &handle)
            }
        }
    }

    /// An entry that a directory listed.
    fn child(&mut self, directory: BorrowedFd<'_>, name: &str, path: &RelPath) -> Result<(), FsError> {
        let handle = beneath::handle(directory, name).map_err(|errno| refused(path, errno))?;
        self.visit(directory, name, path, &handle)
    }

    fn visit(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &str,
        path: &RelPath,
        handle: &OwnedFd,
    ) -> Result<(), FsError> {
        if self.tree.entries.contains_key(path) {
            return Ok(());
        }
        let depth = path.components().count();
        if depth > self.limits.depth {
            return Err(FsError::limit(format!("{} levels of directories", self.limits.depth)));
        }
        let stat = fstat(handle).map_err(|errno| refused(path, errno))?;
        let entry = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Some(self.file(directory, name, path, &stat)?),
            FileType::Symlink => Some(symlink(handle, path)?),
            FileType::Directory => self.directory(directory, name, path, &stat)?,
            FileType::Fifo => return Err(FsError::kind(path, "a fifo")),
            FileType::Socket => return Err(FsError::kind(path, "a socket")),
            FileType::CharacterDevice | FileType::BlockDevice => return Err(FsError::kind(path, "a device")),
            FileType::Unknown => return Err(FsError::kind(path, "of an unknown kind")),
        };
        if let Some(entry) = entry {
            self.tree.entries.insert(path.clone(), entry);
        }
        Ok(())
    }

    fn file(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &str,
        path: &RelPath,
        seen: &Stat,
    ) -> Result<Entry, FsError> {
        let (fd, stat) = beneath::file(directory, name).map_err(|errno| refused(path, errno))?;
        if !beneath::same(seen, &stat) {
            return Err(FsError::kind(path, CHANGED));
        }
        if stat.st_nlink != 1 && self.limits.hard_links == HardLinks::Refused {
            return Err(FsError::kind(path, "a file with more than one link"));
        }
        let size = u64::try_from(stat.st_size).map_err(|_| FsError::kind(path, "of negative size"))?;
        self.take_bytes(size)?;
        let digest = self.content(File::from(fd), path, size, &stat)?;
        Ok(Entry::File { digest, size, executable: stat.st_mode & 0o100 != 0 })
    }

    /// Gives exactly `size` bytes to the sink and checks that nobody touched the file meanwhile.
    fn content(&mut self, file: File, path: &RelPath, size: u64, before: &Stat) -> Result<Digest, FsError> {
        let mut content = Exactly { file: &file, left: size, changed: false };
        let stored = self.sink.store(&mut content);
        if content.changed {
            return Err(FsError::kind(path, CHANGED));
        }
        let digest = stored?;
        let unread = content.left;
        let after = fstat(file.as_fd()).map_err(|errno| refused(path, errno))?;
        if unread != 0 || version(before) != version(&after) {
            return Err(FsError::kind(path, CHANGED));
        }
        Ok(digest)
    }

    fn directory(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &str,
        path: &RelPath,
        seen: &Stat,
    ) -> Result<Option<Entry>, FsError> {
        let fd = beneath::directory(parent, name).map_err(|errno| refused(path, errno))?;
        let stat = fstat(&fd).map_err(|errno| refused(path, errno))?;
        if !beneath::same(seen, &stat) {
            return Err(FsError::kind(path, CHANGED));
        }
        let children = self.children(fd, Some(path))?;
        Ok((children == 0).then_some(Entry::EmptyDirectory))
    }

    /// Visits what the directory holds, in the order of names, and says how much that was.
    fn children(&mut self, directory: OwnedFd, path: Option<&RelPath>) -> Result<usize, FsError> {
        let names = self.names(&directory, path)?;
        for name in &names {
            let child: RelPath = match path {
                Some(path) => format!("{path}/{name}").parse(),
                None => name.parse(),
            }
            .map_err(|_| FsError::limit("a path of 4,096 bytes"))?;
            self.child(directory.as_fd(), name, &child)?;
        }
        Ok(names.len())
    }

    fn names(&mut self, directory: &OwnedFd, path: Option<&RelPath>) -> Result<Vec<String>, FsError> {
        let failed = |errno| FsError::io("list a directory", errno);
        let mut names = Vec::new();
        for entry in Dir::read_from(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            self.take_entry()?;
            names.push(checked_name(name, path)?);
        }
        names.sort_unstable();
        Ok(names)
    }

    fn take_entry(&mut self) -> Result<(), FsError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(FsError::limit(format!("{} entries", self.limits.entries)));
        }
        Ok(())
    }

    fn take_bytes(&mut self, size: u64) -> Result<(), FsError> {
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.bytes {
            return Err(FsError::limit(format!("{} bytes", self.limits.bytes)));
        }
        Ok(())
    }
}

/// What changes when somebody writes to a file, replaces its content or links it.
fn version(stat: &Stat) -> impl PartialEq + use<> {
    (stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec, stat.st_nlink)
}

fn checked_name(name: &[u8], directory: Option<&RelPath>) -> Result<String, FsError> {
    let shown = || {
        let name = String::from_utf8_lossy(name);
        directory.map_or_else(|| name.to_string(), |directory| format!("{directory}/{name}"))
    };
    let text =
        str::from_utf8(name).map_err(|_| FsError::kind(shown(), "named with bytes that are not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(FsError::kind(shown(), "named with a control character"));
    }
    Ok(text.to_owned())
}

fn symlink(handle: &OwnedFd, path: &RelPath) -> Result<Entry, FsError> {
    let target = readlinkat(handle, "", Vec::new()).map_err(|errno| refused(path, errno))?;
    let target =
        target.into_string().map_err(|_| FsError::kind(path, "a symbolic link that is not UTF-8"))?;
    if !symlink_is_contained(path, &target) {
        return Err(FsError::kind(path, "a symbolic link that leads outside"));
    }
    Ok(Entry::Symlink { target })
}

/// What an error says about the path, seen from whoever wrote it.
fn refused(path: &RelPath, errno: Errno) -> FsError {
    match errno {
        Errno::LOOP => FsError::kind(path, "behind a symbolic link"),
        Errno::XDEV => FsError::kind(path, "on another file system"),
        Errno::ACCESS | Errno::PERM => FsError::kind(path, "not readable"),
        Errno::NOENT | Errno::NOTDIR | Errno::STALE | Errno::INVAL | Errno::AGAIN => {
            FsError::kind(path, CHANGED)
        }
        errno => FsError::io(format!("read {path}"), errno),
    }
}

/// A file that must have exactly as many bytes as it said.
struct Exactly<'a> {
    file: &'a File,
    left: u64,
    changed: bool,
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.file.read(buffer)?;
        let expected = count as u64 <= self.left && (count > 0 || self.left == 0);
        if !expected {
            self.changed = true;
            return Err(io::Error::other("the file changed while it was read"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

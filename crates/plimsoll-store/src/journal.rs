//! The journal as a file: one line of canonical JSON per entry, each naming the digest of the line before it. An
//! entry counts when its newline is on the disk; what a killed writer left without one was never acknowledged.
//!
//! The chain shows every change before the newest entry. A change of that one, or its removal, shows only to whoever
//! remembers a [`LogPosition`].

use crate::durable::{failed, sync_directory};
use plimsoll_engine::ports::{Event, Journal, JournalEntry, LogPosition, StoreError};
use plimsoll_model::{Code, Digest, Role, Timestamp, jcs, removed};
use rustix::fs::{FlockOperation, flock};
use std::{
    fs::File,
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// No entry is longer; two of them always fit into one look at the end.
const LINE_LIMIT: u64 = 64 << 10;
/// Two entries nearly always fit into these bytes.
const LOOK: u64 = 8 << 10;
const VERSION: u32 = 1;

/// The journal of one state directory. Appends of several processes and threads wait for each other.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    writable: bool,
    /// Lines that were read before: as long as they have the same digest, nobody has to parse them again.
    read: Mutex<Read>,
}

/// What was read from the beginning of the file on.
#[derive(Debug, Default)]
struct Read {
    bytes: usize,
    digest: Option<Digest>,
    chain: Chain,
    entries: Vec<JournalEntry>,
}

impl FileJournal {
    pub(crate) fn new(path: PathBuf, writable: bool) -> Self {
        Self { path, writable, read: Mutex::default() }
    }

    /// Opens the file anew, so that the lock keeps out other threads of this process, too. None if there is no journal
    /// and none is to be made.
    fn open(&self, operation: FlockOperation) -> Result<Option<File>, StoreError> {
        let error = |error: io::Error| failed("open", &self.path, error);
        let write = operation == FlockOperation::LockExclusive;
        let file = match File::options().read(true).write(write).open(&self.path) {
            Ok(file) => file,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound && !write => return Ok(None),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => self.create()?,
            Err(other) => return Err(error(other)),
        };
        flock(&file, operation).map_err(|errno| error(errno.into()))?;
        Ok(Some(file))
    }

    fn create(&self) -> Result<File, StoreError> {
        let created = File::options().read(true).write(true).create(true).truncate(false).open(&self.path);
        let file = created.map_err(|error| failed("make", &self.path, error))?;
        self.path.parent().map_or(Ok(()), sync_directory)?;
        Ok(file)
    }

    /// The end of an open journal. Looks at the last two lines and not at the whole chain, except to say where the chain
    /// breaks.
    fn tail(&self, file: &File) -> Result<Tail, StoreError> {
        self.look_at_end(file).map_err(|broken| self.read_all(file).err().unwrap_or(broken))
    }

    fn read_all(&self, mut file: &File) -> Result<Vec<JournalEntry>, StoreError> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut file, &mut bytes).map_err(|error| failed("read", &self.path, error))?;
        let mut remembered = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing stays remembered of a chain that is broken.
        let mut read = std::mem::take(&mut *remembered);
        if bytes.get(..read.bytes).map(Digest::of) != read.digest {
            read = Read::default();
        }
        let (lines, torn) = split(&bytes[read.bytes..]);
        for line in lines {
            let entry = read.chain.add(line, true)?;
            read.entries.push(entry);
            read.bytes += line.len() + 1;
        }
        read.digest = Some(Digest::of(&bytes[..read.bytes]));
        let mut entries = read.entries.clone();
        let mut chain = read.chain.clone();
        if let Torn::Whole(_) = Torn::judge(torn, &mut chain)? {
            entries.extend(chain.newest);
        }
        *remembered = read;
        Ok(entries)
    }

    /// Reads few bytes, and more where those do not hold two entries.
    fn look_at_end(&self, file: &File) -> Result<Tail, StoreError> {
        let error = |error| failed("read", &self.path, error);
        let length = file.metadata().map_err(error)?.len();
        let mut bytes = Vec::new();
        let mut start = length;
        for look in [LOOK, 3 * LINE_LIMIT] {
            start = length.saturating_sub(look);
            bytes = vec![
                0;
                usize::try_from(length - start)
                    .map_err(|_| error(io::ErrorKind::FileTooLarge.into()))?
            ];
            file.read_exact_at(&mut bytes, start).map_err(error)?;
            if start == 0 || bytes.iter().filter(|byte| **byte == b'\n').count() > 2 {
                break;
            }
        }
        let (lines, torn) = split(&bytes);
        let skipped = lines.len().saturating_sub(2);
        let mut chain = Chain::default();
        for (index, line) in lines.iter().enumerate().skip(skipped) {
            // Only the first line that is looked at may begin in the middle of the chain.
            let anchored = index > skipped || (start == 0 && skipped == 0);
            chain.add(line, anchored)?;
        }
        let torn = Torn::judge(torn, &mut chain)?;
        let end = length - torn.dropped();
        Ok(Tail { position: chain.position(), newest: chain.newest, end, torn })
    }
}

impl Journal for FileJournal {
    fn append(&self, by: &Role, time: Timestamp, event: Event) -> Result<LogPosition, StoreError> {
        if !self.writable {
            let source = io::Error::new(io::ErrorKind::PermissionDenied, "it was opened for reading");
            return Err(failed("append to", &self.path, source));
        }
        let Some(mut file) = self.open(FlockOperation::LockExclusive)? else {
            return Err(failed("append to", &self.path, io::ErrorKind::NotFound.into()));
        };
        let tail = self.tail(&file)?;
        if let Some(newest) = &tail.newest
            && time < newest.time
        {
            return Err(Code::Clock.reason().with("now", time).with("last", newest.time).into());
        }
        let entry = JournalEntry {
            version: VERSION,
            index: tail.position.size,
            previous: tail.position.head,
            time,
            by: by.clone(),
            event,
        };
        let (line, head) = encode(&entry, &self.path)?;
        write_behind(&mut file, &tail, &line).map_err(|error| failed("append to", &self.path, error))?;
        Ok(LogPosition { size: entry.index + 1, head })
    }

    fn position(&self) -> Result<LogPosition, StoreError> {
        let file = self.open(FlockOperation::LockShared)?;
        file.map_or_else(|| Ok(Chain::default().position()), |file| Ok(self.tail(&file)?.position))
    }

    fn entries(&self) -> Result<Vec<JournalEntry>, StoreError> {
        let file = self.open(FlockOperation::LockShared)?;
        file.map_or_else(|| Ok(Vec::new()), |file| self.read_all(&file))
    }
}

/// The end of the journal.
struct Tail {
    position: LogPosition,
    newest: Option<JournalEntry>,
    /// Where the next line begins, in bytes.
    end: u64,
    torn: Torn,
}

/// What stands behind the last newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Torn {
    /// Nothing.
    No,
    /// A whole entry that lacks only its newline; it counts. Behind it this many zeros.
    Whole(u64),
    /// The beginning of an entry, of this many bytes. It was never acknowledged.
    Beginning(u64),
}

impl Torn {
    /// Tells a write that was cut off from an edit: the former is a beginning of an entry, perhaps with zeros where
    /// the file system had made room for the rest.
    fn judge(torn: &[u8], chain: &mut Chain) -> Result<Self, StoreError> {
        if torn.is_empty() {
            return Ok(Self::No);
        }
        let zeros = torn.iter().rev().take_while(|byte| **byte == 0).count();
        let text = &torn[..torn.len() - zeros];
        let cut_off = text.is_empty()
            || serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err_and(|error| error.is_eof());
        if cut_off {
            return Ok(Self::Beginning(torn.len() as u64));
        }
        chain.add(text, true).map(|_| Self::Whole(zeros as u64))
    }

    const fn dropped(self) -> u64 {
        match self {
            Self::No => 0,
            Self::Whole(length) | Self::Beginning(length) => length,
        }
    }
}

/// A walk along the chain.
#[derive(Debug, Clone, Default)]
struct Chain {
    newest: Option<JournalEntry>,
    head: Option<Digest>,
}

impl Chain {
    fn position(&self) -> LogPosition {
        let size = self.newest.as_ref().map_or(0, |entry| entry.index + 1);
        LogPosition { size, head: self.head.unwrap_or_else(|| Digest::of(b"")) }
    }

    /// Takes the next line. `anchored` says that it must follow from what was taken before.
    fn add(&mut self, line: &[u8], anchored: bool) -> Result<JournalEntry, StoreError> {
        let entry: JournalEntry = jcs::from_bytes(line).map_err(|error| self.broken(&error.to_string()))?;
        if entry.version != VERSION {
            return Err(self.broken("it has another version"));
        }
        let before = self.position();
        if !removed!("journal-chain")
            && anchored
            && (entry.index, entry.previous) != (before.size, before.head)
        {
            return Err(self.broken("it names another entry before it"));
        }
        if self.newest.as_ref().is_some_and(|newest| entry.time < newest.time) {
            return Err(self.broken("it is older than the entry before it"));
        }
        self.head = Some(Digest::of(line));
        self.newest = Some(entry.clone());
        Ok(entry)
    }

    fn broken(&self, problem: &str) -> StoreError {
        let index = self.position().size;
        Code::JournalBroken.reason().with("index", index).with("problem", problem).into()
    }
}

/// Whole lines, and what stands behind the last newline.
fn split(bytes: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
    let torn = lines.pop().unwrap_or_default();
    (lines, torn)
}

/// The line with its newline, and the digest of the line without it.
fn encode(entry: &JournalEntry, path: &Path) -> Result<(Vec<u8>, Digest), StoreError> {
    let mut line =
        jcs::to_bytes(entry).map_err(|error| failed("append to", path, io::Error::other(error)))?;
    if line.len() as u64 >= LINE_LIMIT {
        let problem = format!("an entry has more than {LINE_LIMIT} bytes");
        return Err(failed("append to", path, io::Error::new(io::ErrorKind::InvalidInput, problem)));
    }
    let head = Digest::of(&line);
    line.push(b'\n');
    Ok((line, head))
}

/// Writes `line` where the last entry ends and makes it durable; takes it back when that fails.
fn write_behind(file: &mut File, tail: &Tail, line: &[u8]) -> io::Result<()> {
    let missing: &[u8] = if let Torn::Whole(_) = tail.torn { b"\n" } else { b"" };
    let bytes = [missing, line].concat();
    let result = file
        .set_len(tail.end)
        .and_then(|()| file.write_all_at(&bytes, tail.end))
        .and_then(|()| file.flush())
        .and_then(|()| file.sync_data());
    if result.is_err() {
        let _ = file.set_len(tail.end).and_then(|()| file.sync_data());
    }
    result
}

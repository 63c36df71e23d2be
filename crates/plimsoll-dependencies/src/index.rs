//! The compiled index of advisories: one file, by ecosystem and name, that is searched and never parsed whole. Its
//! head names the digest of every page, and the digest of the head names the index; a page is read and hashed when it is
//! looked at for the first time, and kept. So most of it is never read, and no byte that was altered is believed.

mod compile;
mod layout;

pub use compile::{CompileError, Compiler, Contents};

use crate::advisory::{End, Interval, Kind};
use layout::{Cursor, Head, PAGE, Piece, Section};
use plimsoll_model::{Digest, Timestamp};
use plimsoll_scan::{Database, Severity};
use std::{borrow::Cow, fmt, sync::OnceLock};

/// Why bytes are no index that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Something else, or nothing.
    #[error("it is no index of advisories")]
    NotAnIndex,
    /// Made by another version of the program.
    #[error("it has version {0} of the format, and this program reads version {ours}: import the advisories again", ours = layout::VERSION)]
    Version(u32),
    /// Shorter, or longer, than its head says.
    #[error("it has {actual} bytes where its head says {expected}")]
    Length {
        /// Bytes that are there.
        actual: u64,
        /// Bytes that the head says.
        expected: u64,
    },
    /// A page has another digest than the head says.
    #[error("page {0} is not the one that its head names: it was altered")]
    Altered(usize),
    /// A page, or the head, cannot be read.
    #[error("it cannot be read at byte {0}")]
    Unread(u64),
    /// It points outside of itself, which no index that was compiled does.
    #[error("it is damaged: {0}")]
    Malformed(&'static str),
}

/// Where the bytes of an index are kept.
pub trait Bytes: fmt::Debug + Send + Sync {
    /// How many there are.
    fn length(&self) -> u64;

    /// Fills `buffer` from `offset` on. Whether all of it could be read.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> bool;
}

impl Bytes for Vec<u8> {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> bool {
        let start = usize::try_from(offset).ok();
        let bytes = start.and_then(|start| self.get(start..start.checked_add(buffer.len())?));
        bytes.map(|bytes| buffer.copy_from_slice(bytes)).is_some()
    }
}

/// An open index. Nothing of it has been verified against a signature: compare [`Index::database`] with what was signed.
#[derive(Debug)]
pub struct Index {
    bytes: Box<dyn Bytes>,
    head: Head,
    /// The bytes of the head, with the digests of pages.
    named: Vec<u8>,
    digest: Digest,
    /// Those that were looked at, each as it was when it was hashed.
    pages: Vec<OnceLock<Box<[u8]>>>,
}

/// What one advisory says about one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, as in `GO-2023-1234`.
    pub id: String,
    /// Other names of the same.
    pub aliases: Vec<String>,
    /// One line of what is wrong.
    pub summary: String,
    /// What kind of warning it is.
    pub kind: Kind,
    /// How bad it is, if its database says; priorities are not in it.
    pub severity: Option<Severity>,
    /// It is known to be exploited.
    pub exploited: bool,
    /// Probability, in millionths, that it will be within 30 days; zero where nobody predicts.
    pub predicted: u32,
    /// Versions that are affected.
    pub intervals: Vec<Interval>,
    /// Single versions that are affected and are in none of the intervals.
    pub versions: Vec<String>,
    /// A range of the record has a version that its ecosystem cannot order, so that nobody can tell what is in it.
    pub unordered: bool,
}

impl Index {
    /// Opens an index. Costs as much as hashing its head: 32 bytes for every 4 KiB.
    ///
    /// # Errors
    /// When it is none, has another version, or is not as long as its head says. What is wrong inside a page is found when
    /// it is looked at.
    pub fn open(bytes: impl Bytes + 'static) -> Result<Self, IndexError> {
        let length = bytes.length();
        let first = read(&bytes, 0, length.min(layout::FIXED as u64))?;
        let head = Head::read(&first, length)?;
        let named = read(&bytes, 0, head.length as u64)?;
        let digest = Digest::of(&named);
        let pages = (0..head.pages()).map(|_| OnceLock::new()).collect();
        Ok(Self { bytes: Box::new(bytes), head, named, digest, pages })
    }

    /// Which data this is: the digest of the head, which decides every byte of the file, and the time of the newest
    /// record.
    #[must_use]
    pub fn database(&self) -> Database {
        Database { digest: self.digest, updated: self.updated() }
    }

    /// When the newest record was changed at its source.
    #[must_use]
    pub fn updated(&self) -> Timestamp {
        Timestamp::from_second(self.head.updated).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Number of advisories.
    #[must_use]
    pub fn advisories(&self) -> u64 {
        u64::from(self.head.advisories)
    }

    /// Number of packages that any advisory is about.
    #[must_use]
    pub fn packages(&self) -> u64 {
        u64::from(self.head.section(Section::Packages).count)
    }

    /// The ecosystems of its packages in order, with the number of packages of each.
    ///
    /// # Errors
    /// When a page was altered.
    pub fn ecosystems(&self) -> Result<Vec<(String, u32)>, IndexError> {
        let place = self.head.section(Section::Ecosystems);
        let bytes = self.content(place.offset, place.count.into())?;
        let (mut cursor, mut ecosystems) = (Cursor(&bytes), Vec::new());
        while !cursor.is_at_end() {
            ecosystems.push((cursor.text()?.to_owned(), cursor.number()?));
        }
        Ok(ecosystems)
    }

    /// Whether it has advisories about any package of an ecosystem.
    ///
    /// # Errors
    /// When a page was altered.
    pub fn covers(&self, ecosystem: &str) -> Result<bool, IndexError> {
        Ok(self.ecosystems()?.iter().any(|(known, _)| known == ecosystem))
    }

    /// What advisories say about a package, by the names of `advisory::lookup_ecosystem` and `advisory::lookup_name`.
    ///
    /// # Errors
    /// When a page was altered, or the index points outside of itself.
    pub fn find(&self, ecosystem: &str, name: &str) -> Result<Vec<Entry>, IndexError> {
        let key = layout::key(ecosystem, name);
        let hash = layout::hash(&key);
        let (mut low, mut high) = (0, self.head.section(Section::Packages).count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.package(middle)?.0 < hash {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        for at in low..self.head.section(Section::Packages).count {
            let (found, piece) = self.package(at)?;
            if found != hash {
                break;
            }
            let bytes = self.piece(piece)?;
            let mut cursor = Cursor(&bytes);
            if cursor.text()? == key {
                return (0..cursor.number()?).map(|_| self.entry(&mut cursor)).collect();
            }
        }
        Ok(Vec::new())
    }

    /// A row of the packages.
    fn package(&self, at: u32) -> Result<(u64, Piece), IndexError> {
        let (place, width) = (self.head.section(Section::Packages), Section::Packages.width() as u64);
        if at >= place.count {
            return Err(IndexError::Malformed("a row is outside of its section"));
        }
        let row = self.content(place.offset + u64::from(at) * width, width)?;
        let number = |at| layout::number(&row, at).ok_or(IndexError::Malformed("a row is too short"));
        let hash = u64::from(number(4)?) << 32 | u64::from(number(0)?);
        Ok((hash, Piece { offset: number(8)?, length: number(12)? }))
    }

    fn entry(&self, cursor: &mut Cursor<'_>) -> Result<Entry, IndexError> {
        let advisory = self.piece(cursor.piece()?)?;
        let mut advisory = Cursor(&advisory);
        let (id, aliases, summary) = (advisory.text()?, advisory.text()?, advisory.text()?);
        let (marks, flags) = (advisory.number()?, cursor.number()?);
        Ok(Entry {
            id: id.to_owned(),
            aliases: aliases.split('\n').filter(|alias| !alias.is_empty()).map(str::to_owned).collect(),
            summary: summary.to_owned(),
            kind: layout::kind(flags & 0xff)?,
            severity: layout::severity(marks & 0xff)?,
            exploited: marks & layout::EXPLOITED != 0,
            predicted: advisory.number()?,
            intervals: (0..cursor.number()?).map(|_| interval(cursor)).collect::<Result<_, _>>()?,
            versions: (0..cursor.number()?)
                .map(|_| cursor.text().map(str::to_owned))
                .collect::<Result<_, _>>()?,
            unordered: flags & layout::UNORDERED != 0,
        })
    }

    fn piece(&self, piece: Piece) -> Result<Cow<'_, [u8]>, IndexError> {
        let place = self.head.section(Section::Statements);
        if u64::from(piece.offset) + u64::from(piece.length) > u64::from(place.count) {
            return Err(IndexError::Malformed("a statement is outside of its section"));
        }
        self.content(place.offset + u64::from(piece.offset), piece.length.into())
    }

    /// Bytes of the content, of pages that were compared with their digests.
    fn content(&self, offset: u64, length: u64) -> Result<Cow<'_, [u8]>, IndexError> {
        let outside = IndexError::Malformed("it points behind its end");
        let start = usize::try_from(offset).map_err(|_| outside.clone())?;
        let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        let end = end.filter(|end| *end as u64 <= self.length()).ok_or(outside)?;
        let part = |page: usize| -> Result<&[u8], IndexError> {
            let bytes = self.page(page)?;
            let before = page * PAGE;
            Ok(&bytes[start.saturating_sub(before)..bytes.len().min(end - before)])
        };
        if start == end {
            return Ok(Cow::Borrowed(&[]));
        }
        let first = start / PAGE;
        if end <= (first + 1) * PAGE {
            return part(first).map(Cow::Borrowed);
        }
        let parts = (first..end.div_ceil(PAGE)).map(part).collect::<Result<Vec<_>, _>>()?;
        Ok(Cow::Owned(parts.concat()))
    }

    /// Bytes of the content.
    fn length(&self) -> u64 {
        self.bytes.length() - self.head.length as u64
    }

    fn page(&self, page: usize) -> Result<&[u8], IndexError> {
        let kept = self.pages.get(page).ok_or(IndexError::Malformed("it has too few pages"))?;
        if let Some(bytes) = kept.get() {
            return Ok(bytes);
        }
        let start = (page * PAGE) as u64;
        let length = (self.length() - start).min(PAGE as u64);
        let bytes = read(&*self.bytes, self.head.length as u64 + start, length)?;
        if self.head.page_digest(&self.named, page) != Some(Digest::of(&bytes)) {
            return Err(IndexError::Altered(page));
        }
        Ok(kept.get_or_init(|| bytes.into_boxed_slice()))
    }
}

fn read(bytes: &dyn Bytes, offset: u64, length: u64) -> Result<Vec<u8>, IndexError> {
    let length = usize::try_from(length).map_err(|_| IndexError::Unread(offset))?;
    let mut buffer = vec![0; length];
    if bytes.read(offset, &mut buffer) { Ok(buffer) } else { Err(IndexError::Unread(offset)) }
}

fn interval(cursor: &mut Cursor<'_>) -> Result<Interval, IndexError> {
    let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let kind = cursor.number()?;
    let (from, end, limit) = (cursor.text()?, cursor.text()?, cursor.text()?);
    let to = match kind {
        layout::OPEN => End::Open,
        layout::BEFORE => End::Before(end.to_owned()),
        layout::WITH => End::With(end.to_owned()),
        _ => return Err(IndexError::Malformed("an interval has an unknown end")),
    };
    Ok(Interval { from: optional(from), to, limit: optional(limit) })
}

#[cfg(test)]
mod tests;

//! The compiled index of advisories: one file, sorted by ecosystem and name, that is read once and searched, never parsed
//! whole. Its head names the digest of every page, and the digest of the head names the index; a page is hashed when it is
//! looked at for the first time. So opening costs the same whatever the size, and no byte that was altered is believed.

mod compile;
mod layout;

pub use compile::{CompileError, Compiler, Contents};

use crate::advisory::{End, Interval, Kind};
use layout::{Head, PAGE, Section, Text};
use plimsoll_model::{Digest, Timestamp};
use plimsoll_scan::{Database, Severity};
use std::{
    cmp::Ordering,
    sync::atomic::{AtomicBool, Ordering as Memory},
};

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
    /// It points outside of itself, which no index that was compiled does.
    #[error("it is damaged: {0}")]
    Malformed(&'static str),
}

/// An open index. Nothing of it has been verified against a signature: compare [`Index::database`] with what was signed.
#[derive(Debug)]
pub struct Index {
    bytes: Vec<u8>,
    head: Head,
    digest: Digest,
    verified: Vec<AtomicBool>,
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
    /// Single versions that are affected.
    pub versions: Vec<String>,
    /// A range of the record has a version that its ecosystem cannot order, so that nobody can tell what is in it.
    pub unordered: bool,
}

impl Index {
    /// Opens an index. Costs as much as hashing its head: 32 bytes for every 16 KiB.
    ///
    /// # Errors
    /// When it is none, has another version, or is not as long as its head says. What is wrong inside a page is found when
    /// it is looked at.
    pub fn open(bytes: Vec<u8>) -> Result<Self, IndexError> {
        let head = Head::read(&bytes)?;
        let digest = Digest::of(bytes.get(..head.length).unwrap_or_default());
        let verified = (0..head.pages()).map(|_| AtomicBool::new(false)).collect();
        Ok(Self { bytes, head, digest, verified })
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
        u64::from(self.head.section(Section::Advisories).count)
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
        let section = self.head.section(Section::Ecosystems);
        (0..section.count)
            .map(|at| {
                let row = self.row(Section::Ecosystems, at)?;
                Ok((self.text(row.text(0)?)?.to_owned(), row.number(8)?))
            })
            .collect()
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
        let (mut low, mut high) = (0, self.head.section(Section::Packages).count);
        while low < high {
            let middle = low + (high - low) / 2;
            let row = self.row(Section::Packages, middle)?;
            match self.text(row.text(0)?)?.as_bytes().cmp(key.as_bytes()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => {
                    let (first, count) = (row.number(8)?, row.number(12)?);
                    return rows(first, count).map(|at| self.entry(at)).collect();
                }
            }
        }
        Ok(Vec::new())
    }

    fn entry(&self, at: u32) -> Result<Entry, IndexError> {
        let row = self.row(Section::Entries, at)?;
        let flags = row.number(4)?;
        let advisory = self.row(Section::Advisories, row.number(0)?)?;
        let marks = advisory.number(24)?;
        let aliases = self.text(advisory.text(8)?)?;
        Ok(Entry {
            id: self.text(advisory.text(0)?)?.to_owned(),
            aliases: aliases.split('\n').filter(|alias| !alias.is_empty()).map(str::to_owned).collect(),
            summary: self.text(advisory.text(16)?)?.to_owned(),
            kind: layout::kind(flags & 0xff)?,
            severity: layout::severity(marks & 0xff)?,
            exploited: marks & layout::EXPLOITED != 0,
            predicted: advisory.number(28)?,
            intervals: rows(row.number(8)?, row.number(12)?)
                .map(|at| self.interval(at))
                .collect::<Result<_, _>>()?,
            versions: rows(row.number(16)?, row.number(20)?)
                .map(|at| self.version(at))
                .collect::<Result<_, _>>()?,
            unordered: flags & layout::UNORDERED != 0,
        })
    }

    fn interval(&self, at: u32) -> Result<Interval, IndexError> {
        let row = self.row(Section::Intervals, at)?;
        let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let end = self.text(row.text(8)?)?.to_owned();
        let to = match row.number(24)? {
            layout::OPEN => End::Open,
            layout::BEFORE => End::Before(end),
            layout::WITH => End::With(end),
            _ => return Err(IndexError::Malformed("an interval has an unknown end")),
        };
        Ok(Interval {
            from: optional(self.text(row.text(0)?)?),
            to,
            limit: optional(self.text(row.text(16)?)?),
        })
    }

    fn version(&self, at: u32) -> Result<String, IndexError> {
        let row = self.row(Section::Versions, at)?;
        Ok(self.text(row.text(0)?)?.to_owned())
    }

    fn row(&self, section: Section, at: u32) -> Result<Row<'_>, IndexError> {
        let place = self.head.section(section);
        if at >= place.count {
            return Err(IndexError::Malformed("a row is outside of its section"));
        }
        let width = section.width() as u64;
        self.content(place.offset + u64::from(at) * width, width).map(Row)
    }

    fn text(&self, text: Text) -> Result<&str, IndexError> {
        let place = self.head.section(Section::Strings);
        if u64::from(text.offset) + u64::from(text.length) > u64::from(place.count) {
            return Err(IndexError::Malformed("a text is outside of its section"));
        }
        let bytes = self.content(place.offset + u64::from(text.offset), text.length.into())?;
        std::str::from_utf8(bytes).map_err(|_| IndexError::Malformed("a text is not UTF-8"))
    }

    /// Bytes of the content, after every page that they touch was compared with its digest.
    fn content(&self, offset: u64, length: u64) -> Result<&[u8], IndexError> {
        let outside = IndexError::Malformed("it points behind its end");
        let content = self.bytes.get(self.head.length..).unwrap_or_default();
        let start = usize::try_from(offset).map_err(|_| outside.clone())?;
        let end = usize::try_from(length).ok().and_then(|length| start.checked_add(length));
        let end = end.filter(|end| *end <= content.len()).ok_or(outside)?;
        for page in start / PAGE..end.div_ceil(PAGE) {
            self.verify(page, content)?;
        }
        Ok(&content[start..end])
    }

    fn verify(&self, page: usize, content: &[u8]) -> Result<(), IndexError> {
        let verified = self.verified.get(page).ok_or(IndexError::Malformed("it has too few pages"))?;
        if verified.load(Memory::Relaxed) {
            return Ok(());
        }
        let bytes = &content[page * PAGE..content.len().min((page + 1) * PAGE)];
        if self.head.page_digest(&self.bytes, page) != Some(Digest::of(bytes)) {
            return Err(IndexError::Altered(page));
        }
        verified.store(true, Memory::Relaxed);
        Ok(())
    }
}

fn rows(first: u32, count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(move |at| first.saturating_add(at))
}

/// One row of a section.
struct Row<'a>(&'a [u8]);

impl Row<'_> {
    fn number(&self, at: usize) -> Result<u32, IndexError> {
        layout::number(self.0, at).ok_or(IndexError::Malformed("a row is too short"))
    }

    fn text(&self, at: usize) -> Result<Text, IndexError> {
        Ok(Text { offset: self.number(at)?, length: self.number(at + 4)? })
    }
}

#[cfg(test)]
mod tests;

//! How an index lies in its file, all numbers little-endian: a head of fixed width, the SHA-256 of every page, then the
//! content in pages of 4 KiB. What is said about one package is one piece of it, and lies beside the advisories that it
//! names, so that a lookup reads a page or two.

use super::IndexError;
use crate::advisory::Kind;
use plimsoll_model::Digest;
use plimsoll_scan::Severity;

/// First bytes of every index.
const MAGIC: &[u8; 16] = b"plimsoll-index\r\n";
/// The only version that is written and read.
pub(super) const VERSION: u32 = 2;
/// Bytes of a page.
pub(super) const PAGE: usize = 4 << 10;
/// Bytes of the head before the sections are listed.
const SECTIONS: usize = 36;
/// Bytes of the head before the digests of pages.
pub(super) const FIXED: usize = SECTIONS + Section::ALL.len() * 12;

/// Where an interval ends.
pub(super) const OPEN: u32 = 0;
pub(super) const BEFORE: u32 = 1;
pub(super) const WITH: u32 = 2;
/// Marks of an entry and of an advisory, above the byte that holds its kind or severity.
pub(super) const UNORDERED: u32 = 1 << 8;
pub(super) const EXPLOITED: u32 = 1 << 8;

/// The sections in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// For each ecosystem: text name, number of packages.
    Ecosystems,
    /// Rows of fixed width in their order: what [`hash`] makes of the key of a package, and the place of what is said.
    Packages,
    /// For each package: text key, number of entries, and the entries. An entry: place of the advisory, kind and marks,
    /// number of intervals, the intervals, number of versions, the versions as texts. An interval: kind of end, texts
    /// from, end and limit. An advisory: texts id, aliases and summary, severity and marks, prediction.
    Statements,
}

impl Section {
    pub(super) const ALL: [Self; 3] = [Self::Ecosystems, Self::Packages, Self::Statements];

    /// Bytes of a row.
    pub(super) const fn width(self) -> usize {
        match self {
            Self::Packages => 16,
            Self::Ecosystems | Self::Statements => 1,
        }
    }
}

/// Where a section lies in the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) count: u32,
}

/// A part of the statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) offset: u32,
    pub(super) length: u32,
}

/// What the head says.
#[derive(Debug)]
pub(super) struct Head {
    /// Bytes of the head with the digests of pages.
    pub(super) length: usize,
    /// Seconds since 1970 of the newest record.
    pub(super) updated: i64,
    /// Number of advisories.
    pub(super) advisories: u32,
    places: [Place; Section::ALL.len()],
    pages: usize,
}

impl Head {
    /// From the first bytes of a file that has `actual` of them.
    pub(super) fn read(bytes: &[u8], actual: u64) -> Result<Self, IndexError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(IndexError::NotAnIndex)?;
        let cut = IndexError::Length { actual, expected: FIXED as u64 };
        let version = number(rest, 0).ok_or_else(|| cut.clone())?;
        if version != VERSION {
            return Err(IndexError::Version(version));
        }
        let pages = number(rest, 4).ok_or_else(|| cut.clone())? as usize;
        let updated = bytes.get(24..32).and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| cut.clone())?;
        let advisories = number(bytes, 32).ok_or_else(|| cut.clone())?;
        let mut places = [Place { offset: 0, count: 0 }; Section::ALL.len()];
        let mut content = 0_u64;
        for (at, (place, section)) in places.iter_mut().zip(Section::ALL).enumerate() {
            let row = bytes.get(SECTIONS + at * 12..).ok_or_else(|| cut.clone())?;
            let low = number(row, 0).ok_or_else(|| cut.clone())?;
            let high = number(row, 4).ok_or_else(|| cut.clone())?;
            let count = number(row, 8).ok_or_else(|| cut.clone())?;
            *place = Place { offset: u64::from(high) << 32 | u64::from(low), count };
            if place.offset != content {
                return Err(IndexError::Malformed("its sections do not follow each other"));
            }
            content += u64::from(count) * section.width() as u64;
        }
        let length = FIXED + pages * 32;
        let expected = length as u64 + content;
        if actual != expected {
            return Err(IndexError::Length { actual, expected });
        }
        if content.div_ceil(PAGE as u64) != pages as u64 {
            return Err(IndexError::Malformed("it has another number of pages than its content"));
        }
        Ok(Self { length, updated: i64::from_le_bytes(updated), advisories, places, pages })
    }

    pub(super) fn pages(&self) -> usize {
        self.pages
    }

    pub(super) fn section(&self, section: Section) -> Place {
        self.places[section as usize]
    }

    /// The digest that the head of `bytes` names for a page.
    pub(super) fn page_digest(&self, bytes: &[u8], page: usize) -> Option<Digest> {
        let start = FIXED + page.checked_mul(32)?;
        let digest = bytes.get(start..start + 32).filter(|_| page < self.pages)?;
        Some(Digest::from_bytes(digest.try_into().ok()?))
    }
}

/// The whole file around sections in their order.
pub(super) fn write(updated: i64, advisories: u32, sections: &[Vec<u8>; Section::ALL.len()]) -> Vec<u8> {
    let content = sections.concat();
    let pages: Vec<Digest> = content.chunks(PAGE).map(Digest::of).collect();
    let mut file = Vec::with_capacity(FIXED + pages.len() * 32 + content.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&VERSION.to_le_bytes());
    file.extend_from_slice(&(pages.len() as u32).to_le_bytes());
    file.extend_from_slice(&updated.to_le_bytes());
    file.extend_from_slice(&advisories.to_le_bytes());
    let mut offset = 0_u64;
    for (bytes, section) in sections.iter().zip(Section::ALL) {
        file.extend_from_slice(&offset.to_le_bytes());
        file.extend_from_slice(&((bytes.len() / section.width()) as u32).to_le_bytes());
        offset += bytes.len() as u64;
    }
    pages.iter().for_each(|digest| file.extend_from_slice(digest.as_bytes()));
    file.extend_from_slice(&content);
    file
}

/// What a package is called: in this order what is said about packages follows each other.
pub(super) fn key(ecosystem: &str, name: &str) -> String {
    format!("{ecosystem}\0{name}")
}

/// What packages are looked up by. It says where to look, and the key that stands there decides.
pub(super) fn hash(key: &str) -> u64 {
    let digest = Digest::of(key.as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Appends a number: seven bits a byte, the lowest first.
pub(super) fn put_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Appends a text after its length.
pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) -> Option<()> {
    put_number(bytes, u32::try_from(text.len()).ok()?);
    bytes.extend_from_slice(text.as_bytes());
    Some(())
}

/// Takes from the front what [`put_number`] and [`put_text`] wrote.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn number(&mut self) -> Result<u32, IndexError> {
        let mut number = 0_u64;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(IndexError::Malformed("a number is cut off"))?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(number).map_err(|_| IndexError::Malformed("a number is too large"));
            }
        }
        Err(IndexError::Malformed("a number is too long"))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, IndexError> {
        let length = self.number()? as usize;
        let (text, rest) =
            self.0.split_at_checked(length).ok_or(IndexError::Malformed("a text is cut off"))?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| IndexError::Malformed("a text is not UTF-8"))
    }

    pub(super) fn piece(&mut self) -> Result<Piece, IndexError> {
        Ok(Piece { offset: self.number()?, length: self.number()? })
    }
}

pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.get(..4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

const KINDS: [Kind; 5] = [Kind::Notice, Kind::Unmaintained, Kind::Unsound, Kind::Vulnerable, Kind::Malicious];

pub(super) fn kind(number: u32) -> Result<Kind, IndexError> {
    KINDS.get(number as usize).copied().ok_or(IndexError::Malformed("an entry has an unknown kind"))
}

pub(super) fn kind_number(kind: Kind) -> u32 {
    kind as u32
}

/// 0 for none, then from the least.
pub(super) fn severity(number: u32) -> Result<Option<Severity>, IndexError> {
    match number.checked_sub(1) {
        None => Ok(None),
        Some(at) => {
            let known = Severity::ALL.get(at as usize).copied();
            known.map(Some).ok_or(IndexError::Malformed("an advisory has an unknown severity"))
        }
    }
}

pub(super) fn severity_number(severity: Option<Severity>) -> u32 {
    severity.map_or(0, |severity| severity as u32 + 1)
}

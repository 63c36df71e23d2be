//! The file of a pack, read where it is asked for. Mapped into memory, all that was looked at of it would count as this
//! process's own, and a file that somebody cuts off meanwhile would end the process.

use gix_hash::ObjectId;
use gix_pack::data::header;
use std::{fs::File, ops::Range, os::unix::fs::FileExt as _, path::Path};

/// Longest head of an entry: its kind and size, and the id or the distance of its base.
const HEAD: u64 = 64;
/// Bytes that are read together where heads are near each other.
const NEAR: usize = 64 << 10;

/// An open pack.
pub(crate) struct Data {
    file: File,
    /// Where its checksum begins.
    end: u64,
    checksum: ObjectId,
}

impl Data {
    /// # Errors
    /// In one line, when it cannot be read or is no pack.
    pub(crate) fn open(path: &Path, hash: gix_hash::Kind) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let length = file.metadata().map_err(|error| error.to_string())?.len();
        let end = length.saturating_sub(hash.len_in_bytes() as u64);
        if end < header::SIZE as u64 {
            return Err("it is shorter than any pack".into());
        }
        let mut head = [0; header::SIZE];
        file.read_exact_at(&mut head, 0).map_err(|error| error.to_string())?;
        header::decode(&head).map_err(|error| error.to_string())?;
        let mut checksum = vec![0; hash.len_in_bytes()];
        file.read_exact_at(&mut checksum, end).map_err(|error| error.to_string())?;
        let checksum = ObjectId::try_from(checksum.as_slice()).map_err(|error| error.to_string())?;
        Ok(Self { file, end, checksum })
    }

    /// What it says that all of it hashes to.
    pub(crate) fn checksum(&self) -> ObjectId {
        self.checksum
    }

    /// Where its entries end.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The bytes of a part, in `buffer`.
    ///
    /// # Errors
    /// In one line, when it lies outside of the pack or cannot be read.
    pub(crate) fn read<'a>(&self, part: Range<u64>, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], String> {
        let length = part.end.checked_sub(part.start).filter(|_| part.end <= self.end);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or("it lies outside of its pack")?;
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        let bytes = &mut buffer[..length];
        self.file.read_exact_at(bytes, part.start).map_err(|error| error.to_string())?;
        Ok(bytes)
    }

    /// A reader of the beginnings of entries.
    pub(crate) fn heads(&self) -> Heads<'_> {
        Heads { data: self, start: 0, bytes: 0, buffer: vec![] }
    }
}

/// Reads the beginnings of entries that are asked for in the order of the pack.
pub(crate) struct Heads<'a> {
    data: &'a Data,
    start: u64,
    bytes: usize,
    buffer: Vec<u8>,
}

impl Heads<'_> {
    /// The first bytes of an entry; none where they cannot be read.
    pub(crate) fn at(&mut self, entry: Range<u64>) -> Option<&[u8]> {
        let end = entry.end.min(entry.start.saturating_add(HEAD));
        if entry.start < self.start || end > self.start + self.bytes as u64 {
            let last = self.data.end.min(entry.start.saturating_add(NEAR as u64));
            self.bytes = 0;
            self.start = entry.start;
            self.bytes = self.data.read(entry.start..last.max(end), &mut self.buffer).ok()?.len();
        }
        let within = |at: u64| usize::try_from(at.checked_sub(self.start)?).ok();
        self.buffer[..self.bytes].get(within(entry.start)?..within(end)?)
    }
}

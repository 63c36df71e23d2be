//! The text of one file: bytes made UTF-8 where they were UTF-16, places as lines and columns, and excerpts in which
//! every secret is masked.

use crate::finding::Location;
use memchr::memchr_iter;
use std::{borrow::Cow, ops::Range};

/// How many bytes of a line an excerpt shows at most.
const EXCERPT: usize = 160;
/// How much of a file is looked at to tell text from binary.
const SNIFF: usize = 8192;

/// One file.
pub(crate) struct Text<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    /// Bytes of the file before these.
    pub(crate) start: usize,
    /// Whether it has zero bytes and is no UTF-16: only tokens of known shape are looked for in it.
    pub(crate) binary: bool,
}

impl<'a> Text<'a> {
    /// Of the bytes of a file.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        match bytes {
            [0xff, 0xfe, rest @ ..] => Self::wide(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => Self::wide(rest, u16::from_be_bytes),
            [0xef, 0xbb, 0xbf, rest @ ..] => Self { bytes: Cow::Borrowed(rest), start: 3, binary: false },
            _ => {
                let binary = memchr::memchr(0, &bytes[..bytes.len().min(SNIFF)]).is_some();
                Self { bytes: Cow::Borrowed(bytes), start: 0, binary }
            }
        }
    }

    fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Self {
        let (pairs, _) = bytes.as_chunks::<2>();
        let units = pairs.iter().map(|pair| unit(*pair));
        let text: String =
            char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Self { bytes: Cow::Owned(text.into_bytes()), start: 2, binary: false }
    }

    /// The line around `at`, of which at most `limit` bytes are taken on either side.
    pub(crate) fn line(&self, at: usize, limit: usize) -> Range<usize> {
        line_around(&self.bytes, at, limit)
    }
}

/// See [`Text::line`].
pub(crate) fn line_around(bytes: &[u8], at: usize, limit: usize) -> Range<usize> {
    let at = at.min(bytes.len());
    let from = at.saturating_sub(limit);
    let to = bytes.len().min(at.saturating_add(limit));
    let start = memchr::memrchr(b'\n', &bytes[from..at]).map_or(from, |found| from + found + 1);
    let end = memchr::memchr(b'\n', &bytes[at..to]).map_or(to, |found| at + found);
    start..end
}

/// Turns offsets, given in ascending order, into lines and columns in one pass over the bytes.
pub(crate) struct Places<'a> {
    bytes: &'a [u8],
    line: u32,
    column: u32,
    /// Up to here.
    counted: usize,
}

impl<'a> Places<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, line: 1, column: 1, counted: 0 }
    }

    /// Line and column of `offset`, from 1. An offset before the last one is taken as the last one.
    pub(crate) fn at(&mut self, offset: usize) -> (u32, u32) {
        let offset = offset.clamp(self.counted, self.bytes.len());
        let passed = &self.bytes[self.counted..offset];
        let newlines = memchr_iter(b'\n', passed).count();
        self.line = self.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        self.column = match memchr::memrchr(b'\n', passed) {
            None => self.column.saturating_add(count_chars(passed)),
            Some(last) => count_chars(&passed[last + 1..]) + 1,
        };
        self.counted = offset;
        (self.line, self.column)
    }
}

/// Characters in UTF-8; of other bytes, those that cannot continue one.
fn count_chars(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()).unwrap_or(u32::MAX)
}

/// Makes the location of `secret`, with its line as an excerpt in which all of `secrets` are masked. `secrets` are in
/// ascending order and do not overlap.
pub(crate) fn locate(
    path: &str,
    bytes: &[u8],
    places: &mut Places<'_>,
    secret: &Range<usize>,
    secrets: &[Range<usize>],
) -> Location {
    let (line, column) = places.at(secret.start);
    let inside = &bytes[secret.clone()];
    let newlines = memchr_iter(b'\n', inside).count();
    let (end_line, end_column) = match memchr::memrchr(b'\n', inside) {
        None => (line, column.saturating_add(count_chars(inside))),
        Some(last) => (
            line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX)),
            count_chars(&inside[last + 1..]) + 1,
        ),
    };
    let excerpt = excerpt(bytes, secret.start, secrets);
    Location { path: path.to_owned(), line, column, end_line, end_column, excerpt, commit: None }
}

fn excerpt(bytes: &[u8], at: usize, secrets: &[Range<usize>]) -> String {
    let window = line_around(bytes, at, EXCERPT / 2);
    let mut shown = String::new();
    let mut from = window.start;
    let first = secrets.partition_point(|secret| secret.end <= window.start);
    for secret in secrets[first..].iter().take_while(|secret| secret.start < window.end) {
        shown.push_str(&String::from_utf8_lossy(&bytes[from..secret.start.max(from)]));
        shown.push_str("********");
        from = secret.end.clamp(from, window.end);
    }
    shown.push_str(&String::from_utf8_lossy(&bytes[from..window.end]));
    shown.trim_end_matches('\r').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let bytes = "ab\nc\u{e9}d\n\nx".as_bytes();
        let mut places = Places::new(bytes);
        let check =
            |places: &mut Places<'_>, offset, expect| assert_eq!(places.at(offset), expect, "{offset}");
        check(&mut places, 0, (1, 1));
        check(&mut places, 1, (1, 2));
        check(&mut places, 3, (2, 1));
        check(&mut places, 6, (2, 3));
        check(&mut places, 8, (3, 1));
        check(&mut places, 9, (4, 1));
        check(&mut places, 10, (4, 2));
    }

    #[test]
    fn utf16_with_a_mark_is_text_and_zero_bytes_without_one_are_binary() {
        let wide: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("key=1".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let text = Text::of(&wide);
        assert_eq!((text.bytes.as_ref(), text.binary), (b"key=1".as_slice(), false));
        assert!(Text::of(b"\x7fELF\0\0").binary);
        assert_eq!(Text::of(b"\xef\xbb\xbfx").bytes.as_ref(), b"x");
    }

    #[test]
    fn an_excerpt_masks_every_secret_of_its_line() {
        let bytes = b"first\na=SECRET b=OTHER;\nlast";
        let secrets = [8..14, 17..22];
        let location = locate("p", bytes, &mut Places::new(bytes), &secrets[0], &secrets);
        assert_eq!(location.excerpt, "a=******** b=********;");
        assert_eq!((location.line, location.column, location.end_column), (2, 3, 9));
    }
}

//! The text of one file with the places in it, and the comments by which its authors say that a finding is accepted. Bytes
//! that are no text are an error with a reason, never an empty file.

use plimsoll_scan::Location;
use std::ops::Range;

/// Bytes of one file; more is no configuration that somebody wrote.
pub(crate) const MAX_BYTES: usize = 16 << 20;
/// Characters of a line that a finding shows.
const MAX_EXCERPT: usize = 200;
/// What begins a comment that accepts a finding.
const ALLOW: &str = "plimsoll:allow";

/// A file as text.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    /// Where each line begins.
    lines: Vec<usize>,
    /// Characters before every [`STRIDE`] bytes, so that a column of a very long line is found without counting all of it.
    characters: Vec<usize>,
}

/// Bytes between two counts of characters.
const STRIDE: usize = 4096;

impl Source {
    /// Decodes UTF-8, and UTF-16 with a byte order mark.
    ///
    /// # Errors
    ///
    /// Why the bytes are no text that can be looked at, in one line.
    pub(crate) fn new(path: &str, bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("is larger than {MAX_BYTES} bytes"));
        }
        let text = decode(bytes)?;
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let characters = text.as_bytes().chunks(STRIDE).scan(0, |before, chunk| {
            let count = *before;
            *before += characters(chunk);
            Some(count)
        });
        let characters = characters.collect();
        Ok(Self { path: path.to_owned(), text, lines, characters })
    }

    /// The text at `span`; empty where there is none.
    pub(crate) fn slice(&self, span: &Range<usize>) -> &str {
        self.text.get(span.clone()).unwrap_or("")
    }

    /// Number of the line that holds `offset`, from 0.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Where the line `index`, from 0, begins; the end of the text where there is no such line.
    pub(crate) fn line_start(&self, index: usize) -> usize {
        self.lines.get(index).copied().unwrap_or(self.text.len())
    }

    /// The line `index`, from 0, without its end.
    pub(crate) fn line(&self, index: usize) -> &str {
        let span = self.line_start(index)..self.line_start(index + 1);
        self.slice(&span).trim_end_matches(['\n', '\r'])
    }

    /// Blanks before the first character of the line that holds `offset`.
    pub(crate) fn indent_of(&self, offset: usize) -> &str {
        let line = self.line(self.line_of(offset));
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    /// The place of `span` for people: lines and columns from 1. What is in `hidden` is not shown, nor a line that is so
    /// long that the place would not be seen.
    pub(crate) fn locate(&self, span: &Range<usize>, hidden: &[Range<usize>]) -> Location {
        let (line, column) = self.position(span.start);
        let (end_line, end_column) = self.position(span.end.max(span.start));
        let excerpt = if column < MAX_EXCERPT { self.excerpt(line, hidden) } else { String::new() };
        Location {
            path: self.path.clone(),
            line: number(line + 1),
            column: number(column + 1),
            end_line: number(end_line + 1),
            end_column: number(end_column + 1),
            excerpt,
            commit: None,
        }
    }

    /// The line as it may be shown, with every hidden character masked so that columns stay.
    fn excerpt(&self, line: usize, hidden: &[Range<usize>]) -> String {
        let start = self.line_start(line);
        let end = self.line_start(line + 1);
        let near: Vec<_> = hidden.iter().filter(|secret| secret.start < end && start < secret.end).collect();
        let is_hidden = |at: usize| near.iter().any(|secret| secret.contains(&(start + at)));
        let shown = self.line(line).char_indices().take(MAX_EXCERPT);
        shown.map(|(at, c)| if is_hidden(at) { '*' } else { c }).collect()
    }

    fn characters_before(&self, offset: usize) -> usize {
        let chunk = (offset / STRIDE).min(self.characters.len().saturating_sub(1));
        let rest = self.text.as_bytes().get(chunk * STRIDE..offset).unwrap_or(&[]);
        self.characters.get(chunk).copied().unwrap_or(0) + characters(rest)
    }

    /// Number of lines, the last counted only if something stands in it.
    pub(crate) fn line_count(&self) -> usize {
        self.lines.len() - usize::from(self.lines.last() == Some(&self.text.len()))
    }

    /// Line and character in it, both from 0.
    fn position(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.line_of(offset);
        (line, self.characters_before(offset) - self.characters_before(self.line_start(line)))
    }

    /// Whether a comment on the line `index`, or in the comments right above it, accepts `rule`.
    pub(crate) fn allows(&self, index: usize, rule: &str) -> Allowed {
        let above = (0..index).rev().map(|at| self.line(at)).take_while(|line| is_comment(line));
        let judged = std::iter::once(self.line(index)).chain(above).map(|line| allowed(line, rule));
        judged.max().unwrap_or(Allowed::No)
    }
}

/// What the comments around a finding say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Allowed {
    /// Nothing.
    No,
    /// That it is accepted, but not why: it is not.
    WithoutReason,
    /// That it is accepted, and why.
    Yes,
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Characters that begin in some bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//")
}

fn allowed(line: &str, rule: &str) -> Allowed {
    let Some(at) = line.find(ALLOW) else { return Allowed::No };
    let before = line[..at].trim_end();
    if !before.ends_with('#') && !before.ends_with("//") {
        return Allowed::No;
    }
    let mut words = line[at + ALLOW.len()..].split_whitespace();
    match words.next() {
        Some(named) if named == rule => match words.next() {
            Some(_) => Allowed::Yes,
            None => Allowed::WithoutReason,
        },
        _ => Allowed::No,
    }
}

fn decode(bytes: &[u8]) -> Result<String, String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        let whole = bytes.len().is_multiple_of(2);
        String::from_utf16(&units).ok().filter(|_| whole).ok_or_else(|| "is not valid UTF-16".to_owned())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            let text = std::str::from_utf8(bytes);
            text.map(str::to_owned)
                .map_err(|error| format!("is not UTF-8 from byte {} on", error.valid_up_to()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("a", text.as_bytes()).unwrap()
    }

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let source = source("ä b\ncd\n");
        let at = |span: Range<usize>| {
            let place = source.locate(&span, &[]);
            (place.line, place.column, place.end_line, place.end_column)
        };
        assert_eq!(at(3..4), (1, 3, 1, 4));
        assert_eq!(at(5..7), (2, 1, 2, 3));
        assert_eq!(at(8..8), (3, 1, 3, 1));
        assert_eq!(source.locate(&(5..7), &[]).excerpt, "cd");
        assert_eq!(source.locate(&(5..7), &[6..7, 1..1]).excerpt, "c*");
        assert_eq!(source.locate(&(0..1), &[0..2, 1..1]).excerpt, "* b");
    }

    #[test]
    fn columns_of_a_very_long_line_are_right() {
        let text = format!("x\n{}b", "ä€".repeat(5_000));
        let place = source(&text).locate(&(text.len() - 1..text.len()), &[]);
        assert_eq!((place.line, place.column, place.excerpt.as_str()), (2, 10_001, ""));
    }

    #[test]
    fn a_comment_accepts_a_finding_on_its_line_and_below_only_with_a_reason() {
        let check =
            |text: &str, line, expect| assert_eq!(source(text).allows(line, "config/a"), expect, "{text}");
        check("x # plimsoll:allow config/a it is a test", 0, Allowed::Yes);
        check("# plimsoll:allow config/a it is a test\nx", 1, Allowed::Yes);
        check("  // plimsoll:allow config/a because\n# more\nx", 2, Allowed::Yes);
        check("# plimsoll:allow config/a\nx", 1, Allowed::WithoutReason);
        check("# plimsoll:allow config/b because\nx", 1, Allowed::No);
        check("# plimsoll:allow config/a because\n\nx", 2, Allowed::No);
        check("y # plimsoll:allow config/a because\nx", 1, Allowed::No);
        check("RUN echo plimsoll:allow config/a because", 0, Allowed::No);
    }

    #[test]
    fn text_is_decoded_and_what_is_none_says_why() {
        let decoded = |bytes: &[u8]| Source::new("a", bytes).map(|source| source.text);
        assert_eq!(decoded(b"\xef\xbb\xbfa"), Ok("a".to_owned()));
        assert_eq!(decoded(b"\xff\xfea\0"), Ok("a".to_owned()));
        assert_eq!(decoded(b"\xfe\xff\0a"), Ok("a".to_owned()));
        assert_eq!(decoded(b"\xff\xfea"), Err("is not valid UTF-16".to_owned()));
        assert_eq!(decoded(b"ab\xc0"), Err("is not UTF-8 from byte 2 on".to_owned()));
        assert_eq!(decoded(&vec![b'a'; MAX_BYTES + 1]), Err("is larger than 16777216 bytes".to_owned()));
    }
}

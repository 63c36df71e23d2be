//! Text that is put together from pieces of a file, such as the continued lines of one instruction. Every character keeps
//! its place in the file, so that what is found in it can be shown there.

use crate::source::Source;
use std::ops::Range;

/// Text that was put together from pieces of a file, each with its place there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) text: String,
    /// Where in `text` a piece begins, and where in the file.
    pieces: Vec<(usize, usize)>,
}

impl Joined {
    /// A piece of a file as it stands there.
    pub(crate) fn of(source: &Source, span: Range<usize>) -> Self {
        let mut joined = Self::default();
        joined.push(source, span);
        joined
    }

    /// Appends a piece of the file.
    pub(crate) fn push(&mut self, source: &Source, span: Range<usize>) {
        self.pieces.push((self.text.len(), span.start));
        self.text.push_str(source.slice(&span));
    }

    /// The place in the file of the character at `at`.
    pub(crate) fn place(&self, at: usize) -> usize {
        let piece = self.pieces.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.pieces.get(piece).map_or(0, |(start, place)| place + (at - start))
    }

    /// The place in the file of `span`: from its first character to its last.
    pub(crate) fn span(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.place(span.start);
        if span.is_empty() { start..start } else { start..self.place(span.end - 1) + 1 }
    }

    /// The part of it from `at` on.
    pub(crate) fn from(&self, at: usize) -> Self {
        let text = self.text.get(at..).unwrap_or("").to_owned();
        let mut pieces = vec![(0, self.place(at))];
        let later = self.pieces.iter().filter(|(start, _)| *start > at);
        pieces.extend(later.map(|(start, place)| (start - at, *place)));
        Self { text, pieces }
    }
}

//! Diagnostics as plain text for a terminal. Source lines are foreign text: what could drive a terminal or reorder a
//! line is replaced before it is shown.

use crate::diagnostic::{Diagnostic, FileErrors, MAX_DIAGNOSTICS};
use plimsoll_model::reason::printable;
use std::ops::Range;

/// Characters of a source line that are shown around a diagnostic.
const WIDTH: usize = 110;

pub(crate) fn file_errors(errors: &FileErrors) -> String {
    let mut text = String::new();
    for diagnostic in &errors.diagnostics {
        text.push_str(&one(errors, diagnostic));
    }
    if errors.diagnostics.len() >= MAX_DIAGNOSTICS {
        text.push_str("there may be more errors; these are the first\n");
    }
    text
}

fn one(errors: &FileErrors, diagnostic: &Diagnostic) -> String {
    let place = Place::of(&errors.source, &diagnostic.span);
    let file = printable(&errors.file, 300);
    let message = printable(&diagnostic.message, 1000);
    let mut text = format!("{file}:{}:{}: {message}", place.line, place.column);
    if diagnostic.reason.is_some() {
        text.push_str(&format!(" [{}]", diagnostic.code()));
    }
    text.push('\n');
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    if !errors.source.is_empty() {
        let (shown, caret) = place.excerpt();
        text.push_str(&format!(" {margin} |\n {number} | {shown}\n {margin} | {caret}\n"));
    }
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!(" {margin} = help: {}\n", printable(help, 1000)));
    }
    text
}

/// Where a span begins, for people.
struct Place<'a> {
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
    /// The whole line without its end.
    text: &'a str,
    /// Characters of the span on that line; at least 1.
    width: usize,
}

impl<'a> Place<'a> {
    fn of(source: &'a str, span: &Range<usize>) -> Self {
        let start = border(source, span.start);
        let end = border(source, span.end).max(start);
        let begin = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let text = source[begin..].lines().next().unwrap_or("");
        let last = end.min(begin + text.len()).max(start);
        Self {
            line: source[..begin].matches('\n').count() + 1,
            column: source[begin..start].chars().count() + 1,
            text,
            width: source[start..last].trim_end().chars().count().max(1),
        }
    }

    /// At most [`WIDTH`] characters of the line, and carets below the span.
    fn excerpt(&self) -> (String, String) {
        let before = self.column - 1;
        let skip = if before + self.width.min(40) > WIDTH { before.saturating_sub(WIDTH / 2) } else { 0 };
        let visible: String =
            self.text.chars().skip(skip).take(WIDTH).map(|c| if c == '\t' { ' ' } else { c }).collect();
        let lead = before - skip;
        let width = self.width.min(WIDTH.saturating_sub(lead)).max(1);
        (printable(&visible, WIDTH), format!("{}{}", " ".repeat(lead), "^".repeat(width)))
    }
}

/// The nearest character border at or before `at`.
fn border(source: &str, at: usize) -> usize {
    (0..=at.min(source.len())).rev().find(|&at| source.is_char_boundary(at)).unwrap_or(0)
}

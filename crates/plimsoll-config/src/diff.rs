//! Fixes as unified diffs that `git apply` takes. An edit replaces some bytes; the lines around it become its hunk.

use crate::source::Source;
use std::{fmt::Write as _, ops::Range};

/// Lines before and after a change.
const CONTEXT: usize = 3;

/// Bytes of one hunk, beyond which a diff helps nobody.
const MAX_HUNK: usize = 16 << 10;

/// Replaces the bytes of `span`, which may be empty, by `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
}

impl Edit {
    pub(crate) fn replace(span: Range<usize>, text: impl Into<String>) -> Self {
        Self { span, text: text.into() }
    }

    pub(crate) fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(at..at, text)
    }
}

/// The diff that does `edits`; none where they overlap, lie outside the text, or change nothing, nor where it would show
/// what is in `hidden`.
pub(crate) fn unified(source: &Source, edits: &[Edit], hidden: &[Range<usize>]) -> Option<String> {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let apart = edits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start);
    let inside = edits.iter().all(|edit| source.text.get(edit.span.clone()).is_some());
    let changes = edits.iter().any(|edit| source.slice(&edit.span) != edit.text);
    if !(apart && inside && changes) || source.path.contains(['\n', '"', '\\']) {
        return None;
    }
    let hunks = hunks(source, edits);
    let shown: Vec<Range<usize>> = hunks.iter().map(|hunk| hunk.shown(source)).collect();
    let shows =
        |secret: &Range<usize>| shown.iter().any(|span| secret.start < span.end && span.start < secret.end);
    if shown.iter().any(|span| span.len() > MAX_HUNK) || hidden.iter().any(shows) {
        return None;
    }
    let mut diff = format!("--- a/{0}\n+++ b/{0}\n", source.path);
    let mut shift = 0_isize;
    for hunk in hunks {
        hunk.write(source, &mut shift, &mut diff);
    }
    Some(diff)
}

/// Lines that change together, and the edits in them.
struct Hunk {
    lines: Range<usize>,
    edits: Vec<Edit>,
}

fn hunks(source: &Source, edits: Vec<Edit>) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for edit in edits {
        let lines = touched(source, &edit);
        match hunks.last_mut() {
            Some(last) if lines.start <= last.lines.end + 2 * CONTEXT => {
                last.lines.end = last.lines.end.max(lines.end);
                last.edits.push(edit);
            }
            _ => hunks.push(Hunk { lines, edits: vec![edit] }),
        }
    }
    hunks
}

/// The lines that an edit changes; none, but their place, where it puts whole lines between two.
fn touched(source: &Source, edit: &Edit) -> Range<usize> {
    let first = source.line_of(edit.span.start);
    let at_start = source.line_start(first) == edit.span.start;
    if edit.span.is_empty() && at_start && (edit.text.ends_with('\n') || edit.text.is_empty()) {
        return first..first;
    }
    let last = edit.span.end.saturating_sub(usize::from(edit.span.end > edit.span.start));
    first..source.line_of(last) + 1
}

impl Hunk {
    /// The lines of the hunk, those around the change included.
    fn around(&self, source: &Source) -> Range<usize> {
        self.lines.start.saturating_sub(CONTEXT)..(self.lines.end + CONTEXT).min(source.line_count())
    }

    /// The bytes of those lines.
    fn shown(&self, source: &Source) -> Range<usize> {
        let lines = self.around(source);
        source.line_start(lines.start)..source.line_start(lines.end)
    }

    fn write(&self, source: &Source, shift: &mut isize, diff: &mut String) {
        let Range { start: from, end: to } = self.around(source);
        let changed = source.line_start(self.lines.start)..source.line_start(self.lines.end);
        let new = self.apply(source, &changed);
        let (old, new) = (lines(source.slice(&changed)), lines(&new));
        let before = &source.text[source.line_start(from)..changed.start];
        let after = &source.text[changed.end..source.line_start(to).max(changed.end)];
        let around = lines(before).len() + lines(after).len();
        let (old_count, new_count) = (around + old.len(), around + new.len());
        let new_start = from.saturating_add_signed(*shift);
        let _ = writeln!(
            diff,
            "@@ -{},{old_count} +{},{new_count} @@",
            from + usize::from(old_count > 0),
            new_start + usize::from(new_count > 0)
        );
        *shift += new.len() as isize - old.len() as isize;
        let parts = [(' ', lines(before)), ('-', old), ('+', new), (' ', lines(after))];
        for (sign, lines) in parts {
            lines.iter().for_each(|line| push_line(sign, line, diff));
        }
    }

    fn apply(&self, source: &Source, changed: &Range<usize>) -> String {
        let mut text = String::new();
        let mut at = changed.start;
        for edit in &self.edits {
            text.push_str(&source.text[at..edit.span.start]);
            text.push_str(&edit.text);
            at = edit.span.end;
        }
        text.push_str(&source.text[at..changed.end.max(at)]);
        text
    }
}

/// The lines of `text`, each with its end.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn push_line(sign: char, line: &str, diff: &mut String) {
    diff.push(sign);
    diff.push_str(line);
    if !line.ends_with('\n') {
        diff.push_str("\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(text: &str, edits: &[Edit]) -> Option<String> {
        unified(&Source::new("a/b.yaml", text.as_bytes()).unwrap(), edits, &[])
    }

    #[test]
    fn an_edit_is_one_hunk_with_its_surroundings() {
        let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let expect = "--- a/a/b.yaml\n+++ b/a/b.yaml\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n";
        assert_eq!(diff(text, &[Edit::replace(8..9, "five")]).unwrap(), expect);
    }

    #[test]
    fn whole_lines_are_put_between_others() {
        let expect = "--- a/a/b.yaml\n+++ b/a/b.yaml\n@@ -1,2 +1,3 @@\n 1\n+new\n 2\n";
        assert_eq!(diff("1\n2\n", &[Edit::insert(2, "new\n")]).unwrap(), expect);
    }

    #[test]
    fn edits_far_apart_are_two_hunks_and_count_on() {
        let text: String = (1..=30).map(|n| format!("{n}\n")).collect();
        let far = text.find("25").unwrap();
        let diff = diff(&text, &[Edit::insert(0, "a\nb\n"), Edit::replace(far..far + 2, "x")]).unwrap();
        assert!(diff.contains("@@ -1,3 +1,5 @@\n+a\n+b\n 1\n"), "{diff}");
        assert!(diff.contains("@@ -22,7 +24,7 @@\n 22\n 23\n 24\n-25\n+x\n 26\n"), "{diff}");
    }

    #[test]
    fn a_last_line_without_an_end_is_said() {
        let expect = "--- a/a/b.yaml\n+++ b/a/b.yaml\n@@ -1,1 +1,1 @@\n-1\n\\ No newline at end of file\n+2\n\\ No newline at end of file\n";
        assert_eq!(diff("1", &[Edit::replace(0..1, "2")]).unwrap(), expect);
    }

    #[test]
    fn a_secret_and_a_huge_line_are_not_shown() {
        let source = Source::new("a", b"secret\n2\n3\n4\n5\n6\n").unwrap();
        let hidden = [0..6, 0..0];
        assert_eq!(unified(&source, &[Edit::replace(7..8, "two")], &hidden), None);
        assert!(unified(&source, &[Edit::replace(15..16, "six")], &hidden).is_some());
        assert_eq!(diff(&"x".repeat(20_000), &[Edit::replace(0..1, "y")]), None);
    }

    #[test]
    fn what_cannot_be_done_is_no_diff() {
        assert_eq!(diff("123", &[Edit::replace(0..2, "a"), Edit::replace(1..3, "b")]), None);
        assert_eq!(diff("123", &[Edit::replace(2..9, "a")]), None);
        assert_eq!(diff("123", &[Edit::replace(0..1, "1")]), None);
    }
}

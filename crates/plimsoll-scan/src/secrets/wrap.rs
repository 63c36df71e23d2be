//! Lines into which something encoded was wrapped, as in a block of YAML, a body of MIME, or a string with line ends in it:
//! all of one width, and a shorter one at the end.

use super::decode::{LONGEST, RUN};
use super::shape::URL_SAFE;
use std::ops::Range;

/// Bytes of indentation that are followed.
const INDENT: usize = 64;

/// The lines of the run `first` and of those that go on with it; none where it stands alone. No byte is looked at that is
/// not in one of them or in the line after, so that what comes after is looked at twice at most.
pub(super) fn lines(bytes: &[u8], first: &Range<usize>) -> Vec<Range<usize>> {
    let text = &bytes[first.clone()];
    let start = first.start + text.iter().rposition(|byte| !encoded(*byte)).map_or(0, |last| last + 1);
    let mut pieces = Vec::new();
    let mut end = first.end;
    // Behind a name, the first line is shorter than the others.
    let mut width = alone(bytes, start).then_some(end - start);
    while start < first.end && end - start < LONGEST {
        let Some(Line { text, last }) = next(bytes, end) else { break };
        if width.is_some_and(|width| text.len() > width) {
            break;
        }
        if pieces.is_empty() {
            pieces.push(start..end);
        }
        end = text.end;
        let full = text.len() >= width.unwrap_or(RUN);
        width = Some(text.len());
        pieces.push(text);
        if !full || last {
            break;
        }
    }
    pieces
}

struct Line {
    text: Range<usize>,
    /// Whether padding says that nothing follows.
    last: bool,
}

/// The line after `end`, where a line ends, if it is encoded and nothing else.
fn next(bytes: &[u8], end: usize) -> Option<Line> {
    let rest = &bytes[end..];
    let written = |line_end: &str| rest.starts_with(line_end.as_bytes()).then_some(line_end.len());
    let broken = written("\n").or_else(|| written("\r\n"));
    let indent = |from: usize| {
        let spaces = rest[from..].iter().take(INDENT).take_while(|byte| matches!(byte, b' ' | b'\t'));
        from + spaces.count()
    };
    let start = match broken {
        Some(from) => indent(from),
        None => written("\\n").or_else(|| written("\\r\\n"))?,
    };
    let length = rest[start..].iter().take(LONGEST).take_while(|byte| encoded(**byte)).count();
    let padding = rest[start + length..].iter().take(2).take_while(|byte| **byte == b'=').count();
    let stop = start + length + padding;
    let ends = matches!(rest.get(stop), None | Some(b'\n' | b'\r' | b'\\' | b'"' | b'\''));
    (length > 0 && ends).then(|| Line { text: end + start..end + stop, last: padding > 0 })
}

/// Whether only spaces stand before `at` on its line.
fn alone(bytes: &[u8], at: usize) -> bool {
    let before = bytes[..at].iter().rev().take(INDENT + 1);
    let spaces = before.take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    at == spaces || bytes[at - spaces - 1] == b'\n'
}

fn encoded(byte: u8) -> bool {
    URL_SAFE.has(byte) || matches!(byte, b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY";

    fn check(text: &str, expect: &[&str]) {
        let first = text.find(LINE).unwrap();
        let found = lines(text.as_bytes(), &(first..first + LINE.len()));
        assert_eq!(found.into_iter().map(|range| &text[range]).collect::<Vec<_>>(), expect, "{text:?}");
    }

    #[test]
    fn lines_of_one_width_go_on_and_a_shorter_one_ends_them() {
        check(&format!("{LINE}\n{LINE}\nWVo=\n{LINE}\n"), &[LINE, LINE, "WVo="]);
        check(&format!("  {LINE}\r\n  {LINE}\r\nother: x"), &[LINE, LINE]);
        check(&format!("\"{LINE}\\n{LINE}\\nWVo=\\n\""), &[LINE, LINE, "WVo="]);
        check(
            &format!("key: {LINE}\n  {LINE}{LINE}\n  {LINE}{LINE}\n"),
            &[LINE, &[LINE, LINE].concat(), &[LINE, LINE].concat()],
        );
    }

    #[test]
    fn what_is_no_line_of_it_ends_them() {
        check(&format!("{LINE}\n"), &[]);
        check(&format!("{LINE}\n\n{LINE}"), &[]);
        check(&format!("{LINE}\n{LINE}A\n"), &[]);
        check(&format!("{LINE}\nname = value\n"), &[]);
        check(&format!("{LINE} {LINE}"), &[]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(before in "[ a:=]{0,9}", after in "[A-Za-z0-9=\\\\rn\r\n \"]{0,90}") {
            let text = format!("{before}{LINE}{after}");
            let first = before.len()..before.len() + LINE.len();
            for piece in lines(text.as_bytes(), &first) {
                prop_assert!(piece.end <= text.len() && !piece.is_empty());
            }
        }
    }
}

//! What the two readers of human test output share: lines without colours, and numbers without surprises.

use std::borrow::Cow;

/// A line without its end and without `ESC [ … m` colour sequences.
pub(super) fn plain(line: &str) -> Cow<'_, str> {
    let line = line.strip_suffix('\r').unwrap_or(line);
    if !line.contains('\u{1b}') {
        return Cow::Borrowed(line);
    }
    let mut parts = line.split("\u{1b}[");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.find(|c: char| !c.is_ascii_digit() && c != ';') {
            Some(end) if part[end..].starts_with('m') => kept.push_str(&part[end + 1..]),
            _ => kept.push_str(part),
        }
    }
    Cow::Owned(kept)
}

/// A decimal number of at most ten digits and nothing else, so that sums of a whole report cannot overflow.
pub(super) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_everything_else_stays() {
        for (line, expect) in [
            ("plain\r", "plain"),
            ("\u{1b}[32;1mPASS\u{1b}[0m x", "PASS x"),
            ("\u{1b}[2Jcleared", "2Jcleared"),
            ("\u{1b}[", ""),
            ("\u{1b}alone", "\u{1b}alone"),
        ] {
            assert_eq!(plain(line), expect, "{line:?}");
        }
    }

    #[test]
    fn numbers_are_digits_only() {
        for (text, expect) in [("0", Some(0)), ("9999999999", Some(9_999_999_999)), ("", None), ("+1", None)]
        {
            assert_eq!(number(text), expect, "{text:?}");
        }
        assert_eq!(number("99999999999"), None);
        assert_eq!(number("٣"), None);
    }
}

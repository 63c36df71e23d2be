//! Alpine's versions (apk-tools, `apk version`): numbers with dots, a letter, suffixes, and the revision of the package.

use super::split_digits;
use std::cmp::Ordering;

/// Parts from the left, each with its kind.
#[derive(Debug, Clone)]
pub(super) struct Version(Vec<(Kind, i64)>);

/// Kinds of parts. Where one version has another kind of part than the other, or ends, the later kind is the lesser
/// version, save for suffixes before a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A number behind a dot.
    Dotted,
    /// A number elsewhere.
    Number,
    Letter,
    Suffix,
    SuffixNumber,
    Revision,
    End,
}

/// The lesser they are the longer before a release, and from 0 on after it.
const SUFFIXES: [(&str, i64); 9] = [
    ("alpha", -4),
    ("beta", -3),
    ("pre", -2),
    ("rc", -1),
    ("cvs", 0),
    ("svn", 1),
    ("git", 2),
    ("hg", 3),
    ("p", 4),
];

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = digits(Kind::Number, text, &mut parts)?;
        while let Some(next) = rest.strip_prefix('.') {
            rest = dotted(next, &mut parts)?;
        }
        if let Some(letter) = rest.bytes().next().filter(u8::is_ascii_lowercase) {
            parts.push((Kind::Letter, i64::from(letter)));
            rest = &rest[1..];
        }
        while let Some(next) = rest.strip_prefix('_') {
            rest = suffix(next, &mut parts)?;
        }
        if let Some(next) = rest.strip_prefix('~') {
            // The commit that a snapshot was made from has no order.
            rest = next.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        }
        if let Some(next) = rest.strip_prefix("-r") {
            rest = digits(Kind::Revision, next, &mut parts)?;
        }
        rest.is_empty().then_some(Self(parts))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let end = (Kind::End, 0);
        let places = 0..=self.0.len().max(other.0.len());
        let at = |version: &Self, place: usize| version.0.get(place).copied().unwrap_or(end);
        let orders = places.map(|place| part(at(self, place), at(other, place)));
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

fn part(a: (Kind, i64), b: (Kind, i64)) -> Ordering {
    match (a, b) {
        ((kind_a, a), (kind_b, b)) if kind_a == kind_b => a.cmp(&b),
        ((Kind::Suffix, a), _) if a < 0 => Ordering::Less,
        (_, (Kind::Suffix, b)) if b < 0 => Ordering::Greater,
        ((kind_a, _), (kind_b, _)) => kind_b.cmp(&kind_a),
    }
}

/// apk takes numbers of fewer than 18 digits.
fn digits<'a>(kind: Kind, text: &'a str, parts: &mut Vec<(Kind, i64)>) -> Option<&'a str> {
    let (digits, rest) = split_digits(text);
    let number = digits.parse().ok().filter(|_| digits.len() < 18)?;
    parts.push((kind, number));
    Some(rest)
}

/// A number behind a dot. Zeros at its beginning make it a fraction: the more of them, the less.
fn dotted<'a>(text: &'a str, parts: &mut Vec<(Kind, i64)>) -> Option<&'a str> {
    let zeros = text.bytes().take_while(|byte| *byte == b'0').count();
    if zeros == 0 {
        return digits(Kind::Dotted, text, parts);
    }
    parts.push((Kind::Dotted, -i64::try_from(zeros).ok()?));
    let rest = &text[zeros..];
    match rest.bytes().next() {
        Some(byte) if byte.is_ascii_digit() => digits(Kind::Number, rest, parts),
        _ => Some(rest),
    }
}

fn suffix<'a>(text: &'a str, parts: &mut Vec<(Kind, i64)>) -> Option<&'a str> {
    let (name, order) = SUFFIXES.iter().find(|(name, _)| text.starts_with(name))?;
    parts.push((Kind::Suffix, *order));
    let rest = &text[name.len()..];
    match rest.bytes().next() {
        Some(byte) if byte.is_ascii_digit() => digits(Kind::SuffixNumber, rest, parts),
        _ => Some(rest),
    }
}

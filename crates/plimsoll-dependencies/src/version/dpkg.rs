//! Debian's versions (deb-version(7), "Sorting algorithm").

use super::{Number, split_digits};
use std::cmp::Ordering;

#[derive(Debug, Clone)]
pub(super) struct Version {
    epoch: Number,
    upstream: String,
    revision: String,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
        let plain = |text: &str, more: &[u8]| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
        };
        let valid = plain(upstream, b".+-:~") && plain(revision, b".+~_");
        let epoch = Number::parse(epoch)?;
        valid.then(|| Self { epoch, upstream: upstream.to_owned(), revision: revision.to_owned() })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let upstream = || part(&self.upstream, &other.upstream);
        self.epoch.cmp(&other.epoch).then_with(upstream).then_with(|| part(&self.revision, &other.revision))
    }
}

/// Compares what is no digit, then digits as numbers, by turns from the left.
fn part(mut a: &str, mut b: &str) -> Ordering {
    while !(a.is_empty() && b.is_empty()) {
        let ((text_a, rest_a), (text_b, rest_b)) = (split_text(a), split_text(b));
        let ((digits_a, rest_a), (digits_b, rest_b)) = (split_digits(rest_a), split_digits(rest_b));
        let number = |digits| Number::parse(digits).unwrap_or_else(Number::zero);
        let order = text(text_a, text_b).then_with(|| number(digits_a).cmp(&number(digits_b)));
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn split_text(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(|byte| !byte.is_ascii_digit()).count())
}

/// A tilde is before the end, the end before letters, letters before everything else.
fn text(a: &str, b: &str) -> Ordering {
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let places = 0..a.len().max(b.len());
    places.map(|at| weight(a.get(at)).cmp(&weight(b.get(at)))).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
}

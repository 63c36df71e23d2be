//! RPM's versions (rpm-version(7)): epoch, version and release, each in the order of `rpmvercmp`.

use super::{Number, split_digits};
use std::cmp::Ordering;

#[derive(Debug, Clone)]
pub(super) struct Version {
    epoch: Number,
    version: String,
    release: Option<String>,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (version, release) = match rest.split_once('-') {
            Some((version, release)) => (version, Some(release.to_owned())),
            None => (rest, None),
        };
        let epoch = Number::parse(if epoch == "(none)" { "0" } else { epoch })?;
        (!version.is_empty()).then(|| Self { epoch, version: version.to_owned(), release })
    }

    /// A version without release is before the same one with any, as rpm has it.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let release = || match (&self.release, &other.release) {
            (Some(a), Some(b)) => part(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        self.epoch.cmp(&other.epoch).then_with(|| part(&self.version, &other.version)).then_with(release)
    }
}

/// `rpmvercmp`: runs of digits and of letters from the left; separators count for nothing, `~` is before the end, `^`
/// after it and before everything else.
fn part(mut a: &str, mut b: &str) -> Ordering {
    loop {
        (a, b) = (skip_separators(a), skip_separators(b));
        match (a.strip_prefix('~'), b.strip_prefix('~')) {
            (Some(rest_a), Some(rest_b)) => {
                (a, b) = (rest_a, rest_b);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (a.strip_prefix('^'), b.strip_prefix('^')) {
            (Some(rest_a), Some(rest_b)) => {
                (a, b) = (rest_a, rest_b);
                continue;
            }
            (Some(_), None) => return if b.is_empty() { Ordering::Greater } else { Ordering::Less },
            (None, Some(_)) => return if a.is_empty() { Ordering::Less } else { Ordering::Greater },
            (None, None) => {}
        }
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let ((run_a, rest_a), (run_b, rest_b)) = (run(a), run(b));
        let order = match (Number::parse(run_a), Number::parse(run_b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (None, None) => run_a.cmp(run_b),
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

fn skip_separators(text: &str) -> &str {
    text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && c != '~' && c != '^')
}

/// The digits, or else the letters, at the beginning.
fn run(text: &str) -> (&str, &str) {
    match split_digits(text) {
        ("", _) => text.split_at(text.bytes().take_while(u8::is_ascii_alphabetic).count()),
        digits => digits,
    }
}

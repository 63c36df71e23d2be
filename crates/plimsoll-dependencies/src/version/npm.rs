//! Semantic versions as npm's own library reads them in its loose mode, which registries of npm still need: `=v1.2.3`,
//! `1.2.3beta`. Their order is that of Semantic Versioning.

use super::{
    semver::{Version, identifiers},
    split_digits,
};

/// Reads a version: three numbers, and what follows them with or without a hyphen.
pub(super) fn parse(text: &str) -> Option<Version> {
    let text = text.trim_start_matches(['v', 'V', '=', ' ']);
    let text = text.split_once('+').map_or(text, |(text, _)| text);
    let end = end_of_core(text);
    let (core, pre) = text.split_at(end);
    match pre.strip_prefix('-').unwrap_or(pre) {
        "" if pre.is_empty() => Version::new(core, vec![]),
        "" => None,
        pre => Version::new(core, identifiers(pre)?),
    }
}

/// Bytes of the leading numbers, at most three.
fn end_of_core(text: &str) -> usize {
    let mut rest = text;
    for place in 0..3 {
        rest = split_digits(rest).1;
        match rest.strip_prefix('.') {
            Some(next) if place < 2 && next.starts_with(|c: char| c.is_ascii_digit()) => rest = next,
            _ => break,
        }
    }
    text.len() - rest.len()
}

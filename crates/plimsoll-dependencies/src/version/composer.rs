//! Composer's versions: its normal form, in the order of PHP's `version_compare`. Branches (`dev-main`) have no order.

use super::{Number, split_digits};
use std::cmp::Ordering;

/// Numbers, then parts: a stability, its numbers, and `dev`.
#[derive(Debug, Clone)]
pub(super) struct Version {
    numbers: Vec<Number>,
    parts: Vec<Part>,
}

/// In the order of `version_compare`; the end of a version comes between a release candidate and a patch, before any
/// number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Dev,
    Alpha,
    Beta,
    Candidate,
    End,
    Patch,
    Number(Number),
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let text = text.split([' ', '+', '@']).next()?;
        let (numbers, rest) = numbers(text.strip_prefix('v').unwrap_or(text))?;
        let rest = rest.strip_prefix(['.', '_', '-']).unwrap_or(rest);
        Some(Self { numbers, parts: parts(rest)? })
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let (zero, places) = (Number::zero(), self.numbers.len().max(other.numbers.len()));
        let number = |version: &Self, place: usize| version.numbers.get(place).unwrap_or(&zero).clone();
        let part = |version: &Self, place: usize| version.parts.get(place).unwrap_or(&Part::End).clone();
        let numbers = (0..places).map(|place| number(self, place).cmp(&number(other, place)));
        let places = self.parts.len().max(other.parts.len());
        let parts = (0..places).map(|place| part(self, place).cmp(&part(other, place)));
        numbers.chain(parts).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// Numbers with dots between them; those of dates may have `-` and `:` there too.
fn numbers(text: &str) -> Option<(Vec<Number>, &str)> {
    let (digits, mut rest) = split_digits(text);
    let mut found = vec![Number::parse(digits)?];
    let separators: &[char] = if digits.len() >= 4 { &['.', '-', ':'] } else { &['.'] };
    while let Some(next) = rest.strip_prefix(separators) {
        let (digits, after) = split_digits(next);
        match Number::parse(digits) {
            Some(number) => found.push(number),
            None => break,
        }
        rest = after;
    }
    Some((found, rest))
}

/// What follows the numbers: `beta2`, `rc.1-dev`, `patch3`.
fn parts(text: &str) -> Option<Vec<Part>> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (word, mut rest) = match text.split_at(letters) {
        (word, "") if word != "dev" && word.ends_with("dev") => text.split_at(letters - 3),
        parts => parts,
    };
    let stability = match word {
        "" | "stable" => None,
        "dev" => Some(Part::Dev),
        "alpha" | "a" => Some(Part::Alpha),
        "beta" | "b" => Some(Part::Beta),
        "rc" => Some(Part::Candidate),
        "patch" | "pl" | "p" => Some(Part::Patch),
        _ => return None,
    };
    let mut found: Vec<Part> = stability.into_iter().collect();
    while !rest.is_empty() {
        let next = rest.strip_prefix(['.', '-']).unwrap_or(rest);
        let (digits, after) = split_digits(next);
        match Number::parse(digits) {
            // `stable` is as good as nothing, and so is whatever is behind it.
            Some(_) if word == "stable" => {}
            None if next == "dev" && word == "stable" => return Some(vec![]),
            Some(number) if !word.is_empty() && word != "dev" => found.push(Part::Number(number)),
            None if next == "dev" => return Some([found, vec![Part::Dev]].concat()),
            _ => return None,
        }
        rest = after;
    }
    Some(found)
}

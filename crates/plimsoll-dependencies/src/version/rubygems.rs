//! RubyGems' versions (`Gem::Version`): runs of digits and runs of letters; letters make a pre-release.

use super::Number;
use std::cmp::Ordering;

/// Segments without the zeros at the end of the numbers and of what follows them, which have no influence.
#[derive(Debug, Clone)]
pub(super) struct Version(Vec<Segment>);

/// Text comes before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Text(String),
    Number(Number),
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        // `1.0-beta` is read as `1.0.pre.beta`.
        let text = text.replace('-', ".pre.");
        let plain =
            text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !plain || !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let segments: Vec<Segment> = text.split('.').flat_map(segments).collect();
        let numbers = segments.iter().take_while(|segment| matches!(segment, Segment::Number(_))).count();
        let (numbers, rest) = segments.split_at(numbers);
        Some(Self([without_zeros(numbers), without_zeros(rest)].concat()))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let zero = Segment::Number(Number::zero());
        let places = self.0.len().max(other.0.len());
        let at = |version: &Self, place: usize| version.0.get(place).unwrap_or(&zero).clone();
        (0..places)
            .map(|place| at(self, place).cmp(&at(other, place)))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn segments(mut part: &str) -> Vec<Segment> {
    let mut found = Vec::new();
    while let Some(first) = part.bytes().next() {
        let digits = first.is_ascii_digit();
        let end = part.bytes().take_while(|byte| byte.is_ascii_digit() == digits).count();
        let (run, rest) = part.split_at(end);
        found.push(Number::parse(run).map_or_else(|| Segment::Text(run.to_owned()), Segment::Number));
        part = rest;
    }
    found
}

fn without_zeros(segments: &[Segment]) -> &[Segment] {
    let zero = |segment: &&Segment| matches!(segment, Segment::Number(number) if number.is_zero());
    &segments[..segments.len() - segments.iter().rev().take_while(zero).count()]
}

//! NuGet's versions: Semantic Versioning with a fourth number and with pre-releases compared without case (NuGet
//! documentation, "Package versioning").

use super::{
    Number,
    semver::{Identifier, identifiers},
};
use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    numbers: [Number; 4],
    pre: Vec<Identifier>,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.split_once('+').map_or(text, |(text, _)| text).to_ascii_lowercase();
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core, identifiers(pre)?),
            None => (text.as_str(), vec![]),
        };
        let mut parts = core.split('.');
        let mut numbers = [Number::parse(parts.next()?)?, Number::zero(), Number::zero(), Number::zero()];
        for (number, part) in numbers.iter_mut().skip(1).zip(parts.by_ref()) {
            *number = Number::parse(part)?;
        }
        parts.next().is_none().then_some(Self { numbers, pre })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let released = self.pre.is_empty().cmp(&other.pre.is_empty());
        self.numbers.cmp(&other.numbers).then(released).then_with(|| self.pre.cmp(&other.pre))
    }
}

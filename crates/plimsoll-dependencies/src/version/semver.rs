//! Semantic Versioning 2.0.0, section 11. Build metadata has no influence. Go writes a `v` before it, tools and old
//! registries leave numbers out, and some versions hold numbers beyond 64 bits: all of that is read.

use super::Number;
use std::cmp::Ordering;

/// A version by what decides its precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    numbers: [Number; 3],
    pre: Vec<Identifier>,
}

/// One of the dot separated identifiers of a pre-release; numbers come before text (section 11.4.3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identifier {
    Number(Number),
    Text(String),
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("go").unwrap_or(text);
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(text, _)| text);
        let (core, pre) = match text.split_once('-') {
            Some((core, pre)) => (core, identifiers(pre)?),
            None => go_release(text).unwrap_or((text, vec![])),
        };
        Self::new(core, pre)
    }

    /// Of one to three dot separated numbers and a pre-release.
    pub(super) fn new(core: &str, pre: Vec<Identifier>) -> Option<Self> {
        let mut parts = core.split('.');
        let mut numbers = [Number::parse(parts.next()?)?, Number::zero(), Number::zero()];
        for (number, part) in numbers.iter_mut().skip(1).zip(parts.by_ref()) {
            *number = Number::parse(part)?;
        }
        parts.next().is_none().then_some(Self { numbers, pre })
    }
}

/// `1.21rc2` and `1.4beta1`, as Go names its own toolchains: the pre-releases `rc.2` and `beta.1`.
fn go_release(text: &str) -> Option<(&str, Vec<Identifier>)> {
    let at = text.find(|c: char| c.is_ascii_lowercase())?;
    let (core, pre) = text.split_at(at);
    let number = pre.strip_prefix("rc").or_else(|| pre.strip_prefix("beta"))?;
    let kind = Identifier::Text(pre.strip_suffix(number)?.to_owned());
    Some((core, vec![kind, Identifier::Number(Number::parse(number)?)]))
}

pub(super) fn identifiers(text: &str) -> Option<Vec<Identifier>> {
    text.split('.').map(identifier).collect()
}

fn identifier(text: &str) -> Option<Identifier> {
    let valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let number = Number::parse(text).map(Identifier::Number);
    number.or_else(|| valid.then(|| Identifier::Text(text.to_owned())))
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        // A version without pre-release is after all of its pre-releases (section 11.3).
        let released = self.pre.is_empty().cmp(&other.pre.is_empty());
        self.numbers.cmp(&other.numbers).then(released).then_with(|| self.pre.cmp(&other.pre))
    }
}

//! Tokens whose form their provider documents. Each has a rule, a literal by which the prefilter finds it, a shape, and
//! where the provider put one in, a checksum.

use super::shape::{self, Class, Part};
use crate::finding::Rule;

mod ai;
mod checks;
mod clouds;
mod forges;
mod messaging;
mod money;
mod operations;
mod packages;

pub(crate) use checks::{base62_checksum, nkey};

/// How a token of one kind looks.
pub(crate) struct Token {
    pub(crate) rule: Rule,
    /// What the prefilter looks for; at least three bytes, the start of `shape`.
    pub(crate) keywords: &'static [&'static str],
    /// What stands before the keyword and belongs to the token.
    pub(crate) before: Option<(Class, usize, usize)>,
    /// From the keyword on.
    pub(crate) shape: &'static [Part],
    /// Whether a token of this shape proves itself. A failed check leaves it a candidate of the audit.
    pub(crate) check: fn(&[u8]) -> Proof,
}

/// What the checksum or the inner structure of a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It cannot be anything else.
    Proven,
    /// It has nothing to check.
    None,
    /// It is what a secret was made into, and opens nothing by itself.
    Derived,
    /// It has a checksum, and that is wrong: mistyped, invented, or changed by somebody who masks tokens.
    Failed,
}

impl Proof {
    /// Of a check that either holds or does not.
    pub(crate) fn of(holds: bool) -> Self {
        if holds { Self::Proven } else { Self::Failed }
    }
}

/// Nothing to check.
pub(crate) fn unchecked(_: &[u8]) -> Proof {
    Proof::None
}

/// A digest of a password.
pub(crate) fn derived(_: &[u8]) -> Proof {
    Proof::Derived
}

/// All tokens.
pub(crate) static ALL: &[&[Token]] = &[
    forges::TOKENS,
    clouds::TOKENS,
    ai::TOKENS,
    messaging::TOKENS,
    money::TOKENS,
    operations::TOKENS,
    packages::TOKENS,
];

impl Token {
    /// The range of the token around a keyword that was found at `at`, with nothing of its kind on either side.
    pub(crate) fn find(&self, bytes: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
        let start = match self.before {
            None => at,
            Some((class, min, max)) => {
                let before = &bytes[at.saturating_sub(max + 1)..at];
                let length = before.iter().rev().take_while(|byte| class.has(**byte)).count();
                (min..=max).contains(&length).then_some(at - length)?
            }
        };
        let end = at + shape::matched(self.shape, &bytes[at..])?;
        let glued = |byte: Option<&u8>| byte.is_some_and(|byte| shape::WORD.has(*byte));
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        (!glued_before(bytes, start, before) && !glued(bytes.get(end))).then_some(start..end)
    }
}

/// Whether what stands before a token belongs to the same word. The `n` of an escaped newline does not.
fn glued_before(bytes: &[u8], start: usize, before: Option<&u8>) -> bool {
    let escaped = start >= 2 && bytes[start - 2] == b'\\' && matches!(bytes[start - 1], b'n' | b't' | b'r');
    before.is_some_and(|byte| shape::WORD.has(*byte)) && !escaped
}

/// The rule of one token: `rule!("github-token", "GitHub token", Severity, "what it opens", "how to replace it", refs)`.
macro_rules! rule {
    ($name:literal, $title:literal, $severity:ident, $opens:literal, $revoke:literal, [$($reference:literal),*]) => {
        $crate::finding::Rule {
            id: concat!("secrets/", $name),
            title: concat!($title, " in the source"),
            severity: $crate::finding::Severity::$severity,
            help: concat!(
                "Whoever reads this ", $title, " ", $opens, ". Everybody with a clone has it, and it stays in the ",
                "history after the line is gone.\n\n",
                "**What to do:** ", $revoke, " first, since it must count as known. Then take it from a secret store or ",
                "the environment when the program runs.\n\n",
                "Bad: the token written into a file. Good: a reference such as `${", "TOKEN}` that is resolved at run time."
            ),
            references: &[$($reference),*],
        }
    };
}
pub(crate) use rule;

/// One token with one keyword and nothing to check.
pub(crate) const fn token(rule: Rule, keywords: &'static [&'static str], shape: &'static [Part]) -> Token {
    Token { rule, keywords, before: None, shape, check: unchecked }
}

//! From keywords to candidates: what stands at each keyword, how sure that is, and which of several candidates for the
//! same bytes is kept.

use super::extract::{self, Pair};
use super::features::{self, Context, FEATURES, Traits};
use super::formats::{self, Found};
use super::keywords::{self, Hit, Kind};
use super::text::Text;
use super::tokens::{Proof, Token};
use super::{model, rules, value};
use crate::finding::Rule;
use std::ops::Range;

/// Something that may be a secret.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) rule: &'static Rule,
    pub(crate) range: Range<usize>,
    /// Between 0 and 1.
    pub(crate) confidence: f32,
    /// The name that the model judged it by; none where its structure was enough.
    pub(crate) pair: Option<Pair>,
}

/// A comment that allows the secrets of its line, or of the next where it stands alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Allow {
    at: usize,
    /// The rule it names; any where it names none.
    rule: Option<String>,
}

impl Allow {
    /// Whether it is about `candidate`.
    pub(crate) fn covers(&self, text: &Text<'_>, candidate: &Candidate, _line: u32) -> bool {
        const NEAR: usize = 4096;
        let named = self.rule.as_ref().is_none_or(|rule| rule == candidate.rule.id);
        let own = text.line(self.at, NEAR);
        let before =
            text.bytes[own.start..self.at].iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
        let next = text.line(own.end.saturating_add(1), NEAR);
        let same = own.start <= candidate.range.start && candidate.range.start <= own.end;
        let below = before == 0 && next.start <= candidate.range.start && candidate.range.start <= next.end;
        named && (same || below)
    }
}

/// All that was found in one text.
pub(crate) struct Detected {
    /// In order of place, none overlapping another.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) allows: Vec<Allow>,
}

/// Everything in `text` that may be a secret; none where the keywords could not be prepared.
pub(crate) fn detect(path: &str, text: &Text<'_>) -> Option<Detected> {
    let traits = features::traits(path);
    let mut candidates = Vec::new();
    let mut allows = Vec::new();
    let mut named = 0;
    for hit in keywords::hits(&text.bytes)? {
        if text.binary && !matches!(hit.kind, Kind::Token(_) | Kind::Pem) {
            continue;
        }
        match hit.kind {
            Kind::Name => candidates.extend(by_name(&traits, &text.bytes, &hit, &mut named)),
            Kind::Allow => allows.extend(allow(&text.bytes, &hit)),
            _ => candidates.extend(by_structure(&text.bytes, &hit)),
        }
    }
    Some(Detected { candidates: apart(candidates), allows })
}

fn by_structure(bytes: &[u8], hit: &Hit) -> Option<Candidate> {
    let found = |rule, found: Option<Found>| {
        found.map(|found| Candidate { rule, range: found.range, confidence: found.confidence, pair: None })
    };
    match hit.kind {
        Kind::Token(token) => known(token, bytes, hit.start),
        Kind::Pem => found(&rules::PRIVATE_KEY, formats::private_key(bytes, hit.start)),
        Kind::Url => found(&rules::URL, formats::address_password(bytes, hit.start)),
        Kind::Jwt => found(&rules::JWT, formats::web_token(bytes, hit.start)),
        Kind::Scheme => found(&rules::HEADER, formats::header_credentials(bytes, hit.start, hit.end)),
        Kind::Command => found(&rules::COMMAND, formats::command_password(bytes, hit.start, hit.end)),
        Kind::Name | Kind::Allow => None,
    }
}

fn known(token: &'static Token, bytes: &[u8], at: usize) -> Option<Candidate> {
    let range = token.find(bytes, at)?;
    let text = &bytes[range.clone()];
    let body = &text[text.len().min(4)..];
    if value::placeholder(body) || value::sequence(body) || value::has_any(text, &["example", "your", "fake"])
    {
        return None;
    }
    let confidence = match (token.check)(text) {
        Proof::Proven => 0.999,
        Proof::None if value::counts(body).entropy < 2.5 => return None,
        Proof::None => 0.97,
        Proof::Failed => 0.6,
    };
    Some(Candidate { rule: &token.rule, range, confidence, pair: None })
}

/// `named` is the end of the last name that was looked at, so that no name is looked at for each of its words.
fn by_name(traits: &Traits, bytes: &[u8], hit: &Hit, named: &mut usize) -> Option<Candidate> {
    if hit.start < *named {
        return None;
    }
    let name = extract::name_around(bytes, hit.start..hit.end)?;
    *named = name.end;
    let pair = extract::pair(bytes, name)?;
    let text = &bytes[pair.value.clone()];
    if unlikely(text) || traits.lock {
        return None;
    }
    let context = Context::of(traits, bytes, &pair)?;
    let confidence = model::score(&context);
    let rule = rules::of_role(context.role);
    let range = pair.value.clone();
    Some(Candidate { rule, range, confidence, pair: Some(pair) })
}

/// What no model needs to look at.
fn unlikely(text: &[u8]) -> bool {
    text.len() < 3
        || text.len() > 2048
        || value::template(text)
        || value::placeholder(text)
        || !text.iter().any(u8::is_ascii_alphanumeric)
}

/// The numbers behind a candidate, by name.
pub(crate) fn features_of(path: &str, text: &Text<'_>, candidate: &Candidate) -> Vec<(&'static str, f32)> {
    let traits = features::traits(path);
    let context = candidate.pair.as_ref().and_then(|pair| Context::of(&traits, &text.bytes, pair));
    let Some(context) = context else { return Vec::new() };
    FEATURES.iter().map(|(name, _)| *name).zip(features::vector(&context)).collect()
}

/// In order of place; of those that overlap, the surest, and of those the first.
fn apart(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    let rank = |candidate: &Candidate| (candidate.pair.is_none(), candidate.confidence);
    candidates.sort_by_key(|candidate| candidate.range.start);
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        match kept.last_mut() {
            Some(last) if candidate.range.start < last.range.end => {
                if rank(&candidate) > rank(last) {
                    *last = candidate;
                }
            }
            _ => kept.push(candidate),
        }
    }
    kept
}

fn allow(bytes: &[u8], hit: &Hit) -> Option<Allow> {
    let own = bytes[hit.start..hit.end].eq_ignore_ascii_case(b"plimsoll:allow");
    let rest = &bytes[hit.end..bytes.len().min(hit.end + 80)];
    let rest = &rest[..rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())];
    let text = String::from_utf8_lossy(rest);
    let mut words = text.split_whitespace();
    // Ours must name the rule; those of other tools name theirs or none.
    let rule =
        if own { Some(words.next().filter(|word| word.starts_with("secrets/"))?.to_owned()) } else { None };
    Some(Allow { at: hit.start, rule })
}

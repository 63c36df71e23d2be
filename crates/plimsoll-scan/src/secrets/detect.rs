//! From keywords to candidates: what stands at each keyword, how sure that is, and which of several candidates for the
//! same bytes is kept.

use super::decode::{self, Decoded};
use super::extract::{self, Operator, Pair, Quote};
use super::features::{self, Context, FEATURES, FileKind, Traits};
use super::formats::{self, Found};
use super::keywords::{self, Hit, Kind};
use super::names::Role;
use super::text::Text;
use super::tokens::{Proof, Token};
use super::{model, rules, value};
use crate::finding::Rule;
use std::ops::Range;

/// The most confidence that salts and digests of passwords get: they open nothing by themselves, so they stop nobody at a
/// gate.
const AUDIT_ONLY: f32 = 0.8;

/// The least confidence of a password that a generator made. The labelled repositories hold few of them, so the model is less
/// sure than whoever sees one.
const GENERATED: f32 = 0.92;

/// Something that may be a secret.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) rule: &'static Rule,
    pub(crate) range: Range<usize>,
    /// Between 0 and 1.
    pub(crate) confidence: f32,
    /// What the model judged it by; none where its form was enough.
    pub(crate) judged: Option<Judged>,
    /// The secret itself, where the range is of the encoded text that holds it.
    pub(crate) decoded: Option<Vec<u8>>,
}

/// What the model looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pair: Pair,
    /// The role that the structure around gives, and how sure it makes it; none where the name gives the role.
    structure: Option<(Role, f32)>,
}

/// A comment that allows the secrets of its line, or of the next where it stands alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Allow {
    at: usize,
    /// The rule it names; any where it names none.
    rule: Option<String>,
}

/// Whether one of `allows`, which are in order of place, is about what this rule found here: on its line, or alone on the
/// line before.
pub(crate) fn allowed(allows: &[Allow], text: &Text<'_>, at: usize, rule: &str) -> bool {
    const NEAR: usize = 4096;
    let own = text.line(at, NEAR);
    let before = text.line(own.start.saturating_sub(1), NEAR);
    let first = allows.partition_point(|allow| allow.at < before.start);
    let near = allows[first..].iter().take_while(|allow| allow.at <= own.end);
    near.filter(|allow| allow.rule.as_ref().is_none_or(|named| named == rule)).any(|allow| {
        own.start <= allow.at
            || text.bytes[before.start..allow.at].iter().all(|byte| !byte.is_ascii_alphanumeric())
    })
}

/// All that was found in one text.
pub(crate) struct Detected {
    /// In order of place, none overlapping another.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) allows: Vec<Allow>,
    /// Whether everything encoded was decoded.
    pub(crate) whole: bool,
}

/// Everything in `text` that may be a secret.
pub(crate) fn detect(path: &str, text: &Text<'_>) -> Detected {
    let mut budget = decode::BUDGET;
    detect_within(&features::traits(path), text, &mut budget, decode::DEPTH)
}

/// With `depth` more layers of encoding and `budget` more bytes of them.
fn detect_within(traits: &Traits, text: &Text<'_>, budget: &mut usize, depth: usize) -> Detected {
    let mut candidates = Vec::new();
    let mut allows = Vec::new();
    let mut named = 0;
    for hit in keywords::hits(&text.bytes) {
        if text.binary && !matches!(hit.kind, Kind::Token(_) | Kind::Pem) {
            continue;
        }
        match hit.kind {
            Kind::Name => candidates.extend(by_name(traits, &text.bytes, &hit, &mut named)),
            Kind::Allow => allows.extend(allow(&text.bytes, &hit)),
            _ => candidates.extend(by_structure(traits, &text.bytes, &hit)),
        }
    }
    let mut whole = true;
    if depth > 0 {
        let (encoded, reached) = decode::all(&text.bytes, budget);
        whole = reached;
        for part in encoded {
            let inner = detect_within(traits, &Text::of(&part.bytes), budget, depth - 1);
            whole &= inner.whole;
            candidates.extend(outer(inner, &part));
        }
    }
    Detected { candidates: apart(candidates), allows, whole }
}

/// What a decoded part holds, as candidates where the part stands: the surest of a line, and all of what was wrapped into
/// lines, each at its own.
fn outer(inner: Detected, part: &Decoded) -> Vec<Candidate> {
    let moved = |found: Candidate| {
        let range = part.place(&found.range);
        let secret = found.decoded.or_else(|| part.bytes.get(found.range).map(<[u8]>::to_vec));
        Candidate { range, judged: None, decoded: secret, rule: found.rule, confidence: found.confidence }
    };
    let mut candidates = inner.candidates;
    if !part.wrapped() {
        candidates.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
        candidates = candidates.pop().into_iter().collect();
    }
    candidates.into_iter().map(moved).collect()
}

fn by_structure(traits: &Traits, bytes: &[u8], hit: &Hit) -> Option<Candidate> {
    let parsed = |rule, found: Option<Found>| {
        found.map(|found| Candidate {
            rule,
            range: found.range,
            confidence: found.confidence,
            judged: None,
            decoded: None,
        })
    };
    let judge = |role, found: Option<Found>| found.map(|found| judged(traits, bytes, role, found));
    match hit.kind {
        Kind::Token(token) => known(token, bytes, hit.start),
        Kind::Pem => parsed(&rules::PRIVATE_KEY, formats::private_key(bytes, hit.start)),
        Kind::Jwt => parsed(&rules::JWT, formats::web_token(bytes, hit.start)),
        Kind::Url => judge(Role::Address, formats::address_password(bytes, hit.start)),
        Kind::Scheme => judge(Role::Header, formats::header_credentials(bytes, hit.start, hit.end)),
        Kind::Command => judge(Role::Command, formats::command_password(bytes, hit.start, hit.end)),
        Kind::Name | Kind::Allow => None,
    }
}

/// A value whose structure gives it a role; the model says how sure that is.
fn judged(traits: &Traits, bytes: &[u8], role: Role, found: Found) -> Candidate {
    let pair = Pair {
        name: found.name,
        value: found.range.clone(),
        operator: Operator::Inside,
        quote: Quote::None,
        wrapper: None,
        fallback: false,
    };
    let confidence = model::score(&Context::structural(traits, bytes, &pair, role, found.confidence));
    let judged = Some(Judged { pair, structure: Some((role, found.confidence)) });
    Candidate { rule: rules::of_role(role), range: found.range, confidence, judged, decoded: None }
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
        Proof::Derived => AUDIT_ONLY,
    };
    Some(Candidate { rule: &token.rule, range, confidence, judged: None, decoded: None })
}

/// `named` is the end of the last name that was looked at, so that no name is looked at for each of its words.
fn by_name(traits: &Traits, bytes: &[u8], hit: &Hit, named: &mut usize) -> Option<Candidate> {
    if hit.start < *named {
        return None;
    }
    let name = extract::name_around(bytes, hit.start..hit.end)?;
    *named = name.end;
    let pair = extract::pair(bytes, name)?;
    if pair.quote == Quote::None && pair.value.len() > 200 {
        // Names inside such a value would each take the rest of it.
        *named = pair.value.end;
    }
    let text = &bytes[pair.value.clone()];
    if traits.lock || computed(traits, bytes, &pair) || unlikely(text) {
        return None;
    }
    let context = Context::named(traits, bytes, &pair)?;
    let score = model::score(&context);
    let confidence = match context.role {
        Role::Salt => score.min(AUDIT_ONLY),
        Role::Password if score >= 0.5 && generated(&context) => score.max(GENERATED),
        _ => score,
    };
    let rule = rules::of_role(context.role);
    let range = pair.value.clone();
    Some(Candidate { rule, range, confidence, judged: Some(Judged { pair, structure: None }), decoded: None })
}

/// Whether a value is one that a generator of passwords makes, where nothing says that it is an example.
fn generated(context: &Context<'_>) -> bool {
    let counts = &context.counts;
    counts.digits > 0
        && counts.upper > 0
        && counts.lower > 0
        && (10..=64).contains(&context.value.len())
        && value::rarity(context.value) >= 7.0
        && !context.path.test
        && !context.path.example
        && !value::has_any(context.value, &["pass", "pwd", "test", "example", "sample", "demo"])
}

/// Whether a value stands bare where a program would quote it, and reads as part of the program.
fn computed(traits: &Traits, bytes: &[u8], pair: &Pair) -> bool {
    traits.kind == FileKind::Code
        && pair.quote == Quote::None
        && pair.operator != Operator::Query
        && !bytes[pair.value.clone()].iter().any(u8::is_ascii_digit)
        && !features::in_string_or_comment(bytes, pair)
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
    let Some(Judged { pair, structure }) = &candidate.judged else { return Vec::new() };
    let context = match structure {
        Some((role, sure)) => Some(Context::structural(&traits, &text.bytes, pair, *role, *sure)),
        None => Context::named(&traits, &text.bytes, pair),
    };
    let Some(context) = context else { return Vec::new() };
    FEATURES.iter().map(|(name, _)| *name).zip(features::vector(&context)).collect()
}

/// In order of place; of those that overlap, the surest, and of those the first.
fn apart(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    let rank = |candidate: &Candidate| (candidate.judged.is_none(), candidate.confidence);
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

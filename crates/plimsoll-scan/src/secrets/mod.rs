//! The engine that finds secrets: bytes of one file in, findings out. One automaton over the bytes finds keywords; what
//! stands at a keyword is a token of known shape, a key or address that is parsed, or a value whose role its name tells
//! and whose looks a small model judges. Nothing is verified against a provider, and no secret leaves but masked.

mod bigrams;
mod decode;
mod detect;
mod extract;
mod features;
mod formats;
mod keywords;
mod model;
mod names;
mod rules;
mod shape;
mod text;
mod tokens;
mod value;

use crate::finding::{Finding, Fingerprint, ProjectKey};
use crate::report::Gap;
use detect::Candidate;
use plimsoll_model::{Digest, digest::Hasher};
pub use rules::rules;
use std::ops::Range;
use text::{Places, Text};

/// Raised whenever the same bytes may give other findings although rules and weights are the same.
const ALGORITHM: u32 = 1;
/// Bytes of one file that are looked at; what is beyond them is a gap.
const FILE: usize = 256 << 20;
/// Findings in one file that are reported; more are a gap.
const FINDINGS: usize = 5000;

/// Where between missing a secret and a false alarm a scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// A finding may stop somebody: at least 95 in 100 are to be right.
    Gate,
    /// Somebody looks through the findings: better one too many than one missed.
    Audit,
}

impl Point {
    /// The least confidence of what is reported.
    fn threshold(self) -> f32 {
        match self {
            Self::Gate => 0.9,
            Self::Audit => 0.3,
        }
    }
}

/// Finds secrets. Making one costs nothing; the automaton is built once a process, with the first file.
#[derive(Clone)]
pub struct Scanner {
    point: Point,
    key: ProjectKey,
}

/// What was found in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Secrets, in order of place. Excerpts are masked, and messages hold no secret.
    pub findings: Vec<Finding>,
    /// Secrets that a comment beside them allows.
    pub suppressed: Vec<Finding>,
    /// What was not looked at.
    pub gaps: Vec<Gap>,
}

impl Scanner {
    /// At `point`, with fingerprints keyed by `key`.
    #[must_use]
    pub fn new(point: Point, key: ProjectKey) -> Self {
        Self { point, key }
    }

    /// Scans the bytes of one file or blob. `path` tells what kind of file it is and is not opened. Time and memory are
    /// proportional to the bytes.
    pub fn scan(&self, path: &str, bytes: &[u8]) -> Scanned {
        let mut scanned = Scanned::default();
        if bytes.len() > FILE {
            scanned.gaps.push(gap(path, format!("only the first {FILE} bytes were scanned for secrets")));
        }
        let text = Text::of(&bytes[..bytes.len().min(FILE)]);
        let Some(detected) = detect::detect(path, &text) else {
            scanned.gaps.push(gap(path, "the keywords could not be prepared".to_owned()));
            return scanned;
        };
        if !detected.whole {
            scanned.gaps.push(gap(path, "holds more encoded bytes than are decoded".to_owned()));
        }
        self.report(path, &text, &detected, &mut scanned);
        scanned
    }

    fn report(&self, path: &str, text: &Text<'_>, detected: &detect::Detected, scanned: &mut Scanned) {
        let masked: Vec<Range<usize>> =
            detected.candidates.iter().map(|candidate| candidate.range.clone()).collect();
        let mut places = Places::new(&text.bytes);
        let least = self.point.threshold();
        for candidate in detected.candidates.iter().filter(|candidate| candidate.confidence >= least) {
            if scanned.findings.len() + scanned.suppressed.len() == FINDINGS {
                scanned
                    .gaps
                    .push(gap(path, format!("more than {FINDINGS} secrets; the others are not reported")));
                break;
            }
            let finding = self.finding(path, text, candidate, &masked, &mut places);
            let allowed = detect::allowed(&detected.allows, text, candidate);
            if allowed { &mut scanned.suppressed } else { &mut scanned.findings }.push(finding);
        }
    }

    fn finding(
        &self,
        path: &str,
        text: &Text<'_>,
        candidate: &Candidate,
        masked: &[Range<usize>],
        places: &mut Places<'_>,
    ) -> Finding {
        let rule = candidate.rule;
        let secret = candidate.decoded.as_deref().unwrap_or(&text.bytes[candidate.range.clone()]);
        Finding {
            rule: rule.id.to_owned(),
            severity: rule.severity,
            message: rule.title.to_owned(),
            fix: Some(
                "replace it where it is used, then read it from a secret store or the environment".to_owned(),
            ),
            diff: None,
            location: Some(text::locate(path, &text.bytes, places, &candidate.range, masked)),
            subject: String::new(),
            aliases: Vec::new(),
            fingerprint: Fingerprint::of_secret(&self.key, rule.id, secret),
        }
    }
}

fn gap(path: &str, problem: String) -> Gap {
    Gap { path: path.to_owned(), problem }
}

/// What decides which findings the same bytes give: rules, keywords, model and the version of the algorithm.
#[must_use]
pub fn rules_digest() -> Digest {
    let mut hasher = Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    add(&ALGORITHM.to_string());
    rules().iter().for_each(|rule| {
        add(rule.id);
        add(rule.severity.as_str());
    });
    keywords::all().for_each(|(word, _)| add(word));
    add(model::TEXT);
    hasher.finish()
}

/// One value that a name gives a role, with all that the model knows of it. For people who ask why something was or was
/// not found, and for training.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Where the value stands in the text, in bytes.
    pub range: Range<usize>,
    /// Its line, from 1.
    pub line: u32,
    /// The rule it would fall under.
    pub rule: &'static str,
    /// The model's probability that it is a secret.
    pub confidence: f32,
    /// The numbers of the model; none for what is judged by its structure.
    pub features: Vec<(&'static str, f32)>,
}

/// Everything that was considered in a file, whatever came of it. The text of values is not in it.
#[must_use]
pub fn explain(path: &str, bytes: &[u8]) -> Vec<Explained> {
    let text = Text::of(&bytes[..bytes.len().min(FILE)]);
    let Some(detected) = detect::detect(path, &text) else { return Vec::new() };
    let mut places = Places::new(&text.bytes);
    let explained = |candidate: Candidate| Explained {
        line: places.at(candidate.range.start).0,
        rule: candidate.rule.id,
        confidence: candidate.confidence,
        features: detect::features_of(path, &text, &candidate),
        range: candidate.range,
    };
    detected.candidates.into_iter().map(explained).collect()
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

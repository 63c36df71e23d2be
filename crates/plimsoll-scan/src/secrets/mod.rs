//! The engine that finds secrets: bytes of one file in, findings out. One pass over the bytes finds keywords; what
//! stands at a keyword is a token of known shape, a key or address that is parsed, or a value whose role its name tells
//! and whose looks a small model judges. Nothing is verified against a provider, and no secret leaves but masked.

mod bigrams;
mod change;
mod decode;
mod detect;
mod extract;
mod features;
mod formats;
pub mod imported;
mod keywords;
mod model;
mod names;
mod rules;
mod shape;
mod text;
mod tokens;
mod uuid;
mod value;
mod wrap;

use crate::finding::{Finding, Fingerprint, Location, ProjectKey, Severity};
use crate::report::Gap;
pub use change::{Before, Change};
use detect::Candidate;
use imported::{Hit, Imported};
use plimsoll_model::{Digest, digest::Hasher};
pub use rules::rules;
use std::{borrow::Cow, ops::Range, sync::Arc};
use text::{Places, Text};

/// Raised whenever the same bytes may give other findings although rules and weights are the same.
const ALGORITHM: u32 = 2;
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
            Self::Gate => 0.915,
            Self::Audit => 0.35,
        }
    }
}

/// Finds secrets. Making one costs nothing, and the table of keywords is part of the program.
#[derive(Clone)]
pub struct Scanner {
    point: Point,
    key: ProjectKey,
    imported: Option<Arc<Imported>>,
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
    /// Where in the bytes the findings stand, and where the suppressed do. Empty where that cannot be said of all.
    places: [Vec<Range<usize>>; 2],
}

impl Scanner {
    /// At `point`, with fingerprints keyed by `key`.
    #[must_use]
    pub fn new(point: Point, key: ProjectKey) -> Self {
        Self { point, key, imported: None }
    }

    /// The same, which applies these rules beside its own. They add findings and take none away; what one of Plimsoll's
    /// own rules reports with no less severity is not reported once more.
    #[must_use]
    pub fn with(self, imported: Option<Imported>) -> Self {
        Self { imported: imported.map(Arc::new), ..self }
    }

    /// Scans the bytes of one file or blob. `path` tells what kind of file it is and is not opened. Time and memory are
    /// proportional to the bytes.
    pub fn scan(&self, path: &str, bytes: &[u8]) -> Scanned {
        let mut scanned = self.part(path, bytes);
        scanned.findings.splice(0..0, self.of_path(path));
        scanned
    }

    /// Scans a later part of a file: without the rules that are about its path alone.
    pub fn part(&self, path: &str, bytes: &[u8]) -> Scanned {
        let mut scanned = Scanned::default();
        if bytes.len() > FILE {
            scanned.gaps.push(gap(path, format!("only the first {FILE} bytes were scanned for secrets")));
        }
        let text = Text::of(&bytes[..bytes.len().min(FILE)]);
        let detected = detect::detect(path, &text);
        if !detected.whole {
            scanned.gaps.push(gap(path, "holds more encoded bytes than are decoded".to_owned()));
        }
        self.report(path, &text, &detected, &mut scanned);
        scanned
    }

    fn report(&self, path: &str, text: &Text<'_>, detected: &detect::Detected, scanned: &mut Scanned) {
        let (hits, cut) =
            self.imported.as_deref().map(|imported| imported.find(path, &text.bytes)).unwrap_or_default();
        for rule in cut {
            scanned
                .gaps
                .push(gap(path, format!("the imported rule {rule} matches too often to look at all of it")));
        }
        let least = self.point.threshold();
        let own: Vec<&Candidate> =
            detected.candidates.iter().filter(|candidate| candidate.confidence >= least).collect();
        let hits = hits.into_iter().filter(|hit| !known(&own, hit)).map(Shown::Imported);
        let mut uuids = self.uuids(path, text);
        uuids.retain(|uuid| over(&own, &uuid.range).next().is_none());
        let mut shown: Vec<Shown<'_>> =
            own.iter().copied().chain(&uuids).map(Shown::Own).chain(hits).collect();
        shown.sort_by_key(|shown| shown.range().start);
        // Of what an imported rule matches nobody knows which part is the secret but its author, so all of it is masked.
        let masked = detected.candidates.iter().map(|candidate| candidate.range.clone());
        let masked = apart(masked.chain(shown.iter().map(Shown::masked)).collect());
        let mut places = Places::new(&text.bytes);
        for shown in &shown {
            if scanned.findings.len() + scanned.suppressed.len() == FINDINGS {
                scanned
                    .gaps
                    .push(gap(path, format!("more than {FINDINGS} secrets; the others are not reported")));
                break;
            }
            let mut finding = self.finding(text, shown);
            finding.location = Some(text::locate(path, &text.bytes, &mut places, &shown.range(), &masked));
            let allowed = detect::allowed(&detected.allows, text, shown.range().start, &finding.rule);
            if allowed { &mut scanned.suppressed } else { &mut scanned.findings }.push(finding);
            let Range { start, end } = shown.range();
            scanned.places[usize::from(allowed)].push(start + text.start..end + text.start);
        }
        if matches!(text.bytes, Cow::Owned(_)) || shown.iter().any(Shown::decoded) {
            scanned.places = Default::default();
        }
    }

    /// UUIDs, which are for the audit alone.
    fn uuids(&self, path: &str, text: &Text<'_>) -> Vec<Candidate> {
        let wanted = self.point == Point::Audit && !text.binary;
        if wanted { uuid::candidates(&features::traits(path), &text.bytes) } else { Vec::new() }
    }

    /// A finding without its place.
    fn finding(&self, text: &Text<'_>, shown: &Shown<'_>) -> Finding {
        let bytes = &text.bytes[shown.range()];
        match shown {
            Shown::Own(Candidate { rule, decoded, .. }) => {
                let secret = decoded.as_deref().unwrap_or(bytes);
                let mut finding = self.of_rule(rule.id.to_owned(), rule.severity, rule.title, secret);
                if std::ptr::eq(*rule, &rules::UUID) {
                    finding.fix = Some("replace it if it opens something to whoever knows it".to_owned());
                }
                finding
            }
            Shown::Imported(hit) => {
                let (name, message) =
                    self.imported.as_deref().map_or(("", ""), |rules| (rules.name(hit), rules.message(hit)));
                let rule = &imported::RULE;
                self.of_rule(format!("{}/{name}", rule.id), rule.severity, message, bytes)
            }
        }
    }

    fn of_rule(&self, rule: String, severity: Severity, message: &str, secret: &[u8]) -> Finding {
        Finding {
            severity,
            message: message.to_owned(),
            fix: Some(
                "replace it where it is used, then read it from a secret store or the environment".to_owned(),
            ),
            diff: None,
            location: None,
            subject: String::new(),
            aliases: Vec::new(),
            fingerprint: Fingerprint::of_secret(&self.key, &rule, secret),
            rule,
        }
    }

    /// What imported rules say of a path alone.
    fn of_path(&self, path: &str) -> Vec<Finding> {
        let Some(imported) = self.imported.as_deref() else { return Vec::new() };
        let finding = |(name, message): (&str, &str)| {
            let rule = &imported::RULE;
            let id = format!("{}/{name}", rule.id);
            let mut finding = self.of_rule(id, rule.severity, message, path.as_bytes());
            finding.fix = Some("take the file out, and replace what it holds where it is used".to_owned());
            finding.location = Some(Location {
                path: path.to_owned(),
                line: 1,
                column: 1,
                end_line: 1,
                end_column: 1,
                excerpt: String::new(),
                commit: None,
            });
            finding
        };
        imported.of_path(path).map(finding).collect()
    }
}

/// What is reported.
enum Shown<'a> {
    Own(&'a Candidate),
    Imported(Hit),
}

impl Shown<'_> {
    fn range(&self) -> Range<usize> {
        match self {
            Self::Own(candidate) => candidate.range.clone(),
            Self::Imported(hit) => hit.secret.clone(),
        }
    }

    /// Whether it stands in something that was decoded, of which any part may be decisive.
    fn decoded(&self) -> bool {
        matches!(self, Self::Own(Candidate { decoded: Some(_), .. }))
    }

    fn masked(&self) -> Range<usize> {
        match self {
            Self::Own(candidate) => candidate.range.clone(),
            Self::Imported(hit) => hit.matched.clone(),
        }
    }
}

/// Whether one of our own rules, whose findings are in order of place, reports the same and takes it as seriously.
fn known(own: &[&Candidate], hit: &Hit) -> bool {
    over(own, &hit.matched).any(|candidate| candidate.rule.severity >= imported::RULE.severity)
}

/// Those of `own`, which are in order of place, that overlap `range`.
fn over<'a>(own: &[&'a Candidate], range: &Range<usize>) -> impl Iterator<Item = &'a Candidate> {
    let first = own.partition_point(|candidate| candidate.range.end <= range.start);
    own[first..].iter().copied().take_while(|candidate| candidate.range.start < range.end)
}

/// The same bytes as ranges in order that do not overlap.
fn apart(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

fn gap(path: &str, problem: String) -> Gap {
    Gap { path: path.to_owned(), problem }
}

/// What decides which findings the same bytes give: rules, keywords, model, the version of the algorithm, and what was
/// imported.
#[must_use]
pub fn rules_digest(imported: Option<Digest>) -> Digest {
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
    if let Some(imported) = imported {
        add(&imported.to_string());
    }
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
    let detected = detect::detect(path, &text);
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
mod sample;
#[cfg(test)]
mod tests;

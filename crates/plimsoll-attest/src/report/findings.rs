//! What one finding of a foreign tool is, whatever its format: a rule, a place in the subject, how bad it is, and who it
//! is. Identity comes from content, never from a line, so that a finding stays the same when the lines around it move.

use super::{Limits, ScanReport};
use plimsoll_model::{Digest, Hasher, ReportFormat, Severity, SeverityMap, reason::printable};
use std::collections::{BTreeMap, BTreeSet};

/// How a report is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Its format.
    pub format: ReportFormat,
    /// Name of the tool; part of who a finding is.
    pub tool: &'a str,
    /// What its words for severity mean.
    pub severity: &'a SeverityMap,
    /// How many rules the tool applies, where its reports do not say.
    pub rules: Option<u64>,
    /// Where the subject was, absolute: a path below it is a path of the subject, and any other absolute path is not.
    pub subject: &'a str,
    /// What the report may cost to read.
    pub limits: Limits,
}

/// One finding of a foreign tool. All text is printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The rule, as the tool calls it.
    pub rule: String,
    /// How bad it is, on the one scale.
    pub severity: Severity,
    /// One line.
    pub message: String,
    /// Path below the subject, or what else the finding is about: a package, an address.
    pub place: Option<String>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// Package URL of what it is about, where the report says one.
    pub package: Option<String>,
    /// Names of the advisory behind it, sorted, each once; at most 50.
    pub advisories: Vec<String>,
    /// Whether the tool counts it as suppressed.
    pub suppressed: bool,
    /// Who it is: over the tool, the rule, the place and what was found there, and how many such came before it.
    pub fingerprint: Digest,
}

/// What a reader says of a finding; [`Collector`] makes it a [`Found`].
pub(super) struct Raw<'a> {
    pub(super) rule: &'a str,
    pub(super) severity: Severity,
    pub(super) message: &'a str,
    /// A URI or a path.
    pub(super) place: Option<&'a str>,
    pub(super) line: Option<u64>,
    pub(super) suppressed: bool,
    /// What was found there: a piece of text, a content hash of the tool.
    pub(super) content: &'a str,
    pub(super) about: About<'a>,
}

/// What a finding is about, beyond its rule and its place.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'a> {
    /// A package URL.
    pub(super) package: Option<&'a str>,
    /// Other names of the rule; those that are names of advisories count.
    pub(super) names: &'a [String],
}

/// Bytes of a name of an advisory or a package. What is longer is left out, and then nothing by that name is about it.
const MAX_NAME: usize = 1000;
/// Names of one advisory.
const MAX_NAMES: usize = 50;

/// The name of an advisory at the beginning of a rule's: some tools add the package to it.
#[must_use]
pub fn advisory(rule: &str) -> Option<&str> {
    let parts = match rule.split('-').next()?.to_ascii_uppercase().as_str() {
        "CVE" | "RUSTSEC" | "PYSEC" | "MAL" | "GO" => 3,
        "GHSA" => 4,
        _ => return None,
    };
    let mut ends = rule.match_indices('-').map(|(at, _)| at).chain([rule.len()]);
    let named = ends.nth(parts - 1).and_then(|end| rule.get(..end))?;
    (named.len() <= MAX_NAME && !named.chars().any(char::is_control)).then_some(named)
}

fn advisories(rule: &str, names: &[String]) -> Vec<String> {
    let all = std::iter::once(rule).chain(names.iter().map(String::as_str));
    let all: BTreeSet<&str> = all.filter_map(advisory).take(MAX_NAMES).collect();
    all.into_iter().map(str::to_owned).collect()
}

fn package(raw: &Raw<'_>) -> Option<String> {
    let named = raw.about.package.or(raw.place)?;
    let whole = named.starts_with("pkg:") && named.len() <= MAX_NAME && printable(named, MAX_NAME) == named;
    whole.then(|| named.to_owned())
}

/// Collects the findings of a report.
pub(super) struct Collector<'a> {
    reading: &'a Reading<'a>,
    seen: BTreeMap<Digest, u64>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(reading: &'a Reading<'a>) -> Self {
        Self { reading, seen: BTreeMap::new() }
    }

    pub(super) const fn severity(&self) -> &'a SeverityMap {
        self.reading.severity
    }

    pub(super) fn add(&mut self, raw: &Raw<'_>, report: &mut ScanReport) {
        let place = raw.place.map(|place| place_of(place, self.reading.subject));
        if let Some(Place::Elsewhere(named)) = &place {
            report.elsewhere.get_or_insert_with(|| named.clone());
        }
        let place = place.map(|place| match place {
            Place::Below(path) | Place::Other(path) | Place::Elsewhere(path) => path,
        });
        let content = raw.content.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = [self.reading.tool, raw.rule, place.as_deref().unwrap_or_default(), &content];
        let base = framed(&parts.map(str::as_bytes));
        let before = self.seen.entry(base).or_insert(0);
        let fingerprint = framed(&[base.as_bytes(), &before.to_be_bytes()]);
        *before += 1;
        report.results.push(Found {
            rule: printable(raw.rule, 200),
            severity: raw.severity,
            message: printable(raw.message.trim(), 300),
            place,
            line: raw.line.filter(|line| *line > 0),
            package: package(raw),
            advisories: advisories(raw.rule, raw.about.names),
            suppressed: raw.suppressed,
            fingerprint,
        });
    }
}

/// Digest of some parts, each after its length, so that no two lists of parts have the same bytes.
fn framed(parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finish()
}

/// What a place in a report means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A path below the subject; empty for the subject itself.
    Below(String),
    /// Something that is no file.
    Other(String),
    /// A file that is not of the subject.
    Elsewhere(String),
}

/// A URI reference (RFC 3986, section 4.1) or a path, as a path below `subject`.
fn place_of(text: &str, subject: &str) -> Place {
    let shown = printable(text, 300);
    let path = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
            // `file:///a`, `file://host/a` and `file:/a` (RFC 8089).
            let rest =
                rest.strip_prefix("//").map_or(rest, |rest| rest.find('/').map_or("", |at| &rest[at..]));
            if rest.is_empty() {
                return Place::Elsewhere(shown);
            }
            rest
        }
        Some((scheme, _)) if is_scheme(scheme) => return Place::Other(shown),
        _ => text,
    };
    let path = decoded(path);
    let below = match path.strip_prefix('/') {
        None => Some(path.as_str()),
        Some(_) => path.strip_prefix(subject).filter(|rest| rest.is_empty() || rest.starts_with('/')),
    };
    let mut parts: Vec<&str> = Vec::new();
    let Some(below) = below.filter(|below| !below.contains('\0')) else { return Place::Elsewhere(shown) };
    for part in below.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Place::Elsewhere(shown);
                }
            }
            part => parts.push(part),
        }
    }
    Place::Below(printable(&parts.join("/"), 300))
}

/// RFC 3986, section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Percent-encoded bytes as what they stand for; a `%` that begins none stays.
fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 3).filter(|_| byte == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_advisory_is_known_at_the_beginning_of_a_rule() {
        for (rule, expect) in [
            ("CVE-2021-23337", Some("CVE-2021-23337")),
            ("cve-2021-23337", Some("cve-2021-23337")),
            ("GHSA-35jh-r3h4-6jhm-lodash", Some("GHSA-35jh-r3h4-6jhm")),
            ("GO-2021-0113", Some("GO-2021-0113")),
            ("RUSTSEC-2021-0003-smallvec-utf8", Some("RUSTSEC-2021-0003")),
            ("MAL-2026-1", Some("MAL-2026-1")),
            ("GHSA-35jh-r3h4", None),
            ("CVE-2021", None),
            ("CVE", None),
            ("", None),
            ("DL3004", None),
            ("CVEs-are-bad", None),
        ] {
            assert_eq!(advisory(rule), expect, "{rule}");
        }
    }

    #[test]
    fn places_are_paths_of_the_subject_or_something_else() {
        let below = |path: &str| Place::Below(path.to_owned());
        for (text, expect) in [
            ("a/b.c", below("a/b.c")),
            ("./a//b", below("a/b")),
            ("a/../b", below("b")),
            ("a%20b/%C3%BC", below("a b/ü")),
            ("100%", below("100%")),
            ("/src/a", below("a")),
            ("/src", below("")),
            ("file:///src/a%20b", below("a b")),
            ("file://localhost/src/a", below("a")),
            ("file:/src/a", below("a")),
            ("FILE:///src/a", below("a")),
        ] {
            assert_eq!(place_of(text, "/src"), expect, "{text}");
        }
        for text in ["http://localhost:8080/x", "pkg:npm/left-pad@1.0.0", "oci:image"] {
            assert_eq!(place_of(text, "/src"), Place::Other(text.into()), "{text}");
        }
        for text in [
            "../etc/passwd",
            "a/../../x",
            "%2e%2e/x",
            "/etc/passwd",
            "/srcery/a",
            "file:///etc/passwd",
            "file:",
            "file://host",
            "file:///src/../etc/passwd",
            "a%00b",
        ] {
            assert!(matches!(place_of(text, "/src"), Place::Elsewhere(_)), "{text}");
        }
    }
}

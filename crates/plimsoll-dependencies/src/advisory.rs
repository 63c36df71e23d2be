//! Advisories as their databases publish them: OSV records, read within limits and reduced to what decides. What a record
//! does not say is never made up; a record that cannot be read is told, not dropped.

pub mod archive;
pub mod priority;
mod wire;

use crate::version::{Scheme, Version};
use plimsoll_model::Timestamp;
use plimsoll_scan::Severity;
use std::cmp::Ordering;

/// Bytes of one record. The largest published ones, which list every version of a kernel, have some 2 MiB.
pub const MAX_RECORD: usize = 8 << 20;
/// Packages, ranges, events or versions of one record, each.
pub const MAX_ENTRIES: usize = 100_000;

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Something else that lies beside records: a licence, a schema, an index.
    #[error("it is no OSV record")]
    NotARecord,
    /// Larger than [`MAX_RECORD`].
    #[error("it has more than {MAX_RECORD} bytes")]
    TooLarge,
    /// A list of it is longer than [`MAX_ENTRIES`].
    #[error("it lists more than {MAX_ENTRIES} {0}")]
    TooMany(&'static str),
    /// Not of the shape that the OSV schema describes.
    #[error("{0}")]
    Malformed(String),
}

/// One advisory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// As in `RUSTSEC-2023-0022`.
    pub id: String,
    /// When it was changed last.
    pub modified: Timestamp,
    /// Taken back by who published it: it is about nothing.
    pub withdrawn: bool,
    /// Other names of the same, in order.
    pub aliases: Vec<String>,
    /// One line of what is wrong; the beginning of the details where the database writes none.
    pub summary: String,
    /// How bad it is, if the record says.
    pub severity: Option<Severity>,
    /// What it is about.
    pub affected: Vec<Affected>,
}

/// What a record says about one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// As the record writes it: `crates.io`, `Debian:12`.
    pub ecosystem: String,
    /// As the record writes it.
    pub name: String,
    /// What kind of warning it is.
    pub kind: Kind,
    /// Ranges of versions. Ranges of commits are left out: a lock file names versions.
    pub ranges: Vec<Range>,
    /// Single versions.
    pub versions: Vec<String>,
}

/// What an advisory warns of, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Something to know.
    Notice,
    /// Nobody maintains it.
    Unmaintained,
    /// It can break what the language promises, with no attack known.
    Unsound,
    /// It can be attacked.
    Vulnerable,
    /// It is an attack.
    Malicious,
}

/// A range as its events (OSV schema 1.7, "affected[].ranges[].events field").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Range {
    /// What happens at which version, in the order of the record.
    pub events: Vec<Event>,
    /// Versions at and above which the range says nothing; the greatest counts.
    pub limits: Vec<String>,
}

/// An event of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// From this version on; `0` is before all versions.
    Introduced(String),
    /// No longer from this version on.
    Fixed(String),
    /// No longer after this version.
    LastAffected(String),
}

/// Versions of which all are affected. Only [`intervals`] makes them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// The first; none for the beginning.
    pub from: Option<String>,
    /// Where it ends.
    pub to: End,
    /// Versions at and above this are not part of it; none where the record sets no limit.
    pub limit: Option<String>,
}

impl Interval {
    /// All versions.
    pub const EVERYTHING: Self = Self { from: None, to: End::Open, limit: None };
}

/// Where an interval ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Nowhere: no fix is known.
    Open,
    /// Before this version, which fixes it.
    Before(String),
    /// With this version; which one fixes it is not known.
    With(String),
}

impl Record {
    /// Reads a record in JSON, or in YAML where the name of the file says so.
    ///
    /// # Errors
    /// For what is no record, or not within the limits.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, RecordError> {
        wire::read(file, bytes)
    }
}

/// The way versions of an OSV ecosystem are ordered; none for those that no reader here knows.
#[must_use]
pub fn scheme(ecosystem: &str) -> Option<Scheme> {
    let family = ecosystem.split_once(':').map_or(ecosystem, |(family, _)| family);
    Some(match family {
        "crates.io" | "Go" | "Hex" | "Pub" | "SwiftURL" | "GitHub Actions" | "Julia" => Scheme::Semver,
        "npm" => Scheme::Npm,
        "PyPI" => Scheme::Pep440,
        "Maven" => Scheme::Maven,
        "RubyGems" => Scheme::RubyGems,
        "Packagist" => Scheme::Composer,
        "NuGet" => Scheme::NuGet,
        "Debian" | "Ubuntu" => Scheme::Dpkg,
        "Red Hat" | "Rocky Linux" | "AlmaLinux" | "SUSE" | "openSUSE" | "Mageia" | "openEuler"
        | "Azure Linux" => Scheme::Rpm,
        "Alpine" | "Wolfi" | "Chainguard" => Scheme::Apk,
        _ => return None,
    })
}

/// The intervals that a range means, by OSV's own evaluation: events are taken in the order of their versions, and each
/// switches what follows it on or off. None where a version of it has no order.
#[must_use]
pub fn intervals(scheme: Scheme, range: &Range) -> Option<Vec<Interval>> {
    let limit = limit(scheme, &range.limits)?;
    let mut found = Vec::new();
    let mut open: Option<Option<String>> = None;
    // An end that had nothing to end. What begins there, and stands before it in the record, ended as it began.
    let mut idle: Option<&Placed<'_>> = None;
    for placed in &sorted(scheme, &range.events)? {
        match placed.event {
            Event::Introduced(version) => {
                let empty = idle
                    .is_some_and(|end| order(&end.version, &placed.version).is_eq() && placed.at < end.at);
                if !empty {
                    open.get_or_insert_with(|| (version != "0").then(|| version.clone()));
                }
            }
            Event::Fixed(version) => {
                idle = open.is_none().then_some(placed);
                close(&mut found, &mut open, End::Before(version.clone()), &limit);
            }
            Event::LastAffected(version) => close(&mut found, &mut open, End::With(version.clone()), &limit),
        }
    }
    close(&mut found, &mut open, End::Open, &limit);
    Some(found)
}

fn close(found: &mut Vec<Interval>, open: &mut Option<Option<String>>, to: End, limit: &Option<String>) {
    if let Some(from) = open.take() {
        found.push(Interval { from, to, limit: limit.clone() });
    }
}

/// The greatest limit: what is below any of them is within the range.
fn limit(scheme: Scheme, limits: &[String]) -> Option<Option<String>> {
    if limits.iter().any(|limit| limit == "*") {
        return Some(None);
    }
    let mut greatest: Option<(Version, &String)> = None;
    for text in limits {
        let version = Version::parse(scheme, text)?;
        if greatest.as_ref().is_none_or(|(known, _)| known.compare(&version) == Some(Ordering::Less)) {
            greatest = Some((version, text));
        }
    }
    Some(greatest.map(|(_, text)| text.clone()))
}

/// An event with its version, none for `0`, and its place in the record.
struct Placed<'a> {
    version: Option<Version>,
    at: usize,
    event: &'a Event,
}

/// Events in the order of their versions. At one version what is fixed comes before what begins, so that a record that says both
/// leaves the version affected, and what begins before what ends with it.
fn sorted(scheme: Scheme, events: &[Event]) -> Option<Vec<Placed<'_>>> {
    let mut placed = Vec::with_capacity(events.len());
    for (at, event) in events.iter().enumerate() {
        let (Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text)) = event;
        let version = if text == "0" { None } else { Some(Version::parse(scheme, text)?) };
        placed.push(Placed { version, at, event });
    }
    let rank = |event: &Event| match event {
        Event::Fixed(_) => 0,
        Event::Introduced(_) => 1,
        Event::LastAffected(_) => 2,
    };
    placed.sort_by(|a, b| order(&a.version, &b.version).then(rank(a.event).cmp(&rank(b.event))));
    Some(placed)
}

/// `0`, here none, is before every version.
fn order(a: &Option<Version>, b: &Option<Version>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.compare(b).unwrap_or(Ordering::Equal),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The name under which packages of an ecosystem are looked up: registries that do not tell spellings apart have one for
/// all of them.
#[must_use]
pub fn lookup_name(ecosystem: &str, name: &str) -> String {
    match ecosystem {
        "PyPI" => {
            // PEP 503, "Normalized Names".
            let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
            parts.collect::<Vec<_>>().join("-").to_ascii_lowercase()
        }
        "NuGet" | "Packagist" | "GitHub Actions" => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    }
}

/// The ecosystem under which packages are looked up: Ubuntu's long-term releases are named with and without `:LTS`.
#[must_use]
pub fn lookup_ecosystem(ecosystem: &str) -> &str {
    match ecosystem.strip_suffix(":LTS") {
        Some(release) if release.starts_with("Ubuntu:") => release,
        _ => ecosystem,
    }
}

#[cfg(test)]
mod tests;

//! The OSV schema (1.7) as far as it is read. Fields that are not named here are for people; null is the same as nothing.

use super::{Affected, Event, Kind, MAX_ENTRIES, MAX_RECORD, Range, Record, RecordError};
use plimsoll_model::Timestamp;
use plimsoll_scan::Severity;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::str::FromStr as _;

/// Characters of a summary that are kept.
const MAX_SUMMARY: usize = 200;

#[derive(Deserialize)]
struct WireRecord {
    id: Option<String>,
    modified: Option<String>,
    withdrawn: Option<String>,
    #[serde(default, deserialize_with = "listed")]
    aliases: Vec<String>,
    summary: Option<String>,
    details: Option<String>,
    #[serde(default, deserialize_with = "listed")]
    severity: Vec<WireSeverity>,
    #[serde(default, deserialize_with = "listed")]
    affected: Vec<WireAffected>,
    database_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct WireSeverity {
    #[serde(default)]
    score: String,
}

#[derive(Deserialize)]
struct WireAffected {
    package: Option<WirePackage>,
    #[serde(default, deserialize_with = "listed")]
    severity: Vec<WireSeverity>,
    #[serde(default, deserialize_with = "listed")]
    ranges: Vec<WireRange>,
    #[serde(default, deserialize_with = "listed")]
    versions: Vec<String>,
    database_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct WirePackage {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct WireRange {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "listed")]
    events: Vec<WireEvent>,
}

#[derive(Deserialize)]
struct WireEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

/// What databases add: RustSec its `informational`, GitHub its `severity`.
#[derive(Deserialize)]
struct Specific {
    informational: Option<serde_json::Value>,
    severity: Option<serde_json::Value>,
}

fn listed<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Record, RecordError> {
    if bytes.len() > MAX_RECORD {
        return Err(RecordError::TooLarge);
    }
    let yaml = file.ends_with(".yaml") || file.ends_with(".yml");
    record(if yaml { from_yaml(bytes)? } else { from_json(bytes)? })
}

fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordError> {
    serde_json::from_slice(bytes).map_err(|error| malformed(bytes, &error.to_string()))
}

fn from_yaml<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RecordError> {
    let text = std::str::from_utf8(bytes).map_err(|error| RecordError::Malformed(error.to_string()))?;
    serde_saphyr::from_str(text).map_err(|error| malformed(bytes, &first_line(&error.to_string())))
}

/// What has no object at its top is no record at all.
fn malformed(bytes: &[u8], problem: &str) -> RecordError {
    match bytes.trim_ascii_start().first() {
        Some(b'[' | b'"') => RecordError::NotARecord,
        _ => RecordError::Malformed(problem.to_owned()),
    }
}

fn record(wire: WireRecord) -> Result<Record, RecordError> {
    let (Some(id), Some(modified)) = (wire.id, wire.modified) else { return Err(RecordError::NotARecord) };
    if id.is_empty() || id.len() > 200 || id.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(RecordError::Malformed("its id is no name".to_owned()));
    }
    let modified = Timestamp::from_str(&modified)
        .map_err(|_| RecordError::Malformed(format!("`modified` is no time: {}", first_line(&modified))))?;
    within(wire.aliases.len(), "aliases")?;
    within(wire.affected.len(), "packages")?;
    let mut aliases: Vec<String> = wire.aliases.iter().map(|alias| first_line(alias)).collect();
    aliases.retain(|alias| !alias.is_empty() && *alias != id);
    aliases.sort_unstable();
    aliases.dedup();
    let malicious = std::iter::once(&id).chain(&aliases).any(|id| id.starts_with("MAL-"));
    let of_packages = wire.affected.iter().flat_map(|affected| &affected.severity);
    let stated = wire.severity.iter().chain(of_packages).filter_map(|one| scored(&one.score)).max();
    let severity = stated.or_else(|| named(wire.database_specific.as_ref()?.severity.as_ref()?));
    let affected = wire.affected.into_iter().filter_map(|one| affected(one, malicious).transpose());
    Ok(Record {
        modified,
        withdrawn: wire.withdrawn.is_some(),
        summary: summary(wire.summary.as_deref(), wire.details.as_deref()),
        severity,
        affected: affected.collect::<Result<_, _>>()?,
        id,
        aliases,
    })
}

fn within(count: usize, what: &'static str) -> Result<(), RecordError> {
    if count > MAX_ENTRIES { Err(RecordError::TooMany(what)) } else { Ok(()) }
}

/// None for what names no package: it is about commits alone.
fn affected(wire: WireAffected, malicious: bool) -> Result<Option<Affected>, RecordError> {
    let Some(package) = wire.package else { return Ok(None) };
    within(wire.ranges.len(), "ranges")?;
    within(wire.versions.len(), "versions")?;
    let ranges = wire.ranges.into_iter().filter(|range| range.kind != "GIT").map(range);
    Ok(Some(Affected {
        kind: if malicious { Kind::Malicious } else { kind(wire.database_specific.as_ref()) },
        ecosystem: package.ecosystem,
        name: package.name,
        ranges: ranges.collect::<Result<_, _>>()?,
        versions: wire.versions,
    }))
}

fn kind(specific: Option<&Specific>) -> Kind {
    let informational = specific.and_then(|specific| specific.informational.as_ref()?.as_str());
    match informational {
        Some("unmaintained") => Kind::Unmaintained,
        Some("unsound") => Kind::Unsound,
        Some("notice") => Kind::Notice,
        Some(_) | None => Kind::Vulnerable,
    }
}

/// An event object has one field; where a record crams several into one, each counts.
fn range(wire: WireRange) -> Result<Range, RecordError> {
    within(wire.events.len(), "events")?;
    let mut range = Range::default();
    for event in wire.events {
        range.events.extend(event.introduced.map(Event::Introduced));
        range.events.extend(event.fixed.map(Event::Fixed));
        range.events.extend(event.last_affected.map(Event::LastAffected));
        range.limits.extend(event.limit);
    }
    Ok(range)
}

/// The severity of a CVSS vector of any version; none for scores of another kind.
fn scored(vector: &str) -> Option<Severity> {
    let severity = cvss::Cvss::from_str(vector.trim()).ok()?.severity();
    Some(match severity {
        cvss::Severity::None => Severity::Info,
        cvss::Severity::Low => Severity::Low,
        cvss::Severity::Medium => Severity::Medium,
        cvss::Severity::High => Severity::High,
        cvss::Severity::Critical => Severity::Critical,
    })
}

/// The word that GitHub's advisories use.
fn named(word: &serde_json::Value) -> Option<Severity> {
    match word.as_str()?.to_ascii_lowercase().as_str() {
        "low" => Some(Severity::Low),
        "moderate" | "medium" => Some(Severity::Medium),
        "high" => Some(Severity::High),
        "critical" => Some(Severity::Critical),
        _ => None,
    }
}

fn summary(summary: Option<&str>, details: Option<&str>) -> String {
    let given = [summary, details].into_iter().flatten().map(str::trim).find(|text| !text.is_empty());
    first_line(given.unwrap_or_default())
}

/// The first line that says something, without control characters and not too long.
pub(super) fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.trim_start_matches(['#', ' ']);
    let mut shown: String = line.chars().filter(|c| !c.is_control()).take(MAX_SUMMARY).collect();
    if line.chars().nth(MAX_SUMMARY).is_some() {
        shown.push('…');
    }
    shown
}

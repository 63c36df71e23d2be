//! SARIF 2.1.0 (OASIS standard, with errata 01) as a foreign tool wrote it. Only what decides is read, and that part
//! strictly. Where the specification leaves a choice, the reading that finds more is taken:
//!
//! | a result says | it counts as |
//! |---|---|
//! | `level` error, warning, note | that level, whatever its `kind` |
//! | kind `fail` (the default), no `level` | the level of its rule, raised by an override of an invocation, never lowered; a rule without one is `warning` (section 3.27.10) |
//! | kind `fail`, `level` none | note |
//! | kind `review` or `open` | warning: the tool could not say that all is well |
//! | kind `pass`, `notApplicable`, `informational` | not a finding |
//! | suppressed, and no suppression rejected or under review (section 3.27.23) | apart, in [`ScanReport::suppressed`] |
//!
//! `baselineState`, `rank` and property bags change nothing.

mod places;
mod rules;
#[cfg(test)]
mod tests;

use super::{
    Limits, ReportError,
    fields::{Object, as_object, list, object, objects, position, text},
    findings::{About, Collector, Found, Raw, Reading},
    json, malformed,
};
use places::Places;
use plimsoll_model::reason::printable;
use rules::Rules;
use serde_json::Value;
use std::collections::BTreeSet;

/// Runs of one log: each is kept with the name of its tool.
const MAX_RUNS: usize = 1_000;

/// How much a finding matters to the tool that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// A problem.
    Warning,
    /// A serious problem.
    Error,
}

/// Results by level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Results of level `error`.
    pub error: u64,
    /// Results of level `warning`.
    pub warning: u64,
    /// Results of level `note`.
    pub note: u64,
}

impl Tally {
    pub(super) fn count(&mut self, level: Level) {
        match level {
            Level::Error => self.error += 1,
            Level::Warning => self.warning += 1,
            Level::Note => self.note += 1,
        }
    }

    /// Results of this level or a higher one.
    #[must_use]
    pub const fn at_least(&self, level: Level) -> u64 {
        match level {
            Level::Error => self.error,
            Level::Warning => self.error + self.warning,
            Level::Note => self.error + self.warning + self.note,
        }
    }
}

/// A tool as it names itself. Nobody checked that; which program ran is the engine's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// `driver.name`, printable.
    pub name: String,
    /// `driver.semanticVersion` or `driver.version`, printable.
    pub version: Option<String>,
}

/// What a scan said, over all runs of the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// The tool of each run.
    pub tools: Vec<Tool>,
    /// Rules of all drivers and extensions.
    pub rules: u64,
    /// Findings that are not suppressed.
    pub findings: Tally,
    /// Findings that the tool counts as suppressed, by the source or by its configuration.
    pub suppressed: Tally,
    /// Results that are no findings.
    pub other: u64,
    /// Commits that the runs say they looked at (`versionControlProvenance`), printable.
    pub revisions: BTreeSet<String>,
    /// Why a run did not come to its end, if one says so.
    pub broken: Option<String>,
    /// Why a run looked at nothing, if one did: no runs, no rules, no list of results, an empty list of artifacts.
    pub empty: Option<String>,
    /// Every finding, where the report was read with [`super::read_scan`].
    pub results: Vec<Found>,
    /// A file that is not of the subject, if a finding names one.
    pub elsewhere: Option<String>,
}

/// Reads a SARIF 2.1.0 log.
///
/// # Errors
/// When it is too large, cut off, not SARIF 2.1.0, has a key twice, refers to a rule that it does not have, or keeps
/// part of its content in other files. A log of nothing is not an error here: [`super::judge_scan`] refuses it.
pub fn read_sarif(bytes: &[u8], limits: Limits) -> Result<ScanReport, ReportError> {
    read(bytes, limits, None)
}

/// The same; with `reading`, each finding is kept.
pub(super) fn read(
    bytes: &[u8],
    limits: Limits,
    reading: Option<&Reading<'_>>,
) -> Result<ScanReport, ReportError> {
    let log = json::parse(bytes, limits)?;
    let log = log.as_object().ok_or_else(|| malformed("not an object"))?;
    if text(log, "version")? != Some("2.1.0") {
        return Err(malformed("not version 2.1.0"));
    }
    if !list(log, "inlineExternalProperties")?.is_none_or(<[Value]>::is_empty) {
        return Err(ReportError::External("inlineExternalProperties".to_owned()));
    }
    let runs = list(log, "runs")?.ok_or_else(|| malformed("there is no `runs`"))?;
    let mut report = ScanReport::default();
    if runs.is_empty() {
        report.empty = Some("there are no runs".to_owned());
    }
    if runs.len() > MAX_RUNS {
        return Err(ReportError::TooLarge(format!("{MAX_RUNS} runs")));
    }
    let mut collector = reading.map(Collector::new);
    for run in runs {
        read_run(as_object(run, "runs")?, reading, collector.as_mut(), &mut report)?;
    }
    if let Some(rules) = reading.and_then(|reading| reading.rules) {
        report.rules = report.rules.max(rules);
    }
    Ok(report)
}

fn read_run(
    run: &Object,
    reading: Option<&Reading<'_>>,
    mut collector: Option<&mut Collector<'_>>,
    report: &mut ScanReport,
) -> Result<(), ReportError> {
    if !object(run, "externalPropertyFileReferences")?.is_none_or(Object::is_empty) {
        return Err(ReportError::External("externalPropertyFileReferences".to_owned()));
    }
    let tool = object(run, "tool")?.ok_or_else(|| malformed("a run without `tool`"))?;
    let driver = object(tool, "driver")?.ok_or_else(|| malformed("a tool without `driver`"))?;
    let name = text(driver, "name")?.filter(|name| !name.is_empty());
    let name = printable(name.ok_or_else(|| malformed("a driver without `name`"))?, 100);
    let version = text(driver, "semanticVersion")?.or(text(driver, "version")?);

    let property = reading.and_then(|reading| reading.severity.property.as_deref());
    let mut rules = Rules::read(tool, driver, property)?;
    for invocation in objects(run, "invocations")? {
        read_invocation(invocation?, &name, &mut rules, report)?;
    }
    for provenance in objects(run, "versionControlProvenance")? {
        if let Some(revision) = text(provenance?, "revisionId")? {
            report.revisions.insert(printable(revision, 100));
        }
    }
    let results = list(run, "results")?;
    if report.empty.is_none() {
        let known = reading.and_then(|reading| reading.rules).unwrap_or(0);
        report.empty =
            looked_at_nothing(run, rules.count.max(known), results)?.map(|why| format!("{name}: {why}"));
    }
    report.rules += rules.count;
    report.tools.push(Tool { name, version: version.map(|version| printable(version, 100)) });
    let places = reading.map(|_| Places::read(run)).transpose()?;
    for result in results.unwrap_or_default() {
        let result = as_object(result, "results")?;
        let id = named_rule(result, &rules)?;
        let Some(level) = level_of_result(result, || rules.level(id.as_deref()))? else {
            report.other += 1;
            continue;
        };
        let suppressed = is_suppressed(result)?;
        if suppressed {
            report.suppressed.count(level)
        } else {
            report.findings.count(level)
        }
        if let (Some(collector), Some(places)) = (collector.as_deref_mut(), &places) {
            let said = Said { id: id.as_deref(), level, suppressed };
            keep_result(result, &said, (&rules, places), property, collector, report)?;
        }
    }
    Ok(())
}

/// Section 3.14.23: a tool that could not start has no `results`; one that found nothing has an empty list.
fn looked_at_nothing(
    run: &Object,
    rules: u64,
    results: Option<&[Value]>,
) -> Result<Option<&'static str>, ReportError> {
    let artifacts = list(run, "artifacts")?;
    Ok(match (rules, results) {
        (0, _) => Some("the run has no rules"),
        (_, None) => Some("the run has no list of results"),
        (_, Some([])) if artifacts.is_some_and(<[Value]>::is_empty) => Some("the run looked at no artifacts"),
        _ => None,
    })
}

/// An invocation that was not successful, or reports an error of the tool or of its configuration, gave no answer.
fn read_invocation(
    invocation: &Object,
    tool: &str,
    rules: &mut Rules,
    report: &mut ScanReport,
) -> Result<(), ReportError> {
    match invocation.get("executionSuccessful") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => report.broken = Some(format!("{tool}: the run was not successful")),
        _ => return Err(malformed("an invocation without `executionSuccessful`")),
    }
    for list in ["toolExecutionNotifications", "toolConfigurationNotifications"] {
        for notification in objects(invocation, list)? {
            let notification = notification?;
            let level = text(notification, "level")?.filter(|level| *level != "none");
            if level.map(level_named).transpose()? == Some(Level::Error) {
                let message = object(notification, "message")?;
                let message = message.map(|m| text(m, "text")).transpose()?.flatten().unwrap_or("no message");
                report.broken = Some(printable(&format!("{tool}: {message}"), 300));
            }
        }
    }
    for change in objects(invocation, "ruleConfigurationOverrides")? {
        rules.raise(change?)?;
    }
    Ok(())
}

fn named_rule(result: &Object, rules: &Rules) -> Result<Option<String>, ReportError> {
    let index = position(result, "ruleIndex")?;
    rules.resolve(text(result, "ruleId")?, index, object(result, "rule")?)
}

/// What was judged of a result already.
struct Said<'a> {
    id: Option<&'a str>,
    level: Level,
    suppressed: bool,
}

fn keep_result(
    result: &Object,
    said: &Said<'_>,
    (rules, places): (&Rules, &Places<'_>),
    property: Option<&str>,
    collector: &mut Collector<'_>,
    report: &mut ScanReport,
) -> Result<(), ReportError> {
    let map = collector.severity();
    let own =
        object(result, "properties")?.zip(property).and_then(|(bag, property)| rules::word(bag, property));
    let severity = own.as_deref().and_then(|word| map.word(word));
    let severity = severity.or_else(|| rules.severity(said.id).and_then(|word| map.word(word)));
    let message = object(result, "message")?;
    let message = message.map(|message| text(message, "text")).transpose()?.flatten();
    let rule = said.id.unwrap_or("no rule");
    let place = places.first(result)?;
    let content = match place.snippet {
        Some(snippet) => snippet.to_owned(),
        None => known_by(result)?.unwrap_or_else(|| message.unwrap_or_default().to_owned()),
    };
    let purl = object(result, "properties")?.and_then(|bag| bag.get("purl")).and_then(Value::as_str);
    let (names, of_rule) = rules.about(said.id);
    let raw = Raw {
        rule,
        severity: severity.unwrap_or(match said.level {
            Level::Error => map.error,
            Level::Warning => map.warning,
            Level::Note => map.note,
        }),
        message: message.unwrap_or(rule),
        place: place.uri.as_deref(),
        line: place.line,
        suppressed: said.suppressed,
        content: &content,
        about: About { package: purl.or(of_rule), names },
    };
    collector.add(&raw, report);
    Ok(())
}

/// What the tool itself knows a result by (section 3.27.16), unless it is a placeholder or empty.
fn known_by(result: &Object) -> Result<Option<String>, ReportError> {
    let prints = object(result, "partialFingerprints")?.into_iter().flatten();
    let said = prints.filter_map(|(key, value)| Some((key, value.as_str()?)));
    let said = said.filter(|(_, value)| !value.is_empty() && *value != "requires login");
    let all: Vec<String> = said.map(|(key, value)| format!("{key}={value}")).collect();
    Ok((!all.is_empty()).then(|| all.join(" ")))
}

/// The first table of this module; none for a result that is no finding.
fn level_of_result(result: &Object, rule: impl Fn() -> Level) -> Result<Option<Level>, ReportError> {
    let kind = text(result, "kind")?.unwrap_or("fail");
    if !["fail", "pass", "notApplicable", "informational", "review", "open"].contains(&kind) {
        return Err(malformed(format!("a result of kind `{kind}`")));
    }
    Ok(match (text(result, "level")?, kind) {
        (Some(level), _) if level != "none" => Some(level_named(level)?),
        (Some(_), "fail") => Some(Level::Note),
        (None, "fail") => Some(rule()),
        (_, "review" | "open") => Some(Level::Warning),
        _ => None,
    })
}

fn is_suppressed(result: &Object) -> Result<bool, ReportError> {
    let mut any = false;
    for suppression in objects(result, "suppressions")? {
        any = true;
        match text(suppression?, "status")? {
            None | Some("accepted") => {}
            Some("underReview" | "rejected") => return Ok(false),
            Some(status) => return Err(malformed(format!("a suppression of status `{status}`"))),
        }
    }
    Ok(any)
}

fn level_named(name: &str) -> Result<Level, ReportError> {
    match name {
        "error" => Ok(Level::Error),
        "warning" => Ok(Level::Warning),
        "note" => Ok(Level::Note),
        _ => Err(malformed(format!("the level `{name}`"))),
    }
}

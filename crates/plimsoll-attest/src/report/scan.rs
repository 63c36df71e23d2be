//! Reports of foreign scanners in any of their formats.

use super::{
    Level, Limits, ReportError, ScanReport, TestFormat, Tool, cyclonedx,
    findings::{About, Collector, Raw, Reading},
    json, malformed, read_tests, sarif, sonarqube, within, zap,
};
use plimsoll_model::{ReportFormat, Severity};

/// Reads the report of a foreign scanner, with every finding in it.
///
/// # Errors
/// Those of [`super::read_sarif`] for SARIF; the same for the other formats.
pub fn read_scan(bytes: &[u8], reading: &Reading<'_>) -> Result<ScanReport, ReportError> {
    within(bytes, reading.limits.bytes)?;
    let mut report = match reading.format {
        ReportFormat::Sarif => return sarif::read(bytes, reading.limits, Some(reading)),
        ReportFormat::Cyclonedx => cyclonedx::read(bytes, reading)?,
        ReportFormat::Sonarqube => sonarqube::read(bytes, reading)?,
        ReportFormat::Zap => zap::read(bytes, reading)?,
        ReportFormat::Junit => junit(bytes, reading)?,
    };
    if let Some(rules) = reading.rules {
        report.rules = report.rules.max(rules);
    } else if report.rules == 0 {
        report.empty.get_or_insert_with(|| "nobody says how many rules were applied".to_owned());
    }
    count(&mut report);
    Ok(report)
}

/// The format of a report that nobody announced, by what it begins with and the keys that each format asks for.
///
/// # Errors
/// When it is neither XML nor JSON within limits, or JSON of another kind.
pub fn format_of(bytes: &[u8], limits: Limits) -> Result<ReportFormat, ReportError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if text.trim_ascii_start().starts_with(b"<") {
        return Ok(ReportFormat::Junit);
    }
    let document = json::parse(bytes, limits)?;
    let known = [
        ("runs", ReportFormat::Sarif),
        ("bomFormat", ReportFormat::Cyclonedx),
        ("issues", ReportFormat::Sonarqube),
        ("site", ReportFormat::Zap),
    ];
    let found = known.into_iter().find(|(key, _)| document.get(key).is_some());
    let unknown = || malformed("neither SARIF, CycloneDX, JUnit nor a report of SonarQube or ZAP");
    found.map(|(_, format)| format).ok_or_else(unknown)
}

/// Levels follow from severities where a format has none.
fn count(report: &mut ScanReport) {
    for found in &report.results {
        let level = match found.severity {
            Severity::Critical | Severity::High => Level::Error,
            Severity::Medium => Level::Warning,
            Severity::Low | Severity::Info => Level::Note,
        };
        let tally = if found.suppressed { &mut report.suppressed } else { &mut report.findings };
        tally.count(level);
    }
}

/// Every test case is a rule, and one that failed is a finding.
fn junit(bytes: &[u8], reading: &Reading<'_>) -> Result<ScanReport, ReportError> {
    let tests = read_tests(TestFormat::Junit, bytes)?;
    let mut report = ScanReport {
        rules: tests.counts.passed.saturating_add(tests.counts.failed),
        other: tests.counts.passed.saturating_add(tests.counts.skipped),
        ..ScanReport::default()
    };
    report.tools.push(Tool { name: reading.tool.to_owned(), version: None });
    if report.rules == 0 {
        report.empty = Some(format!("no case was judged, {} were skipped", tests.counts.skipped));
    }
    if (tests.failed.len() as u64) < tests.counts.failed {
        report.broken = Some(format!("{} failed cases are more than can be listed", tests.counts.failed));
    }
    let mut collector = Collector::new(reading);
    for (name, said) in tests.failed.iter().zip(&tests.said) {
        let severity = reading.severity.error;
        let raw = Raw {
            rule: name,
            severity,
            message: if said.is_empty() { name } else { said },
            place: None,
            line: None,
            suppressed: false,
            content: name,
            about: About::default(),
        };
        collector.add(&raw, &mut report);
    }
    Ok(report)
}

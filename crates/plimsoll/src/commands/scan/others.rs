//! Reports of other tools beside our own (`--with`). They are read as a stranger wrote them, by the readers that judge
//! evidence; what several scanners found is one finding, which names them all.

use crate::{
    failure::Failure,
    merged::{Found, merged},
};
use plimsoll_attest::report::{self, Limits, Reading, ReportError, ScanReport, format_of, read_scan};
use plimsoll_model::{ReportFormat, Severity, SeverityMap};
use plimsoll_pipeline::adapter::ready;
use plimsoll_scan::{
    Finding, Fingerprint, Location, Report,
    sarif::{self, Foreign},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

/// What another tool found.
pub(crate) struct Other {
    /// The file of its report.
    pub(crate) file: String,
    /// What of it goes into reports of ours.
    pub(crate) said: Foreign,
    /// Findings that it counts as suppressed; they are neither shown nor counted, as ours that a comment allows.
    pub(crate) suppressed: u64,
    /// Findings that were found by somebody before.
    pub(crate) known: u64,
}

/// What other tools found, and what they found that we did.
#[derive(Default)]
pub(crate) struct Others {
    /// Each report, in the order in which they were named.
    pub(crate) reports: Vec<Other>,
    /// Who else found a finding.
    also: BTreeMap<Key, BTreeSet<String>>,
    /// The tool behind a finding that is not ours.
    by: BTreeMap<Fingerprint, String>,
}

/// A secret has one fingerprint wherever it stands.
type Key = (Fingerprint, Option<Location>);

fn key(finding: &Finding) -> Key {
    (finding.fingerprint, finding.location.clone())
}

impl Others {
    /// Reads these reports about what is below `subject`, and takes out what was found before: by us, or by the report
    /// before. Only what is at least this severe is compared, so that nothing that counts disappears behind what does not.
    ///
    /// # Errors
    /// Bad use: a file is not there, is too large, is no report, or is only a part of one.
    pub(crate) fn read(
        files: &[PathBuf],
        subject: &Path,
        ours: &[Report],
        least: Severity,
    ) -> Result<Self, Failure> {
        let subject = fs::canonicalize(subject).unwrap_or_default();
        let subject = subject.to_str().unwrap_or_default();
        let reports = files.iter().map(|file| other(file, subject)).collect::<Result<Vec<_>, _>>()?;
        let mut others = Self { reports, ..Self::default() };
        for other in &others.reports {
            let tool = |found: &Finding| (found.fingerprint, other.said.tool.clone());
            others.by.extend(other.said.findings.iter().map(tool));
        }
        others.merge(ours, least);
        Ok(others)
    }

    fn merge(&mut self, ours: &[Report], least: Severity) {
        let tools: Vec<String> = ours.iter().map(|report| format!("plimsoll {}", report.engine)).collect();
        let mut all: Vec<(&Finding, Found<'_>)> = Vec::new();
        for (report, tool) in ours.iter().zip(&tools) {
            let found = report.findings.iter().filter(|found| found.severity >= least);
            all.extend(found.map(|found| (found, Found::of(report.engine.as_str(), tool, found))));
        }
        let own = all.len();
        for other in &self.reports {
            let found = other.said.findings.iter().filter(|found| found.severity >= least);
            all.extend(found.map(|found| (found, Found::of(&other.said.tool, &other.said.tool, found))));
        }
        let (findings, found): (Vec<&Finding>, Vec<Found<'_>>) = all.into_iter().unzip();
        let groups = merged(&found);
        let firsts: BTreeSet<usize> = groups.iter().map(|group| group.first).collect();
        let named = groups.iter().filter(|group| !group.others.is_empty()).map(|group| {
            let names = group.others.iter().map(|name| (*name).to_owned()).collect();
            (key(findings[group.first]), names)
        });
        let also: BTreeMap<Key, BTreeSet<String>> = named.collect();
        let known = findings.iter().enumerate().skip(own).filter(|(index, _)| !firsts.contains(index));
        let known: BTreeSet<Fingerprint> = known.map(|(_, finding)| finding.fingerprint).collect();
        for other in &mut self.reports {
            let before = other.said.findings.len();
            other.said.findings.retain(|found| !known.contains(&found.fingerprint));
            other.known = (before - other.said.findings.len()) as u64;
        }
        self.also = also;
    }

    /// Who else found it.
    pub(crate) fn also(&self, finding: &Finding) -> Vec<&str> {
        self.also.get(&key(finding)).into_iter().flatten().map(String::as_str).collect()
    }

    /// The tool that found it; none where we did.
    pub(crate) fn by(&self, finding: &Finding) -> Option<&str> {
        self.by.get(&finding.fingerprint).map(String::as_str)
    }

    /// Everything that was found, each once, as one SARIF log.
    pub(crate) fn sarif(&self, ours: &[Report]) -> Value {
        // Text and numbers are always JSON.
        let mut log = serde_json::to_value(sarif::write(ours, None)).unwrap_or_default();
        let foreign: Vec<Value> = self.reports.iter().map(|other| sarif::foreign_run(&other.said)).collect();
        let findings = ours.iter().map(|report| &report.findings);
        let findings = findings.chain(self.reports.iter().map(|other| &other.said.findings));
        if let Some(runs) = log["runs"].as_array_mut() {
            runs.extend(foreign);
            for (run, findings) in runs.iter_mut().zip(findings) {
                for (index, finding) in findings.iter().enumerate() {
                    let also = self.also(finding);
                    if !also.is_empty() {
                        run["results"][index]["properties"]["plimsoll"]["also-found-by"] = json!(also);
                    }
                }
            }
        }
        log
    }
}

fn other(file: &Path, subject: &str) -> Result<Other, Failure> {
    let usage = |problem: &dyn std::fmt::Display| Failure::Usage(format!("{}: {problem}", file.display()));
    let bytes = bytes(file).map_err(|error| usage(&error))?;
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let report = read(&bytes, &name, subject)
        .map_err(|error| usage(&format!("it is no whole report of a scanner: {error}")))?;
    let tool = report.tools.first().map_or_else(|| name.clone(), |tool| tool.name.clone());
    let version = report.tools.first().and_then(|tool| tool.version.clone());
    let suppressed = report.results.iter().filter(|found| found.suppressed).count() as u64;
    let found = report.results.iter().filter(|found| !found.suppressed);
    let findings = found.map(|found| finding(&tool, found)).collect();
    let problem = report.broken.or(report.empty);
    let said = Foreign { tool, version, findings, problem };
    Ok(Other { file: file.display().to_string(), said, suppressed, known: 0 })
}

/// A file of at most as many bytes as a report may have.
fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    let limit = Limits::default().bytes;
    // Anything else could keep us waiting.
    if !fs::metadata(file).map_err(|error| error.to_string())?.is_file() {
        return Err("it is no file".to_owned());
    }
    let opened = File::open(file).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    opened.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > limit {
        return Err(format!("it has more than {limit} bytes"));
    }
    Ok(bytes)
}

/// A tool that comes with a manifest is read by it: what its words for severity mean, and how many rules it applies.
fn read(bytes: &[u8], name: &str, subject: &str) -> Result<ScanReport, ReportError> {
    let format = format_of(bytes, Limits::default())?;
    let generic = SeverityMap { property: Some("security-severity".to_owned()), ..SeverityMap::default() };
    let tool = match format {
        ReportFormat::Sonarqube => "sonarqube",
        ReportFormat::Zap => "zap",
        ReportFormat::Sarif | ReportFormat::Cyclonedx | ReportFormat::Junit => name,
    };
    let reading =
        Reading { format, tool, severity: &generic, rules: None, subject, limits: Limits::default() };
    let report = read_scan(bytes, &reading)?;
    let said = report.tools.first().map(|tool| tool.name.to_lowercase()).unwrap_or_default();
    let known = [tool, said.split(' ').next().unwrap_or_default()].into_iter().find_map(ready);
    match known.filter(|manifest| manifest.report.format == format) {
        Some(manifest) => read_scan(
            bytes,
            &Reading { severity: &manifest.severity, rules: manifest.report.rules, ..reading },
        ),
        None => Ok(report),
    }
}

fn finding(tool: &str, found: &report::Found) -> Finding {
    let line = u32::try_from(found.line.unwrap_or(1)).unwrap_or(u32::MAX);
    // What has a scheme is no file.
    let path = found.place.as_ref().filter(|place| !place.is_empty() && !place.contains(':'));
    let location = path.map(|path| Location {
        path: path.clone(),
        line,
        column: 1,
        end_line: line,
        end_column: 1,
        excerpt: String::new(),
        commit: None,
    });
    let place = found.place.clone().filter(|_| location.is_none());
    Finding {
        rule: found.rule.clone(),
        severity: found.severity,
        message: found.message.clone(),
        fix: None,
        diff: None,
        location,
        subject: found.package.clone().or(place).unwrap_or_default(),
        aliases: found.advisories.clone(),
        fingerprint: Fingerprint::of(tool, &[&found.fingerprint.to_string()]),
    }
}

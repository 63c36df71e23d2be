//! Reports as SARIF 2.1.0 (OASIS standard, with errata 01), and what a signer reads back of them. Other tools show them
//! as they show any scanner's; what SARIF has no word for stands in the property bags under `plimsoll`.
//!
//! | of a report | in SARIF |
//! |---|---|
//! | severity critical, high | level `error`, `security-severity` 9.5 and 8.0 |
//! | medium | `warning`, 5.5 |
//! | low, info | `note`, 2.0 and 0.0 |
//! | a gap | an invocation that was not successful, with a notification of level `error` for each gap |
//! | nothing was looked at | an empty list of artifacts |
//! | an allow comment | a suppression of kind `inSource` |

use crate::{
    finding::{Finding, Fingerprint, Location, Rule},
    report::{Coverage, Database, Report},
};
use plimsoll_model::{CommitId, Digest, ScanEngine, Severity};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
};

/// Key of the fingerprint in `partialFingerprints`.
const FINGERPRINT: &str = "plimsoll/v1";
/// What places are relative to. Where that lies is for each reader to know; a path of this machine is nobody's business.
const BASE: &str = "%SRCROOT%";

/// What the property bag of a run says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Facts {
    /// Who looked.
    pub engine: ScanEngine,
    /// Digest over the rules.
    pub rules_digest: Digest,
    /// Digest of the rules that were imported and applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Digest>,
    /// The data that was used.
    pub database: Option<Database>,
    /// What was looked at.
    pub coverage: Coverage,
}

/// A report as it is read back: what decides, and nothing for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// What the run says of itself.
    pub facts: Facts,
    /// What was found, in the order of the report.
    pub results: Vec<ReadResult>,
}

/// One result of a [`ReadBack`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadResult {
    /// How bad it is.
    pub severity: Severity,
    /// Who it is.
    pub fingerprint: Fingerprint,
    /// Whether a comment beside it allows it.
    pub suppressed: bool,
    /// Its rule.
    pub rule: String,
    /// The file in which it is; none for what has no place in a file.
    pub path: Option<String>,
    /// What it is about; empty for what is only a place.
    pub subject: String,
    /// Other names of the same.
    pub aliases: Vec<String>,
}

/// Why a report was not written by this program.
#[derive(Debug, thiserror::Error)]
pub enum SarifError {
    /// It lacks what every report of this program has.
    #[error("not a report of plimsoll: {0}")]
    Foreign(#[from] serde_json::Error),
    /// It holds several runs, or none.
    #[error("not a report of plimsoll: {0} runs")]
    Runs(usize),
}

/// One run for each report. `commit` is named where the whole subject was one revision.
#[must_use]
pub fn write<'a>(reports: &'a [Report], commit: Option<&'a CommitId>) -> Log<'a> {
    Log { reports, commit }
}

/// Reports as they are written: no more of them than one result is in memory at a time.
#[derive(Debug, Clone, Copy)]
pub struct Log<'a> {
    reports: &'a [Report],
    commit: Option<&'a CommitId>,
}

impl Serialize for Log<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let runs = || self.reports.iter().map(|report| Run { report, commit: self.commit });
        let mut log = serializer.serialize_map(None)?;
        log.serialize_entry("$schema", "https://json.schemastore.org/sarif-2.1.0.json")?;
        log.serialize_entry("runs", &Each(runs))?;
        log.serialize_entry("version", "2.1.0")?;
        log.end()
    }
}

impl fmt::Display for Log<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// A list whose entries are made while it is written.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

struct Run<'a> {
    report: &'a Report,
    commit: Option<&'a CommitId>,
}

impl Serialize for Run<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let report = self.report;
        let found = report.findings.iter().map(|finding| result(report, finding, false));
        let allowed = report.suppressed.iter().map(|finding| result(report, finding, true));
        let results = || found.clone().chain(allowed.clone());
        let mut run = serializer.serialize_map(None)?;
        if report.coverage.files == 0 {
            run.serialize_entry("artifacts", &[(); 0])?;
        }
        run.serialize_entry("columnKind", "unicodeCodePoints")?;
        run.serialize_entry("invocations", &[invocation(&report.coverage)])?;
        run.serialize_entry(
            "originalUriBaseIds",
            &json!({ BASE: { "description": { "text": "the directory that was scanned" } } }),
        )?;
        run.serialize_entry("properties", &json!({ "plimsoll": facts(report) }))?;
        run.serialize_entry("results", &Each(results))?;
        run.serialize_entry("tool", &Tool { driver: Driver::of(report) })?;
        if let Some(commit) = self.commit {
            let provenance = json!([{ "repositoryUri": "", "revisionId": commit }]);
            run.serialize_entry("versionControlProvenance", &provenance)?;
        }
        run.end()
    }
}

fn facts(report: &Report) -> Facts {
    Facts {
        engine: report.engine,
        rules_digest: report.rules_digest,
        imported: report.imported,
        database: report.database.clone(),
        coverage: report.coverage.clone(),
    }
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    information_uri: &'static str,
    name: String,
    rules: Rules<'a>,
    semantic_version: &'static str,
}

impl<'a> Driver<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            information_uri: "https://github.com/plimsoll-dev/plimsoll",
            name: format!("plimsoll {}", report.engine),
            rules: Rules(&report.rules),
            semantic_version: report.version,
        }
    }
}

struct Rules<'a>(&'a [&'static Rule]);

impl Serialize for Rules<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().copied().map(Descriptor::of))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    default_configuration: Level,
    full_description: Words<String>,
    help: Help<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<&'a str>,
    id: &'a str,
    name: String,
    properties: Score,
    short_description: Words<&'a str>,
}

#[derive(Serialize)]
struct Level {
    level: &'static str,
}

#[derive(Serialize)]
struct Help<'a> {
    markdown: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Words<T> {
    text: T,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Score {
    security_severity: &'static str,
    tags: [&'static str; 1],
}

impl<'a> Descriptor<'a> {
    fn of(rule: &'a Rule) -> Self {
        let first = rule.help.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let mut references = rule.references.iter().copied();
        Self {
            default_configuration: Level { level: level(rule.severity) },
            full_description: Words { text: first },
            help: Help { markdown: rule.help, text: rule.help },
            help_uri: references.find(|reference| reference.starts_with("https://")),
            id: rule.id,
            name: name(rule.id),
            properties: Score { security_severity: score(rule.severity), tags: ["security"] },
            short_description: Words { text: rule.title },
        }
    }
}

/// The last part of an identifier as viewers want names: `config/dockerfile-root-user` as `DockerfileRootUser`.
fn name(id: &str) -> String {
    let last = id.rsplit('/').next().unwrap_or(id);
    let words = last.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..])).collect()
}

fn invocation(coverage: &Coverage) -> Value {
    let gaps = coverage.gaps.iter().map(
        |gap| json!({ "level": "error", "message": { "text": format!("{}: {}", gap.path, gap.problem) } }),
    );
    json!({
        "executionSuccessful": coverage.gaps.is_empty(),
        "toolExecutionNotifications": gaps.collect::<Vec<_>>(),
    })
}

/// What another tool found, as far as a report of ours can hold it.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// The tool, by its own word.
    pub tool: String,
    /// Its version.
    pub version: Option<String>,
    /// What it found.
    pub findings: Vec<Finding>,
    /// Why it came to no answer, where it says so.
    pub problem: Option<String>,
}

/// The run of another tool, for a report that shows it beside ours.
#[must_use]
pub fn foreign_run(said: &Foreign) -> Value {
    let rules: BTreeSet<&str> = said.findings.iter().map(|finding| finding.rule.as_str()).collect();
    let rules: Vec<&str> = rules.into_iter().collect();
    let results = said.findings.iter().map(|finding| {
        let mut result = described(finding);
        result["ruleIndex"] = json!(rules.binary_search(&finding.rule.as_str()).unwrap_or_default());
        result
    });
    let results: Vec<Value> = results.collect();
    let problem = said.problem.iter();
    let problem = problem.map(|problem| json!({ "level": "error", "message": { "text": problem } }));
    let mut run = json!({
        "tool": { "driver": {
            "name": said.tool,
            "rules": rules.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>(),
        }},
        "invocations": [{
            "executionSuccessful": said.problem.is_none(),
            "toolExecutionNotifications": problem.collect::<Vec<_>>(),
        }],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": { BASE: { "description": { "text": "the directory that was scanned" } } },
        "results": results,
    });
    if let Some(version) = &said.version {
        run["tool"]["driver"]["version"] = json!(version);
    }
    run
}

fn result(report: &Report, finding: &Finding, suppressed: bool) -> Value {
    let mut result = described(finding);
    // A name may have more parts than that of its descriptor (section 3.27.5).
    if let Some(index) = report.rules.iter().position(|rule| rule.names(&finding.rule)) {
        result["ruleIndex"] = json!(index);
    }
    if suppressed {
        result["suppressions"] = json!([{ "kind": "inSource" }]);
    }
    result
}

fn described(finding: &Finding) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": finding.message },
        "locations": finding.location.iter().map(location).collect::<Vec<_>>(),
        "partialFingerprints": { FINGERPRINT: finding.fingerprint },
        "properties": {
            "security-severity": score(finding.severity),
            "plimsoll": { "severity": finding.severity },
        },
    });
    let own = &mut result["properties"]["plimsoll"];
    let commit = finding.location.as_ref().and_then(|location| location.commit.as_ref());
    for (key, value) in [
        ("fix", finding.fix.as_ref().map(|fix| json!(fix))),
        ("diff", finding.diff.as_ref().map(|diff| json!(diff))),
        ("subject", (!finding.subject.is_empty()).then(|| json!(finding.subject))),
        ("aliases", (!finding.aliases.is_empty()).then(|| json!(finding.aliases))),
        ("commit", commit.map(|commit| json!(commit))),
    ] {
        if let Some(value) = value {
            own[key] = value;
        }
    }
    result
}

fn location(location: &Location) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&location.path), "uriBaseId": BASE },
        "region": {
            "startLine": location.line, "startColumn": location.column,
            "endLine": location.end_line, "endColumn": location.end_column,
        },
    }})
}

/// A path as a relative reference (RFC 3986, section 4.2).
fn uri(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut uri, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            // Writing to a string does not fail.
            other => drop(write!(uri, "%{other:02X}")),
        }
        uri
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// As GitHub reads it: above 9.0 critical, from 7.0 high, from 4.0 medium.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

/// Reads what decides out of a report of one engine. The caller has checked that it is SARIF within limits.
///
/// # Errors
/// When this program did not write it, or it is not of exactly one engine.
pub fn read_back(bytes: &[u8]) -> Result<ReadBack, SarifError> {
    #[derive(Deserialize)]
    struct Log {
        runs: Vec<Run>,
    }
    #[derive(Deserialize)]
    struct Run {
        properties: Bag<Facts>,
        results: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Bag<T> {
        plimsoll: T,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        properties: Bag<Own>,
        rule_id: String,
        partial_fingerprints: Fingerprints,
        #[serde(default)]
        locations: Vec<Value>,
        #[serde(default)]
        suppressions: Vec<Value>,
    }
    #[derive(Deserialize)]
    struct Own {
        severity: Severity,
        #[serde(default)]
        subject: String,
        #[serde(default)]
        aliases: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Fingerprints {
        #[serde(rename = "plimsoll/v1")]
        own: Fingerprint,
    }
    let mut log: Log = serde_json::from_slice(bytes)?;
    let count = log.runs.len();
    let Some(run) = log.runs.pop().filter(|_| count == 1) else { return Err(SarifError::Runs(count)) };
    let results = run.results.into_iter().map(|entry| ReadResult {
        severity: entry.properties.plimsoll.severity,
        fingerprint: entry.partial_fingerprints.own,
        suppressed: !entry.suppressions.is_empty(),
        rule: entry.rule_id,
        path: entry.locations.first().and_then(path),
        subject: entry.properties.plimsoll.subject,
        aliases: entry.properties.plimsoll.aliases,
    });
    Ok(ReadBack { facts: run.properties.plimsoll, results: results.collect() })
}

/// The path of a location, as it was before [`uri`].
fn path(location: &Value) -> Option<String> {
    let uri = location.pointer("/physicalLocation/artifactLocation/uri")?.as_str()?;
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri.as_bytes();
    while let [first, more @ ..] = rest {
        let digits = more.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        rest = if byte.is_some() { &more[2..] } else { more };
        bytes.push(byte.unwrap_or(*first));
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Gap;

    const RULE: Rule = Rule {
        id: "config/example",
        title: "an example",
        severity: Severity::High,
        help: "Do not.",
        references: &[],
    };

    fn finding(severity: Severity) -> Finding {
        Finding {
            rule: RULE.id.into(),
            severity,
            message: "it is so".into(),
            fix: Some("make it not so".into()),
            diff: None,
            location: Some(Location {
                path: "a b/ü.yaml".into(),
                line: 3,
                column: 1,
                end_line: 3,
                end_column: 5,
                excerpt: "abcd".into(),
                commit: None,
            }),
            subject: String::new(),
            aliases: vec![],
            fingerprint: Fingerprint::of(RULE.id, &["a b/ü.yaml"]),
        }
    }

    fn written(report: Report) -> Value {
        serde_json::to_value(write(&[report], None)).unwrap()
    }

    fn report() -> Report {
        Report {
            engine: ScanEngine::Config,
            version: "0.1.0",
            rules: vec![&RULE],
            rules_digest: Digest::of(b"rules"),
            imported: None,
            database: None,
            coverage: Coverage { files: 2, bytes: 70, ..Coverage::default() },
            findings: vec![finding(Severity::Critical), finding(Severity::Low)],
            suppressed: vec![finding(Severity::High)],
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let bytes = write(&[report()], None).to_string();
        let read = read_back(bytes.as_bytes()).unwrap();
        assert_eq!(read.facts.coverage, report().coverage);
        let said: Vec<_> = read.results.iter().map(|result| (result.severity, result.suppressed)).collect();
        assert_eq!(said, [(Severity::Critical, false), (Severity::Low, false), (Severity::High, true)]);
        assert_eq!(read.results[0].fingerprint, report().findings[0].fingerprint);
        assert_eq!(
            (read.results[0].rule.as_str(), read.results[0].path.as_deref()),
            (RULE.id, Some("a b/ü.yaml"))
        );
    }

    #[test]
    fn a_gap_is_a_run_that_was_not_successful_and_nothing_looked_at_is_an_empty_list() {
        let mut partial = report();
        partial.coverage.gaps.push(Gap { path: "x".into(), problem: "too large".into() });
        let run = &written(partial)["runs"][0];
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        assert!(run.get("artifacts").is_none());
        let empty = Report { coverage: Coverage::default(), ..report() };
        assert_eq!(written(empty)["runs"][0]["artifacts"], json!([]));
    }

    #[test]
    fn places_are_uris_and_levels_are_of_sarif() {
        let log = written(report());
        let results = &log["runs"][0]["results"];
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/%C3%BC.yaml");
        assert_eq!([&results[0]["level"], &results[1]["level"]], ["error", "note"]);
    }

    /// What GitHub and the SARIF viewers of editors ask of a rule.
    #[test]
    fn rules_have_what_viewers_show() {
        let rule = &written(report())["runs"][0]["tool"]["driver"]["rules"][0];
        assert_eq!([&rule["name"], &rule["fullDescription"]["text"]], ["Example", "Do not."]);
        assert!(rule.get("helpUri").is_none());
        assert_eq!(name("config/dockerfile-root-user"), "DockerfileRootUser");
        let referring = Rule { references: &["RFC 1", "https://example.com/why"], ..RULE };
        assert_eq!(Descriptor::of(&referring).help_uri, Some("https://example.com/why"));
    }

    #[test]
    fn what_another_tool_wrote_is_not_read_back() {
        for text in
            [r#"{"version":"2.1.0","runs":[]}"#, r#"{"version":"2.1.0","runs":[{"results":[]}]}"#, "{}", ""]
        {
            assert!(read_back(text.as_bytes()).is_err(), "{text}");
        }
        let two = write(&[report(), report()], None).to_string();
        assert!(matches!(read_back(two.as_bytes()), Err(SarifError::Runs(2))));
    }
}

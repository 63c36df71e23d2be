//! The result of one attempt of a scan, by a foreign tool or by a scanner of Plimsoll. The subject is what was scanned:
//! the exported tree, or the artifact.

use super::{
    Predicate,
    common::{Ending, On},
};
use plimsoll_model::{
    CheckName, Digest, Outcome, Reason, ReportFormat, RunId, ScanEngine, Severity, Timestamp, ToolName,
    record::IsolationRecord,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A scan result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scan {
    /// The run.
    pub run: RunId,
    /// Digest of the plan.
    pub plan: Digest,
    /// The check.
    pub check: CheckName,
    /// What it looked at.
    pub on: On,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What came of it, by the signer's own judgement. `passed` says that the tool did its work and that its report can
    /// be believed, not that there are no findings: which of them block is for the environment to say.
    pub outcome: Outcome,
    /// Why it did not pass.
    pub reasons: Vec<Reason>,
    /// How its command ended.
    pub exit: Ending,
    /// What scanned.
    pub tool: Tool,
    /// How many rules it applied.
    pub rules: u64,
    /// How many findings of each level.
    pub findings: Findings,
    /// What only a scanner of Plimsoll says; none for foreign tools, and where its report cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<OwnScan>,
    /// What is said of a foreign scanner that a manifest describes; none for other checks, and none in statements of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<Box<AdapterScan>>,
    /// Digest of the report; none when there was none to keep.
    pub report: Option<Digest>,
    /// Digest of everything it printed, cut at the log limit.
    pub log: Digest,
    /// How it was isolated.
    pub isolation: IsolationRecord,
    /// When it started, by the engine's clock.
    pub started: Timestamp,
    /// When it ended, by the engine's clock.
    pub finished: Timestamp,
}

impl Predicate for Scan {
    const TYPE: &'static str = "https://plimsoll.dev/scan/v1";
}

/// The tool behind a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name in the pipeline.
    pub name: ToolName,
    /// Its version, by its own word.
    pub version: Option<String>,
    /// SHA-256 of its executable, hashed before it ran.
    pub digest: Digest,
}

/// Findings by level (SARIF 2.1.0, section 3.27.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// Of level `error`.
    pub error: u64,
    /// Of level `warning`.
    pub warning: u64,
    /// Of level `note`.
    pub note: u64,
    /// Of level `none`.
    pub none: u64,
}

/// What a scanner of Plimsoll says of its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OwnScan {
    /// Which scanner.
    pub engine: ScanEngine,
    /// Digest over its rules and whatever else decides what they find.
    pub rules_digest: Digest,
    /// Digest of the rules that were imported on the machine and applied beside its own; none where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Digest>,
    /// The data that it used; none for scanners that need none.
    pub database: Option<Database>,
    /// What it looked at.
    pub coverage: Coverage,
    /// What it found, sorted, each once; at most [`MAX_RESULTS`].
    pub results: Vec<OwnResult>,
    /// How many more it found.
    pub unlisted: u64,
    /// What packages state as their licences, sorted, each once; none where the scanner did not list them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licenses: Option<Vec<OwnLicense>>,
}

/// What a package states as its licence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnLicense {
    /// Its package URL.
    pub package: String,
    /// As stated; none where nothing is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// How a foreign scanner was run and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdapterScan {
    /// Name of its manifest.
    pub name: ToolName,
    /// Digest of its manifest: of the arguments, the configuration and everything else that decides what it finds.
    pub manifest: Digest,
    /// Whether the manifest is the one of this name that came with the signer's program.
    pub ready: bool,
    /// Format of its report.
    pub format: ReportFormat,
    /// Digest of the directory of its data, where its manifest names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Digest>,
    /// Exit statuses by which it says that it found something, by its manifest.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub found: BTreeSet<i32>,
    /// What it found, sorted; at most [`MAX_RESULTS`].
    pub results: Vec<OwnResult>,
    /// How many more it found.
    pub unlisted: u64,
}

/// Results that a statement lists.
pub const MAX_RESULTS: usize = 10_000;

/// The data behind a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Digest of its file.
    pub digest: Digest,
    /// When its newest record was changed at its source.
    pub updated: Timestamp,
}

/// What a scan looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Files that were read whole.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packages that were looked up.
    pub packages: u64,
}

/// One finding, as far as gates care.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnResult {
    /// Who it is: the same where the same was found before.
    pub fingerprint: Digest,
    /// How bad it is.
    pub severity: Severity,
    /// Whether a comment beside it allows it.
    pub suppressed: bool,
    /// Its rule, as in `config/dockerfile-root-user`. Statements of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The file in which it is, below what was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Package URL of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Names of the advisory behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<String>,
}

impl OwnResult {
    /// A result of which nothing more is said.
    #[must_use]
    pub const fn new(fingerprint: Digest, severity: Severity) -> Self {
        Self {
            fingerprint,
            severity,
            suppressed: false,
            rule: None,
            path: None,
            package: None,
            advisories: Vec::new(),
        }
    }
}

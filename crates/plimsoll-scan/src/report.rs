//! What a scan says of itself beside its findings: what it looked at, what it could not read, by which rules and which
//! data. A report without coverage is no evidence, whatever it found.

use crate::finding::{Finding, Rule};
use plimsoll_model::{Digest, ScanEngine, Severity, Timestamp};
use serde::{Deserialize, Serialize};

/// What was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Files, or blobs of a history, that were read whole.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packages that were looked up; zero for engines that look up none.
    #[serde(default)]
    pub packages: u64,
    /// How often a rule could not tell, since a value is known only when it is applied. It is neither found nor passed, and
    /// a scan of the plan decides it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undecided: u64,
    /// What packages state as their licences, sorted, each once; none from engines that do not look, and where there are
    /// more than [`MAX_LICENSES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licenses: Option<Vec<Licensed>>,
    /// What should have been looked at and was not. Where there is any, the scan is partial and passes no gate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Packages whose licences a report lists.
pub const MAX_LICENSES: usize = 10_000;

/// What a package states as its licence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licensed {
    /// Its package URL.
    pub package: String,
    /// As stated, which need not be an SPDX expression; none where nothing is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// Something that was not looked at, or not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// Path below what was scanned.
    pub path: String,
    /// Why, in one line.
    pub problem: String,
}

/// The data behind a scan that is not part of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Digest of its file.
    pub digest: Digest,
    /// When its newest record was changed at its source.
    pub updated: Timestamp,
}

/// What one engine found in one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Who looked.
    pub engine: ScanEngine,
    /// Version of this program.
    pub version: &'static str,
    /// Every rule that was applied, whether it found something or not.
    pub rules: Vec<&'static Rule>,
    /// Digest over the rules and whatever else decides what they find.
    pub rules_digest: Digest,
    /// Digest of the rules that were imported on this machine and applied; none where there were none.
    pub imported: Option<Digest>,
    /// The data that was used; none for engines that need none.
    pub database: Option<Database>,
    /// What was looked at.
    pub coverage: Coverage,
    /// What was found, in order of place.
    pub findings: Vec<Finding>,
    /// What was found and is allowed by a comment beside it. Whether such comments count is for the environment to say.
    pub suppressed: Vec<Finding>,
}

/// What a scan amounts to. Only [`Verdict::Clean`] is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All of it was looked at, and nothing was found.
    Clean,
    /// Something was found; there may be more where there are gaps too.
    Findings,
    /// Nothing was found in what could be looked at.
    Partial,
    /// There was nothing that this engine knows how to look at.
    Empty,
}

impl Report {
    /// What it amounts to, counting findings of at least this severity.
    #[must_use]
    pub fn verdict(&self, least: Severity) -> Verdict {
        if self.findings.iter().any(|finding| finding.severity >= least) {
            Verdict::Findings
        } else if !self.coverage.gaps.is_empty() {
            Verdict::Partial
        } else if self.coverage.files == 0 {
            Verdict::Empty
        } else {
            Verdict::Clean
        }
    }
}

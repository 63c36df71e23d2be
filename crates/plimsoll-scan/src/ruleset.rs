//! Rules that somebody imported on this machine: the files themselves, in one document. Its digest names them in evidence,
//! so that an environment can ask for exactly these.

use plimsoll_model::{Digest, ScanEngine};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Most bytes of one file of rules.
pub const MAX_FILE: usize = 4 << 20;
/// Most bytes of all files of a set.
pub const MAX_SET: usize = 16 << 20;
/// Problems that are told at once.
pub const MAX_PROBLEMS: usize = 100;

/// The files of rules for one scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    schema: u32,
    /// Whom they are for.
    pub engine: ScanEngine,
    /// Sorted by name.
    files: Vec<RuleFile>,
}

/// One file of rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Its name, for people: problems and findings name it.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// Why a rule is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The rule, where it has a name.
    pub rule: Option<String>,
    /// Why, in one line.
    pub problem: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule {rule}: ")?;
        }
        f.write_str(&self.problem)
    }
}

/// Why a stored set is none.
#[derive(Debug, thiserror::Error)]
pub enum RuleSetError {
    /// It is no document of this kind.
    #[error("it is no set of rules: {0}")]
    Foreign(#[from] serde_json::Error),
    /// It was written by another version.
    #[error("it is of version {0}, and this program reads version 1")]
    Version(u32),
}

impl RuleSet {
    /// Of these files.
    #[must_use]
    pub fn new(engine: ScanEngine, mut files: Vec<RuleFile>) -> Self {
        files.sort();
        Self { schema: 1, engine, files }
    }

    /// Reads what [`RuleSet::to_bytes`] wrote.
    ///
    /// # Errors
    /// When it did not.
    pub fn parse(bytes: &[u8]) -> Result<Self, RuleSetError> {
        let set: Self = serde_json::from_slice(bytes)?;
        match set.schema {
            1 => Ok(set),
            other => Err(RuleSetError::Version(other)),
        }
    }

    /// As it is stored.
    ///
    /// # Errors
    /// None that is known: text and numbers are always JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RuleSetError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// What names the set in evidence: the SHA-256 of its bytes.
    ///
    /// # Errors
    /// Those of [`RuleSet::to_bytes`].
    pub fn digest(&self) -> Result<Digest, RuleSetError> {
        Ok(Digest::of(&self.to_bytes()?))
    }

    /// The files, by name.
    #[must_use]
    pub fn files(&self) -> &[RuleFile] {
        &self.files
    }
}

/// Where the lines of a file begin.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', text.as_bytes()).collect())
    }

    /// The line of a byte, from 1.
    pub(crate) fn at(&self, offset: usize) -> u32 {
        u32::try_from(self.0.partition_point(|end| *end < offset)).unwrap_or(u32::MAX).saturating_add(1)
    }
}

//! The scanners of this program, and the one scale of what they find.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A scanner of this program. What it looks for is decided here and by the environment, never by the project.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ScanEngine {
    /// Credentials in files.
    Secrets,
    /// Packages, and what is known about them.
    Dependencies,
    /// Dockerfiles, manifests, pipelines of other systems, and infrastructure as code.
    Config,
    /// Files that rules of the user call malicious.
    Malware,
}

impl ScanEngine {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Secrets, Self::Dependencies, Self::Config, Self::Malware];

    /// Its name in files, commands and rules, and of the check of the source.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::Dependencies => "dependencies",
            Self::Config => "config",
            Self::Malware => "malware",
        }
    }

    /// The name of its check of the artifact.
    #[must_use]
    pub const fn artifact_check(self) -> &'static str {
        match self {
            Self::Secrets => "artifact-secrets",
            Self::Dependencies => "artifact-dependencies",
            Self::Config => "artifact-config",
            Self::Malware => "artifact-malware",
        }
    }

    /// The scanner behind the check of this name. No other check may have such a name.
    #[must_use]
    pub fn of_check(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| [engine.as_str(), engine.artifact_check()].contains(&name))
    }
}

impl fmt::Display for ScanEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad a finding is, on the one scale to which every tool's own is mapped.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Hardly exploitable alone.
    Low,
    /// Exploitable with more than this.
    Medium,
    /// Exploitable.
    High,
    /// Exploitable from afar by anybody, or exploited already.
    Critical,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its name in files and on the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! Flags of `plimsoll scan`.

use clap::Subcommand;
use plimsoll_model::{EnvironmentName, Severity};
use std::path::PathBuf;

// `plimsoll scan`
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Scan {
    /// What to look for [default: all of it]
    #[command(subcommand)]
    pub(crate) engine: Option<ScanCommand>,
    #[command(flatten)]
    pub(crate) all: ScanTree,
}

// What to look for.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ScanCommand {
    /// Passwords, keys and tokens: in files, in a history, in an image
    Secrets(ScanSecrets),
    /// Risky Dockerfiles, manifests, pipelines and infrastructure as code
    Config(ScanTree),
    /// Files that YARA rules match, also inside of archives
    Malware(ScanMalware),
    /// Dependencies with known vulnerabilities, by the advisories that were imported
    Dependencies(ScanDependencies),
    /// What runs now, by its signed lists of packages and the advisories that were imported since
    Released(ScanReleased),
}

// `plimsoll scan released`
#[derive(Debug, clap::Args)]
pub(crate) struct ScanReleased {
    /// Only what runs in this environment; may be repeated [default: all]
    #[arg(long = "environment", value_name = "ENVIRONMENT")]
    pub(crate) environments: Vec<EnvironmentName>,
    /// Show and count what was known when it was released too
    #[arg(long)]
    pub(crate) all: bool,
    /// The least severity that is shown and counts
    #[arg(long, value_name = "SEVERITY", default_value = "info", value_parser = severity)]
    pub(crate) least: Severity,
}

// `plimsoll scan dependencies`
#[derive(Debug, clap::Args)]
pub(crate) struct ScanDependencies {
    #[command(flatten)]
    pub(crate) tree: ScanTree,
    /// Show what asks for the package with this vulnerability, and the smallest update that fixes it
    #[arg(long, value_name = "ID", conflicts_with = "licenses")]
    pub(crate) explain: Option<String>,
    /// Licence that dependencies may have, as its SPDX identifier; may be repeated. Others are findings then
    #[arg(long = "license", value_name = "SPDX")]
    pub(crate) licenses: Vec<String>,
}

// `plimsoll scan malware`
#[derive(Debug, clap::Args)]
pub(crate) struct ScanMalware {
    #[command(flatten)]
    pub(crate) tree: ScanTree,
    /// YARA rules (.yar, .yara), or a directory with some, in place of those that were imported; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) rules: Vec<PathBuf>,
}

// What to look at, and where the answer goes.
#[derive(Debug, clap::Args)]
pub(crate) struct ScanTree {
    /// A file or directory; in a git work tree what git ignores is left out
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

// `plimsoll scan secrets`
#[derive(Debug, clap::Args)]
pub(crate) struct ScanSecrets {
    /// A file or directory, or - for standard input; in a git work tree what git ignores is left out
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) shown: Shown,
    /// Look at every blob that any branch or tag of the repository reaches, and name the commit that brought it
    #[arg(long, conflicts_with = "image")]
    pub(crate) history: bool,
    /// Only at what this revision does not have and HEAD has, or at a range as in main..topic
    #[arg(long, value_name = "REVISION", requires = "history")]
    pub(crate) since: Option<String>,
    /// Look into archives: every file of every layer of an OCI layout, or of an image's tar file
    #[arg(long)]
    pub(crate) image: bool,
    /// Rules of gitleaks to apply beside Plimsoll's own, in place of those that were imported; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Vec<PathBuf>,
    /// Show what could be a secret, for somebody who looks through it; without this, what most surely is one
    #[arg(long)]
    pub(crate) audit: bool,
}

// What becomes of findings.
#[derive(Debug, clap::Args)]
pub(crate) struct Shown {
    /// The least severity that is shown and counts
    #[arg(long, value_name = "SEVERITY", default_value = "info", value_parser = severity)]
    pub(crate) least: Severity,
    /// Show what another tool reported too, and what several found once: SARIF, CycloneDX, JUnit, JSON of SonarQube or ZAP;
    /// may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Vec<PathBuf>,
    /// Write a SARIF file too, and end with 0 once it is there, whatever it says
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

pub(super) fn severity(text: &str) -> Result<Severity, String> {
    let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
    found.ok_or_else(|| "expected one of info, low, medium, high, critical".to_owned())
}

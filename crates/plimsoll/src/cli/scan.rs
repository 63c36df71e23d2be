//! Flags of `plimsoll scan`.

use clap::Subcommand;
use plimsoll_model::Severity;
use std::path::PathBuf;

/// `plimsoll scan`
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Scan {
    /// What to look for [default: all of it]
    #[command(subcommand)]
    pub(crate) engine: Option<ScanCommand>,
    #[command(flatten)]
    pub(crate) all: ScanTree,
}

/// What to look for.
#[derive(Debug, Subcommand)]
pub(crate) enum ScanCommand {
    /// Risky Dockerfiles, manifests, pipelines and infrastructure as code
    Config(ScanTree),
}

/// What to look at, and where the answer goes.
#[derive(Debug, clap::Args)]
pub(crate) struct ScanTree {
    /// A file or directory; in a git work tree what git ignores is left out
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) shown: Shown,
}

/// What becomes of findings.
#[derive(Debug, clap::Args)]
pub(crate) struct Shown {
    /// The least severity that is shown and counts
    #[arg(long, value_name = "SEVERITY", default_value = "info", value_parser = severity)]
    pub(crate) least: Severity,
    /// Write a SARIF file instead, and end with 0 if there is a report, whatever it says
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

fn severity(text: &str) -> Result<Severity, String> {
    let found = Severity::ALL.into_iter().find(|severity| severity.as_str() == text);
    found.ok_or_else(|| "expected one of info, low, medium, high, critical".to_owned())
}

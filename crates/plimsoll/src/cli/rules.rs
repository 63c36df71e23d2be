//! Flags of `plimsoll rules`.

use clap::Subcommand;
use std::path::PathBuf;

// `plimsoll rules`
#[derive(Debug, clap::Args)]
pub(crate) struct Rules {
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

// What to do with the rules of this machine.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Check rules and take them into use for every scan of this machine, in place of those before
    Import(RulesImport),
    /// Show which rules are in use
    Show,
    /// Take the rules of one scanner out of use
    Remove(RulesRemove),
}

// `plimsoll rules import`
#[derive(Debug, clap::Args)]
pub(crate) struct RulesImport {
    /// Files of gitleaks (.toml) for secrets; YARA rules (.yar, .yara), or directories with some, for malware
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

// `plimsoll rules remove`
#[derive(Debug, clap::Args)]
pub(crate) struct RulesRemove {
    /// The scanner
    #[arg(value_parser = ["secrets", "malware"])]
    pub(crate) scanner: String,
}

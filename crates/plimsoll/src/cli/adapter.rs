//! Flags of `plimsoll adapter`.

use clap::Subcommand;
use std::path::PathBuf;

// `plimsoll adapter`
#[derive(Debug, clap::Args)]
pub(crate) struct AdapterArguments {
    #[command(subcommand)]
    pub(crate) command: AdapterCommand,
}

// What to do about foreign scanners.
#[derive(Debug, Subcommand)]
pub(crate) enum AdapterCommand {
    /// List the manifests that come with plimsoll, and whether their tools are on this machine
    List,
    /// Print a manifest and the digest by which an environment pins it
    Show {
        /// Name of a manifest that comes with plimsoll, or a file
        #[arg(value_name = "NAME-OR-FILE")]
        manifest: String,
    },
    /// Try everything that a scanner has to stand: its reports, hostile ones, and the tool itself in its sandbox (not of a
    /// scanner of running services)
    Test(AdapterTest),
}

// `plimsoll adapter test`
#[derive(Debug, clap::Args)]
pub(crate) struct AdapterTest {
    /// Name of a manifest that comes with plimsoll, or a file
    #[arg(value_name = "NAME-OR-FILE")]
    pub(crate) manifest: String,
    /// Directory to run it on, for scanners that look at one [default: the sample that comes with the manifest]
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
    /// The report below PATH that was recorded elsewhere, for manifests that read one
    #[arg(long, value_name = "FILE", requires = "path")]
    pub(crate) recorded: Option<String>,
    /// Try only reports: do not run the tool
    #[arg(long, conflicts_with_all = ["path", "recorded"])]
    pub(crate) reports: bool,
}

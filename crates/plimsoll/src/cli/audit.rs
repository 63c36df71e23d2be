//! Flags of `plimsoll audit`.

use plimsoll_model::Severity;
use std::path::PathBuf;

// `plimsoll audit`
#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    /// A directory; in a git work tree what git ignores is left out
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Print one patch with every fix that can be computed; `git apply` takes it in PATH
    #[arg(long, conflicts_with = "apply")]
    pub(crate) diff: bool,
    /// Write the same fixes into the files; none whose content git does not have is touched
    #[arg(long)]
    pub(crate) apply: bool,
    /// The least severity that is shown and counts; fixes are made for all
    #[arg(long, value_name = "SEVERITY", default_value = "low", value_parser = super::scan::severity)]
    pub(crate) least: Severity,
}

//! Where a repository has its hooks.

use crate::{discover::Layout, process, small};
use plimsoll_engine::ports::SourceError;
use std::path::{Path, PathBuf};

/// Largest configuration file, in bytes.
const CONFIG: u64 = 1 << 20;

/// Where hooks belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// The directory of the repository itself.
    pub directory: PathBuf,
    /// Whether there is no work tree.
    pub bare: bool,
    /// Where the repository's configuration sends git instead; a hook in `directory` would never be asked.
    pub elsewhere: Option<String>,
}

/// The hooks of the repository at or above `path`.
///
/// # Errors
/// `E-SRC-NO-REPOSITORY`, and when its configuration cannot be read.
pub fn hooks(path: &Path) -> Result<Hooks, SourceError> {
    let layout = Layout::find(path)?;
    Ok(Hooks {
        directory: layout.common_dir.join("hooks"),
        bare: layout.work_tree.is_none(),
        elsewhere: elsewhere(&layout)?,
    })
}

/// `core.hooksPath` of the repository. git is given the file to parse and nothing to do with it.
fn elsewhere(layout: &Layout) -> Result<Option<String>, SourceError> {
    let failed = |error| crate::error::failed("read the repository's configuration", error);
    let Some(config) = small::read(&layout.common_dir, "config", CONFIG).map_err(failed)? else {
        return Ok(None);
    };
    let scratch = tempfile::tempdir().map_err(failed)?;
    let mut git = process::git(scratch.path());
    git.args(["config", "--no-includes", "--file", "-", "--get", "core.hooksPath"]);
    // Its status is 1 where there is no such key.
    let answer = process::answer(&mut git, &config).unwrap_or_default();
    let text = String::from_utf8_lossy(&answer).trim_end().to_owned();
    Ok(Some(text).filter(|text| !text.is_empty()))
}

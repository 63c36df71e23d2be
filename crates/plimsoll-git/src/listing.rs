//! Which files of a work tree belong to its project: what is in the index, and what is not and is not ignored either. The
//! real git says so, from a git directory of our own as in [`crate::status`]. Nothing about the content is asked: whoever
//! wants it opens the files.

use crate::{
    discover::Layout,
    error::failed,
    process, refs,
    status::{self, Head},
};
use plimsoll_engine::ports::SourceError;
use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

/// The files that the project at `path` has at or below it, by their paths below `path`, in order; none where `path` is in
/// no work tree. A path can also be that of a submodule, or of another repository inside this one: a directory.
///
/// # Errors
/// When git cannot be asked, or cannot read the index.
pub fn listed(path: &Path) -> Result<Option<Vec<PathBuf>>, SourceError> {
    ask(path, &["--cached", "--others", "--exclude-standard"])
}

/// Those of the same files whose content git does not have, neither in a commit nor in the index: what is written over
/// them is lost.
///
/// # Errors
/// Those of [`listed`].
pub fn unsaved(path: &Path) -> Result<Option<Vec<PathBuf>>, SourceError> {
    ask(path, &["--modified", "--others", "--exclude-standard"])
}

fn ask(path: &Path, which: &[&str]) -> Result<Option<Vec<PathBuf>>, SourceError> {
    let Ok(layout) = Layout::find(path) else { return Ok(None) };
    let Some(work_tree) = &layout.work_tree else { return Ok(None) };
    let scratch = tempfile::tempdir().map_err(|error| failed("make a temporary directory", error))?;
    let git_dir = scratch.path().join("git");
    let head = refs::id_of(&layout, "HEAD")?;
    let head = head.map_or(Head::Unborn, |id| Head::Commit(id.to_string()));
    status::imitate(&layout, &head, &git_dir).map_err(|error| failed("prepare for git ls-files", error))?;
    let mut git = process::git(scratch.path());
    git.env("GIT_DIR", &git_dir)
        .env("GIT_WORK_TREE", work_tree)
        .env("GIT_OBJECT_DIRECTORY", layout.objects())
        .args(["ls-files", "-z"])
        .args(which)
        .args(["--full-name", "--"]);
    let prefix = layout.prefix.as_ref().map(|prefix| format!("{prefix}/")).unwrap_or_default();
    if !prefix.is_empty() {
        git.arg(format!(":(top,literal){prefix}"));
    }
    let answer = process::answer(&mut git, b"")?;
    let below = answer.split(|&b| b == 0).filter_map(|path| path.strip_prefix(prefix.as_bytes()));
    let mut paths: Vec<PathBuf> =
        below.filter(|path| !path.is_empty()).map(|path| OsString::from_vec(path.to_vec()).into()).collect();
    paths.sort_unstable();
    paths.dedup();
    Ok(Some(paths))
}

//! What the work tree has and the commit has not. The real `git status` looks, from a git directory of our own that
//! borrows the repository's index and objects and has none of its configuration: filters, file system monitors, text
//! converters and hooks are known to git by configuration alone.

use crate::{discover::Layout, error::failed, process, small};
use plimsoll_engine::ports::SourceError;
use plimsoll_model::reason::printable;
use std::{collections::BTreeMap, fs, path::Path};

/// Largest index, in bytes.
const INDEX_LIMIT: u64 = 512 << 20;
/// Largest `info/exclude`, in bytes.
const EXCLUDE_LIMIT: u64 = 1 << 20;

/// Changed paths with the two letters that `git status --porcelain` uses, `??` for what is not known to git. Empty for
/// a bare repository. Submodules are not looked into.
///
/// # Errors
/// When git cannot be asked.
pub(crate) fn uncommitted(layout: &Layout, head: &Head) -> Result<BTreeMap<String, String>, SourceError> {
    let Some(work_tree) = &layout.work_tree else { return Ok(BTreeMap::new()) };
    let scratch = tempfile::tempdir().map_err(|error| failed("make a temporary directory", error))?;
    let git_dir = scratch.path().join("git");
    imitate(layout, head, &git_dir).map_err(|error| failed("prepare for git status", error))?;
    let mut git = process::git(scratch.path());
    git.env("GIT_DIR", &git_dir)
        .env("GIT_WORK_TREE", work_tree)
        .env("GIT_OBJECT_DIRECTORY", layout.objects())
        .args(["status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal"])
        .args(["--ignore-submodules=all", "--no-ahead-behind"]);
    Ok(parse(&process::answer(&mut git, b"")?))
}

/// What `HEAD` stands for.
pub(crate) enum Head {
    /// A commit, by its full id.
    Commit(String),
    /// A branch without a commit.
    Unborn,
}

/// Makes a git directory with the index and the excluded names of the repository and nothing else of it.
pub(crate) fn imitate(layout: &Layout, head: &Head, git_dir: &Path) -> std::io::Result<()> {
    imitate_index(layout, head, None, git_dir)
}

/// The same with another index than the repository's own, as git has one while it commits a part of it.
pub(crate) fn imitate_index(
    layout: &Layout,
    head: &Head,
    index: Option<&Path>,
    git_dir: &Path,
) -> std::io::Result<()> {
    fs::create_dir_all(git_dir.join("refs"))?;
    fs::create_dir_all(git_dir.join("info"))?;
    let (head, sha256) = match head {
        Head::Commit(id) => (format!("{id}\n"), id.len() == 64),
        Head::Unborn => ("ref: refs/heads/main\n".to_owned(), false),
    };
    fs::write(git_dir.join("HEAD"), head)?;
    let format =
        if sha256 { "\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n" } else { "" };
    fs::write(git_dir.join("config"), format!("[core]\n\tbare = false\n{format}"))?;
    let index = match index.map(|index| (index.parent(), index.file_name().and_then(|name| name.to_str()))) {
        None => small::read(&layout.git_dir, "index", INDEX_LIMIT)?,
        Some((Some(directory), Some(name))) => small::read(directory, name, INDEX_LIMIT)?,
        Some(_) => return Err(std::io::ErrorKind::InvalidInput.into()),
    };
    if let Some(index) = index {
        fs::write(git_dir.join("index"), index)?;
    }
    if let Some(exclude) = small::read(&layout.common_dir, "info/exclude", EXCLUDE_LIMIT)? {
        fs::write(git_dir.join("info/exclude"), exclude)?;
    }
    Ok(())
}

fn parse(answer: &[u8]) -> BTreeMap<String, String> {
    let lines = answer.split(|&b| b == 0).filter_map(|line| line.split_at_checked(3));
    let shown = |bytes: &[u8]| printable(&String::from_utf8_lossy(bytes), 4096);
    lines.map(|(letters, path)| (shown(path), shown(&letters[..2]))).collect()
}

//! Finds the repository at or above a path, from the directories' shape alone. `GIT_DIR`, `core.worktree` and every
//! other variable or setting that could name another place are not asked.

use crate::{error::failed, small};
use plimsoll_engine::ports::SourceError;
use plimsoll_model::{Code, RelPath};
use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// Longest path that a `.git` file may name, in bytes.
const POINTER_LIMIT: u64 = 8192;

/// Where a repository keeps what.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// `HEAD` and `index`.
    pub(crate) git_dir: PathBuf,
    /// Objects and refs: the same place, except for a linked work tree.
    pub(crate) common_dir: PathBuf,
    /// The work tree's root; none for a bare repository.
    pub(crate) work_tree: Option<PathBuf>,
    /// Where the path that was asked for lies below the work tree's root.
    pub(crate) prefix: Option<RelPath>,
}

impl Layout {
    /// The repository that `path` names or lies in. A bare repository is found only by its own path and outside every
    /// work tree: one that a commit carries as ordinary files must not stand in for the repository around it.
    ///
    /// # Errors
    /// `E-SRC-NO-REPOSITORY`; a failure for a bare repository inside a work tree.
    pub(crate) fn find(path: &Path) -> Result<Self, SourceError> {
        let absent = || Code::SrcNoRepository.reason().with("path", path.display());
        let start = fs::canonicalize(path).map_err(|_| absent())?;
        let ordinary = work_tree_above(&start)?;
        if !is_git_dir(&start, &start) || start.join(".git").exists() {
            let (root, git_dir) = ordinary.ok_or_else(absent)?;
            return Self::around(git_dir, Some(root), &start);
        }
        match ordinary {
            None => Self::around(start.clone(), None, &start),
            Some((root, git_dir)) if git_dir == start => Self::around(git_dir, Some(root.clone()), &root),
            Some((root, _)) => {
                let problem = format!("it is a bare repository inside the work tree {}", root.display());
                Err(failed(format!("open {}", path.display()), problem))
            }
        }
    }

    fn around(git_dir: PathBuf, work_tree: Option<PathBuf>, start: &Path) -> Result<Self, SourceError> {
        let common_dir = common_dir_of(&git_dir)?;
        let below = work_tree.as_deref().and_then(|root| start.strip_prefix(root).ok());
        let prefix = below.filter(|below| !below.as_os_str().is_empty()).map(prefix_of).transpose()?;
        Ok(Self { git_dir, common_dir, work_tree, prefix })
    }

    /// Whether the absolute path `location` names a work tree's root, or a bare repository, with these objects and refs.
    pub(crate) fn is_at(&self, location: &Path) -> bool {
        let Ok(place) = fs::canonicalize(location) else { return false };
        let named = location.is_absolute().then(|| Self::find(&place).ok()).flatten();
        named.is_some_and(|named| named.common_dir == self.common_dir && named.prefix.is_none())
    }

    /// Where objects are.
    pub(crate) fn objects(&self) -> PathBuf {
        self.common_dir.join("objects")
    }

    /// The path by which people know the repository.
    pub(crate) fn shown(&self) -> &Path {
        self.work_tree.as_deref().unwrap_or(&self.common_dir)
    }

    /// Refuses what is incomplete or borrows; asked before every use, since both can begin at any time.
    ///
    /// # Errors
    /// `E-SRC-SHALLOW`, `E-SRC-ALTERNATES`.
    pub(crate) fn check_complete(&self) -> Result<(), SourceError> {
        let refusal = |code: Code| Err(code.reason().with("path", self.shown().display()).into());
        if self.common_dir.join("shallow").symlink_metadata().is_ok() {
            return refusal(Code::SrcShallow);
        }
        match small::read(&self.common_dir, "objects/info/alternates", 1 << 20) {
            Ok(None) => Ok(()),
            Ok(Some(content)) if content.trim_ascii().is_empty() => Ok(()),
            Ok(Some(_)) | Err(_) => refusal(Code::SrcAlternates),
        }
    }
}

fn prefix_of(below: &Path) -> Result<RelPath, SourceError> {
    let problem = |problem: &str| failed(format!("use the directory {}", below.display()), problem);
    let text = below.to_str().ok_or_else(|| problem("its name is not UTF-8"))?;
    text.parse().map_err(|_| problem("its name cannot stand in a tree"))
}

/// The nearest directory at or above `start` with a git directory, and that.
fn work_tree_above(start: &Path) -> Result<Option<(PathBuf, PathBuf)>, SourceError> {
    for root in start.ancestors() {
        if let Some(git_dir) = git_dir_of(root)? {
            return Ok(Some((root.to_owned(), git_dir)));
        }
    }
    Ok(None)
}

fn git_dir_of(root: &Path) -> Result<Option<PathBuf>, SourceError> {
    let dot_git = root.join(".git");
    let Ok(metadata) = fs::metadata(&dot_git) else { return Ok(None) };
    let git_dir = if metadata.is_dir() { dot_git } else { pointed_to(root)? };
    let common_dir = common_dir_of(&git_dir)?;
    let git_dir = fs::canonicalize(&git_dir).map_err(|error| failed("find the git directory", error))?;
    Ok(is_git_dir(&git_dir, &common_dir).then_some(git_dir))
}

/// The directory that a `.git` file names (gitrepository-layout(5)).
fn pointed_to(root: &Path) -> Result<PathBuf, SourceError> {
    let problem = |problem: &str| failed(format!("read {}", root.join(".git").display()), problem);
    let content = small::read(root, ".git", POINTER_LIMIT).map_err(|error| problem(&error.to_string()))?;
    let content = content.ok_or_else(|| problem("it is gone"))?;
    let target =
        content.strip_prefix(b"gitdir: ").ok_or_else(|| problem("it does not name a git directory"))?;
    Ok(root.join(OsStr::from_bytes(target.trim_ascii_end())))
}

fn common_dir_of(git_dir: &Path) -> Result<PathBuf, SourceError> {
    let problem = |error| failed("find the common git directory", error);
    let content = small::read(git_dir, "commondir", POINTER_LIMIT).map_err(problem)?;
    let common = match &content {
        None => git_dir.to_owned(),
        Some(content) => git_dir.join(OsStr::from_bytes(content.trim_ascii_end())),
    };
    fs::canonicalize(&common).map_err(problem)
}

fn is_git_dir(git_dir: &Path, common_dir: &Path) -> bool {
    git_dir.join("HEAD").symlink_metadata().is_ok()
        && common_dir.join("objects").is_dir()
        && common_dir.join("refs").is_dir()
}

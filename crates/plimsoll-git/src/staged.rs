//! What the next commit would change: files of the index that differ from `HEAD`, with their content as it would be
//! committed. Which they are the real git says, from a git directory of our own as in [`crate::status`]; the content is read
//! and hashed here.

use crate::{
    Limits,
    commit::Parsed,
    discover::Layout,
    error::failed,
    objects::Objects,
    process, refs,
    status::{self, Head},
};
use gix_hash::ObjectId;
use gix_object::Kind;
use plimsoll_engine::ports::SourceError;
use plimsoll_model::{Code, reason::printable};
use std::{collections::HashSet, path::Path};

/// A file of the next commit that the current one does not have, or not so.
#[derive(Debug)]
pub struct Staged<'a> {
    /// Its path from the root of the work tree, as it is shown.
    pub path: &'a str,
    /// Its content, or in one line why that cannot be read.
    pub content: Result<&'a [u8], &'a str>,
    /// What `HEAD` has there, if that can be read.
    pub before: Option<&'a [u8]>,
}

/// Shows `take` every file that would be committed from `index`, or from the repository's own index without one. A shallow
/// clone, or one with alternates, has all that this needs.
///
/// # Errors
/// `E-SRC-NO-REPOSITORY`, and when git cannot read the index.
pub fn staged(
    path: &Path,
    index: Option<&Path>,
    take: &mut dyn FnMut(Staged<'_>),
) -> Result<(), SourceError> {
    let layout = Layout::find(path)?;
    if layout.work_tree.is_none() {
        return Err(Code::SrcNoRepository.reason().with("path", path.display()).into());
    }
    let head = refs::id_of(&layout, "HEAD")?;
    let scratch = tempfile::tempdir().map_err(|error| failed("make a temporary directory", error))?;
    let git_dir = scratch.path().join("git");
    let imitated = head.map_or(Head::Unborn, |id| Head::Commit(id.to_string()));
    let made = status::imitate_index(&layout, &imitated, index, &git_dir);
    made.map_err(|error| failed("prepare for git diff-index", error))?;
    let hash = head.map_or(gix_hash::Kind::Sha1, |id| id.kind());
    let objects = Objects::at(&layout.objects(), hash, Limits::default())?;
    let mut git = process::git(scratch.path());
    git.env("GIT_DIR", &git_dir)
        .env("GIT_OBJECT_DIRECTORY", layout.objects())
        .args(["diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames"])
        .arg(tree(&objects, head)?.to_string())
        .arg("--");
    for (path, old, new) in changes(&process::answer(&mut git, b"")?) {
        let content = objects.read(&new, Kind::Blob).map_err(|error| error.to_string());
        let before = old.and_then(|old| objects.read(&old, Kind::Blob).ok());
        let content = content.as_deref().map_err(String::as_str);
        take(Staged { path: &path, content, before: before.as_deref() });
    }
    Ok(())
}

/// The tree to compare with: an empty one before the first commit.
fn tree(objects: &Objects, head: Option<ObjectId>) -> Result<ObjectId, SourceError> {
    match head {
        None => Ok(ObjectId::empty_tree(gix_hash::Kind::Sha1)),
        Some(head) => Ok(Parsed::new(head, &objects.read(&head, Kind::Commit)?)?.tree()),
    }
}

/// Path, old and new blob of each regular file that there will be (git-diff-index(1), "Raw output format"). What was moved or
/// copied as it was from another changed file brings nothing.
fn changes(answer: &[u8]) -> Vec<(String, Option<ObjectId>, ObjectId)> {
    let mut fields = answer.split(|&b| b == 0);
    let (mut changes, mut gone) = (Vec::new(), HashSet::new());
    while let (Some(facts), Some(path)) = (fields.next(), fields.next()) {
        let facts = String::from_utf8_lossy(facts);
        let mut facts = facts.trim_start_matches(':').split(' ');
        let (Some(old_mode), Some(mode), Some(old), Some(new)) =
            (facts.next(), facts.next(), facts.next(), facts.next())
        else {
            continue;
        };
        let is_file = |mode: &str| mode.starts_with("100");
        let id = |text: &str| ObjectId::from_hex(text.as_bytes()).ok();
        let old = id(old).filter(|_| is_file(old_mode));
        gone.extend(old);
        if let Some(new) = id(new).filter(|_| is_file(mode)) {
            changes.push((printable(&String::from_utf8_lossy(path), 4096), old, new));
        }
    }
    changes.retain(|(_, _, new)| !gone.contains(new));
    changes
}

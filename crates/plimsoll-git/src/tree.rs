//! Walks the tree of a commit: every name, mode and link target is checked before anything is done with it, and the
//! same walk lists files and writes them.

use crate::{
    Limits,
    commit::Parsed,
    error::{bad_object, bad_path},
    export::Directory,
    objects::{Objects, object_id},
};
use gix_hash::ObjectId;
use gix_object::{
    Kind, TreeRefIter,
    bstr::{BString, ByteSlice},
    tree::{EntryKind, EntryMode},
};
use plimsoll_engine::ports::SourceError;
use plimsoll_model::{Code, CommitId, Digest, Entry, RelPath, Tree, tree::symlink_is_contained};
use std::{collections::HashSet, os::fd::BorrowedFd};

/// A pointer file is at most this long (Git LFS specification, "The Pointer").
const POINTER_LIMIT: usize = 1024;

/// Lists the files of a commit, and writes them below `destination` if one is given.
///
/// # Errors
/// `E-SRC-OBJECT`, `E-SRC-PATH`, `E-SRC-SUBMODULE`, `E-SRC-LFS`; `E-FILE-MISSING` when `subdirectory` is no directory of
/// the commit; failures to write.
pub(crate) fn walk(
    objects: &Objects,
    commit: &CommitId,
    subdirectory: Option<&RelPath>,
    destination: Option<BorrowedFd<'_>>,
    limits: Limits,
) -> Result<Tree, SourceError> {
    let id = object_id(commit)?;
    let content = objects.read(&id, Kind::Commit)?;
    let parsed = Parsed::new(id, &content)?;
    let root = match subdirectory {
        None => parsed.tree(),
        Some(path) => directory(objects, parsed.tree(), path)?,
    };
    let output = destination.map(|at| Directory::root(at, parsed.seconds()?)).transpose()?;
    let mut walk = Walk { objects, commit, root, limits, entries: 0, total: 0, tree: Tree::default() };
    walk.directory(root, None, 0, output.as_ref())?;
    Ok(walk.tree)
}

/// The content of one regular file of a commit; none if there is none at `path`.
///
/// # Errors
/// `E-SRC-OBJECT`, also for more than `limit` bytes.
pub(crate) fn file(
    objects: &Objects,
    commit: &CommitId,
    path: &RelPath,
    limit: u64,
) -> Result<Option<Vec<u8>>, SourceError> {
    let id = object_id(commit)?;
    let content = objects.read(&id, Kind::Commit)?;
    let Some(node) = find(objects, Parsed::new(id, &content)?.tree(), path)? else { return Ok(None) };
    if !matches!(node.kind, EntryKind::Blob | EntryKind::BlobExecutable) {
        return Ok(None);
    }
    let content = objects.read(&node.id, Kind::Blob)?;
    if content.len() as u64 > limit {
        return Err(bad_object(&node.id, format!("it has {} bytes; the limit is {limit}", content.len())));
    }
    Ok(Some(content))
}

fn directory(objects: &Objects, root: ObjectId, path: &RelPath) -> Result<ObjectId, SourceError> {
    match find(objects, root, path)? {
        Some(Node { kind: EntryKind::Tree, id, .. }) => Ok(id),
        Some(Node { kind: EntryKind::Commit, .. }) => Err(submodule(path)),
        _ => Err(Code::FileMissing.reason().with("file", path).into()),
    }
}

fn submodule(path: &RelPath) -> SourceError {
    Code::SrcSubmodule.reason().with("path", path).into()
}

/// What lies at `path` below the tree `root`.
///
/// # Errors
/// `E-SRC-OBJECT`.
pub(crate) fn find(objects: &Objects, root: ObjectId, path: &RelPath) -> Result<Option<Node>, SourceError> {
    let mut at =
        Node { name: BString::default(), mode: EntryKind::Tree.into(), kind: EntryKind::Tree, id: root };
    for component in path.components() {
        if at.kind != EntryKind::Tree {
            return Ok(None);
        }
        let found = nodes(objects, &at.id)?.into_iter().find(|node| node.name == component);
        let Some(node) = found else { return Ok(None) };
        at = node;
    }
    Ok(Some(at))
}

/// One entry of a tree object.
pub(crate) struct Node {
    pub(crate) name: BString,
    pub(crate) mode: EntryMode,
    pub(crate) kind: EntryKind,
    pub(crate) id: ObjectId,
}

/// The entries of a tree object. Two of one name would let the reader choose, so they are refused.
///
/// # Errors
/// `E-SRC-OBJECT`.
pub(crate) fn nodes(objects: &Objects, id: &ObjectId) -> Result<Vec<Node>, SourceError> {
    let content = objects.read(id, Kind::Tree)?;
    let (mut names, mut nodes) = (HashSet::new(), Vec::new());
    for entry in TreeRefIter::from_bytes(&content, id.kind()) {
        let entry = entry.map_err(|error| bad_object(id, error))?;
        if !matches!(entry.mode.value() & 0o170_000, 0o040_000 | 0o100_000 | 0o120_000 | 0o160_000) {
            return Err(bad_object(
                id,
                format!("the entry {} has a mode that git does not know", entry.filename),
            ));
        }
        if !names.insert(entry.filename) {
            return Err(bad_object(id, format!("it has two entries named {}", entry.filename)));
        }
        nodes.push(Node {
            name: entry.filename.to_owned(),
            mode: entry.mode,
            kind: entry.mode.kind(),
            id: entry.oid.to_owned(),
        });
    }
    Ok(nodes)
}

struct Walk<'a> {
    objects: &'a Objects,
    commit: &'a CommitId,
    root: ObjectId,
    limits: Limits,
    entries: u64,
    total: u64,
    tree: Tree,
}

impl Walk<'_> {
    fn directory(
        &mut self,
        id: ObjectId,
        path: Option<&RelPath>,
        depth: usize,
        output: Option<&Directory<'_>>,
    ) -> Result<(), SourceError> {
        if depth > self.limits.depth {
            return Err(bad_object(
                &self.root,
                format!("it is more than {} directories deep", self.limits.depth),
            ));
        }
        let nodes = nodes(self.objects, &id)?;
        if let (true, Some(path)) = (nodes.is_empty(), path) {
            self.tree.entries.insert(path.clone(), Entry::EmptyDirectory);
        }
        for node in nodes {
            let path = self.checked(path, &node)?;
            self.count(1, 0)?;
            match node.kind {
                EntryKind::Tree => {
                    let below = output.map(|output| output.directory(path.file_name())).transpose()?;
                    self.directory(node.id, Some(&path), depth + 1, below.as_ref())?;
                }
                EntryKind::Blob => self.file(&node, path, false, output)?,
                EntryKind::BlobExecutable => self.file(&node, path, true, output)?,
                EntryKind::Link => self.symlink(&node, path, output)?,
                EntryKind::Commit => return Err(submodule(&path)),
            }
        }
        output.map_or(Ok(()), Directory::finish)
    }

    fn file(
        &mut self,
        node: &Node,
        path: RelPath,
        executable: bool,
        output: Option<&Directory<'_>>,
    ) -> Result<(), SourceError> {
        let content = self.objects.read(&node.id, Kind::Blob)?;
        let size = content.len() as u64;
        self.count(0, size)?;
        if is_lfs_pointer(&content) {
            return Err(Code::SrcLfs.reason().with("path", &path).into());
        }
        if let Some(output) = output {
            output.file(path.file_name(), &content, executable)?;
        }
        self.tree.entries.insert(path, Entry::File { digest: Digest::of(&content), size, executable });
        Ok(())
    }

    fn symlink(
        &mut self,
        node: &Node,
        path: RelPath,
        output: Option<&Directory<'_>>,
    ) -> Result<(), SourceError> {
        let content = self.objects.read(&node.id, Kind::Blob)?;
        let shown = || format!("{path} -> {}", content.as_bstr());
        let target = content.to_str().map_err(|_| bad_path(self.commit, shown()))?;
        if !symlink_is_contained(&path, target) {
            return Err(bad_path(self.commit, shown()));
        }
        if let Some(output) = output {
            output.symlink(path.file_name(), target)?;
        }
        self.tree.entries.insert(path, Entry::Symlink { target: target.to_owned() });
        Ok(())
    }

    fn count(&mut self, entries: u64, bytes: u64) -> Result<(), SourceError> {
        self.entries += entries;
        self.total = self.total.saturating_add(bytes);
        if self.entries > self.limits.entries {
            return Err(bad_object(&self.root, format!("it has more than {} entries", self.limits.entries)));
        }
        if self.total > self.limits.total {
            return Err(bad_object(
                &self.root,
                format!("its files have more than {} bytes", self.limits.total),
            ));
        }
        Ok(())
    }

    fn checked(&self, parent: Option<&RelPath>, node: &Node) -> Result<RelPath, SourceError> {
        let joined = parent.map_or_else(|| node.name.to_string(), |parent| format!("{parent}/{}", node.name));
        let path =
            node.name.to_str().ok().filter(|name| is_safe_name(name)).and_then(|_| joined.parse().ok());
        path.ok_or_else(|| bad_path(self.commit, joined))
    }
}

/// Whether a name is one component everywhere and, on no file system, another spelling of `.git`.
pub(crate) fn is_safe_name(name: &str) -> bool {
    let options = gix_validate::path::component::Options {
        protect_windows: false,
        protect_hfs: true,
        protect_ntfs: true,
    };
    // NTFS reads a backslash as a separator.
    let mut parts = name.split(['\\']).filter(|part| !part.is_empty());
    !name.contains('/') && parts.all(|part| gix_validate::path::component(part.into(), None, options).is_ok())
}

/// Git LFS specification, "The Pointer": `version` with the specification's address comes first, `oid` follows.
fn is_lfs_pointer(content: &[u8]) -> bool {
    let versions: [&[u8]; 2] =
        [b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/"];
    content.len() < POINTER_LIMIT
        && versions.iter().any(|version| content.starts_with(version))
        && content.lines().any(|line| line.starts_with(b"oid "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_of_dot_git_is_a_safe_name() {
        for good in ["a", "git", ".gitignore", ".github", "git~", "a\\b", "git~10", ".gitt", "\\"] {
            assert!(is_safe_name(good), "{good}");
        }
        let bad = [
            ".git",
            ".GIT",
            ".Git",
            "git~1",
            "GIT~1",
            ".git.",
            ".git ",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it",
            ".gi\u{feff}t",
            "a\\.git",
            ".git\\config",
            "a/b",
            "..",
            ".",
            "a\\..",
        ];
        for bad in bad {
            assert!(!is_safe_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn only_pointers_are_pointers() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
        assert!(is_lfs_pointer(pointer.as_bytes()));
        assert!(!is_lfs_pointer(b""));
        assert!(!is_lfs_pointer(b"version https://git-lfs.github.com/spec/v1 is what we use\n"));
        assert!(!is_lfs_pointer(format!("see {pointer}").as_bytes()));
        assert!(!is_lfs_pointer(format!("{pointer}{}", " ".repeat(1024)).as_bytes()));
    }
}

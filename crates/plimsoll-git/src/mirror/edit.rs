//! Makes a commit from another one and a few changes, without an index, a work tree or git: what is not named keeps its
//! bytes, its mode and its place.

use super::proposal::{Identity, Proposal};
use crate::{
    commit::Parsed,
    error::failed,
    objects::{Objects, commit_id, object_id},
    tree::{self, is_safe_name},
};
use gix_hash::ObjectId;
use gix_object::{
    Kind, Tree, Write as _, WriteTo as _,
    bstr::ByteSlice,
    tree::{Entry, EntryKind},
};
use gix_odb::loose;
use plimsoll_engine::ports::SourceError;
use plimsoll_model::{CommitId, RelPath};
use std::{
    collections::{BTreeMap, btree_map},
    path::Path,
};

/// Writes the objects of the proposed commit below `directory`, reading those of its parent from `objects`.
///
/// # Errors
/// `E-SRC-OBJECT` for the parent's objects; a failure for changes that do not fit it, and names that no commit can hold.
pub(crate) fn commit(
    objects: &Objects,
    directory: &Path,
    kind: gix_hash::Kind,
    proposal: &Proposal,
) -> Result<CommitId, SourceError> {
    let edit = Edit { objects, written: loose::Store::at(directory, kind) };
    let parent = proposal.parent.as_ref().map(object_id).transpose()?;
    let base =
        parent.map(|id| Ok::<_, SourceError>(Parsed::new(id, &objects.read(&id, Kind::Commit)?)?.tree()));
    let changes = Changes::new(&proposal.changes)?;
    let tree = match edit.directory(base.transpose()?, &changes)? {
        Some(tree) => tree,
        None => edit.write(Kind::Tree, b"")?,
    };
    let parent = proposal.parent.iter().map(|parent| format!("parent {parent}\n")).collect::<String>();
    let (author, committer) = (signed_by(&proposal.author)?, signed_by(&proposal.committer)?);
    let message = proposal.message.trim_end();
    if message.contains('\0') {
        return Err(failed("write a commit", "its message has a NUL"));
    }
    let text = format!("tree {tree}\n{parent}author {author}\ncommitter {committer}\n\n{message}\n");
    commit_id(&edit.write(Kind::Commit, text.as_bytes())?)
}

fn signed_by(identity: &Identity) -> Result<String, SourceError> {
    let Identity { name, email, time } = identity;
    let bad = |text: &str| text.is_empty() || text.contains(['<', '>']) || text.chars().any(char::is_control);
    if bad(name) || bad(email) {
        return Err(failed("write a commit", format!("{name:?} <{email:?}> cannot stand in a commit")));
    }
    Ok(format!("{name} <{email}> {} +0000", time.as_second()))
}

/// Changes below one directory.
enum Changes<'a> {
    File(Option<&'a [u8]>),
    Directory(BTreeMap<&'a str, Changes<'a>>),
}

impl<'a> Changes<'a> {
    fn new(changes: &'a BTreeMap<RelPath, Option<Vec<u8>>>) -> Result<BTreeMap<&'a str, Self>, SourceError> {
        let mut root = BTreeMap::new();
        for (path, content) in changes {
            let names: Vec<_> = path.components().collect();
            if !names.iter().all(|name| is_safe_name(name)) {
                return Err(misfit(path, "no tree may hold such a name"));
            }
            let mut at = &mut root;
            for name in &names[..names.len().saturating_sub(1)] {
                let below = at.entry(*name).or_insert_with(|| Changes::Directory(BTreeMap::new()));
                let Changes::Directory(below) = below else {
                    return Err(misfit(path, "another change makes a file of a directory above it"));
                };
                at = below;
            }
            match at.entry(names[names.len() - 1]) {
                btree_map::Entry::Vacant(free) => free.insert(Changes::File(content.as_deref())),
                btree_map::Entry::Occupied(_) => return Err(misfit(path, "a file in place of a directory")),
            };
        }
        Ok(root)
    }
}

fn misfit(path: impl std::fmt::Display, problem: &str) -> SourceError {
    failed(format!("change {path}"), problem)
}

struct Edit<'a> {
    objects: &'a Objects,
    written: loose::Store,
}

impl Edit<'_> {
    fn write(&self, kind: Kind, content: &[u8]) -> Result<ObjectId, SourceError> {
        self.written.write_buf(kind, content).map_err(|error| failed("write an object", error))
    }

    /// The changed directory; none if nothing is left in it.
    fn directory(
        &self,
        base: Option<ObjectId>,
        changes: &BTreeMap<&str, Changes<'_>>,
    ) -> Result<Option<ObjectId>, SourceError> {
        let nodes = base.map_or(Ok(vec![]), |base| tree::nodes(self.objects, &base))?;
        let entry = |node: tree::Node| {
            (node.name.clone(), Entry { mode: node.mode, filename: node.name, oid: node.id })
        };
        let mut entries: BTreeMap<_, _> = nodes.into_iter().map(entry).collect();
        for (name, change) in changes {
            let key = name.as_bytes().as_bstr().to_owned();
            match self.entry(name, entries.get(&key), change)? {
                Some(entry) => entries.insert(key, entry),
                None => entries.remove(&key),
            };
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let mut tree = Tree { entries: entries.into_values().collect() };
        tree.entries.sort();
        let mut content = Vec::new();
        tree.write_to(&mut content).map_err(|error| failed("write a tree", error))?;
        self.write(Kind::Tree, &content).map(Some)
    }

    fn entry(
        &self,
        name: &str,
        before: Option<&Entry>,
        change: &Changes<'_>,
    ) -> Result<Option<Entry>, SourceError> {
        let is_tree = before.map(|entry| entry.mode.is_tree());
        let made = match (change, is_tree) {
            (Changes::File(None), None) => return Err(misfit(name, "there is nothing to remove")),
            (Changes::File(_), Some(true)) => return Err(misfit(name, "it is a directory")),
            (Changes::Directory(_), Some(false)) => return Err(misfit(name, "it is not a directory")),
            (Changes::File(None), Some(false)) => None,
            (Changes::File(Some(content)), _) => Some((EntryKind::Blob, self.write(Kind::Blob, content)?)),
            (Changes::Directory(below), _) => {
                let tree = self.directory(before.map(|entry| entry.oid), below)?;
                tree.map(|tree| (EntryKind::Tree, tree))
            }
        };
        Ok(made.map(|(kind, oid)| Entry { mode: kind.into(), filename: name.into(), oid }))
    }
}

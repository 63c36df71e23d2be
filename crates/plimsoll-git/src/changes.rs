//! Which paths a commit changed, and which commit made a path what it is. Trees are compared by the ids of their
//! entries; what has the same id on both sides is not opened.

use crate::{
    Limits,
    commit::Parsed,
    error::bad_object,
    objects::Objects,
    tree::{self, Node},
};
use gix_hash::ObjectId;
use gix_object::{Kind, bstr::ByteSlice, tree::EntryKind};
use plimsoll_engine::ports::SourceError;
use plimsoll_model::{RelPath, reason::printable};
use std::collections::{BTreeMap, BTreeSet};

/// What differs between `commit` and `parent`; without `parent`, between `commit` and any of its own.
///
/// # Errors
/// `E-SRC-OBJECT`, also for a name with a slash and beyond the limits.
pub(crate) fn paths(
    objects: &Objects,
    commit: ObjectId,
    parent: Option<ObjectId>,
    limits: Limits,
) -> Result<BTreeSet<String>, SourceError> {
    let (tree, own) = tree_and_parents(objects, commit)?;
    let parents = parent.map_or(own, |parent| vec![parent]);
    let mut comparison = Comparison { objects, commit, limits, entries: 0, changed: BTreeSet::new() };
    for parent in &parents {
        let (before, _) = tree_and_parents(objects, *parent)?;
        comparison.directories(Some(before), Some(tree), "", 0)?;
    }
    if parents.is_empty() {
        comparison.directories(None, Some(tree), "", 0)?;
    }
    Ok(comparison.changed)
}

/// The newest commit on the line of first parents at which `path` became what it is at `head`.
///
/// # Errors
/// `E-SRC-OBJECT`, also for a longer history than the limit.
pub(crate) fn newest(
    objects: &Objects,
    head: ObjectId,
    path: &RelPath,
    limits: Limits,
) -> Result<Option<ObjectId>, SourceError> {
    let entry = |tree| -> Result<_, SourceError> {
        Ok(tree::find(objects, tree, path)?.map(|node| (node.mode, node.id)))
    };
    let (mut at, (mut tree, mut parents)) = (head, tree_and_parents(objects, head)?);
    let now = entry(tree)?;
    if now.is_none() {
        return Ok(None);
    }
    for _ in 0..limits.history {
        let Some(parent) = parents.first().copied() else { return Ok(Some(at)) };
        let (before, earlier) = tree_and_parents(objects, parent)?;
        if before != tree && entry(before)? != now {
            return Ok(Some(at));
        }
        (at, tree, parents) = (parent, before, earlier);
    }
    Err(bad_object(&head, format!("its history has more than {} commits", limits.history)))
}

fn tree_and_parents(objects: &Objects, commit: ObjectId) -> Result<(ObjectId, Vec<ObjectId>), SourceError> {
    let content = objects.read(&commit, Kind::Commit)?;
    let parsed = Parsed::new(commit, &content)?;
    Ok((parsed.tree(), parsed.parents().collect()))
}

struct Comparison<'a> {
    objects: &'a Objects,
    commit: ObjectId,
    limits: Limits,
    entries: u64,
    changed: BTreeSet<String>,
}

impl Comparison<'_> {
    fn directories(
        &mut self,
        before: Option<ObjectId>,
        now: Option<ObjectId>,
        path: &str,
        depth: usize,
    ) -> Result<(), SourceError> {
        if before == now {
            return Ok(());
        }
        if depth > self.limits.depth {
            let problem = format!("it is more than {} directories deep", self.limits.depth);
            return Err(bad_object(&self.commit, problem));
        }
        let sides = (before.is_some(), now.is_some());
        let (before, now) = (self.nodes(before)?, self.nodes(now)?);
        // git keeps no empty directory, but a tree can be written that has one.
        if (sides.0 && before.is_empty() || sides.1 && now.is_empty()) && !path.is_empty() {
            self.changed.insert(path.to_owned());
        }
        for name in before.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
            self.entry(before.get(name), now.get(name), &format!("{path}{name}"), depth)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        before: Option<&Node>,
        now: Option<&Node>,
        path: &str,
        depth: usize,
    ) -> Result<(), SourceError> {
        if before.map(|node| (node.mode, node.id)) == now.map(|node| (node.mode, node.id)) {
            return Ok(());
        }
        let is_tree = |node: &&Node| node.kind == EntryKind::Tree;
        let leaf = |node: Option<&Node>| node.is_some_and(|node| node.kind != EntryKind::Tree);
        if leaf(before) || leaf(now) {
            self.changed.insert(path.to_owned());
        }
        let subtree = |node: Option<&Node>| node.filter(is_tree).map(|node| node.id);
        self.directories(subtree(before), subtree(now), &format!("{path}/"), depth + 1)
    }

    fn nodes(&mut self, tree: Option<ObjectId>) -> Result<BTreeMap<String, Node>, SourceError> {
        let Some(tree) = tree else { return Ok(BTreeMap::new()) };
        let nodes = tree::nodes(self.objects, &tree)?;
        self.entries += nodes.len() as u64;
        if self.entries > self.limits.entries {
            let problem = format!("more than {} entries have to be compared", self.limits.entries);
            return Err(bad_object(&self.commit, problem));
        }
        let named = nodes.into_iter().map(|node| Ok((shown(&tree, &node)?, node)));
        let named: Vec<_> = named.collect::<Result<_, SourceError>>()?;
        let count = named.len();
        let named: BTreeMap<_, _> = named.into_iter().collect();
        if named.len() < count {
            return Err(bad_object(&tree, "two of its names look the same"));
        }
        Ok(named)
    }
}

/// A name for people. One that could stand for another path is refused; one that is no text becomes one that no honest
/// path has.
fn shown(tree: &ObjectId, node: &Node) -> Result<String, SourceError> {
    if node.name.is_empty() || node.name == "." || node.name == ".." || node.name.contains(&b'/') {
        return Err(bad_object(tree, format!("it has an entry named {:?}", node.name)));
    }
    Ok(printable(&node.name.to_str_lossy(), usize::MAX))
}

//! What a push brings, while git still holds it apart (git-receive-pack(1), "Quarantine environment"): everything in there
//! that the repository does not have yet.

use super::{History, Look, Store, Walk};
use crate::{
    Limits,
    commit::Parsed,
    error::bad_object,
    objects::{Objects, object_id},
    refs,
    staged::Staged,
    tree::{self, Node},
};
use gix_hash::ObjectId;
use gix_object::{Kind, bstr::ByteSlice as _, tree::EntryKind};
use plimsoll_engine::ports::SourceError;
use plimsoll_model::{CommitId, RelPath};
use std::{
    collections::{HashMap, hash_map::Entry},
    path::{Path, PathBuf},
};

/// Objects that were pushed and are not accepted yet, beside those of the repository.
#[derive(Debug, Clone)]
pub struct Pushed {
    quarantine: PathBuf,
    repository: PathBuf,
    limits: Limits,
}

impl Pushed {
    /// A push whose objects lie in `quarantine`, to a repository whose objects lie in `repository`.
    #[must_use]
    pub fn new(quarantine: &Path, repository: &Path) -> Self {
        Self {
            quarantine: quarantine.to_owned(),
            repository: repository.to_owned(),
            limits: Limits::default(),
        }
    }

    /// Shows `look` every blob that the push would add, whether a ref reaches it or not; any id of the push says by its
    /// length how objects are named. That everything is there that the
    /// new commits need is git's to check, which does so before it asks.
    ///
    /// # Errors
    /// When the objects cannot be listed.
    pub fn history<T: Send>(&self, tip: &CommitId, look: &impl Look<T>) -> Result<History<T>, SourceError> {
        let hash = object_id(tip)?.kind();
        let store = Store::open(&self.quarantine, hash, self.limits)?;
        let (own, old) = (store.objects()?, Objects::at(&self.repository, hash, self.limits)?);
        let shelves = store.shelves(&own);
        let mut walk = Walk::new(&shelves, store.ids.len(), false);
        // A pack of a push carries also what its deltas are made from.
        for (number, id) in (0..).zip(&store.ids) {
            if old.has(id) {
                walk.known(number);
            }
        }
        // What no commit reaches would be kept all the same.
        let of = |kinds: &[Option<Kind>]| -> Vec<u32> {
            let numbers = (0..).take(store.ids.len());
            numbers.filter(|number| kinds.contains(&store.places[*number as usize].kind())).collect()
        };
        walk.commits(&of(&[Some(Kind::Commit)]), &|number| store.name(number));
        of(&[Some(Kind::Tree)]).into_iter().for_each(|number| walk.other(number));
        of(&[Some(Kind::Blob), None]).into_iter().for_each(|number| walk.other(number));
        store.finish(&shelves, &walk, &own, look)
    }

    /// Shows `take` each regular file of `tip`, if it is a commit or a tag of one, whose content the repository does not
    /// have yet and whose path is `wanted`, with what the commit `old` has at that path.
    ///
    /// # Errors
    /// When an object on the way cannot be read.
    pub fn files(
        &self,
        tip: &CommitId,
        old: Option<&CommitId>,
        wanted: &dyn Fn(&str) -> bool,
        take: &mut dyn FnMut(Staged<'_>),
    ) -> Result<(), SourceError> {
        let id = object_id(tip)?;
        let repository = Objects::at(&self.repository, id.kind(), self.limits)?;
        let objects = self.objects(&id)?;
        let (id, Kind::Commit) = refs::peeled(&objects, id)? else { return Ok(()) };
        let root = Parsed::new(id, &objects.read(&id, Kind::Commit)?)?.tree();
        // The same tree can stand in itself many times over: it is read once, and what it holds is counted each time.
        let mut trees = HashMap::new();
        let mut left = self.limits.entries;
        let mut open = vec![(root, None::<RelPath>)];
        while let Some((id, above)) = open.pop() {
            if let Entry::Vacant(place) = trees.entry(id) {
                let mut nodes = tree::nodes(&objects, &id)?;
                nodes.retain(|node| !repository.has(&node.id));
                place.insert(nodes);
            }
            for node in &trees[&id] {
                left = left.checked_sub(1).ok_or_else(|| bad_object(&root, "it has too many entries"))?;
                let Some(path) = below(above.as_ref(), node) else { continue };
                match node.kind {
                    EntryKind::Tree => open.push((node.id, Some(path))),
                    EntryKind::Blob | EntryKind::BlobExecutable if wanted(path.as_str()) => {
                        let before = old.map(|old| tree::file(&objects, old, &path, self.limits.blob));
                        let before = before.and_then(Result::ok).flatten();
                        let content = objects.read(&node.id, Kind::Blob).map_err(|error| error.to_string());
                        let content = content.as_deref().map_err(String::as_str);
                        take(Staged { path: path.as_str(), content, before: before.as_deref() });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// What is pushed, and behind it what the repository has.
    fn objects(&self, id: &ObjectId) -> Result<Objects, SourceError> {
        let old = Objects::at(&self.repository, id.kind(), self.limits)?;
        Ok(Objects::at(&self.quarantine, id.kind(), self.limits)?.before(old))
    }

    /// What the parents of a commit have at `path`: what was there before it.
    ///
    /// # Errors
    /// When an object on the way cannot be read.
    pub fn before(&self, commit: &CommitId, path: &RelPath) -> Result<Vec<Vec<u8>>, SourceError> {
        let id = object_id(commit)?;
        let objects = self.objects(&id)?;
        let content = objects.read(&id, Kind::Commit)?;
        let mut found = Vec::new();
        for parent in Parsed::new(id, &content)?.parents() {
            let content = objects.read(&parent, Kind::Commit)?;
            let node = tree::find(&objects, Parsed::new(parent, &content)?.tree(), path)?;
            if let Some(node) =
                node.filter(|node| matches!(node.kind, EntryKind::Blob | EntryKind::BlobExecutable))
            {
                found.push(objects.read(&node.id, Kind::Blob)?);
            }
        }
        Ok(found)
    }
}

/// The path of an entry; none for a name that no path of ours can have, which nothing will be built from.
fn below(above: Option<&RelPath>, node: &Node) -> Option<RelPath> {
    let name = node.name.to_str().ok()?;
    let path = above.map_or_else(|| name.to_owned(), |above| format!("{above}/{name}"));
    path.parse().ok()
}

//! What a push brings, while git still holds it apart (git-receive-pack(1), "Quarantine environment"): everything in there
//! that the repository does not have yet.

use super::{History, Look, Store, Walk};
use crate::{
    Limits,
    commit::Parsed,
    objects::{Objects, object_id},
    tree,
};
use gix_object::{Kind, tree::EntryKind};
use plimsoll_engine::ports::SourceError;
use plimsoll_model::{CommitId, RelPath};
use std::path::{Path, PathBuf};

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

    /// What the parents of a commit have at `path`: what was there before it.
    ///
    /// # Errors
    /// When an object on the way cannot be read.
    pub fn before(&self, commit: &CommitId, path: &RelPath) -> Result<Vec<Vec<u8>>, SourceError> {
        let id = object_id(commit)?;
        let old = Objects::at(&self.repository, id.kind(), self.limits)?;
        let objects = Objects::at(&self.quarantine, id.kind(), self.limits)?.before(old);
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

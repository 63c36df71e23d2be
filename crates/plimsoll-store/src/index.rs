//! `index.json`: which manifests a layout has, and what they are called. Replaced whole under a lock of its own, since
//! the engine and its signers all add to it.

use crate::{
    Layout,
    durable::{failed, read_limited, replace},
    oci::{Annotations, Descriptor, Index, REF_NAME},
};
use plimsoll_engine::ports::StoreError;
use plimsoll_model::jcs;
use rustix::fs::{FlockOperation, flock};
use std::{fs::File, io};

/// How large an index may be: far more entries than a machine makes in its life.
const INDEX_LIMIT: u64 = 256 << 20;

/// A manifest of the layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The manifest. Its own annotations stay in it.
    pub descriptor: Descriptor,
    /// The name that tools select it by; each name stands for one manifest.
    pub name: Option<String>,
    /// What else the index says about it, as project, commit and run.
    pub annotations: Annotations,
}

impl IndexEntry {
    pub(crate) fn into_descriptor(self) -> Descriptor {
        let mut descriptor = self.descriptor;
        descriptor.annotations = self.annotations;
        if let Some(name) = self.name {
            descriptor.annotations.insert(REF_NAME.into(), name);
        }
        descriptor
    }

    fn from_descriptor(mut descriptor: Descriptor) -> Self {
        let mut annotations = std::mem::take(&mut descriptor.annotations);
        let name = annotations.remove(REF_NAME);
        Self { descriptor, name, annotations }
    }
}

impl Layout {
    /// Every manifest that the index names, oldest first.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn entries(&self) -> Result<Vec<IndexEntry>, StoreError> {
        let manifests = self.read_index()?;
        Ok(manifests.into_iter().map(IndexEntry::from_descriptor).collect())
    }

    /// The manifest called `name`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<IndexEntry>, StoreError> {
        Ok(self.entries()?.into_iter().find(|entry| entry.name.as_deref() == Some(name)))
    }

    /// Adds manifests, in one replacement of the index. A name moves to the newest manifest that has it; the same
    /// manifest under the same name is replaced, not repeated.
    ///
    /// # Errors
    /// When the index cannot be read or written.
    pub fn add_entries(&self, added: Vec<IndexEntry>) -> Result<(), StoreError> {
        self.check_writable()?;
        let _lock = self.lock_index()?;
        let mut entries = self.entries()?;
        for new in added {
            entries.retain(|old| !replaces(&new, old));
            entries.push(new);
        }
        let manifests: Vec<_> = entries.into_iter().map(IndexEntry::into_descriptor).collect();
        self.write_index(&manifests)
    }

    fn lock_index(&self) -> Result<File, StoreError> {
        let path = self.temporary().with_file_name("index.lock");
        let error = |error: io::Error| failed("lock", &path, error);
        let file = File::options().create(true).append(true).open(&path).map_err(error)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|errno| error(errno.into()))?;
        Ok(file)
    }

    fn read_index(&self) -> Result<Vec<Descriptor>, StoreError> {
        let path = self.index_path();
        let Some(bytes) = read_limited(&path, INDEX_LIMIT)? else { return Ok(Vec::new()) };
        let index: Index =
            serde_json::from_slice(&bytes).map_err(|error| failed("read", &path, error.into()))?;
        Ok(index.manifests)
    }

    pub(crate) fn write_index(&self, manifests: &[Descriptor]) -> Result<(), StoreError> {
        let path = self.index_path();
        let bytes = jcs::to_bytes(&Index::of(manifests.to_vec()))
            .map_err(|error| failed("write", &path, io::Error::other(error)))?;
        replace(self.temporary(), &path, &bytes)
    }
}

/// Whether `new` takes the place of `old`.
fn replaces(new: &IndexEntry, old: &IndexEntry) -> bool {
    match &new.name {
        Some(name) => old.name.as_ref() == Some(name),
        None => old.name.is_none() && old.descriptor.digest == new.descriptor.digest,
    }
}

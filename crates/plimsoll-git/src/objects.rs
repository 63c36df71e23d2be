//! Objects by id, each hashed again before anybody sees it.

use crate::{
    Limits,
    discover::Layout,
    error::{bad_object, failed},
};
use gix_hash::ObjectId;
use gix_object::{Exists as _, Find, FindHeader as _, Kind};
use gix_odb::{Store, store::init::Options};
use gix_pack::cache::lru::MemoryCappedHashmap;
use plimsoll_engine::ports::SourceError;
use plimsoll_model::CommitId;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Memory for delta bases, in bytes.
const DELTA_CACHE: usize = 64 << 20;

/// Reads objects for one operation.
pub(crate) struct Objects {
    handle: gix_odb::HandleArc,
    directory: PathBuf,
    limits: Limits,
    behind: Option<Box<Self>>,
}

impl Objects {
    /// A reader of the objects whose ids are of the kind of `id`.
    ///
    /// # Errors
    /// `E-SRC-SHALLOW`, `E-SRC-ALTERNATES`, and when the directory cannot be listed.
    pub(crate) fn open(layout: &Layout, id: &ObjectId, limits: Limits) -> Result<Self, SourceError> {
        layout.check_complete()?;
        Self::at(&layout.objects(), id.kind(), limits)
    }

    /// A reader of an object directory, whatever else belongs to its repository.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub(crate) fn at(directory: &Path, hash: gix_hash::Kind, limits: Limits) -> Result<Self, SourceError> {
        let directory = directory.to_owned();
        check_packs(&directory)?;
        let options = Options {
            // The plain indices say the same, and there is less to misread.
            use_multi_pack_index: false,
            alloc_limit_bytes: Some(usize::try_from(limits.blob).unwrap_or(usize::MAX)),
            current_dir: Some(directory.clone()),
            ..Options::default()
        };
        let store = Store::at_opts(directory.clone(), hash, &mut std::iter::empty(), options)
            .map_err(|error| failed("open the object database", error))?;
        let handle = Arc::new(store)
            .to_cache_arc()
            .with_pack_cache(|| Box::new(MemoryCappedHashmap::new(DELTA_CACHE)));
        Ok(Self { handle, directory, limits, behind: None })
    }

    /// The same reader, and where it has nothing, another one.
    pub(crate) fn before(self, behind: Self) -> Self {
        Self { behind: Some(Box::new(behind)), ..self }
    }

    /// Whether there is something of this id here.
    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.handle.exists(id))).unwrap_or(false)
    }

    /// The kind of `id`, by its header alone; none where it is not here.
    ///
    /// # Errors
    /// `E-SRC-OBJECT` when its header cannot be read.
    pub(crate) fn kind(&self, id: &ObjectId) -> Result<Option<Kind>, SourceError> {
        self.check_loose(id)?;
        match catch_unwind(AssertUnwindSafe(|| self.handle.try_header(id))) {
            Ok(Ok(header)) => Ok(header.map(|header| header.kind)),
            Ok(Err(error)) => Err(bad_object(id, error)),
            Err(_) => Err(bad_object(id, "what is stored cannot be decoded")),
        }
    }

    /// The content of `id`, which must be of `kind`.
    ///
    /// # Errors
    /// `E-SRC-OBJECT` when it is missing, too large, of another kind, or hashes to another id.
    pub(crate) fn read(&self, id: &ObjectId, kind: Kind) -> Result<Vec<u8>, SourceError> {
        let (actual, content) = self.read_any(id)?;
        if actual != kind {
            return Err(bad_object(id, format!("it is a {actual}, and a {kind} was expected")));
        }
        Ok(content)
    }

    /// The kind and content of `id`.
    ///
    /// # Errors
    /// Those of [`Objects::read`].
    pub(crate) fn read_any(&self, id: &ObjectId) -> Result<(Kind, Vec<u8>), SourceError> {
        self.find(id)?.ok_or_else(|| bad_object(id, "it is missing"))
    }

    /// The kind and content of `id`, if it is there.
    ///
    /// # Errors
    /// Those of [`Objects::read`], except for a missing object.
    pub(crate) fn find(&self, id: &ObjectId) -> Result<Option<(Kind, Vec<u8>)>, SourceError> {
        self.check_loose(id)?;
        let mut content = Vec::new();
        // Packs are foreign bytes, and the library asserts in places what it expects of them.
        let found = catch_unwind(AssertUnwindSafe(|| {
            self.handle.try_find(id, &mut content).map(|found| found.map(|data| data.kind))
        }));
        let kind = match found {
            Ok(Ok(Some(kind))) => kind,
            Ok(Ok(None)) => return self.behind.as_ref().map_or(Ok(None), |behind| behind.find(id)),
            Ok(Err(error)) => return Err(bad_object(id, error)),
            Err(_) => return Err(bad_object(id, "what is stored cannot be decoded")),
        };
        self.verify(id, kind, &content)?;
        Ok(Some((kind, content)))
    }

    fn verify(&self, id: &ObjectId, kind: Kind, content: &[u8]) -> Result<(), SourceError> {
        let limit = if kind == Kind::Blob { self.limits.blob } else { self.limits.structure };
        if content.len() as u64 > limit {
            return Err(bad_object(id, format!("it has {} bytes; the limit is {limit}", content.len())));
        }
        match gix_object::compute_hash(id.kind(), kind, content) {
            Ok(actual) if actual == *id => Ok(()),
            Ok(actual) => Err(bad_object(id, format!("its content hashes to {actual}"))),
            Err(error) => Err(bad_object(id, error)),
        }
    }

    /// A pipe in place of a loose object would hold up the library.
    fn check_loose(&self, id: &ObjectId) -> Result<(), SourceError> {
        let hex = id.to_string();
        let path = self.directory.join(&hex[..2]).join(&hex[2..]);
        match path.symlink_metadata() {
            Ok(metadata) if !metadata.is_file() => Err(bad_object(id, "it is not stored in a regular file")),
            _ => Ok(()),
        }
    }
}

fn check_packs(objects: &Path) -> Result<(), SourceError> {
    let problem = |error: std::io::Error| failed("list the packs", error);
    let packs = match objects.join("pack").read_dir() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        packs => packs.map_err(problem)?,
    };
    for pack in packs {
        let pack = pack.map_err(problem)?;
        if !pack.file_type().map_err(problem)?.is_file() {
            return Err(failed("read the packs", format!("{} is not a regular file", pack.path().display())));
        }
    }
    Ok(())
}

/// The object id behind a commit id: 40 digits are SHA-1, 64 are SHA-256.
///
/// # Errors
/// Never for a well-formed id.
pub(crate) fn object_id(commit: &CommitId) -> Result<ObjectId, SourceError> {
    ObjectId::from_hex(commit.as_str().as_bytes()).map_err(|error| failed("read a commit id", error))
}

/// The other way round.
///
/// # Errors
/// Never.
pub(crate) fn commit_id(id: &ObjectId) -> Result<CommitId, SourceError> {
    id.to_string().parse().map_err(|error| failed("read a commit id", error))
}

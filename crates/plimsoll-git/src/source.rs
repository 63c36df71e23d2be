//! The source of commits behind the engine's port.

use crate::{
    Limits, ancestry, changes,
    commit::Parsed,
    discover::Layout,
    error::bad_revision,
    objects::{Objects, commit_id, object_id},
    origin, range, refs,
    status::{self, Head},
    tree,
};
use gix_object::Kind;
use plimsoll_engine::ports::{CommitFacts, Range, Resolved, Source, SourceError};
use plimsoll_model::{Code, CommitId, RelPath, Tree};
use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
};

/// A git repository on this machine. Holds paths only: each call opens what it reads, so that a value may live as long
/// as it likes beside a repository that others write to.
#[derive(Debug, Clone)]
pub struct GitSource {
    layout: Layout,
    limits: Limits,
}

impl GitSource {
    /// The repository at or above `path`: a work tree, a linked work tree, or a bare repository by its own path.
    ///
    /// # Errors
    /// `E-SRC-NO-REPOSITORY`, `E-SRC-SHALLOW`, `E-SRC-ALTERNATES`.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let layout = Layout::find(path)?;
        layout.check_complete()?;
        Ok(Self { layout, limits: Limits::default() })
    }

    /// The bare repository `git_dir` that this program made itself, wherever it lies.
    pub(crate) fn own(git_dir: &Path) -> Self {
        let (git_dir, common_dir) = (git_dir.to_owned(), git_dir.to_owned());
        Self {
            layout: Layout { git_dir, common_dir, work_tree: None, prefix: None },
            limits: Limits::default(),
        }
    }

    /// The same repository, read within other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Where its objects are.
    #[must_use]
    pub fn objects_directory(&self) -> PathBuf {
        self.layout.objects()
    }

    /// The root of the work tree; none for a bare repository.
    #[must_use]
    pub fn work_tree(&self) -> Option<&Path> {
        self.layout.work_tree.as_deref()
    }

    /// Where the path that was opened lies below the work tree's root; none for the root itself.
    #[must_use]
    pub fn prefix(&self) -> Option<&RelPath> {
        self.layout.prefix.as_ref()
    }

    /// Where the repository keeps what.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How much of it is read.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// A reader of objects with ids of this kind.
    pub(crate) fn reader(&self, kind: gix_hash::Kind) -> Result<Objects, SourceError> {
        Objects::open(&self.layout, &kind.null(), self.limits)
    }

    fn objects(&self, commit: &CommitId) -> Result<Objects, SourceError> {
        Objects::open(&self.layout, &object_id(commit)?, self.limits)
    }

    fn head(&self) -> Result<Head, SourceError> {
        match self.resolve("HEAD") {
            Ok(head) => Ok(Head::Commit(head.commit.to_string())),
            Err(SourceError::Refused(reason)) if reason.code == Code::SrcRevision => Ok(Head::Unborn),
            Err(error) => Err(error),
        }
    }
}

impl Source for GitSource {
    fn resolve(&self, revision: &str) -> Result<Resolved, SourceError> {
        refs::resolve(&self.layout, revision, self.limits)
    }

    fn commit(&self, commit: &CommitId, allowed_keys: &[String]) -> Result<CommitFacts, SourceError> {
        let id = object_id(commit)?;
        let content = self.objects(commit)?.read(&id, Kind::Commit)?;
        Parsed::new(id, &content)?.facts(allowed_keys)
    }

    fn is_ancestor(&self, ancestor: &CommitId, commit: &CommitId) -> Result<bool, SourceError> {
        if ancestor.as_str().len() != commit.as_str().len() {
            return Err(bad_revision(ancestor, self.layout.shown()));
        }
        let objects = self.objects(commit)?;
        ancestry::is_ancestor(&objects, object_id(ancestor)?, object_id(commit)?, self.limits)
    }

    fn range(
        &self,
        base: Option<&CommitId>,
        head: &CommitId,
        allowed_keys: &[String],
        limit: usize,
    ) -> Result<Range, SourceError> {
        let other = |base: &&CommitId| base.as_str().len() != head.as_str().len();
        if let Some(base) = base.filter(other) {
            return Err(bad_revision(base, self.layout.shown()));
        }
        let objects = self.objects(head)?;
        range::between(
            &objects,
            base.map(object_id).transpose()?,
            object_id(head)?,
            allowed_keys,
            limit,
            self.limits,
        )
    }

    fn changed_paths(
        &self,
        commit: &CommitId,
        parent: Option<&CommitId>,
    ) -> Result<BTreeSet<String>, SourceError> {
        let parent = parent.map(object_id).transpose()?;
        changes::paths(&self.objects(commit)?, object_id(commit)?, parent, self.limits)
    }

    fn last_change(&self, head: &CommitId, path: &RelPath) -> Result<Option<CommitId>, SourceError> {
        let changed = changes::newest(&self.objects(head)?, object_id(head)?, path, self.limits)?;
        changed.map(|id| commit_id(&id)).transpose()
    }

    fn tree(&self, commit: &CommitId, subdirectory: Option<&RelPath>) -> Result<Tree, SourceError> {
        tree::walk(&self.objects(commit)?, commit, subdirectory, None, self.limits)
    }

    fn file(&self, commit: &CommitId, path: &RelPath, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        tree::file(&self.objects(commit)?, commit, path, limit)
    }

    fn export(
        &self,
        commit: &CommitId,
        subdirectory: Option<&RelPath>,
        destination: BorrowedFd<'_>,
    ) -> Result<Tree, SourceError> {
        tree::walk(&self.objects(commit)?, commit, subdirectory, Some(destination), self.limits)
    }

    fn uncommitted(&self) -> Result<BTreeMap<String, String>, SourceError> {
        self.layout.check_complete()?;
        status::uncommitted(&self.layout, &self.head()?)
    }

    fn is_at(&self, location: &str) -> bool {
        self.layout.is_at(Path::new(location))
    }

    fn uri(&self) -> String {
        origin::uri(&self.layout)
    }
}

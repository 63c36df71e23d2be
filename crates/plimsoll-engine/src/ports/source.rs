//! Where commits come from.

use plimsoll_model::{CommitId, Digest, Reason, RelPath, Timestamp, Tree};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::BorrowedFd,
};

/// Why a source could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A refusal of the registry.
    #[error(transparent)]
    Refused(#[from] Reason),
    /// The repository could not be read at all.
    #[error("failed to {action}: {problem}")]
    Failed {
        /// What was tried.
        action: String,
        /// What came of it.
        problem: String,
    },
}

/// A name, and the commit it stood for when it was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// What the caller asked for, as in `HEAD` or `main`.
    pub requested: String,
    /// The full ref behind it, if it was one, as in `refs/heads/main`.
    pub reference: Option<String>,
    /// The commit.
    pub commit: CommitId,
}

/// Somebody whom a commit names; nothing here is authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// Name, made printable.
    pub name: String,
    /// Mail address, made printable.
    pub email: String,
}

/// What the signature of a commit says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "signature", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CommitSignature {
    /// There is none.
    Unsigned,
    /// By one of the allowed keys, over exactly this commit, in git's namespace.
    Good {
        /// The key's fingerprint, as in `SHA256:…`.
        fingerprint: String,
    },
    /// There is one that does not count.
    Bad {
        /// Why.
        problem: String,
    },
}

/// A commit, re-hashed and parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFacts {
    /// Its id.
    pub commit: CommitId,
    /// Its parents, in order.
    pub parents: Vec<CommitId>,
    /// Who wrote it, by its own word.
    pub author: Author,
    /// Who committed it, by its own word.
    pub committer: Author,
    /// When it was committed, by its own word.
    pub committed: Timestamp,
    /// First line of the message, made printable.
    pub summary: String,
    /// What its signature says.
    pub signature: CommitSignature,
}

/// A commit with its whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitDetail {
    /// Who, when, and what its signature says.
    pub facts: CommitFacts,
    /// The message, line by line made printable and never cut, so that a reader of trailers sees all of them.
    pub message: String,
}

/// What lies between two commits: all that is reachable from exactly one of them, by all parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Reachable from the head and not from the base. Children come before their parents; where that leaves a choice,
    /// the smaller id comes first.
    pub commits: Vec<CommitDetail>,
    /// Reachable from the base and not from the head, in the same order.
    pub dropped: Vec<CommitDetail>,
    /// Whether the base is the head or reachable from it; true without a base, since nothing is dropped then.
    pub base_is_ancestor: bool,
}

/// A repository that nobody trusts. Replace refs, grafts, alternates, repository configuration, hooks and filters have
/// no influence; every object is hashed again.
pub trait Source: Send + Sync {
    /// Looks up `revision`: a full commit id, a branch, a tag or `HEAD`.
    ///
    /// # Errors
    /// `E-SRC-REVISION`, `E-SRC-SHALLOW`, `E-SRC-OBJECT`.
    fn resolve(&self, revision: &str) -> Result<Resolved, SourceError>;

    /// Reads a commit and judges its signature by `allowed_keys`, lines of `authorized_keys(5)`.
    ///
    /// # Errors
    /// `E-SRC-OBJECT`.
    fn commit(&self, commit: &CommitId, allowed_keys: &[String]) -> Result<CommitFacts, SourceError>;

    /// Whether `ancestor` is `commit` or reachable from it by parents.
    ///
    /// # Errors
    /// `E-SRC-OBJECT`.
    fn is_ancestor(&self, ancestor: &CommitId, commit: &CommitId) -> Result<bool, SourceError>;

    /// The commits between `base` and `head`, with signatures judged by `allowed_keys` as in [`Source::commit`]. Without
    /// a base: the head alone. Dates have no influence.
    ///
    /// # Errors
    /// `E-SRC-OBJECT`; a failure when there are more than `limit` commits: nothing is ever cut silently.
    fn range(
        &self,
        base: Option<&CommitId>,
        head: &CommitId,
        allowed_keys: &[String],
        limit: usize,
    ) -> Result<Range, SourceError>;

    /// The paths of files, links and submodules that differ between a commit and `parent`, in content, kind or mode,
    /// made printable; directories that are empty on one side end with `/`. Without `parent`: what differs from any
    /// parent, which for a merge includes all that it brings together; for a commit without parents everything.
    ///
    /// # Errors
    /// `E-SRC-OBJECT`, also for a name that could be read as another path.
    fn changed_paths(
        &self,
        commit: &CommitId,
        parent: Option<&CommitId>,
    ) -> Result<BTreeSet<String>, SourceError>;

    /// The newest commit on the line of first parents from `head` at which `path`, a file or a directory, became what it
    /// is at `head`; none if it is not there.
    ///
    /// # Errors
    /// `E-SRC-OBJECT`.
    fn last_change(&self, head: &CommitId, path: &RelPath) -> Result<Option<CommitId>, SourceError>;

    /// The files of a commit without their contents, below `subdirectory` if one is given. File digests are of the
    /// contents, so that [`Tree::digest`] is the SHA-256 of the exported tree.
    ///
    /// # Errors
    /// `E-SRC-OBJECT`, `E-SRC-PATH`, `E-SRC-SUBMODULE`, `E-SRC-LFS`.
    fn tree(&self, commit: &CommitId, subdirectory: Option<&RelPath>) -> Result<Tree, SourceError>;

    /// One file of a commit, if it is there and a regular file.
    ///
    /// # Errors
    /// `E-SRC-OBJECT`; also when the file has more than `limit` bytes.
    fn file(&self, commit: &CommitId, path: &RelPath, limit: u64) -> Result<Option<Vec<u8>>, SourceError>;

    /// Writes the files of a commit below the empty directory `destination` and gives the tree, hashed from the bytes
    /// that were written.
    ///
    /// # Errors
    /// Those of [`Source::tree`], and failures to write.
    fn export(
        &self,
        commit: &CommitId,
        subdirectory: Option<&RelPath>,
        destination: BorrowedFd<'_>,
    ) -> Result<Tree, SourceError>;

    /// What is changed in the work tree and therefore left out of a run, as far as a quick look tells: paths with the
    /// letters that `git status --porcelain` uses.
    ///
    /// # Errors
    /// When git cannot be asked.
    fn uncommitted(&self) -> Result<BTreeMap<String, String>, SourceError>;

    /// Whether this is the repository that `location`, an absolute path of this machine, names. Nothing that the
    /// repository says of itself counts.
    fn is_at(&self, location: &str) -> bool;

    /// Identity of the repository for people and provenance: the `origin` URL without credentials, or `file:` and the
    /// path.
    fn uri(&self) -> String;
}

/// A tree digest and the commit it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevisionId {
    /// The commit.
    pub commit: CommitId,
    /// SHA-256 of the exported tree.
    pub tree: Digest,
}

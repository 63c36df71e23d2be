//! Where commits come from.

use plimsoll_model::{CommitId, Digest, Reason, RelPath, Timestamp, Tree};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, os::fd::BorrowedFd};

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

//! What a revision is, as the engine read it from the repository's objects. The subject is the exported tree.

use super::Predicate;
use plimsoll_model::{CommitId, Digest, ProjectName, RunId, record::Tier};
use serde::{Deserialize, Serialize};

/// Facts about one commit. Names and addresses are what the commit says of itself; only the signature is evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRevision {
    /// The run that it was read for.
    pub run: RunId,
    /// The project.
    pub project: ProjectName,
    /// URI of the repository, without credentials.
    pub repository: String,
    /// The commit.
    pub commit: CommitId,
    /// SHA-256 of the exported tree: the subject.
    pub tree: Digest,
    /// The revision as somebody asked for it, as in `HEAD`.
    pub requested: String,
    /// The full ref behind it, if it was one.
    pub reference: Option<String>,
    /// The protected ref that the commit is reachable from; none if there is none.
    pub protected_by: Option<String>,
    /// Who wrote the commit, by its own word.
    pub author: Person,
    /// Who committed it, by its own word.
    pub committer: Person,
    /// What its signature says.
    pub signature: Signature,
    /// Digest of the pipeline at this commit.
    pub pipeline: Digest,
    /// Whether the delivery repository lists that pipeline.
    pub approval: PipelineApproval,
    /// Whether the origin of the run is believed, which follows from the above.
    pub tier: Tier,
    /// The commit of the delivery repository that was read; none if there was none to read.
    pub delivery_commit: Option<CommitId>,
}

impl Predicate for SourceRevision {
    const TYPE: &'static str = "https://plimsoll.dev/source/v1";
}

/// Somebody whom a commit names; not authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name, made printable.
    pub name: String,
    /// Mail address, made printable.
    pub email: String,
}

/// What the signature of a commit says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Signature {
    /// There is none.
    Unsigned,
    /// By a key that the delivery repository lists, over exactly this commit, in git's namespace.
    Good {
        /// Whose key it is.
        person: String,
        /// The key's fingerprint, as in `SHA256:…`.
        fingerprint: String,
    },
    /// There is one that does not count.
    Bad {
        /// Why.
        problem: String,
    },
}

/// Whether a pipeline may make what is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PipelineApproval {
    /// The delivery repository lists its digest.
    Approved,
    /// It does not, or there is no delivery repository.
    Unapproved,
}

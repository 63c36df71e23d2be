//! Pieces that several predicates share.

use crate::json;
use plimsoll_model::{CommitId, Digest, Opaque};
use serde::{Deserialize, Serialize};

/// A thing by the name that people use and the identity that survives renaming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named<N> {
    /// The name.
    pub name: N,
    /// The random identity.
    pub id: Opaque,
}

/// What a check looked at, and therefore what its statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// The revision; the subject is the exported tree.
    Source,
    /// The frozen artifact; the subject is its manifest.
    Artifact,
}

impl On {
    /// The name used in files, statements and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Artifact => "artifact",
        }
    }
}

impl std::fmt::Display for On {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// How the command of a check ended, as the engine saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Killed at the end of its time.
    TimedOut,
    /// Killed because somebody asked for it.
    Cancelled,
    /// Killed because it printed too much.
    LogLimit,
    /// Killed because it used too much memory.
    OutOfMemory,
}

/// A thing by where it is and what it is (in-toto attestation framework 1.0, "ResourceDescriptor").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceDescriptor {
    /// Name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What it is.
    pub digest: ResourceDigest,
}

/// The digest of a [`ResourceDescriptor`] (in-toto attestation framework 1.0, "DigestSet").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ResourceDigest {
    /// Of bytes.
    #[serde(with = "json::hex")]
    Sha256(Digest),
    /// Of a git commit.
    GitCommit(CommitId),
}

impl ResourceDescriptor {
    /// Bytes that came from `uri`.
    #[must_use]
    pub fn at(uri: impl Into<String>, digest: Digest) -> Self {
        Self { name: None, uri: Some(uri.into()), digest: ResourceDigest::Sha256(digest) }
    }

    /// Bytes that are known by a name.
    #[must_use]
    pub fn named(name: impl Into<String>, digest: Digest) -> Self {
        Self { name: Some(name.into()), uri: None, digest: ResourceDigest::Sha256(digest) }
    }

    /// A commit of the repository at `uri`.
    #[must_use]
    pub fn commit(uri: impl Into<String>, commit: CommitId) -> Self {
        Self { name: None, uri: Some(uri.into()), digest: ResourceDigest::GitCommit(commit) }
    }
}

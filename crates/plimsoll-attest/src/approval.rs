//! What people sign about a release: that it may start, and that they are named in a commit which they had no part in.
//! Whether an approval counts is decided elsewhere; here is only what it says.

use crate::{
    document::Document,
    limits,
    predicate::{common::Named, source::Person},
};
use plimsoll_model::{CommitId, Digest, EnvironmentName, Opaque, Outcome, ProjectName, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Gates that an approval lists.
pub const MAX_GATES: usize = 1000;

/// An approval: one person's word that one release may take the place of what runs. Everything that the person was shown
/// is bound by digest, so that the word does not outlive what it was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDocument {
    /// Version of this form; 1.
    #[serde(deserialize_with = "limits::version")]
    pub version: u32,
    /// What the release may do.
    pub kind: ApprovalKind,
    /// Of which project.
    pub project: Named<ProjectName>,
    /// In which environment.
    pub environment: Named<EnvironmentName>,
    /// Digest of the release.
    pub release: Digest,
    /// The decision whose release runs now, by the digest of its payload; none where nothing runs.
    pub base: Option<Digest>,
    /// The commits that were shown: [`crate::predicate::Delta::digest`].
    pub delta: Digest,
    /// Digest of the policy set.
    pub policy_set: Digest,
    /// The outcome of every other gate, as it was shown.
    #[serde(deserialize_with = "limits::map::<MAX_GATES, _, _>")]
    pub floor: BTreeMap<String, Outcome>,
    /// Random, so that two approvals of the same thing differ.
    pub nonce: Opaque,
    /// When it stops to count.
    pub expiry: Timestamp,
}

impl Document for ApprovalDocument {
    const NAMESPACE: &'static str = "plimsoll-approval";
}

/// What an approval is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalKind {
    /// To start a release.
    Deploy,
    /// To go back to a release that ran before.
    Rollback,
}

impl ApprovalKind {
    /// The name used in files, statements and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Rollback => "rollback",
        }
    }
}

impl std::fmt::Display for ApprovalKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A disclaimer: a commit names the person who signs this as author or co-author, and that person had no part in it. It
/// lifts that person's exclusion by that name in that commit, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclaimer {
    /// Version of this form; 1.
    #[serde(deserialize_with = "limits::version")]
    pub version: u32,
    /// For releases of which project.
    pub project: Named<ProjectName>,
    /// In which environment.
    pub environment: Named<EnvironmentName>,
    /// The commit.
    pub commit: CommitId,
    /// The name and address, exactly as the delta shows them for that commit.
    pub named: Person,
    /// What is said.
    pub statement: DisclaimerText,
}

impl Document for Disclaimer {
    const NAMESPACE: &'static str = "plimsoll-disclaimer";
}

/// The one sentence of a [`Disclaimer`]: whoever signs it reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisclaimerText {
    /// The sentence.
    #[serde(rename = "I am named in this commit and did not take part")]
    DidNotTakePart,
}

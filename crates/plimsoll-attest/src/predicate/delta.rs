//! What a release changes, commit by commit, as the engine read it from two repositories. Who appears here does not
//! approve it. The subject is the range: see [`Delta::subject`].

use super::{
    Predicate,
    source::{Person, Signature},
};
use crate::limits;
use plimsoll_model::{CommitId, Digest, EnvironmentName, ProjectName, jcs};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Commits in one list of a delta.
pub const MAX_COMMITS: usize = 10_000;
/// Co-authors that one commit names.
pub const MAX_CO_AUTHORS: usize = 1000;
/// Paths that one commit of the delivery repository changes.
pub const MAX_PATHS: usize = 10_000;

/// The commits between what runs and what would run. No list has an order that means anything; readers compare commits,
/// never places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// Version of this shape; 1.
    #[serde(deserialize_with = "limits::version")]
    pub schema: u32,
    /// Of which project.
    pub project: ProjectName,
    /// For which environment.
    pub environment: EnvironmentName,
    /// The commit that runs, by the newest observation; none where nothing was ever seen running.
    pub base: Option<CommitId>,
    /// The commit that would run.
    pub head: CommitId,
    /// Whether `base` is reachable from `head`; also where there is no base.
    pub base_is_ancestor: bool,
    /// Commits reachable from `head` and not from `base`, over all parents; without a base only `head`.
    #[serde(deserialize_with = "limits::list::<MAX_COMMITS, _, _>")]
    pub commits: Vec<DeltaCommit>,
    /// Commits reachable from `base` and not from `head`: what is taken back.
    #[serde(deserialize_with = "limits::list::<MAX_COMMITS, _, _>")]
    pub dropped: Vec<DeltaCommit>,
    /// The commit of the delivery repository that was read when what runs was decided.
    pub delivery_base: Option<CommitId>,
    /// The commit of the delivery repository that is read for this release.
    pub delivery_head: CommitId,
    /// Commits between those two that changed policy files, or configuration or target of this unit.
    #[serde(deserialize_with = "limits::list::<MAX_COMMITS, _, _>")]
    pub delivery: Vec<DeltaCommit>,
    /// Commits that changed policy files since the commit that brought the policy-set statement before the newest.
    #[serde(deserialize_with = "limits::list::<MAX_COMMITS, _, _>")]
    pub policy: Vec<DeltaCommit>,
}

impl Predicate for Delta {
    const TYPE: &'static str = "https://plimsoll.dev/delta/v1";
}

/// One commit, with everybody it names. Only the signature is evidence of who that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaCommit {
    /// The commit.
    pub commit: CommitId,
    /// Who wrote it, by its own word.
    pub author: Person,
    /// Who committed it, by its own word.
    pub committer: Person,
    /// Whom its message names as co-authors: see [`crate::co_authors`].
    #[serde(deserialize_with = "limits::list::<MAX_CO_AUTHORS, _, _>")]
    pub co_authors: Vec<Person>,
    /// What its signature says.
    pub signature: Signature,
    /// The first line of its message, made printable.
    #[serde(deserialize_with = "limits::text")]
    pub summary: String,
    /// What it changes; only of commits of the delivery repository.
    #[serde(deserialize_with = "limits::set::<MAX_PATHS, _, _>")]
    pub paths: BTreeSet<String>,
}

/// What identifies a delta: everything that was asked, nothing that was found.
#[derive(Serialize)]
struct Range<'a> {
    project: &'a ProjectName,
    environment: &'a EnvironmentName,
    base: Option<&'a CommitId>,
    head: &'a CommitId,
    delivery_base: Option<&'a CommitId>,
    delivery_head: &'a CommitId,
}

/// What people were shown: everything but the commit at which the delivery repository happened to stand.
#[derive(Serialize)]
struct Shown<'a> {
    project: &'a ProjectName,
    environment: &'a EnvironmentName,
    base: Option<&'a CommitId>,
    head: &'a CommitId,
    base_is_ancestor: bool,
    commits: &'a [DeltaCommit],
    dropped: &'a [DeltaCommit],
    delivery_base: Option<&'a CommitId>,
    delivery: &'a [DeltaCommit],
    policy: &'a [DeltaCommit],
}

impl Delta {
    /// The subject of its statement: SHA-256 of the canonical JSON of `project`, `environment`, `base`, `head`,
    /// `delivery_base` and `delivery_head`.
    ///
    /// # Errors
    /// Never in practice: names and commits have a JSON form.
    pub fn subject(&self) -> Result<Digest, jcs::JcsError> {
        jcs::digest(&Range {
            project: &self.project,
            environment: &self.environment,
            base: self.base.as_ref(),
            head: &self.head,
            delivery_base: self.delivery_base.as_ref(),
            delivery_head: &self.delivery_head,
        })
    }

    /// What approvals name: SHA-256 of its canonical JSON without `delivery_head`. The same commits give the same digest,
    /// whoever signs the statement and however often, and whatever else was committed to the delivery repository since,
    /// such as the approvals themselves.
    ///
    /// # Errors
    /// Never in practice: every part has a JSON form.
    pub fn digest(&self) -> Result<Digest, jcs::JcsError> {
        let Self { project, environment, base, head, base_is_ancestor, commits, dropped, .. } = self;
        let (delivery_base, delivery, policy) = (self.delivery_base.as_ref(), &self.delivery, &self.policy);
        let base = base.as_ref();
        let base_is_ancestor = *base_is_ancestor;
        jcs::digest(&Shown {
            project,
            environment,
            base,
            head,
            base_is_ancestor,
            commits,
            dropped,
            delivery_base,
            delivery,
            policy,
        })
    }

    /// Every commit in it: those that come, those that are dropped, and those of the delivery repository.
    pub fn all(&self) -> impl Iterator<Item = &DeltaCommit> {
        [&self.commits, &self.dropped, &self.delivery, &self.policy].into_iter().flatten()
    }
}

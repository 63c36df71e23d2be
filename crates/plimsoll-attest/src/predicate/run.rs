//! The end of a run: every planned check and every attempt of anything, so that a missing one shows. The subject is the
//! artifact; the exported tree if the run made none.

use super::{Predicate, common::On};
use plimsoll_model::{
    CheckName, CommitId, Digest, Outcome, ProjectName, Role, RunId,
    record::{LogPosition, OutputFile, Tier},
};
use serde::{Deserialize, Serialize};

/// A run statement: the root of the evidence of one run, and the only statement that names other statements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The run.
    pub run: RunId,
    /// The project.
    pub project: ProjectName,
    /// The commit.
    pub commit: CommitId,
    /// SHA-256 of the exported tree.
    pub tree: Digest,
    /// Digest of the plan.
    pub plan: Digest,
    /// Digest of the pipeline.
    pub pipeline: Digest,
    /// Whether the origin of the run is believed.
    pub tier: Tier,
    /// URI of the builder, as in its provenance.
    pub builder: String,
    /// What was made; none if the run did not get that far.
    pub artifact: Option<Artifact>,
    /// Every check of the plan, whether it ran or not.
    pub planned: Vec<Planned>,
    /// Everything that was closed, in that order.
    pub attempts: Vec<Attempt>,
    /// The run statement that this one supersedes, by the digest of its payload.
    pub predecessor: Option<Digest>,
    /// The journal's position when the run was opened.
    pub opened_at: LogPosition,
}

impl Predicate for Run {
    const TYPE: &'static str = "https://plimsoll.dev/run/v1";
}

/// What a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// Media type of the manifest.
    pub media_type: String,
    /// Digest of the manifest.
    pub digest: Digest,
    /// Length of the manifest in bytes.
    pub size: u64,
    /// The files in it that the run made.
    pub files: Vec<OutputFile>,
}

/// A check that the plan asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// Its name.
    pub check: CheckName,
    /// What it looks at.
    pub on: On,
    /// Whose key signs its results.
    pub role: Role,
    /// `predicateType` of its results.
    pub predicate_type: String,
}

/// Something that was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// What it was.
    pub kind: AttemptKind,
    /// Name of the step or check; `source` or `artifact` for those.
    pub name: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// Whose key signs what is said about it.
    pub role: Role,
    /// `predicateType` of its statement, if it has one.
    pub predicate_type: Option<String>,
    /// Its statement by the digest of the payload, if it has one.
    pub statement: Option<Digest>,
}

/// The kinds of [`Attempt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttemptKind {
    /// Reading the revision.
    Source,
    /// A step of the build.
    Step,
    /// Assembling the artifact.
    Artifact,
    /// A test or scan.
    Check,
}

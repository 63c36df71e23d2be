//! The closed set of requests that a signer takes, and its answers.

use crate::ports::sandbox::Exit;
use plimsoll_model::{
    CheckName, Code, CommitId, Digest, EnvironmentName, Outcome, ProjectName, Reason, RelPath, RunId,
    StepName, Timestamp,
    record::{IsolationRecord, Material, NetworkEvent, NetworkMode, OutputFile, Tier},
};
use plimsoll_policy::Kind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a signer can be asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// Derive plan and tier of a commit, and record that a run is open. Once, before any sandbox starts.
    Open(Open),
    /// Close the source of the open run.
    CloseSource,
    /// Close the fetch phase.
    CloseFetch(CloseFetch),
    /// Close one attempt of a step.
    CloseStep(CloseStep),
    /// Assemble the artifact from closed outputs and close it.
    CloseArtifact(CloseArtifact),
    /// Close one attempt of a check.
    CloseCheck(CloseCheck),
    /// Close one attempt of an adapter that never ran, because its tool is not on this machine.
    CloseToolless(CloseToolless),
    /// Close the run. Once.
    Finish,
    /// Describe what a release changes against what runs.
    Delta(DeltaOf),
    /// Decide about a finished run.
    Decide(Decide),
}

/// See [`Request::Open`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    /// Identity of the run, chosen by the executor at random.
    pub run: RunId,
    /// The revision as somebody asked for it.
    pub requested: String,
    /// The full ref behind it, if it was one.
    pub reference: Option<String>,
    /// The commit.
    pub commit: CommitId,
    /// Directory of the project in the repository; its root if none.
    pub subdirectory: Option<RelPath>,
    /// Parameters of the run.
    pub parameters: BTreeMap<String, String>,
}

/// What the executor saw of one sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// How the command ended.
    pub exit: Exit,
    /// Blob of everything it printed, cut at the log limit.
    pub log: Digest,
    /// How it was isolated.
    pub isolation: IsolationRecord,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
}

/// See [`Request::CloseFetch`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseFetch {
    /// What came in; each is a blob of the store.
    pub materials: Vec<Material>,
    /// How it came in.
    pub network: NetworkMode,
    /// Every connection that was asked for.
    pub events: Vec<NetworkEvent>,
}

/// See [`Request::CloseStep`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseStep {
    /// The step.
    pub step: StepName,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What the executor saw.
    pub observed: Observed,
    /// Blob of the canonical JSON of the tree of outputs, with paths below the source root; none when the attempt left
    /// none that could be frozen.
    pub outputs: Option<Digest>,
    /// Why the outputs could not be frozen.
    pub problem: Option<Reason>,
}

/// See [`Request::CloseArtifact`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseArtifact {
    /// Digest of the toolchain's manifest.
    pub toolchain: Digest,
    /// When the first sandbox started.
    pub started: Timestamp,
    /// When the last output was frozen.
    pub finished: Timestamp,
}

/// See [`Request::CloseCheck`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseCheck {
    /// The check.
    pub check: CheckName,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What the executor saw.
    pub observed: Observed,
    /// Blob of the report, where the check makes one and left one.
    pub report: Option<Digest>,
    /// The manifest of the artifact, for a check of the artifact.
    pub artifact: Option<Digest>,
    /// The tool behind an adapter, as it was hashed before it ran.
    pub tool: Option<Digest>,
    /// The data of that tool, hashed likewise, where its manifest names some.
    #[serde(default)]
    pub data: Option<Digest>,
}

/// See [`Request::Delta`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaOf {
    /// The project.
    pub project: ProjectName,
    /// The environment.
    pub environment: EnvironmentName,
    /// The commit that would run.
    pub head: CommitId,
    /// The commit of the delivery repository to read.
    pub delivery_commit: CommitId,
}

/// See [`Request::CloseToolless`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseToolless {
    /// The check.
    pub check: CheckName,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Why the tool that a manifest names cannot be used, for people.
    #[serde(default)]
    pub problem: Option<String>,
}

/// See [`Request::Decide`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    /// Why a decision is asked for.
    pub kind: Kind,
    /// The project.
    pub project: ProjectName,
    /// The environment.
    pub environment: EnvironmentName,
    /// Blob of the run statement's bundle.
    pub run: Digest,
    /// Blobs of the bundles of all other statements: those of the run, the delta, and for a rollback the decision that
    /// allowed the release before.
    pub evidence: Vec<Digest>,
    /// The commit of the delivery repository to judge by.
    pub delivery_commit: CommitId,
}

/// What a signer answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "response", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Response {
    /// The run is open.
    Opened(Opened),
    /// Something is closed.
    Closed(Closed),
    /// A delta was read and signed.
    Described(Signed),
    /// A decision was made; it is signed if its verdict is one that this role signs.
    Decided(Decided),
    /// The signer does not do that.
    Refused {
        /// Why.
        reasons: Vec<Reason>,
    },
}

impl Response {
    /// A refusal because the signer did not derive or observe what it was asked about.
    #[must_use]
    pub fn unobserved(problem: &str) -> Self {
        Self::Refused { reasons: vec![Code::SignUnobserved.reason().with("problem", problem)] }
    }
}

/// See [`Request::Open`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Digest of the plan.
    pub plan: Digest,
    /// Digest of the pipeline.
    pub pipeline: Digest,
    /// SHA-256 of the exported tree.
    pub tree: Digest,
    /// Whether the origin of the run is trusted.
    pub tier: Tier,
    /// Why it is not.
    pub reasons: Vec<Reason>,
}

/// A signed statement.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Digest of its payload: its name everywhere.
    pub statement: Digest,
    /// Its predicate type.
    pub predicate_type: String,
    /// The bundle, as JSON.
    pub bundle: String,
}

/// See the closing requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// What came of it, by the signer's own judgement.
    pub outcome: Outcome,
    /// Why it did not pass.
    pub reasons: Vec<Reason>,
    /// The statement, if this close makes one.
    pub signed: Option<Signed>,
    /// The artifact, after [`Request::CloseArtifact`].
    pub artifact: Option<ArtifactRecord>,
}

/// An artifact as it was assembled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactRecord {
    /// Digest of its manifest.
    pub manifest: Digest,
    /// Length of the manifest in bytes.
    pub size: u64,
    /// Media type of the manifest.
    pub media_type: String,
    /// The files in it that the run made.
    pub files: Vec<OutputFile>,
}

/// See [`Request::Decide`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// Whether the release may start.
    pub allowed: bool,
    /// Why not.
    pub reasons: Vec<Reason>,
    /// The decision, if this role signs this verdict.
    pub signed: Option<Signed>,
}

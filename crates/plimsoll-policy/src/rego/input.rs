//! What a policy sees: one document, version 1. Its fields only ever become more. A field without a value is not there, so
//! that in a policy `not input.source` holds where nothing was read. Field documentation becomes the JSON Schema and the
//! reference in docs/policies.md.

use plimsoll_model::Outcome;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

mod worst;

/// Version of the document.
pub const INPUT_VERSION: u32 = 1;

/// Everything that a policy may judge by. Times are UTC; digests are `sha256:` and hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PolicyInput {
    /// Version of this document; 1.
    pub version: u32,
    /// Why a decision is asked for.
    pub kind: KindInput,
    /// For which project.
    pub project: NamedInput,
    /// For which environment.
    pub environment: NamedInput,
    /// What would run.
    pub release: ReleaseInput,
    /// The run that made it.
    pub run: RunInput,
    /// The revision, as the engine read it. Absent without a statement about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceInput>,
    /// How the artifact was built. Absent without provenance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<ProvenanceInput>,
    /// Newest result of each test, by its name.
    pub tests: BTreeMap<String, TestInput>,
    /// Newest result of each adapter, by its name.
    pub scans: BTreeMap<String, ScanInput>,
    /// Outcome of each gate that is not a policy, by its name: `passed`, `failed`, `errored`, `skipped`, `not-applicable`,
    /// `missing` or `stale`. Only `passed` passes.
    #[schemars(with = "BTreeMap<String, String>")]
    pub gates: BTreeMap<String, Outcome>,
    /// What the release changes against what runs. Where nothing was compared, a policy that reads it gives no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<DeltaInput>,
    /// Approvals that count.
    pub approvals: Vec<ApprovalInput>,
    /// When it is decided.
    pub time: TimeInput,
    /// The decision that counts now. Absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<PreviousInput>,
}

/// Why a decision is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KindInput {
    /// To start a release.
    Deploy,
    /// To go back to an earlier one.
    Rollback,
}

/// A thing by its name, and by the identity that survives renaming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamedInput {
    /// The name.
    pub name: String,
    /// The random identity, 32 hexadecimal digits.
    pub id: String,
}

/// What would run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReleaseInput {
    /// Digest of the release.
    pub digest: String,
    /// Digest of the artifact's manifest.
    pub artifact: String,
    /// Digest of the tree below `config/`.
    pub config: String,
    /// Digest of `target.yaml`.
    pub target: String,
}

/// The run that made the artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunInput {
    /// Its identity.
    pub id: String,
    /// The commit.
    pub commit: String,
    /// `trusted` or `untrusted`: whether its origin was believed when it was opened.
    pub tier: String,
    /// URI of the builder.
    pub builder: String,
    /// Digest of the pipeline.
    pub pipeline: String,
    /// Everything that was closed, in that order, failed attempts included.
    pub attempts: Vec<AttemptInput>,
}

/// One attempt of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AttemptInput {
    /// `source`, `step`, `artifact` or `check`.
    pub kind: String,
    /// Name of the step or check; `source` or `artifact` for those.
    pub name: String,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// What came of it.
    #[schemars(with = "String")]
    pub outcome: Outcome,
}

/// The revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SourceInput {
    /// The commit.
    pub commit: String,
    /// URI of the repository, without credentials.
    pub repository: String,
    /// Digest of the exported tree.
    pub tree: String,
    /// Who wrote the commit, by its own word.
    pub author: PersonInput,
    /// Who committed it, by its own word.
    pub committer: PersonInput,
    /// What its signature says.
    pub signature: SignatureInput,
    /// The protected ref from which it is reachable. Absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected_by: Option<String>,
}

/// Somebody whom a commit names; not authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PersonInput {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
}

/// What the signature of a commit says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SignatureInput {
    /// `unsigned`, `good` or `bad`.
    pub kind: String,
    /// Whose key it is, as in people.yaml. Only of a good one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// How the artifact was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProvenanceInput {
    /// URI of the builder.
    pub builder: String,
    /// How bytes from outside came in, in the words of `environment.yaml`.
    pub network: String,
    /// Whether the build could see nothing else than what a digest names.
    pub hermetic: bool,
    /// What enforced the isolation of each step, by its name.
    pub isolation: BTreeMap<String, String>,
    /// The commit and every fetched input.
    pub materials: Vec<MaterialInput>,
}

/// An input of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MaterialInput {
    /// Where it came from. Absent where only its name is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// What it is: `sha256:…` or `gitCommit:…`.
    pub digest: String,
}

/// The newest result of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TestInput {
    /// What it looked at: `source` or `artifact`.
    pub on: String,
    /// What came of it.
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// Tests that passed. Absent without a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed: Option<u64>,
    /// Tests that failed. Absent without a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// Tests that did not run. Absent without a report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
}

/// The newest result of an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScanInput {
    /// What came of it: `passed` says that the tool did its work, not that it found nothing.
    #[schemars(with = "String")]
    pub outcome: Outcome,
    /// Name of the tool in the pipeline.
    pub tool: String,
    /// Version of the tool, by its own word. Absent where it said none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_version: Option<String>,
    /// How many rules it applied.
    pub rules: u64,
    /// Findings by level.
    pub findings: FindingsInput,
}

/// Findings by level (SARIF 2.1.0, section 3.27.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FindingsInput {
    /// Of level `error`.
    pub error: u64,
    /// Of level `warning`.
    pub warning: u64,
    /// Of level `note`.
    pub note: u64,
    /// Of level `none`.
    pub none: u64,
}

/// What the release changes against what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeltaInput {
    /// The commit that runs, by the newest observation. Absent where nothing was ever seen running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The commit that would run.
    pub head: String,
    /// Whether the base is reachable from the head; true where there is no base.
    pub base_is_ancestor: bool,
    /// Commits that would be new.
    pub commits: Vec<CommitInput>,
    /// Commits that would be taken back.
    pub dropped: Vec<CommitInput>,
    /// Commits of the delivery repository that changed policies, configuration or target of this unit.
    pub delivery: Vec<CommitInput>,
}

/// One commit of a delta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CommitInput {
    /// The commit.
    pub commit: String,
    /// Who wrote it, by its own word.
    pub author: PersonInput,
    /// Who committed it, by its own word.
    pub committer: PersonInput,
    /// Whom its message names as co-authors.
    pub co_authors: Vec<PersonInput>,
    /// What its signature says.
    pub signature: SignatureInput,
    /// First line of its message.
    pub summary: String,
    /// What it changes; only of commits of the delivery repository, elsewhere empty.
    pub paths: Vec<String>,
}

/// An approval that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ApprovalInput {
    /// Who approved, as in people.yaml.
    pub person: String,
    /// The roles of that person.
    pub roles: Vec<String>,
}

/// When it is decided, by the clock of whoever decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TimeInput {
    /// RFC 3339, in UTC.
    pub now: String,
    /// `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat` or `Sun`, in UTC.
    pub weekday: String,
    /// 0 to 23, in UTC.
    pub hour: u32,
}

/// The decision that counts now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PreviousInput {
    /// Digest of the decision.
    pub decision: String,
    /// Digest of the release that it allowed.
    pub release: String,
}

//! The decision: a SLSA Verification Summary whose one extension holds everything that it was computed from.

use crate::release::Release;
pub use plimsoll_attest::predicate::common::Named;
use plimsoll_attest::{Predicate, Statement, Subject};
use plimsoll_model::{
    CommitId, Digest, EnvironmentName, Opaque, Outcome, ProjectName, Reason, RunId, Timestamp, jcs,
    record::LogPosition,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// `verifier.id` of every decision.
pub const VERIFIER: &str = "https://plimsoll.dev/decide/v1";

/// A SLSA Verification Summary (SLSA 1.2, "Verification Summary Attestation", version 1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Summary {
    /// Who judged.
    pub verifier: Verifier,
    /// When, by the clock of whoever decided.
    pub time_verified: Timestamp,
    /// What was judged for: see [`resource_uri`].
    pub resource_uri: String,
    /// By which rules.
    pub policy: PolicyReference,
    /// Every statement that was looked at, in order of the digests of their payloads.
    pub input_attestations: Vec<InputAttestation>,
    /// `PASSED` or `FAILED`.
    pub verification_result: VerificationResult,
    /// SLSA levels that hold; `["FAILED"]` on refusal, `["SLSA_BUILD_LEVEL_UNEVALUATED"]` where nobody asked for
    /// provenance.
    pub verified_levels: Vec<String>,
    /// Version of the SLSA specification.
    pub slsa_version: String,
    /// What Plimsoll adds.
    #[serde(rename = "plimsoll_decision")]
    pub decision: Decision,
}

impl Predicate for Summary {
    const TYPE: &'static str = "https://slsa.dev/verification_summary/v1";
}

/// The verifier of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verifier {
    /// [`VERIFIER`].
    pub id: String,
}

/// The policy of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyReference {
    /// The delivery repository's commit, as `git:<commit>`.
    pub uri: String,
    /// The policy set.
    pub digest: BTreeMap<String, String>,
}

/// An input of a [`Summary`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputAttestation {
    /// Its predicate type.
    pub uri: String,
    /// SHA-256 of its signed payload.
    pub digest: BTreeMap<String, String>,
}

/// The result of a [`Summary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerificationResult {
    /// The verdict allows.
    Passed,
    /// The verdict refuses.
    Failed,
}

/// Whether a release may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not.
    Refuse,
}

/// Why a decision was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// To start a release.
    Deploy,
    /// To go back to a release that was allowed here before.
    Rollback,
}

/// The extension `plimsoll_decision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Version of this shape; 1.
    pub schema: u32,
    /// Version of the rules that were applied.
    pub rules: u32,
    /// Why it was asked for.
    pub kind: Kind,
    /// For which project.
    pub project: Named<ProjectName>,
    /// For which environment.
    pub environment: Named<EnvironmentName>,
    /// Digest of the release.
    pub release_digest: Digest,
    /// Its parts.
    pub release: Release,
    /// The run that made the artifact.
    pub run: RunId,
    /// The commit that was built.
    pub commit: CommitId,
    /// Digest of the pipeline that the run followed.
    pub pipeline: Digest,
    /// The commit of the delivery repository that was read.
    pub delivery_commit: CommitId,
    /// Digest of the policy set.
    pub policy_set: Digest,
    /// Number of the newest signed statement about the policy set; none where nothing is signed.
    pub policy_number: Option<u64>,
    /// Version of the trust root that was believed.
    pub trust_number: u64,
    /// Place in the journal up to which evidence was looked at.
    pub log: LogPosition,
    /// Digest of the run statement, which names all other evidence.
    pub evidence_root: Digest,
    /// Statements that were looked at beside those of the run: observations, the delta, an earlier decision.
    pub context: BTreeSet<Digest>,
    /// Each gate with its outcome, in order of their names.
    pub gates: Vec<Gate>,
    /// Findings that would block and may stand, each with what lets it, in order of gates and fingerprints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excused: Vec<Excused>,
    /// The approvals that counted, in order of their digests.
    pub approvals: Vec<Approved>,
    /// Approvals that this chain of decisions has used up and that have not expired, in order of their digests.
    pub used: Vec<UsedApproval>,
    /// Whether the release may start.
    pub verdict: Verdict,
    /// Place in the chain of promoted decisions; only of decisions that allow.
    pub counter: Option<u64>,
    /// Payload digest of the decision before it in that chain; only of decisions that allow.
    pub previous: Option<Digest>,
    /// The decision behind what runs when this one is made; none where nothing does.
    pub runs: Option<Digest>,
    /// The decision that may run again by itself when this one fails soon after it started; only of decisions that
    /// allow, where the environment lets it.
    pub fallback: Option<Digest>,
    /// When an allow that was not started is void.
    pub start_by: Timestamp,
}

/// A finding that may stand, although findings of its severity block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excused {
    /// The gate, as in `scans.dependencies`.
    pub gate: String,
    /// Its fingerprint.
    pub finding: Digest,
    /// Its rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Package URL of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Names of the advisory behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<String>,
    /// What lets it stand.
    pub by: ExcusedBy,
}

/// What lets a finding stand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ExcusedBy {
    /// An entry of `exceptions.yaml`.
    Exception {
        /// Who answers for it.
        owner: String,
        /// Why.
        reason: String,
        /// Why it does not matter, by the word that OpenVEX has for it; none where it is accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        justification: Option<String>,
        /// When it stops to count.
        until: Timestamp,
    },
    /// A statement of a VEX document.
    Vex {
        /// SHA-256 of the document.
        document: Digest,
        /// Who signed it, of those whom the environment names.
        person: String,
        /// What it says: `not_affected` or `fixed`.
        status: String,
        /// Why, in its words.
        reason: String,
    },
}

/// An approval that counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Digest of its document.
    pub approval: Digest,
    /// Who gave it.
    pub person: String,
    /// The key it was signed with.
    pub fingerprint: String,
}

/// An approval that no later decision can use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsedApproval {
    /// Digest of its document.
    pub approval: Digest,
    /// When it would have expired.
    pub expiry: Timestamp,
}

/// One requirement and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Its name, as in `tests.unit`.
    pub name: String,
    /// What came of it. Only `passed` passes.
    pub outcome: Outcome,
    /// The statement it was judged by, by the digest of its payload.
    pub evidence: Option<Digest>,
    /// Why it did not pass; empty exactly when it did.
    pub reasons: Vec<Reason>,
}

/// `resourceUri` of a decision: `plimsoll:<environment id>/<project id>`. Stock verifiers compare it literally, which
/// pins the environment.
#[must_use]
pub fn resource_uri(environment: &Opaque, project: &Opaque) -> String {
    format!("plimsoll:{environment}/{project}")
}

impl Decision {
    /// All reasons of all gates, in order.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        self.gates.iter().flat_map(|gate| &gate.reasons)
    }

    /// What other verifiers may read into the verdict. Level 1 asks for provenance, so without a gate that looked at it
    /// nothing is said about the build.
    fn level(&self, allowed: bool) -> &'static str {
        match (allowed, self.gates.iter().any(|gate| gate.name == "provenance")) {
            (false, _) => "FAILED",
            (true, true) => "SLSA_BUILD_LEVEL_1",
            (true, false) => "SLSA_BUILD_LEVEL_UNEVALUATED",
        }
    }

    /// The statement that a decision signer signs.
    #[must_use]
    pub fn into_statement(self, now: Timestamp, inputs: Vec<InputAttestation>) -> Statement<Summary> {
        let allowed = self.verdict == Verdict::Allow;
        let subject =
            Subject::new(format!("{}@{}", self.project.name, self.environment.name), self.release.artifact);
        let level = self.level(allowed);
        let predicate = Summary {
            verifier: Verifier { id: VERIFIER.into() },
            time_verified: now,
            resource_uri: resource_uri(&self.environment.id, &self.project.id),
            policy: PolicyReference {
                uri: format!("git:{}", self.delivery_commit),
                digest: BTreeMap::from([("sha256".into(), self.policy_set.hex())]),
            },
            input_attestations: inputs,
            verification_result: if allowed {
                VerificationResult::Passed
            } else {
                VerificationResult::Failed
            },
            verified_levels: vec![level.into()],
            slsa_version: "1.2".into(),
            decision: self,
        };
        Statement { subject: vec![subject], predicate }
    }
}

/// Digest of the set of policy files: SHA-256 over the canonical JSON of path and digest, in order of the paths.
///
/// # Errors
/// Never in practice: paths and digests have a JSON form.
pub fn policy_set_digest(files: &BTreeMap<String, Digest>) -> Result<Digest, jcs::JcsError> {
    jcs::digest(files)
}

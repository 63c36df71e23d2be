//! `decide`: from inputs to a decision, without a clock, a file or a choice left open. Evidence can only help: without
//! a statement, or with a weaker one, no refusal becomes an allow.

use crate::{
    decision::{Decision, InputAttestation, Kind, Named, Summary, UsedApproval, Verdict},
    gates::Counted,
    gather::{Document, PolicySet, SignedByPeople},
    release::Release,
    standing::Standing,
};
use plimsoll_attest::{
    Predicate as _, Statement, Verified,
    predicate::{Delta, Observation, Provenance, Run, Sbom, Scan, SourceRevision, TestResult},
};
use plimsoll_model::{
    Code, CommitId, Digest, EnvironmentName, Outcome, ProjectName, Reason, Timestamp, jcs,
    record::LogPosition,
};
use plimsoll_pipeline::{Environment, Exception, People};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the rules in this file. A binary that changes them keeps the old ones beside the new.
pub const RULES: u32 = 1;

/// Everything that a decision depends on.
#[derive(Debug)]
pub struct Inputs {
    /// Version of the rules to apply.
    pub rules: u32,
    /// Why a decision is asked for.
    pub kind: Kind,
    /// For which project.
    pub project: Named<ProjectName>,
    /// For which environment.
    pub environment: Named<EnvironmentName>,
    /// What would run.
    pub release: Release,
    /// Whether an agent starts it, and not whoever promotes it.
    pub hosted: bool,
    /// What the environment asks for.
    pub declared: Environment,
    /// The environment that this one comes after.
    pub after: Option<Named<EnvironmentName>>,
    /// The named policies: their text by path.
    pub policies: BTreeMap<String, String>,
    /// Pipelines that the delivery repository approves for the project.
    pub approved_pipelines: BTreeSet<Digest>,
    /// Refs of the project that the delivery repository protects.
    pub protected_refs: BTreeSet<String>,
    /// Findings that may stand here for a while.
    pub exceptions: Vec<Exception>,
    /// VEX documents as they lie in the delivery repository, where somebody's count.
    pub vex: Vec<Document>,
    /// Who is who.
    pub people: People,
    /// The commit of the delivery repository that was read.
    pub delivery_commit: CommitId,
    /// The policy set at that commit, and who signed it.
    pub policy_set: PolicySet,
    /// Approvals and disclaimers as they lie in the delivery repository.
    pub signed: SignedByPeople,
    /// Version of the trust root that was believed.
    pub trust_number: u64,
    /// The journal's position up to which evidence counts.
    pub log: LogPosition,
    /// The decision that counts now.
    pub standing: Option<Standing>,
    /// The time of the decision.
    pub now: Timestamp,
    /// When an allow is void if nothing was started.
    pub start_by: Timestamp,
    /// The run statement.
    pub run: Verified<Statement<Run>>,
    /// All other statements that could be verified.
    pub evidence: Vec<Evidence>,
}

/// A verified statement of a kind that a gate can look at.
#[derive(Debug)]
pub enum Evidence {
    /// About the revision.
    Source(Verified<Statement<SourceRevision>>),
    /// About the build.
    Provenance(Verified<Statement<Provenance>>),
    /// About a test.
    Test(Verified<Statement<TestResult>>),
    /// About an adapter.
    Scan(Verified<Statement<Scan>>),
    /// About what the artifact is made of.
    Sbom(Box<Verified<Statement<Sbom>>>),
    /// About what changes.
    Delta(Verified<Statement<Delta>>),
    /// About what runs.
    Observation(Verified<Statement<Observation>>),
    /// An earlier decision that allowed.
    Decision(Box<Verified<Statement<Summary>>>),
}

impl Evidence {
    /// The statement's name everywhere.
    #[must_use]
    pub fn digest(&self) -> Digest {
        match self {
            Self::Source(statement) => *statement.payload_digest(),
            Self::Provenance(statement) => *statement.payload_digest(),
            Self::Test(statement) => *statement.payload_digest(),
            Self::Scan(statement) => *statement.payload_digest(),
            Self::Sbom(statement) => *statement.payload_digest(),
            Self::Delta(statement) => *statement.payload_digest(),
            Self::Observation(statement) => *statement.payload_digest(),
            Self::Decision(statement) => *statement.payload_digest(),
        }
    }

    fn predicate_type(&self) -> &'static str {
        match self {
            Self::Source(_) => SourceRevision::TYPE,
            Self::Provenance(_) => Provenance::TYPE,
            Self::Test(_) => TestResult::TYPE,
            Self::Scan(_) => Scan::TYPE,
            Self::Sbom(_) => Sbom::TYPE,
            Self::Delta(_) => Delta::TYPE,
            Self::Observation(_) => Observation::TYPE,
            Self::Decision(_) => Summary::TYPE,
        }
    }
}

/// Decides. The result is a statement to sign; it gives no authority by itself.
///
/// # Errors
/// `E-RULES-UNKNOWN` for a version of the rules that this binary does not have.
pub fn decide(inputs: &Inputs) -> Result<Statement<Summary>, Reason> {
    if inputs.rules != RULES {
        return Err(Code::RulesUnknown.reason().with("version", inputs.rules));
    }
    let judgement = crate::gates::judge(inputs);
    let gates = judgement.gates;
    let allowed = !gates.is_empty() && gates.iter().all(|gate| gate.outcome == Outcome::Passed);
    let run = &inputs.run.value().predicate;
    let standing = inputs.standing.as_ref();
    let decision = Decision {
        schema: 1,
        rules: inputs.rules,
        kind: inputs.kind,
        project: inputs.project.clone(),
        environment: inputs.environment.clone(),
        release_digest: inputs.release.digest().map_err(unwritable)?,
        release: inputs.release.clone(),
        run: run.run.clone(),
        commit: run.commit.clone(),
        pipeline: run.pipeline,
        delivery_commit: inputs.delivery_commit.clone(),
        policy_set: inputs.policy_set.digest,
        policy_number: inputs.policy_set.number,
        trust_number: inputs.trust_number,
        log: inputs.log,
        evidence_root: *inputs.run.payload_digest(),
        used: used(inputs, &judgement.approvals),
        approvals: judgement.approvals.into_iter().map(|counted| counted.approved).collect(),
        excused: judgement.excused,
        context: judgement.context,
        gates,
        verdict: if allowed { Verdict::Allow } else { Verdict::Refuse },
        counter: place(standing.map(|standing| standing.counter)).filter(|_| allowed),
        previous: standing.map(|standing| standing.decision).filter(|_| allowed),
        runs: judgement.runs,
        fallback: judgement.runs.filter(|_| allowed && inputs.declared.rollback.is_some()),
        start_by: inputs.start_by,
    };
    let attestations = attestations(inputs, &decision.context);
    Ok(decision.into_statement(inputs.now, attestations))
}

/// What the chain has used up: what it had before, and the approvals that count now. What has expired cannot be used
/// again anyway.
fn used(inputs: &Inputs, approvals: &[Counted]) -> Vec<UsedApproval> {
    let before = inputs.standing.iter().flat_map(|standing| standing.used.iter().cloned());
    let now = approvals
        .iter()
        .map(|counted| UsedApproval { approval: counted.approved.approval, expiry: counted.expiry });
    let mut all: Vec<_> = before.chain(now).filter(|used| used.expiry > inputs.now).collect();
    all.sort();
    all.dedup();
    all
}

/// A value without canonical form cannot be decided about.
fn unwritable(error: jcs::JcsError) -> Reason {
    Code::DossierParse.reason().with("problem", error)
}

/// The place in the chain after `current`, from 1; none after the last that there is, and then nothing starts any more.
pub(crate) fn place(current: Option<u64>) -> Option<u64> {
    current.map_or(Some(1), |counter| counter.checked_add(1))
}

/// The run statement, what it names, and what else was looked at, each once, in order.
fn attestations(inputs: &Inputs, context: &BTreeSet<Digest>) -> Vec<InputAttestation> {
    let entry = |uri: &str, digest: Digest| InputAttestation {
        uri: uri.to_owned(),
        digest: BTreeMap::from([("sha256".to_owned(), digest.hex())]),
    };
    let run = entry(Run::TYPE, *inputs.run.payload_digest());
    let of_run = inputs.run.value().predicate.attempts.iter().filter_map(|attempt| attempt.statement);
    let named: BTreeSet<_> = of_run.chain(context.iter().copied()).collect();
    let others = inputs.evidence.iter().filter(|evidence| named.contains(&evidence.digest()));
    let others = others.map(|evidence| entry(evidence.predicate_type(), evidence.digest()));
    let mut all: Vec<_> = std::iter::once(run).chain(others).collect();
    all.sort_by(|a, b| (&a.digest, &a.uri).cmp(&(&b.digest, &b.uri)));
    all.dedup();
    all
}

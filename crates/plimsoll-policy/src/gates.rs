//! The gates: one function each. Each looks at what the run statement names, and passes only where it finds no reason
//! not to.

use crate::{
    decide::{Evidence, Inputs},
    decision::{Approved, Excused, Gate, Kind},
};
use plimsoll_attest::{
    check_subject,
    predicate::{
        Provenance, Run, SourceRevision,
        provenance::BUILD_TYPE,
        run::AttemptKind,
        source::{PipelineApproval, Signature},
    },
};
use plimsoll_model::{Code, Digest, Outcome, Reason, Timestamp, record::Tier, removed};
use plimsoll_pipeline::RequireProvenance;
use std::collections::BTreeSet;
use surroundings::Surroundings;

pub use authorship::disclaimable;
pub use exceptions::may_be_malicious;
pub use vex::VEX_NAMESPACE;

mod approvals;
mod authorship;
mod checks;
mod exceptions;
mod foreign;
mod licenses;
mod people;
mod policies;
mod policy_set;
mod sbom;
mod scans;
mod select;
mod surroundings;
mod vex;

/// `builder.id` of a run on the machine of whoever asked for it: every trust zone is a process of one user.
pub const LOCAL_BUILDER: &str = "https://plimsoll.dev/builder/local/v1";

/// Builders by the names that environments use.
const BUILDERS: &[(&str, &str)] = &[("local", LOCAL_BUILDER)];

/// The statement a gate was judged by, or why it does not pass.
type Judged = Result<Option<Digest>, Refused>;

/// Why a gate does not pass.
struct Refused {
    outcome: Outcome,
    evidence: Option<Digest>,
    reason: Reason,
}

impl Refused {
    fn new(outcome: Outcome, evidence: Option<Digest>, reason: Reason) -> Self {
        Self { outcome, evidence, reason }
    }
}

/// What came of all gates.
pub(crate) struct Judgement {
    /// Every gate, sorted by name.
    pub(crate) gates: Vec<Gate>,
    /// The approvals that counted.
    pub(crate) approvals: Vec<Counted>,
    /// Findings that may stand.
    pub(crate) excused: Vec<Excused>,
    /// Statements beside those of the run that were looked at.
    pub(crate) context: BTreeSet<Digest>,
    /// The decision behind what runs now.
    pub(crate) runs: Option<Digest>,
}

/// An approval that counted, and when it expires.
pub(crate) struct Counted {
    pub(crate) approved: Approved,
    pub(crate) expiry: Timestamp,
}

/// Judges every gate. Those of the run itself and of the policy set always stand; the others are what the environment
/// requires. Approvals are judged over all others, policies over everything.
pub(crate) fn judge(inputs: &Inputs) -> Judgement {
    let run = &inputs.run.value().predicate;
    let bench = Bench { inputs, run, around: Surroundings::of(inputs), vex: vex::Documents::of(inputs) };
    let mut gates = bench.of_the_run();
    let fixed = gates.len();
    gates.extend(bench.required());
    gates.extend(bench.of_the_surroundings());
    if gates.len() == fixed && inputs.declared.require.approvals.is_none() && inputs.policies.is_empty() {
        gates.push(gate("require", bench.nothing_required()));
    }
    let (approval, approvals) = bench.approvals(&gates);
    gates.extend(approval);
    gates.extend(bench.policies(&gates, &approvals));
    gates.sort_by(|a, b| a.name.cmp(&b.name));
    let context = bench.around.digests().into_iter().chain(bench.baselines()).collect();
    Judgement { gates, approvals, excused: bench.excused(), context, runs: bench.around.runs(inputs) }
}

fn gate(name: impl Into<String>, judged: Judged) -> Gate {
    let name = name.into();
    match judged {
        Ok(evidence) => Gate { name, outcome: Outcome::Passed, evidence, reasons: vec![] },
        Err(Refused { outcome, evidence, reason }) => Gate { name, outcome, evidence, reasons: vec![reason] },
    }
}

/// Where gates are judged: everything comes from the inputs.
struct Bench<'a> {
    inputs: &'a Inputs,
    run: &'a Run,
    around: Surroundings<'a>,
    vex: vex::Documents,
}

impl Bench<'_> {
    fn of_the_run(&self) -> Vec<Gate> {
        vec![
            gate("policy-set", self.policy_set()),
            gate("run.artifact", self.artifact()),
            gate("run.pipeline", self.pipeline()),
            gate("run.project", self.project()),
            gate("run.tier", self.tier()),
        ]
    }

    fn required(&self) -> Vec<Gate> {
        let require = &self.inputs.declared.require;
        let mut gates = vec![];
        if let Some(source) = &require.source {
            gates.extend(source.protected.then(|| gate("source.protected", self.protected())));
            gates.extend(source.signed.then(|| gate("source.signed", self.signed())));
        }
        gates.extend(require.provenance.as_ref().map(|asked| gate("provenance", self.provenance(asked))));
        let tests = require.tests.iter().filter(|_| !removed!("tests"));
        gates.extend(tests.map(|(name, on)| gate(format!("tests.{name}"), self.test(name.as_str(), *on))));
        let sbom = require.sbom.filter(|_| !removed!("sbom"));
        gates.extend(sbom.map(|asked| gate("sbom", self.sbom(asked))));
        let scans = require.scans.iter().filter(|_| !removed!("scans"));
        gates.extend(scans.map(|(name, scan)| gate(format!("scans.{name}"), self.scan(name.as_str(), scan))));
        gates
    }

    /// What a release that was allowed here before is not asked again.
    fn of_the_surroundings(&self) -> Vec<Gate> {
        if self.inputs.kind == Kind::Rollback {
            return vec![gate("rollback", self.rollback())];
        }
        let mut gates = vec![];
        if let Some(before) = &self.inputs.after {
            gates.push(gate("after", self.after(before)));
            if self.inputs.declared.soak_seconds > 0 {
                gates.push(gate("soak", self.soak(before)));
            }
        }
        if !self.inputs.declared.freeze.is_empty() {
            gates.push(gate("freeze", self.freeze()));
        }
        gates
    }

    /// An environment that asks for nothing lets nothing in. Its file is refused before this, with the same code.
    fn nothing_required(&self) -> Judged {
        let file = format!("environments/{}/environment.yaml", self.inputs.environment.name);
        let reason = Code::FileInvalid.reason().with("file", file).with("count", 1);
        Err(Refused::new(Outcome::Errored, None, reason))
    }

    /// The run made what would run.
    fn artifact(&self) -> Judged {
        let root = Some(*self.inputs.run.payload_digest());
        let expected = self.inputs.release.artifact;
        let made = self.run.artifact.as_ref().map(|artifact| artifact.digest);
        if made != Some(expected) {
            let actual = made.map_or_else(|| "no artifact".to_owned(), |digest| digest.to_string());
            let reason = Code::SubjectMismatch.reason().with("actual", actual).with("expected", expected);
            return Err(Refused::new(Outcome::Failed, root, reason));
        }
        check_subject(self.inputs.run.value(), &expected)
            .map_err(|reason| Refused::new(Outcome::Failed, root, reason))?;
        Ok(root)
    }

    /// The run belongs to the project that is released.
    fn project(&self) -> Judged {
        let root = Some(*self.inputs.run.payload_digest());
        let (actual, expected) = (&self.run.project, &self.inputs.project.name);
        if actual == expected {
            return Ok(root);
        }
        let reason = Code::SubjectMismatch.reason().with("actual", format!("the project {actual}"));
        Err(Refused::new(Outcome::Failed, root, reason.with("expected", format!("the project {expected}"))))
    }

    /// The pipeline is approved now, whatever it was when the run was made.
    fn pipeline(&self) -> Judged {
        let root = Some(*self.inputs.run.payload_digest());
        if removed!("pipeline-approved") || self.inputs.approved_pipelines.contains(&self.run.pipeline) {
            return Ok(root);
        }
        let reason = Code::PipeUnapproved.reason().with("pipeline", self.run.pipeline);
        Err(Refused::new(Outcome::Failed, root, reason.with("project", &self.inputs.project.name)))
    }

    /// The origin of the run was trusted when it was made.
    fn tier(&self) -> Judged {
        let root = Some(*self.inputs.run.payload_digest());
        match self.run.tier {
            Tier::Trusted => Ok(root),
            Tier::Untrusted if removed!("tier") => Ok(root),
            Tier::Untrusted => {
                let problem = "when it ran, its commit was in no protected ref or its pipeline not approved";
                let reason = Code::TierUntrusted.reason().with("run", &self.run.run).with("problem", problem);
                Err(Refused::new(Outcome::Failed, root, reason))
            }
        }
    }

    /// The ref that protected the commit when it was read is one that the delivery repository protects now.
    fn protected(&self) -> Judged {
        let (digest, source) = self.source()?;
        if source.protected_by.as_ref().is_some_and(|name| self.inputs.protected_refs.contains(name)) {
            return Ok(Some(digest));
        }
        let reason = Code::SrcUnprotected.reason().with("commit", &source.commit);
        Err(Refused::new(Outcome::Failed, Some(digest), reason.with("project", &self.inputs.project.name)))
    }

    /// The signature is by a key that people.yaml lists now, for the same person.
    fn signed(&self) -> Judged {
        let (digest, source) = self.source()?;
        let refused = |reason| Refused::new(Outcome::Failed, Some(digest), reason);
        let problem = match &source.signature {
            Signature::Unsigned => {
                return Err(refused(Code::SrcUnsigned.reason().with("commit", &source.commit)));
            }
            Signature::Bad { problem } => problem.clone(),
            Signature::Good { person, fingerprint } => {
                match self.inputs.people.by_fingerprint().get(fingerprint) {
                    Some(listed) if listed == person => return Ok(Some(digest)),
                    Some(listed) => {
                        format!("the key {fingerprint} belonged to {person} and belongs to {listed}")
                    }
                    None => format!("the key {fingerprint} of {person} is not listed any more"),
                }
            }
        };
        Err(refused(Code::SrcSigner.reason().with("commit", &source.commit).with("problem", problem)))
    }

    fn source(&self) -> Result<(Digest, &SourceRevision), Refused> {
        let attempt = self.newest(AttemptKind::Source, "source", "source", self.run.tree)?;
        let statement = self.statement(attempt, "source", |evidence| match evidence {
            Evidence::Source(statement) => Some(statement),
            _ => None,
        })?;
        let (source, run, digest) = (&statement.value().predicate, self.run, *statement.payload_digest());
        self.about(statement, "source", run.tree)?;
        let same = (&source.run, &source.project, &source.commit) == (&run.run, &run.project, &run.commit)
            && (source.tree, source.pipeline, source.tier) == (run.tree, run.pipeline, run.tier)
            && (source.tier == Tier::Untrusted || source.approval == PipelineApproval::Approved);
        if !same {
            return Err(self.other_run("source", digest));
        }
        self.closed_well(attempt, "source", digest)?;
        Ok((digest, source))
    }

    fn provenance(&self, require: &RequireProvenance) -> Judged {
        let subject = self.inputs.release.artifact;
        let attempt = self.newest(AttemptKind::Artifact, "artifact", "provenance", subject)?;
        let statement = self.statement(attempt, "provenance", |evidence| match evidence {
            Evidence::Provenance(statement) => Some(statement),
            _ => None,
        })?;
        let digest = *statement.payload_digest();
        let provenance = &statement.value().predicate;
        self.about(statement, "provenance", subject)?;
        if !self.of_this_run(provenance) {
            return Err(self.other_run("provenance", digest));
        }
        self.closed_well(attempt, "provenance", digest)?;
        self.builder(require, provenance, digest)?;
        self.network(require, provenance, digest)?;
        Ok(Some(digest))
    }

    fn of_this_run(&self, provenance: &Provenance) -> bool {
        let (built, run) = (&provenance.build_definition, self.run);
        let internal = &built.internal_parameters;
        provenance.run_details.metadata.invocation_id == run.run
            && built.build_type == BUILD_TYPE
            && built.external_parameters.commit == run.commit
            && (internal.plimsoll_plan, internal.plimsoll_tier) == (run.plan, run.tier)
    }

    fn builder(
        &self,
        require: &RequireProvenance,
        provenance: &Provenance,
        digest: Digest,
    ) -> Result<(), Refused> {
        let Some(believed) = &require.builder else { return Ok(()) };
        let name = |id: &String| BUILDERS.iter().find(|(_, known)| known == id).map(|(name, _)| *name);
        let believed_in =
            |id: &&String| removed!("builder") || name(id).is_some_and(|name| believed.contains(name));
        // The run statement and the provenance name the builder, each for itself.
        let mut ids = [&provenance.run_details.builder.id, &self.run.builder].into_iter();
        let Some(id) = ids.find(|id| !believed_in(id)) else { return Ok(()) };
        let expected = believed.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
        let reason = Code::Builder.reason().with("actual", name(id).unwrap_or(id)).with("expected", expected);
        Err(Refused::new(Outcome::Failed, Some(digest), reason))
    }

    fn network(
        &self,
        require: &RequireProvenance,
        provenance: &Provenance,
        digest: Digest,
    ) -> Result<(), Refused> {
        let Some(allowed) = &require.network else { return Ok(()) };
        let actual = provenance.build_definition.internal_parameters.plimsoll_network;
        if allowed.contains(&actual) {
            return Ok(());
        }
        let expected = allowed.iter().map(|mode| mode.as_str()).collect::<Vec<_>>().join(" or ");
        let reason = Code::ProvNetwork.reason().with("actual", actual.as_str()).with("expected", expected);
        Err(Refused::new(Outcome::Failed, Some(digest), reason))
    }
}

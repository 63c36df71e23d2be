//! The gates: one function each. Each looks at what the run statement names, and passes only where it finds no reason
//! not to.

use crate::{
    decide::{Evidence, Inputs},
    decision::Gate,
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
use plimsoll_model::{Code, Digest, Outcome, Reason, record::Tier};
use plimsoll_pipeline::RequireProvenance;

#[cfg_attr(not(test), expect(dead_code, reason = "no gate asks for it"))]
mod approvals;
mod authorship;
mod checks;
#[cfg_attr(not(test), expect(dead_code, reason = "no gate asks for it"))]
mod policy_set;
mod select;

/// `builder.id` of a run on the machine of whoever asked for it: every trust zone is a process of one user.
pub const LOCAL_BUILDER: &str = "https://plimsoll.dev/builder/local/v1";

/// Gates that stand whatever the environment asks for.
const OF_THE_RUN: usize = 4;

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

/// Every gate, sorted by name. Those of the run itself always stand; the others are what the environment requires.
pub(crate) fn gates(inputs: &Inputs) -> Vec<Gate> {
    let bench = Bench { inputs, run: &inputs.run.value().predicate };
    let mut gates = vec![
        gate("run.artifact", bench.artifact()),
        gate("run.pipeline", bench.pipeline()),
        gate("run.project", bench.project()),
        gate("run.tier", bench.tier()),
    ];
    let require = &inputs.require;
    if let Some(source) = &require.source {
        gates.extend(source.protected.then(|| gate("source.protected", bench.protected())));
        gates.extend(source.signed.then(|| gate("source.signed", bench.signed())));
    }
    if let Some(provenance) = &require.provenance {
        gates.push(gate("provenance", bench.provenance(provenance)));
    }
    gates.extend(
        require.tests.iter().map(|(name, on)| gate(format!("tests.{name}"), bench.test(name.as_str(), *on))),
    );
    gates.extend(
        require
            .scans
            .iter()
            .map(|(name, scan)| gate(format!("scans.{name}"), bench.scan(name.as_str(), scan))),
    );
    if gates.len() == OF_THE_RUN {
        gates.push(gate("require", bench.nothing_required()));
    }
    gates.sort_by(|a, b| a.name.cmp(&b.name));
    gates
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
}

impl Bench<'_> {
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
        if self.inputs.approved_pipelines.contains(&self.run.pipeline) {
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
            Signature::Good { person, fingerprint } => match self.inputs.people.get(fingerprint) {
                Some(listed) if listed == person => return Ok(Some(digest)),
                Some(listed) => format!("the key {fingerprint} belonged to {person} and belongs to {listed}"),
                None => format!("the key {fingerprint} of {person} is not listed any more"),
            },
        };
        Err(refused(Code::SrcSigner.reason().with("commit", &source.commit).with("problem", problem)))
    }

    fn source(&self) -> Result<(Digest, &SourceRevision), Refused> {
        let attempt = self.newest(AttemptKind::Source, "source", "source", self.run.tree)?;
        let statement = self.statement(attempt, "source", |evidence| match evidence {
            Evidence::Source(statement) => Some(statement),
            Evidence::Provenance(_) | Evidence::Test(_) | Evidence::Scan(_) => None,
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
            Evidence::Source(_) | Evidence::Test(_) | Evidence::Scan(_) => None,
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
        let believed_in = |id: &&String| name(id).is_some_and(|name| believed.contains(name));
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

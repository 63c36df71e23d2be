//! The gates: one function each. Each looks at what the run statement names, and passes only where it finds no reason
//! not to.

use crate::{
    decide::{Evidence, Inputs},
    decision::Gate,
};
use plimsoll_attest::{
    Predicate, Statement, Verified, check_subject,
    predicate::{
        Provenance, Run, Scan, SourceRevision, TestResult,
        common::On,
        run::{Attempt, AttemptKind},
        source::Signature,
    },
};
use plimsoll_model::{Code, Digest, Outcome, Reason, record::Tier};
use plimsoll_pipeline::{self as pipeline, BlockLevel, RequireProvenance, RequireScan};

/// `builder.id` of a run on the machine of whoever asked for it: every trust zone is a process of one user.
pub const LOCAL_BUILDER: &str = "https://plimsoll.dev/builder/local/v1";

/// Builders by the names that environments use.
const BUILDERS: &[(&str, &str)] = &[("local", LOCAL_BUILDER)];

/// The statement a gate was judged by, or why it does not pass.
type Judged = Result<Option<Digest>, Refused>;

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
    gates.extend(require.tests.iter().map(|(name, on)| gate(format!("tests.{name}"), bench.test(name.as_str(), *on))));
    gates.extend(require.scans.iter().map(|(name, scan)| gate(format!("scans.{name}"), bench.scan(name.as_str(), scan))));
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

    fn protected(&self) -> Judged {
        let (digest, source) = self.source()?;
        if source.protected_by.is_some() {
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
            Signature::Unsigned => return Err(refused(Code::SrcUnsigned.reason().with("commit", &source.commit))),
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
        let source = &statement.value().predicate;
        let digest = *statement.payload_digest();
        let same = (&source.run, &source.commit, source.tree) == (&self.run.run, &self.run.commit, self.run.tree);
        self.about(statement, "source", self.run.tree)?;
        if same { Ok((digest, source)) } else { Err(self.other_run("source", digest)) }
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
        if provenance.run_details.metadata.invocation_id != self.run.run {
            return Err(self.other_run("provenance", digest));
        }
        self.builder(require, provenance, digest)?;
        self.network(require, provenance, digest)?;
        Ok(Some(digest))
    }

    fn builder(&self, require: &RequireProvenance, provenance: &Provenance, digest: Digest) -> Result<(), Refused> {
        let Some(believed) = &require.builder else { return Ok(()) };
        let id = &provenance.run_details.builder.id;
        let name = BUILDERS.iter().find(|(_, known)| known == id).map(|(name, _)| *name);
        if name.is_some_and(|name| believed.contains(name)) {
            return Ok(());
        }
        let expected = believed.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
        let reason = Code::Builder.reason().with("actual", name.unwrap_or(id)).with("expected", expected);
        Err(Refused::new(Outcome::Failed, Some(digest), reason))
    }

    fn network(&self, require: &RequireProvenance, provenance: &Provenance, digest: Digest) -> Result<(), Refused> {
        let Some(allowed) = &require.network else { return Ok(()) };
        let actual = provenance.build_definition.internal_parameters.plimsoll_network;
        if allowed.contains(&actual) {
            return Ok(());
        }
        let expected = allowed.iter().map(|mode| mode.as_str()).collect::<Vec<_>>().join(" or ");
        let reason = Code::ProvNetwork.reason().with("actual", actual.as_str()).with("expected", expected);
        Err(Refused::new(Outcome::Failed, Some(digest), reason))
    }

    fn test(&self, name: &str, on: pipeline::On) -> Judged {
        let (on, subject) = self.looked_at(on);
        let attempt = self.newest(AttemptKind::Check, name, name, subject)?;
        let statement = self.statement(attempt, name, |evidence| match evidence {
            Evidence::Test(statement) => Some(statement),
            Evidence::Source(_) | Evidence::Provenance(_) | Evidence::Scan(_) => None,
        })?;
        let digest = *statement.payload_digest();
        let TestResult { check, .. } = &statement.value().predicate;
        self.about(statement, name, subject)?;
        let place = (&check.run, check.check.as_str(), check.on, check.attempt);
        if place != (&self.run.run, name, on, attempt.attempt) {
            return Err(self.other_run(name, digest));
        }
        self.passed(name, check.outcome, &check.reasons, digest)
    }

    fn scan(&self, name: &str, require: &RequireScan) -> Judged {
        let on = self.run.planned.iter().find(|planned| planned.check.as_str() == name).map_or(On::Source, |p| p.on);
        let subject = if on == On::Source { self.run.tree } else { self.inputs.release.artifact };
        let attempt = self.newest(AttemptKind::Check, name, name, subject)?;
        let statement = self.statement(attempt, name, |evidence| match evidence {
            Evidence::Scan(statement) => Some(statement),
            Evidence::Source(_) | Evidence::Provenance(_) | Evidence::Test(_) => None,
        })?;
        let digest = *statement.payload_digest();
        let scan = &statement.value().predicate;
        self.about(statement, name, subject)?;
        if (&scan.run, scan.check.as_str(), scan.on, scan.attempt) != (&self.run.run, name, on, attempt.attempt) {
            return Err(self.other_run(name, digest));
        }
        self.passed(name, scan.outcome, &scan.reasons, digest)?;
        self.judged_by(name, scan, require, digest)?;
        self.blocked(name, scan, require, digest)?;
        Ok(Some(digest))
    }

    fn judged_by(&self, name: &str, scan: &Scan, require: &RequireScan, digest: Digest) -> Result<(), Refused> {
        let refused = |reason| Err(Refused::new(Outcome::Failed, Some(digest), reason));
        if scan.rules == 0 {
            let reason = Code::EvidenceEmpty.reason().with("check", name).with("detail", "no rules were applied");
            return refused(reason.with("run", &self.run.run));
        }
        match require.tool {
            Some(expected) if expected != scan.tool.digest => {
                let reason = Code::EvidenceTool.reason().with("check", name);
                refused(reason.with("actual", scan.tool.digest).with("expected", expected))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn blocked(&self, name: &str, scan: &Scan, require: &RequireScan, digest: Digest) -> Result<(), Refused> {
        let found = &scan.findings;
        let blocking = match require.block {
            BlockLevel::Error => found.error,
            BlockLevel::Warning => found.error.saturating_add(found.warning),
            BlockLevel::Note => found.error.saturating_add(found.warning).saturating_add(found.note),
        };
        if blocking == 0 {
            return Ok(());
        }
        let detail = format!("{blocking} findings of a level that blocks here");
        let reason = Code::EvidenceFailed.reason().with("check", name).with("detail", detail);
        Err(Refused::new(Outcome::Failed, Some(digest), reason.with("run", &self.run.run)))
    }

    fn looked_at(&self, on: pipeline::On) -> (On, Digest) {
        match on {
            pipeline::On::Source => (On::Source, self.run.tree),
            pipeline::On::Artifact => (On::Artifact, self.inputs.release.artifact),
        }
    }

    /// The newest attempt of something, as the run statement lists it.
    fn newest(&self, kind: AttemptKind, name: &str, check: &str, subject: Digest) -> Result<&Attempt, Refused> {
        let of_it = self.run.attempts.iter().filter(|attempt| attempt.kind == kind && attempt.name == name);
        of_it.max_by_key(|attempt| attempt.attempt).ok_or_else(|| self.missing(check, subject))
    }

    /// The statement that an attempt names, if it was given and could be verified.
    fn statement<'s, P: Predicate>(
        &'s self,
        attempt: &Attempt,
        check: &str,
        pick: impl Fn(&'s Evidence) -> Option<&'s Verified<Statement<P>>>,
    ) -> Result<&'s Verified<Statement<P>>, Refused> {
        let named = |statement: &&Verified<Statement<P>>| {
            Some(*statement.payload_digest()) == attempt.statement && *statement.role() == attempt.role
        };
        let found = self.inputs.evidence.iter().filter_map(pick).find(named);
        found.ok_or_else(|| self.missing(check, attempt.statement.unwrap_or(self.run.tree)))
    }

    fn about<P>(&self, statement: &Verified<Statement<P>>, check: &str, subject: Digest) -> Result<(), Refused> {
        check_subject(statement.value(), &subject).map_err(|_| {
            let actual = statement.value().subject.first().map_or_else(String::new, |s| s.sha256().to_string());
            let reason = Code::EvidenceSubject.reason().with("check", check).with("actual", actual);
            Refused::new(Outcome::Failed, Some(*statement.payload_digest()), reason.with("expected", subject))
        })
    }

    fn passed(&self, name: &str, outcome: Outcome, reasons: &[Reason], digest: Digest) -> Judged {
        match outcome {
            Outcome::Passed => Ok(Some(digest)),
            Outcome::Failed | Outcome::Errored | Outcome::Skipped | Outcome::NotApplicable | Outcome::Missing
            | Outcome::Stale => {
                let given = reasons.first().cloned();
                let otherwise = || {
                    let reason = Code::EvidenceErrored.reason().with("check", name);
                    reason.with("detail", outcome).with("run", &self.run.run)
                };
                Err(Refused::new(outcome, Some(digest), given.unwrap_or_else(otherwise)))
            }
        }
    }

    fn missing(&self, check: &str, subject: Digest) -> Refused {
        let reason = Code::EvidenceMissing.reason().with("check", check).with("subject", subject);
        Refused::new(Outcome::Missing, None, reason)
    }

    fn other_run(&self, check: &str, digest: Digest) -> Refused {
        let reason = Code::EvidenceSubject.reason().with("check", check).with("actual", "another run or check");
        let expected = format!("run {}", self.run.run);
        Refused::new(Outcome::Failed, Some(digest), reason.with("expected", expected))
    }
}

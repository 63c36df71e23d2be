//! Policies in Rego that an environment names. They see what the other gates believe: a statement that no gate would look
//! at is not in their input, and a result that no gate would believe did not pass. What a policy could refuse is not
//! withheld from it: without a statement that the run lists it gives no answer.

use super::{Bench, Counted};
use crate::{
    decide::Evidence,
    decision::{Gate, Kind, Named},
    rego::{
        ApprovalInput, AttemptInput, CommitInput, DeltaInput, FindingsInput, INPUT_VERSION, KindInput,
        Limits, MaterialInput, NamedInput, PersonInput, PolicyInput, PolicyResult, PreviousInput,
        ProvenanceInput, ReleaseInput, RunInput, ScanInput, SignatureInput, SourceInput, TestInput,
        TimeInput, evaluate, reads, vacuous,
    },
};
use jiff::{civil::Weekday, tz::TimeZone};
use plimsoll_attest::predicate::{
    Delta, Provenance, Scan, SourceRevision, TestResult,
    common::{Ending, On, ResourceDescriptor, ResourceDigest},
    delta::DeltaCommit,
    run::{AttemptKind, Planned},
    source::{Person, Signature},
};
use plimsoll_model::{Code, Outcome, Reason, Timestamp};
use plimsoll_pipeline as pipeline;

impl Bench<'_> {
    /// One gate for each policy, over the other gates and the approvals that counted.
    pub(super) fn policies(&self, gates: &[Gate], approvals: &[Counted]) -> Vec<Gate> {
        if self.inputs.policies.is_empty() {
            return vec![];
        }
        let unit =
            Unit { project: named(&self.inputs.project), environment: named(&self.inputs.environment) };
        let input = self.input(&unit, gates, approvals);
        self.inputs.policies.iter().map(|(path, text)| unit.gate(path, text, &input)).collect()
    }

    fn input(&self, unit: &Unit, gates: &[Gate], approvals: &[Counted]) -> Result<serde_json::Value, String> {
        let inputs = self.inputs;
        self.nothing_is_withheld()?;
        let release = inputs.release.digest().map_err(|error| format!("the release: {error}"))?;
        let input = PolicyInput {
            version: INPUT_VERSION,
            kind: match inputs.kind {
                Kind::Deploy => KindInput::Deploy,
                Kind::Rollback => KindInput::Rollback,
            },
            project: unit.project.clone(),
            environment: unit.environment.clone(),
            release: ReleaseInput {
                digest: release.to_string(),
                artifact: inputs.release.artifact.to_string(),
                config: inputs.release.config.to_string(),
                target: inputs.release.target.to_string(),
            },
            run: self.run_input(),
            source: self.source().ok().map(|(_, source)| self.source_input(source)),
            provenance: self.believed_provenance().map(provenance),
            tests: self.run.planned.iter().filter_map(|planned| self.test_input(planned)).collect(),
            scans: self.run.planned.iter().filter_map(|planned| self.scan_input(planned)).collect(),
            gates: gates.iter().map(|gate| (gate.name.clone(), gate.outcome)).collect(),
            delta: self.delta_from_what_runs().ok().map(|(delta, _)| self.delta_input(delta)),
            approvals: self.approvals_input(approvals),
            time: time(inputs.now),
            previous: inputs.standing.as_ref().map(|standing| PreviousInput {
                decision: standing.decision.to_string(),
                release: standing.release.to_string(),
            }),
        };
        serde_json::to_value(input).map_err(|error| format!("the input: {error}"))
    }

    /// The newest statement about everything that was closed is there, and what it says about a check is in the input. A
    /// result that somebody leaves out could be the one that a policy refuses, whether or not a gate asks for it.
    fn nothing_is_withheld(&self) -> Result<(), String> {
        let listed = self.run.attempts.iter().enumerate().filter(|(at, attempt)| {
            let mut later = self.run.attempts.iter().skip(at + 1);
            attempt.statement.is_some()
                && !later.any(|other| (other.kind, &other.name) == (attempt.kind, &attempt.name))
        });
        let withheld = listed.map(|(_, attempt)| attempt).find(|attempt| {
            let given = self.inputs.evidence.iter().any(|given| Some(given.digest()) == attempt.statement);
            !given || (attempt.kind == AttemptKind::Check && !self.is_shown(&attempt.name))
        });
        withheld.map_or(Ok(()), |attempt| {
            Err(format!("the run lists a statement about {}, which is missing or does not fit", attempt.name))
        })
    }

    fn is_shown(&self, check: &str) -> bool {
        let mut planned = self.run.planned.iter().filter(|planned| planned.check.as_str() == check);
        planned.any(|planned| self.test_input(planned).is_some() || self.scan_input(planned).is_some())
    }

    fn run_input(&self) -> RunInput {
        let attempts = self.run.attempts.iter().map(|attempt| AttemptInput {
            kind: match attempt.kind {
                AttemptKind::Source => "source",
                AttemptKind::Step => "step",
                AttemptKind::Artifact => "artifact",
                AttemptKind::Check => "check",
            }
            .to_owned(),
            name: attempt.name.clone(),
            attempt: attempt.attempt,
            outcome: attempt.outcome,
        });
        RunInput {
            id: self.run.run.to_string(),
            commit: self.run.commit.to_string(),
            tier: self.run.tier.to_string(),
            builder: self.run.builder.clone(),
            pipeline: self.run.pipeline.to_string(),
            attempts: attempts.collect(),
        }
    }

    /// A ref that is not protected any more protects nothing.
    fn source_input(&self, source: &SourceRevision) -> SourceInput {
        let protected = |name: &&String| self.inputs.protected_refs.contains(*name);
        SourceInput {
            commit: source.commit.to_string(),
            repository: source.repository.clone(),
            tree: source.tree.to_string(),
            author: person(&source.author),
            committer: person(&source.committer),
            signature: self.signature(&source.signature),
            protected_by: source.protected_by.as_ref().filter(protected).cloned(),
        }
    }

    /// A signature is good only while people.yaml lists its key for the same person.
    fn signature(&self, signature: &Signature) -> SignatureInput {
        let listed = |name: &str, key: &str| {
            let mut people = self.inputs.people.people.iter().filter(|person| person.name == name);
            people.any(|person| person.ssh_keys.iter().any(|listed| listed.fingerprint == key))
        };
        let (kind, person) = match signature {
            Signature::Unsigned => ("unsigned", None),
            Signature::Good { person, fingerprint } if listed(person, fingerprint) => {
                ("good", Some(person.clone()))
            }
            Signature::Good { .. } | Signature::Bad { .. } => ("bad", None),
        };
        SignatureInput { kind: kind.to_owned(), person }
    }

    fn believed_provenance(&self) -> Option<&Provenance> {
        let subject = self.inputs.release.artifact;
        let attempt = self.newest(AttemptKind::Artifact, "artifact", "provenance", subject).ok()?;
        let statement = self.statement(attempt, "provenance", |evidence| match evidence {
            Evidence::Provenance(statement) => Some(statement),
            _ => None,
        });
        let statement = statement.ok()?;
        self.about(statement, "provenance", subject).ok()?;
        self.closed_well(attempt, "provenance", *statement.payload_digest()).ok()?;
        Some(&statement.value().predicate).filter(|provenance| self.of_this_run(provenance))
    }

    /// What the gate of this test would say, with what the test counted.
    fn test_input(&self, planned: &Planned) -> Option<(String, TestInput)> {
        let (name, on) =
            (planned.check.as_str(), self.planned::<TestResult>(planned.check.as_str()).ok()?.on);
        let (subject, asked) = match on {
            On::Source => (self.run.tree, pipeline::On::Source),
            On::Artifact => (self.inputs.release.artifact, pipeline::On::Artifact),
        };
        let attempt = self.newest(AttemptKind::Check, name, name, subject).ok()?;
        let statement = self.statement(attempt, name, |evidence| match evidence {
            Evidence::Test(statement) => Some(statement),
            _ => None,
        });
        let statement = statement.ok()?;
        self.about(statement, name, subject).ok()?;
        let check = &statement.value().predicate.check;
        let place = (&check.run, check.plan, check.check.as_str(), check.on, check.attempt);
        if place != (&self.run.run, self.run.plan, name, on, attempt.attempt) {
            return None;
        }
        let input = TestInput {
            on: on.to_string(),
            outcome: self.test(name, asked).map_or_else(|refused| refused.outcome, |_| Outcome::Passed),
            passed: check.counts.map(|counts| counts.passed),
            failed: check.counts.map(|counts| counts.failed),
            skipped: check.counts.map(|counts| counts.skipped),
        };
        Some((name.to_owned(), input))
    }

    /// Which findings block is for the policy to say, so that this does not ask for the gate.
    fn scan_input(&self, planned: &Planned) -> Option<(String, ScanInput)> {
        let (name, on) = (planned.check.as_str(), self.planned::<Scan>(planned.check.as_str()).ok()?.on);
        let subject = match on {
            On::Source => self.run.tree,
            On::Artifact => self.inputs.release.artifact,
        };
        let attempt = self.newest(AttemptKind::Check, name, name, subject).ok()?;
        let statement = self.statement(attempt, name, |evidence| match evidence {
            Evidence::Scan(statement) => Some(statement),
            _ => None,
        });
        let statement = statement.ok()?;
        self.about(statement, name, subject).ok()?;
        let scan = &statement.value().predicate;
        let place = (&scan.run, scan.plan, scan.check.as_str(), scan.on, scan.attempt);
        if place != (&self.run.run, self.run.plan, name, on, attempt.attempt) {
            return None;
        }
        let worked = scan.exit == Ending::Status(0) && scan.rules > 0 && scan.report.is_some();
        let input = ScanInput {
            outcome: match (scan.outcome, worked) {
                (Outcome::Passed, true) => attempt.outcome,
                (Outcome::Passed, false) => Outcome::Errored,
                (other, _) => other,
            },
            tool: scan.tool.name.to_string(),
            tool_version: scan.tool.version.clone(),
            rules: scan.rules,
            findings: FindingsInput {
                error: scan.findings.error,
                warning: scan.findings.warning,
                note: scan.findings.note,
                none: scan.findings.none,
            },
        };
        Some((name.to_owned(), input))
    }

    fn delta_input(&self, delta: &Delta) -> DeltaInput {
        let all = |commits: &[DeltaCommit]| commits.iter().map(|commit| self.commit(commit)).collect();
        DeltaInput {
            base: delta.base.as_ref().map(ToString::to_string),
            head: delta.head.to_string(),
            base_is_ancestor: delta.base_is_ancestor,
            commits: all(&delta.commits),
            dropped: all(&delta.dropped),
            delivery: all(&delta.delivery),
        }
    }

    fn commit(&self, commit: &DeltaCommit) -> CommitInput {
        CommitInput {
            commit: commit.commit.to_string(),
            author: person(&commit.author),
            committer: person(&commit.committer),
            co_authors: commit.co_authors.iter().map(person).collect(),
            signature: self.signature(&commit.signature),
            summary: commit.summary.clone(),
            paths: commit.paths.iter().cloned().collect(),
        }
    }

    fn approvals_input(&self, approvals: &[Counted]) -> Vec<ApprovalInput> {
        let roles = |name: &str| {
            let people = self.inputs.people.people.iter().filter(|person| person.name == name);
            people.flat_map(|person| person.roles.iter().cloned()).collect()
        };
        let people = approvals.iter().map(|counted| &counted.approved.person);
        people.map(|name| ApprovalInput { person: name.clone(), roles: roles(name) }).collect()
    }
}

/// What is judged, as policies name it.
struct Unit {
    project: NamedInput,
    environment: NamedInput,
}

impl Unit {
    fn gate(&self, path: &str, text: &str, input: &Result<serde_json::Value, String>) -> Gate {
        let (outcome, reasons) = self.judged(path, text, input);
        Gate { name: format!("policy.{}", stem(path)), outcome, evidence: None, reasons }
    }

    fn judged(
        &self,
        path: &str,
        text: &str,
        input: &Result<serde_json::Value, String>,
    ) -> (Outcome, Vec<Reason>) {
        let limits = Limits::default();
        if let Some(problem) = vacuous(path, text, &self.project, &self.environment, &limits) {
            let reason = Code::PolicyVacuous.reason().with("policy", path).with("problem", problem);
            return (Outcome::Failed, vec![reason]);
        }
        let result = match input {
            // Without a delta the repository was out of reach, or somebody left it out: nobody can tell.
            Ok(input) if input.get("delta").is_none() && reads(text, "delta") => PolicyResult::Errored {
                problem: "it reads `input.delta`, and no delta from what runs is there".to_owned(),
            },
            Ok(input) => evaluate(path, text, input, &limits),
            Err(problem) => PolicyResult::Errored { problem: problem.clone() },
        };
        match result {
            PolicyResult::Passed => (Outcome::Passed, vec![]),
            PolicyResult::Denied { messages } => {
                (Outcome::Failed, messages.iter().map(|message| self.failed(path, message)).collect())
            }
            PolicyResult::Errored { problem } => {
                let reason = Code::PolicyErrored.reason().with("policy", path).with("problem", problem);
                (Outcome::Errored, vec![reason])
            }
        }
    }

    fn failed(&self, path: &str, message: &str) -> Reason {
        let reason = Code::PolicyFailed.reason().with("policy", path).with("message", message);
        reason.with("project", &self.project.name).with("environment", &self.environment.name)
    }
}

/// The file's name without folder and ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name.strip_suffix(".rego").unwrap_or(name)
}

fn named<N: ToString>(known: &Named<N>) -> NamedInput {
    NamedInput { name: known.name.to_string(), id: known.id.to_string() }
}

fn person(person: &Person) -> PersonInput {
    PersonInput { name: person.name.clone(), email: person.email.clone() }
}

fn provenance(provenance: &Provenance) -> ProvenanceInput {
    let built = &provenance.build_definition;
    let internal = &built.internal_parameters;
    let isolation = internal.plimsoll_isolation.iter();
    ProvenanceInput {
        builder: provenance.run_details.builder.id.clone(),
        network: internal.plimsoll_network.as_str().to_owned(),
        hermetic: internal.plimsoll_toolchain.hermetic,
        isolation: isolation.map(|(step, record)| (step.clone(), record.backend.clone())).collect(),
        materials: built.resolved_dependencies.iter().map(material).collect(),
    }
}

fn material(material: &ResourceDescriptor) -> MaterialInput {
    MaterialInput {
        uri: material.uri.clone(),
        digest: match &material.digest {
            ResourceDigest::Sha256(digest) => digest.to_string(),
            ResourceDigest::GitCommit(commit) => format!("gitCommit:{commit}"),
        },
    }
}

fn time(now: Timestamp) -> TimeInput {
    let utc = now.to_zoned(TimeZone::UTC);
    let weekday = match utc.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    };
    TimeInput {
        now: now.to_string(),
        weekday: weekday.to_owned(),
        hour: u32::from(utc.hour().unsigned_abs()),
    }
}

#[cfg(test)]
mod tests;

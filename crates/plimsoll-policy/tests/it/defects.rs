//! Single changes that weaken good evidence, each with the gate that refuses and its code.

use crate::{
    fixture::{Case, PEOPLE, PROJECT, Said},
    keys::STRANGER,
    samples,
};
use plimsoll_attest::Subject;
use plimsoll_attest::predicate::{
    common::{Ending, On},
    run::AttemptKind,
    source::{PipelineApproval, Signature},
    test::{TestCounts, TestVerdict},
};
use plimsoll_model::{
    Code, Digest, Outcome, RunId,
    record::{NetworkMode, Tier},
};

pub(crate) type Defect = (&'static str, &'static str, Code, fn(&mut Case));

fn other_run() -> RunId {
    RunId::from_random([1; 16])
}

fn elsewhere() -> Vec<Subject> {
    vec![Subject::new("shop", Digest::of(b"another"))]
}

/// In an order in which no later one repairs an earlier one.
pub(crate) const DEFECTS: &[Defect] = &[
    // The run
    ("the run is untrusted", "run.tier", Code::TierUntrusted, |case| {
        case.run.says().tier = Tier::Untrusted;
        case.source.says().tier = Tier::Untrusted;
        case.provenance.says().build_definition.internal_parameters.plimsoll_tier = Tier::Untrusted;
    }),
    ("the pipeline is not approved any more", "run.pipeline", Code::PipeUnapproved, |case| {
        let pipeline = Digest::of(b"pipeline").to_string();
        case.replace(PROJECT, &pipeline, &Digest::of(b"other").to_string());
    }),
    ("the run statement is about something else", "run.artifact", Code::SubjectMismatch, |case| {
        case.run.statement.subject = elsewhere();
    }),
    ("the run is of another project", "run.project", Code::SubjectMismatch, |case| {
        case.run.says().project = "blog".parse().unwrap();
        case.source.says().project = "blog".parse().unwrap();
    }),
    // The source
    ("the commit is behind no protected ref", "source.protected", Code::SrcUnprotected, |case| {
        case.source.says().protected_by = None;
    }),
    ("the ref is not protected any more", "source.protected", Code::SrcUnprotected, |case| {
        case.replace(PROJECT, "refs/heads/main", "refs/heads/trunk");
    }),
    ("the commit is not signed", "source.signed", Code::SrcUnsigned, |case| {
        case.source.says().signature = Signature::Unsigned;
    }),
    ("the signature is bad", "source.signed", Code::SrcSigner, |case| {
        case.source.says().signature = Signature::Bad { problem: "by an unknown key".into() };
    }),
    ("the signer's key belongs to somebody else now", "source.signed", Code::SrcSigner, |case| {
        case.replace(PEOPLE, "name: ada", "name: bo");
    }),
    ("the source is of another run", "source.protected", Code::EvidenceSubject, |case| {
        case.source.says().run = other_run();
    }),
    ("the source is another commit", "source.protected", Code::EvidenceSubject, |case| {
        case.source.says().commit = "f".repeat(40).parse().unwrap();
    }),
    ("the source has another pipeline", "source.protected", Code::EvidenceSubject, |case| {
        case.source.says().pipeline = Digest::of(b"other");
    }),
    (
        "the source is trusted with a pipeline that nobody approved",
        "source.protected",
        Code::EvidenceSubject,
        |case| {
            case.source.says().approval = PipelineApproval::Unapproved;
        },
    ),
    ("the source is about another tree", "source.signed", Code::EvidenceSubject, |case| {
        case.source.statement.subject = elsewhere();
    }),
    ("the source is signed by a stranger", "source.signed", Code::EvidenceMissing, |case| {
        case.source.by = STRANGER;
    }),
    ("the source is signed by another role", "source.signed", Code::EvidenceMissing, |case| {
        case.source.by = "scanner";
    }),
    ("the source is not there", "source.protected", Code::EvidenceMissing, |case| case.source.given = false),
    // The build
    ("nobody knows the builder", "provenance", Code::Builder, |case| {
        case.provenance.says().run_details.builder.id = "https://elsewhere.example/builder".into();
    }),
    ("the run statement names another builder", "provenance", Code::Builder, |case| {
        case.run.says().builder = "https://elsewhere.example/builder".into();
    }),
    ("the build had an opaque network", "provenance", Code::ProvNetwork, |case| {
        case.provenance.says().build_definition.internal_parameters.plimsoll_network = NetworkMode::Tunnelled;
    }),
    ("the provenance is of another run", "provenance", Code::EvidenceSubject, |case| {
        case.provenance.says().run_details.metadata.invocation_id = other_run();
    }),
    ("the provenance is of another kind of build", "provenance", Code::EvidenceSubject, |case| {
        case.provenance.says().build_definition.build_type = "https://elsewhere.example/build".into();
    }),
    ("the provenance is of another commit", "provenance", Code::EvidenceSubject, |case| {
        case.provenance.says().build_definition.external_parameters.commit = "f".repeat(40).parse().unwrap();
    }),
    ("the provenance is about another artifact", "provenance", Code::EvidenceSubject, |case| {
        case.provenance.statement.subject = elsewhere();
    }),
    ("the provenance is not there", "provenance", Code::EvidenceMissing, |case| {
        case.provenance.given = false
    }),
    ("the artifact was not closed well", "provenance", Code::EvidenceErrored, |case| {
        case.edits.push(|run| set_outcome(run, AttemptKind::Artifact, Outcome::Errored));
    }),
    // Tests
    ("the newest attempt is not listed", "tests.unit", Code::EvidenceFailed, |case| {
        case.tests.remove(1);
    }),
    ("the first attempt is not listed", "tests.smoke", Code::EvidenceErrored, |case| {
        case.tests.last_mut().unwrap().says().check.attempt = 2;
    }),
    ("an attempt stands twice", "tests.unit", Code::EvidenceErrored, |case| {
        let again = samples::test("unit", On::Source, 1, true);
        case.tests.push(Said::new("scanner", again));
    }),
    ("a newer attempt failed", "tests.smoke", Code::EvidenceFailed, |case| {
        case.tests.push(Said::new("scanner", samples::test("smoke", On::Artifact, 2, false)));
    }),
    ("a test came to no answer", "tests.smoke", Code::EvidenceErrored, |case| {
        let smoke = case.tests.last_mut().unwrap().says();
        (smoke.check.outcome, smoke.result) = (Outcome::Errored, TestVerdict::Failed);
    }),
    ("a test was skipped", "tests.smoke", Code::EvidenceErrored, |case| {
        case.tests.last_mut().unwrap().says().check.outcome = Outcome::Skipped;
    }),
    ("no test ran", "tests.smoke", Code::EvidenceEmpty, |case| {
        let counts = TestCounts { passed: 0, failed: 0, skipped: 4 };
        case.tests.last_mut().unwrap().says().check.counts = Some(counts);
    }),
    ("a test counts failures and says passed", "tests.smoke", Code::EvidenceSelf, |case| {
        let counts = TestCounts { passed: 1, failed: 1, skipped: 0 };
        case.tests.last_mut().unwrap().says().check.counts = Some(counts);
    }),
    ("a test says passed and its command failed", "tests.smoke", Code::EvidenceSelf, |case| {
        case.tests.last_mut().unwrap().says().check.exit = Ending::Status(1);
    }),
    ("other tools read a test as failed", "tests.smoke", Code::EvidenceSelf, |case| {
        case.tests.last_mut().unwrap().says().result = TestVerdict::Failed;
    }),
    ("the test looked at the source instead of the artifact", "tests.smoke", Code::EvidenceSubject, |case| {
        case.tests.last_mut().unwrap().statement.subject = vec![Subject::new("source", samples::tree())];
    }),
    ("the test is of another plan", "tests.smoke", Code::EvidenceSubject, |case| {
        case.tests.last_mut().unwrap().says().check.plan = Digest::of(b"another plan");
    }),
    ("the test is of another run", "tests.smoke", Code::EvidenceSubject, |case| {
        case.tests.last_mut().unwrap().says().check.run = other_run();
    }),
    ("the test is signed by the builder", "tests.smoke", Code::EvidenceMissing, |case| {
        case.tests.last_mut().unwrap().by = "builder";
    }),
    ("the result of a test is not there", "tests.smoke", Code::EvidenceMissing, |case| {
        case.tests.last_mut().unwrap().given = false;
    }),
    ("the test was planned and not closed", "tests.smoke", Code::EvidenceMissing, |case| {
        case.edits.push(|run| run.attempts.retain(|attempt| attempt.name != "smoke"));
    }),
    ("the test was not planned", "tests.smoke", Code::EvidenceMissing, |case| {
        case.run.says().planned.retain(|planned| planned.check.as_str() != "smoke");
    }),
    ("the attempt names no statement", "tests.smoke", Code::EvidenceMissing, |case| {
        case.edits.push(|run| {
            run.attempts.iter_mut().filter(|a| a.name == "smoke").for_each(|a| a.statement = None);
        });
    }),
    ("the run statement says that a test failed", "tests.smoke", Code::EvidenceErrored, |case| {
        case.edits.push(|run| {
            run.attempts.iter_mut().filter(|a| a.name == "smoke").for_each(|a| a.outcome = Outcome::Failed);
        });
    }),
    // Scans
    ("a scan found something that blocks", "scans.lint", Code::EvidenceFailed, |case| {
        case.lint.says().findings.warning = 1;
    }),
    ("a scan counts as many findings as can be", "scans.lint", Code::EvidenceFailed, |case| {
        (case.lint.says().findings.error, case.lint.says().findings.warning) = (1 << 53, 1 << 53);
    }),
    ("a scan applied no rules", "scans.lint", Code::EvidenceEmpty, |case| case.lint.says().rules = 0),
    ("a scan has no report", "scans.lint", Code::EvidenceParse, |case| case.lint.says().report = None),
    ("another tool judged", "scans.lint", Code::EvidenceTool, |case| {
        case.lint.says().tool.digest = Digest::of(b"another tool");
    }),
    ("a scan says passed and was killed", "scans.lint", Code::EvidenceSelf, |case| {
        case.lint.says().exit = Ending::TimedOut;
    }),
    ("a scan came to no answer", "scans.lint", Code::EvidenceErrored, |case| {
        case.lint.says().outcome = Outcome::Errored;
    }),
    ("a scan is about another tree", "scans.lint", Code::EvidenceSubject, |case| {
        case.lint.statement.subject = elsewhere();
    }),
    ("a scan is of another attempt", "scans.lint", Code::EvidenceSubject, |case| {
        case.lint.says().attempt = 9;
        case.edits.push(|run| {
            run.attempts.iter_mut().filter(|a| a.name == "lint").for_each(|a| a.attempt = 1);
        });
    }),
    ("a scan was planned twice", "scans.lint", Code::EvidenceMissing, |case| {
        let again = case.run.says().planned.last().unwrap().clone();
        case.run.says().planned.push(again);
    }),
    ("the result of a scan is not there", "scans.lint", Code::EvidenceMissing, |case| {
        case.lint.given = false
    }),
];

fn set_outcome(run: &mut plimsoll_attest::predicate::Run, kind: AttemptKind, outcome: Outcome) {
    run.attempts
        .iter_mut()
        .filter(|attempt| attempt.kind == kind)
        .for_each(|attempt| attempt.outcome = outcome);
}

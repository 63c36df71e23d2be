//! R1: a signer is asked for nothing that it did not derive. Every refusal has its benign twin; nothing that is refused
//! leaves a signature or an entry of the journal.

use crate::{
    bench::{Asked, Bench, FAILING, PASSING, artifact},
    memory::{commit_id, path},
};
use plimsoll_attest::predicate::{Provenance, SourceRevision, TestResult};
use plimsoll_engine::{
    ports::{Event, Exit},
    signer::Request,
};
use plimsoll_model::{Code, Digest, Outcome};
use std::collections::BTreeMap;

pub(crate) const UNOBSERVED: Code = Code::SignUnobserved;

/// Two steps, each with an output of its own.
pub(crate) const TWO_STEPS: &str = "version: 1
project: shop
build:
  steps:
    - {name: generate, run: [generate], out: [gen], retry: 1}
    - {name: compile, run: [compile], out: [dist]}
  artifact: {files: [dist/shop]}
";

pub(crate) fn builder(bench: &Bench) -> Asked<'_> {
    let mut builder = bench.session("builder");
    builder.opened(&bench.open(1));
    builder
}

pub(crate) fn scanner(bench: &Bench) -> Asked<'_> {
    let mut scanner = bench.session("scanner");
    scanner.opened(&bench.open(1));
    scanner
}

/// Builds the artifact and gives its manifest.
pub(crate) fn build(bench: &Bench, builder: &mut Asked<'_>) -> Digest {
    builder.closed(&bench.compiled());
    builder.closed(&artifact()).artifact.unwrap().manifest
}

pub(crate) fn closes(bench: &Bench) -> usize {
    bench.journal.events().iter().filter(|(_, event)| matches!(event, Event::Closed { .. })).count()
}

#[test]
fn a_run_that_is_asked_for_in_order_is_signed() {
    let bench = Bench::new();
    let (mut builder, mut scanner) = (builder(&bench), scanner(&bench));
    let mut source = bench.session("source");
    let opened = source.opened(&bench.open(1));
    let revision =
        bench.read::<SourceRevision>(&source.closed(&Request::CloseSource).signed.unwrap(), "source");
    assert_eq!(revision.subject[0].sha256(), opened.tree);
    let manifest = build(&bench, &mut builder);
    let unit = scanner.closed(&Request::CloseCheck(bench.check("unit", 1, Some(PASSING), None)));
    let unit = bench.read::<TestResult>(&unit.signed.unwrap(), "scanner");
    assert_eq!(unit.subject[0].sha256(), opened.tree);
    let smoke = scanner.closed(&Request::CloseCheck(bench.check("smoke", 1, None, Some(manifest))));
    let smoke = bench.read::<TestResult>(&smoke.signed.unwrap(), "scanner");
    assert_eq!(smoke.subject[0].sha256(), manifest);
    let finished = builder.closed(&Request::Finish).signed.unwrap();
    let run = bench.read::<plimsoll_attest::predicate::Run>(&finished, "builder").predicate;
    let names: Vec<_> = run.attempts.iter().map(|attempt| attempt.name.as_str()).collect();
    assert_eq!(names, ["source", "compile", "artifact", "unit", "smoke"]);
    assert!(run.attempts.iter().all(|attempt| attempt.outcome == Outcome::Passed));
}

#[test]
fn nothing_is_closed_without_an_open_run() {
    let bench = Bench::new();
    for (name, request) in [
        ("source", Request::CloseSource),
        ("builder", bench.compiled()),
        ("builder", artifact()),
        ("builder", Request::Finish),
        ("scanner", Request::CloseCheck(bench.check("unit", 1, Some(PASSING), None))),
    ] {
        bench.session(name).refuses(&request, UNOBSERVED);
    }
    assert!(bench.journal.events().is_empty());
}

#[test]
fn there_is_no_request_to_sign_given_bytes() {
    for request in
        [r#"{"request":"sign","bytes":"aGVsbG8="}"#, r#"{"request":"sign-statement","statement":{}}"#]
    {
        assert!(serde_json::from_str::<Request>(request).is_err(), "{request}");
    }
    assert!(serde_json::from_str::<Request>(r#"{"request":"finish"}"#).is_ok());
}

/// A verdict that the executor adds to a request is not read.
#[test]
fn a_caller_cannot_say_that_something_passed() {
    let bench = Bench::new();
    let _builder = builder(&bench);
    let close = Request::CloseCheck(bench.check("unit", 1, Some(FAILING), None));
    let mut request = serde_json::to_value(&close).unwrap();
    request["outcome"] = "passed".into();
    if let Ok(request) = serde_json::from_value(request) {
        assert_ne!(scanner(&bench).closed(&request).outcome, Outcome::Passed);
    }
}

#[test]
fn every_role_answers_only_its_own_requests() {
    let bench = Bench::new();
    let manifest = build(&bench, &mut builder(&bench));
    let check = Request::CloseCheck(bench.check("unit", 1, Some(PASSING), None));
    let smoke = Request::CloseCheck(bench.check("smoke", 1, None, Some(manifest)));
    let before = closes(&bench);
    for (name, requests) in [
        ("scanner", vec![Request::CloseSource, bench.compiled(), artifact(), Request::Finish]),
        ("source", vec![check.clone(), smoke.clone(), bench.compiled(), artifact(), Request::Finish]),
    ] {
        let mut session = bench.session(name);
        session.opened(&bench.open(1));
        for request in requests {
            session.refuses(&request, UNOBSERVED);
        }
    }
    let other = Bench::new();
    let mut builder = builder(&other);
    for request in [Request::CloseSource, check, smoke] {
        builder.refuses(&request, UNOBSERVED);
    }
    assert_eq!((closes(&bench), closes(&other)), (before, 0));
}

#[test]
fn signers_of_decisions_open_no_run() {
    let bench = Bench::delivered(crate::bench::PIPELINE);
    for name in ["decision:staging", "refusal"] {
        bench.session(name).refuses(&Request::Open(bench.open(1)), UNOBSERVED);
    }
    assert!(bench.journal.events().is_empty());
}

#[test]
fn a_signer_opens_one_run_and_a_run_is_opened_once() {
    let bench = Bench::new();
    let mut first = builder(&bench);
    first.refuses(&Request::Open(bench.open(1)), UNOBSERVED);
    first.refuses(&Request::Open(bench.open(2)), UNOBSERVED);
    bench.session("builder").refuses(&Request::Open(bench.open(1)), UNOBSERVED);
    first.closed(&Request::Finish);
    first.refuses(&Request::Open(bench.open(3)), UNOBSERVED);
    bench.session("builder").refuses(&Request::Open(bench.open(1)), UNOBSERVED);
    bench.session("builder").opened(&bench.open(2));
}

#[test]
fn a_run_is_finished_once() {
    let bench = Bench::new();
    let mut builder = builder(&bench);
    builder.closed(&Request::Finish);
    builder.refuses(&Request::Finish, UNOBSERVED);
    let finished =
        bench.journal.events().into_iter().filter(|(_, event)| matches!(event, Event::Finished { .. }));
    assert_eq!(finished.count(), 1);
}

#[test]
fn other_signers_open_exactly_what_the_builder_opened() {
    let bench = Bench::new();
    bench.session("scanner").refuses(&Request::Open(bench.open(1)), UNOBSERVED);
    let _builder = builder(&bench);
    let mut parameters = bench.open(1);
    parameters.parameters = BTreeMap::from([("skip".into(), "all".into())]);
    bench.session("scanner").refuses(&Request::Open(parameters), UNOBSERVED);
    bench.session("source").refuses(&Request::Open(bench.open(2)), UNOBSERVED);
    bench.session("scanner").opened(&bench.open(1));
}

#[test]
fn a_signer_that_is_started_again_closes_nothing_again() {
    let bench = Bench::new();
    let mut builder = builder(&bench);
    let unit = Request::CloseCheck(bench.check("unit", 1, Some(PASSING), None));
    let (mut first, mut second) = (scanner(&bench), scanner(&bench));
    first.closed(&unit);
    second.refuses(&unit, UNOBSERVED);
    bench.session("scanner").refuses(&Request::Open(bench.open(1)), UNOBSERVED);
    assert_eq!(closes(&bench), 1);
    builder.closed(&Request::Finish);
    bench.session("source").refuses(&Request::Open(bench.open(1)), UNOBSERVED);
}

#[test]
fn a_finished_run_takes_no_more_closes() {
    let bench = Bench::new();
    let mut builder = builder(&bench);
    let mut scanner = scanner(&bench);
    let mut source = bench.session("source");
    source.opened(&bench.open(1));
    builder.closed(&Request::Finish);
    scanner.refuses(&Request::CloseCheck(bench.check("unit", 1, Some(PASSING), None)), UNOBSERVED);
    source.refuses(&Request::CloseSource, UNOBSERVED);
    builder.refuses(&bench.compiled(), UNOBSERVED);
    assert_eq!(closes(&bench), 0);
}

#[test]
fn what_was_resolved_is_what_is_opened() {
    let bench = Bench::new();
    let open = bench.open(1);
    let mut ref_of_another = open.clone();
    ref_of_another.reference = Some("refs/tags/v1".into());
    bench.session("builder").refuses(&Request::Open(ref_of_another), UNOBSERVED);
    let files = crate::memory::Commit::of(&[("plimsoll.yaml", crate::bench::PIPELINE)]);
    bench.source.commit_to("refs/heads/main", files.after(&open.commit));
    bench.session("builder").refuses(&Request::Open(open.clone()), Code::RefMoved);
    let mut by_id = open.clone();
    (by_id.requested, by_id.reference) = (open.commit.to_string(), None);
    bench.session("builder").opened(&by_id);
}

#[test]
fn a_commit_that_is_not_there_or_has_no_pipeline_is_not_opened() {
    let bench = Bench::new();
    let mut open = bench.open(1);
    (open.commit, open.requested, open.reference) = (commit_id(99), commit_id(99).to_string(), None);
    bench.session("builder").refuses(&Request::Open(open), Code::SrcObject);
    let mut elsewhere = bench.open(1);
    elsewhere.subdirectory = Some(path("services/shop"));
    bench.session("builder").refuses(&Request::Open(elsewhere), Code::FileMissing);
    let broken = Bench::with("version: 1\nproject: shop\n");
    broken.session("builder").refuses(&Request::Open(broken.open(1)), Code::FileInvalid);
    assert!(bench.journal.events().is_empty() && broken.journal.events().is_empty());
}

#[test]
fn source_and_artifact_are_closed_once() {
    let bench = Bench::new();
    let mut builder = builder(&bench);
    let mut source = bench.session("source");
    source.opened(&bench.open(1));
    source.closed(&Request::CloseSource);
    source.refuses(&Request::CloseSource, UNOBSERVED);
    build(&bench, &mut builder);
    builder.refuses(&artifact(), UNOBSERVED);
}

#[test]
fn steps_are_closed_in_the_order_of_the_plan_and_attempts_one_after_the_other() {
    let bench = Bench::with(TWO_STEPS);
    let mut builder = builder(&bench);
    let failed = |attempt| {
        let mut close = bench.step("generate", attempt, &[]);
        close.observed.exit = Exit::Status(1);
        Request::CloseStep(close)
    };
    let generated = |attempt| Request::CloseStep(bench.step("generate", attempt, &[("gen/a", "a")]));
    builder.refuses(&bench.compiled(), UNOBSERVED);
    builder.refuses(&Request::CloseStep(bench.step("deploy", 1, &[])), UNOBSERVED);
    builder.refuses(&generated(2), UNOBSERVED);
    builder.refuses(&generated(0), UNOBSERVED);
    assert_eq!(builder.closed(&failed(1)).outcome, Outcome::Failed);
    builder.refuses(&generated(1), UNOBSERVED);
    builder.refuses(&bench.compiled(), UNOBSERVED);
    assert_eq!(builder.closed(&generated(2)).outcome, Outcome::Passed);
    builder.refuses(&generated(3), UNOBSERVED);
    builder.closed(&bench.compiled());
    assert_eq!(closes(&bench), 3);
}

#[test]
fn a_step_is_tried_no_more_often_than_the_plan_says() {
    let bench = Bench::new();
    let mut builder = builder(&bench);
    let mut close = bench.step("compile", 1, &[]);
    close.observed.exit = Exit::Status(1);
    builder.closed(&Request::CloseStep(close.clone()));
    close.attempt = 2;
    builder.refuses(&Request::CloseStep(close), UNOBSERVED);
}

#[test]
fn there_is_no_artifact_before_every_step_has_passed() {
    let bench = Bench::with(TWO_STEPS);
    let mut builder = builder(&bench);
    builder.refuses(&artifact(), UNOBSERVED);
    builder.closed(&Request::CloseStep(bench.step("generate", 1, &[("gen/a", "a")])));
    builder.refuses(&artifact(), UNOBSERVED);
    builder.closed(&bench.compiled());
    let closed = builder.closed(&artifact());
    let provenance = bench.read::<Provenance>(&closed.signed.unwrap(), "builder");
    assert_eq!(provenance.subject[0].sha256(), closed.artifact.unwrap().manifest);
}

//! A decision signer decides again by itself: at the newest delivery commit, for its own environment, and only what its
//! role signs. Where an environment stands is what was decided and then promoted.

use crate::{
    bench::{Asked, Bench, PIPELINE, benign, codes, delivery_files, project_file, require, role},
    memory::clock,
};
use plimsoll_engine::{
    delivery::Chain,
    gate,
    ports::{Blobs as _, Event, Exit, Journal as _, Source as _},
    promoted::{Unit, rests_on_promoted},
    run::Report,
    signer::{Decide, Decided, Request, Response},
};
use plimsoll_model::{Code, Digest};
use plimsoll_pipeline::{On, Pipeline, Require};
use plimsoll_policy::{Decision, Kind, Summary, Verdict};

fn tested() -> Require {
    let tests = [("unit", On::Source), ("smoke", On::Artifact)];
    Require { tests: tests.map(|(name, on)| (name.parse().unwrap(), on)).into(), ..require() }
}

/// A delivery repository that asks for both tests, and a run.
fn ran(exit: Exit) -> (Bench, Report) {
    let bench = Bench::delivered(PIPELINE);
    let approved = Pipeline::read("plimsoll.yaml", PIPELINE.as_bytes()).unwrap().digest().unwrap();
    bench
        .delivery
        .as_ref()
        .unwrap()
        .commit_to("refs/heads/main", delivery_files(&project_file(approved), &tested()));
    let report = bench.run(&benign().when("smoke", move |_| exit)).unwrap();
    (bench, report)
}

fn approved() -> Digest {
    Pipeline::read("plimsoll.yaml", PIPELINE.as_bytes()).unwrap().digest().unwrap()
}

fn decide(bench: &Bench, report: &Report, environment: &str) -> Decide {
    let keep =
        |made: &plimsoll_engine::run::MadeStatement| bench.blobs.put(made.signed.bundle.as_bytes()).unwrap();
    let (run, others) = report.statements.split_last().unwrap();
    Decide {
        kind: Kind::Deploy,
        project: "shop".parse().unwrap(),
        environment: environment.parse().unwrap(),
        run: keep(run),
        evidence: others.iter().map(keep).collect(),
        delivery_commit: bench.delivery.as_ref().unwrap().resolve("HEAD").unwrap().commit,
    }
}

fn decided(session: &mut Asked<'_>, decide: &Decide) -> Decided {
    match session.answer(&Request::Decide(decide.clone())) {
        Response::Decided(decided) => decided,
        other => panic!("{other:?}"),
    }
}

fn decision(bench: &Bench, decided: &Decided, role_name: &str) -> Decision {
    bench.read::<Summary>(decided.signed.as_ref().unwrap(), role_name).predicate.decision
}

fn current(bench: &Bench, environment: &str) -> Option<(Digest, u64)> {
    gate::promoted_from_here(&bench.journal, &"shop".parse().unwrap(), &environment.parse().unwrap()).unwrap()
}

fn promote(bench: &Bench, environment: &str, decision: Digest, counter: u64) {
    let (project, environment_name) = ("shop".parse().unwrap(), environment.parse().unwrap());
    let event = Event::Promoted { project, environment: environment_name, decision, counter };
    bench.journal.append(&role(&format!("decision:{environment}")), clock(), event).unwrap();
}

#[test]
fn an_allow_is_signed_by_the_environments_own_signer_and_written_down() {
    let (bench, report) = ran(Exit::Status(0));
    let allowed = decided(&mut bench.session("decision:staging"), &decide(&bench, &report, "staging"));
    assert!(allowed.allowed && allowed.reasons.is_empty(), "{:?}", allowed.reasons);
    let decision = decision(&bench, &allowed, "decision:staging");
    assert_eq!((decision.verdict, decision.counter, decision.previous), (Verdict::Allow, Some(1), None));
    assert_eq!(decision.release.artifact, report.artifact.unwrap().manifest);
    let (by, event) = bench.journal.events().pop().unwrap();
    assert_eq!(by, role("decision:staging"));
    let statement = allowed.signed.unwrap().statement;
    assert!(
        matches!(event, Event::Decided { decision, counter: 1, previous: None, .. } if decision == statement)
    );
}

#[test]
fn a_refusal_is_signed_by_the_refusal_role_and_by_no_other() {
    let (bench, report) = ran(Exit::Status(1));
    let request = decide(&bench, &report, "staging");
    let unsigned = decided(&mut bench.session("decision:staging"), &request);
    assert!(!unsigned.allowed && unsigned.signed.is_none());
    let refused = decided(&mut bench.session("refusal"), &request);
    assert_eq!(refused.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>(), [Code::EvidenceFailed]);
    let decision = decision(&bench, &refused, "refusal");
    assert_eq!((decision.verdict, decision.counter, decision.previous), (Verdict::Refuse, None, None));
    let (by, event) = bench.journal.events().pop().unwrap();
    assert_eq!(by, role("refusal"));
    assert!(matches!(event, Event::Refused { codes, .. } if codes == [Code::EvidenceFailed]));
}

#[test]
fn the_refusal_role_signs_no_allow() {
    let (bench, report) = ran(Exit::Status(0));
    let before = bench.journal.events().len();
    let allowed = decided(&mut bench.session("refusal"), &decide(&bench, &report, "staging"));
    assert!(allowed.allowed && allowed.signed.is_none());
    assert_eq!(bench.journal.events().len(), before);
}

#[test]
fn a_decision_signer_decides_for_its_own_environment_and_others_decide_nothing() {
    let (bench, report) = ran(Exit::Status(0));
    let request = Request::Decide(decide(&bench, &report, "production"));
    let before = bench.journal.events().len();
    for name in ["decision:staging", "builder", "scanner", "source"] {
        bench.session(name).refuses(&request, Code::SignUnobserved);
    }
    assert_eq!(bench.journal.events().len(), before);
    let own = decided(&mut bench.session("decision:production"), &decide(&bench, &report, "production"));
    assert!(own.signed.is_some());
}

#[test]
fn an_older_commit_of_the_delivery_repository_decides_nothing() {
    let (bench, report) = ran(Exit::Status(0));
    let mut request = decide(&bench, &report, "staging");
    let delivery = bench.delivery.as_ref().unwrap();
    let newest = delivery_files(&project_file(Digest::of(b"another pipeline")), &tested());
    delivery.commit_to("refs/heads/main", newest.after(&request.delivery_commit));
    bench.session("decision:staging").refuses(&Request::Decide(request.clone()), Code::RefMoved);
    request.delivery_commit = delivery.resolve("HEAD").unwrap().commit;
    let refused = decided(&mut bench.session("decision:staging"), &request);
    assert_eq!(refused.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>(), [Code::PipeUnapproved]);
}

#[test]
fn evidence_that_is_left_out_is_missing_and_evidence_that_was_touched_does_not_count() {
    let (bench, report) = ran(Exit::Status(0));
    let whole = decide(&bench, &report, "staging");
    for left_out in 0..whole.evidence.len() {
        let mut request = whole.clone();
        request.evidence.remove(left_out);
        let decided = decided(&mut bench.session("decision:staging"), &request);
        let needed = report.statements[left_out].name != "source";
        assert_eq!(decided.allowed, !needed, "{}", report.statements[left_out].name);
    }
    let mut touched = whole.clone();
    touched.run = bench.blobs.put(b"{}").unwrap();
    bench.session("decision:staging").refuses(&Request::Decide(touched), Code::BundleParse);
    let mut other = whole.clone();
    other.run = whole.evidence[0];
    bench.session("decision:staging").refuses(&Request::Decide(other), Code::RoleMismatch);
    bench.blobs.swap(&whole.run, b"{}");
    bench.session("decision:staging").refuses(&Request::Decide(whole), Code::DigestMismatch);
}

/// A30: what was tested is what is decided about, even if a second run of the same commit made something else.
#[test]
fn evidence_of_another_run_does_not_stand_in() {
    let (bench, report) = ran(Exit::Status(0));
    let (failing_bench, failing) = ran(Exit::Status(1));
    let good = decide(&bench, &report, "staging");
    let mut mixed = decide(&failing_bench, &failing, "staging");
    for blob in &good.evidence {
        mixed.evidence.push(failing_bench.blobs.put(bench.blobs.text(blob).as_bytes()).unwrap());
    }
    assert!(!decided(&mut failing_bench.session("decision:staging"), &mixed).allowed);
}

#[test]
fn an_untrusted_run_is_refused() {
    let bench = Bench::delivered(PIPELINE);
    let delivery = bench.delivery.as_ref().unwrap();
    let unapproved = delivery_files(&project_file(Digest::of(b"another pipeline")), &require());
    delivery.commit_to("refs/heads/main", unapproved);
    let report = bench.run(&benign()).unwrap();
    let approved = Pipeline::read("plimsoll.yaml", PIPELINE.as_bytes()).unwrap().digest().unwrap();
    delivery.commit_to("refs/heads/main", delivery_files(&project_file(approved), &require()));
    let decided = decided(&mut bench.session("decision:staging"), &decide(&bench, &report, "staging"));
    assert_eq!(decided.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>(), [Code::TierUntrusted]);
}

#[test]
fn a_run_without_an_artifact_cannot_be_decided_about() {
    let bench = Bench::delivered(PIPELINE);
    let report = bench.run(&benign().when("compile", |_| Exit::Status(1))).unwrap();
    let request = Request::Decide(decide(&bench, &report, "staging"));
    bench.session("decision:staging").refuses(&request, Code::EvidenceMissing);
}

#[test]
fn only_promoted_decisions_advance_the_chain() {
    let (bench, report) = ran(Exit::Status(0));
    let request = decide(&bench, &report, "staging");
    let next = || decided(&mut bench.session("decision:staging"), &request);
    let first = next();
    assert_eq!(current(&bench, "staging"), None);
    let second = next();
    assert_eq!(
        decision(&bench, &second, "decision:staging").counter,
        Some(1),
        "the first never came to serve"
    );
    let digest = second.signed.as_ref().unwrap().statement;
    promote(&bench, "staging", digest, 1);
    assert_eq!(current(&bench, "staging"), Some((digest, 1)));
    assert_eq!(current(&bench, "production"), None, "each environment has a chain of its own");
    // The journal alone is not enough: whoever reads the delivery repository must find it there.
    bench.session("decision:staging").refuses(&Request::Decide(request.clone()), Code::Rollback);
    let mut request = request;
    let delivery = bench.delivery.as_ref().unwrap();
    let promotion = delivery_files(&project_file(approved()), &tested()).with(
        "environments/staging/shop/decision.sigstore.json",
        second.signed.as_ref().unwrap().bundle.as_str(),
    );
    delivery.commit_to("refs/heads/main", promotion.after(&request.delivery_commit));
    request.delivery_commit = delivery.resolve("HEAD").unwrap().commit;
    let next = || decided(&mut bench.session("decision:staging"), &request);
    let third = decision(&bench, &next(), "decision:staging");
    assert_eq!((third.counter, third.previous), (Some(2), Some(digest)));
    assert_ne!(first.signed.unwrap().statement, digest);
}

#[test]
fn a_promotion_of_what_was_never_decided_does_not_count() {
    let (bench, report) = ran(Exit::Status(0));
    let allowed = decided(&mut bench.session("decision:staging"), &decide(&bench, &report, "staging"));
    let digest = allowed.signed.unwrap().statement;
    promote(&bench, "staging", Digest::of(b"made up"), 1);
    promote(&bench, "staging", digest, 7);
    promote(&bench, "production", digest, 1);
    assert_eq!((current(&bench, "staging"), current(&bench, "production")), (None, None));
    promote(&bench, "staging", digest, 1);
    assert_eq!(current(&bench, "staging"), Some((digest, 1)));
}

#[test]
fn without_a_delivery_repository_or_its_files_nothing_is_decided() {
    let (mut bench, report) = ran(Exit::Status(0));
    let request = decide(&bench, &report, "staging");
    let mut elsewhere = request.clone();
    elsewhere.environment = "nowhere".parse().unwrap();
    bench.session("refusal").refuses(&Request::Decide(elsewhere), Code::FileMissing);
    bench.delivery = None;
    bench.session("decision:staging").refuses(&Request::Decide(request), Code::FileMissing);
}

/// A delivery repository where `decision` was promoted from `request`'s commit.
fn promoted(bench: &Bench, request: &Decide, decision: &Decided) -> Decide {
    let signed = decision.signed.as_ref().unwrap();
    let delivery = bench.delivery.as_ref().unwrap();
    let files = delivery_files(&project_file(approved()), &tested());
    let files = files.with("environments/staging/shop/decision.sigstore.json", &signed.bundle);
    let head = delivery.commit_to("refs/heads/main", files.after(&request.delivery_commit));
    Decide { delivery_commit: head, ..request.clone() }
}

#[test]
fn a_rollback_goes_back_to_what_stood_there_and_to_nothing_that_was_only_allowed() {
    let (bench, report) = ran(Exit::Status(0));
    let request = decide(&bench, &report, "staging");
    let next = |request: &Decide| decided(&mut bench.session("decision:staging"), request);
    let (lost, first) = (next(&request), next(&request));
    let request = promoted(&bench, &request, &first);
    let second = next(&request);
    let request = promoted(&bench, &request, &second);
    let back = |to: &Decided| {
        let mut request = Decide { kind: Kind::Rollback, ..request.clone() };
        request.evidence.push(bench.blobs.put(to.signed.as_ref().unwrap().bundle.as_bytes()).unwrap());
        next(&request)
    };
    let there = back(&first);
    assert!(there.allowed, "{:?}", there.reasons);
    let made = decision(&bench, &there, "decision:staging");
    let stands = second.signed.as_ref().unwrap().statement;
    assert_eq!((made.kind, made.counter, made.previous), (Kind::Rollback, Some(3), Some(stands)));
    assert!(made.context.contains(&first.signed.as_ref().unwrap().statement));

    // An agent sees for itself that it did, whatever was signed.
    let (project, staging) = ("shop".parse().unwrap(), "staging".parse().unwrap());
    let unit = Unit { project: &project, environment: &staging };
    let delivery = bench.delivery.as_ref().unwrap();
    let rests = |made: &Decision| rests_on_promoted(delivery, bench.root.trust(), unit, made);
    rests(&made).unwrap();
    rests(&decision(&bench, &second, "decision:staging")).unwrap();
    for earlier in [Some(lost.signed.as_ref().unwrap().statement), None] {
        let mut forged = made.clone();
        forged.gates.iter_mut().find(|gate| gate.name == "rollback").unwrap().evidence = earlier;
        assert_eq!(codes(rests(&forged).unwrap_err()), [Code::NoDecision]);
    }

    let refused = back(&lost);
    let codes: Vec<_> = refused.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!((refused.allowed, codes), (false, vec![Code::NoDecision]));
    let nothing = next(&Decide { kind: Kind::Rollback, ..request.clone() });
    assert!(!nothing.allowed);
}

#[test]
fn a_chain_with_a_link_that_never_stood_there_is_broken() {
    let (bench, report) = ran(Exit::Status(0));
    let (project, staging) = ("shop".parse().unwrap(), "staging".parse().unwrap());
    let request = decide(&bench, &report, "staging");
    let next = |request: &Decide| decided(&mut bench.session("decision:staging"), request);
    let (lost, first) = (next(&request), next(&request));
    let request = promoted(&bench, &request, &first);
    let digest = |decided: &Decided| decided.signed.as_ref().unwrap().statement;
    let walk = |head: &Decide| {
        let delivery = bench.delivery.as_ref().unwrap();
        let chain =
            Chain::new(delivery, head.delivery_commit.clone(), bench.root.trust(), &project, &staging);
        chain.map(|found| found.map(|found| *found.statement.payload_digest())).collect::<Result<Vec<_>, _>>()
    };
    let second = next(&request);
    let whole = promoted(&bench, &request, &second);
    assert_eq!(walk(&whole).unwrap(), [digest(&second), digest(&first)]);

    // The same place, and signed as well: but not what the second one followed.
    let mut statement = bench.read::<Summary>(second.signed.as_ref().unwrap(), "decision:staging");
    statement.predicate.decision.previous = Some(digest(&lost));
    let forged = bench.signed("decision:staging", &statement);
    let forged = promoted(&bench, &request, &Decided { signed: Some(forged), ..second });
    assert_eq!(codes(walk(&forged).unwrap_err()), [Code::Rollback]);
}

//! Permits: what starts a release, and which signed decisions do not. The clock is a parameter.

use crate::{
    fixture::{Case, ENVIRONMENT, PROJECT, TARGET, standing_at, verified},
    keys::{pinned, sealed},
    samples::time,
};
use plimsoll_attest::{Statement, Verified, verify};
use plimsoll_model::{Code, Digest, Reason, Role, Timestamp};
use plimsoll_policy::{
    Kind, Observed, Permit, Start, Summary, Verdict, decision::VerificationResult, gather, permit as mint,
};

type Decided = Verified<Statement<Summary>>;

/// For a new start.
fn permit(decision: &Decided, observed: &Observed, now: Timestamp) -> Result<Permit, Reason> {
    mint(decision, observed, Start::New, now)
}

/// What stands where the case would start.
fn observed(case: &Case) -> Observed {
    let (files, context) = (case.delivery(), &case.context);
    let artifact = case.run.statement.predicate.artifact.as_ref().unwrap().digest;
    let release = gather::release(&files, &context.project, &context.environment, artifact).unwrap();
    let (project, environment) = gather::identities(&files, &context.project, &context.environment).unwrap();
    let current = context.standing.as_ref().map(|standing| (standing.decision, standing.counter));
    Observed { environment, project, release: release.digest().unwrap(), current }
}

fn noon() -> Timestamp {
    time("2026-01-02T12:00:00Z")
}

/// Decides, signs, and asks for a permit where `change` made something else of the statement.
fn ask(who: &str, change: impl FnOnce(&mut Summary)) -> Result<Permit, Reason> {
    let case = Case::good();
    let mut statement = case.decide();
    change(&mut statement.predicate);
    permit(&verified(who, &statement), &observed(&case), noon())
}

#[track_caller]
fn check(result: Result<Permit, Reason>, expect: Code) {
    assert_eq!(result.unwrap_err().code, expect);
}

#[test]
fn an_allow_starts_exactly_its_release() {
    let case = Case::good();
    let decision = verified("decision:production", &case.decide());
    let permit = permit(&decision, &observed(&case), noon()).unwrap();
    assert_eq!(permit.release(), &observed(&case).release);
    assert_eq!(permit.decision(), decision.payload_digest());
    assert_eq!(permit.artifact(), &decision.value().predicate.decision.release.artifact);
    assert_eq!(permit.kind(), Kind::Deploy);
}

#[test]
fn a_refusal_starts_nothing_whoever_signs_it() {
    let case = Case::with(|case| case.lint.given = false);
    check(permit(&verified("refusal", &case.decide()), &observed(&case), noon()), Code::RoleMismatch);
    check(
        permit(&verified("decision:production", &case.decide()), &observed(&case), noon()),
        Code::NoDecision,
    );
}

#[test]
fn the_key_of_another_environment_starts_nothing_here() {
    check(ask("decision:staging", |_| ()), Code::RoleMismatch);
    check(ask("refusal", |_| ()), Code::RoleMismatch);
    // The other environment calls itself by its own name, and by the identity of this one.
    let staging = |summary: &mut Summary| summary.decision.environment.name = "staging".parse().unwrap();
    check(ask("decision:staging", staging), Code::RoleMismatch);
}

#[test]
fn no_other_statement_and_no_other_key_becomes_a_decision() {
    let trust = pinned();
    let check = |bundle: &[u8], code| {
        let role = Role::Decision("production".parse().unwrap());
        assert_eq!(verify::<Summary>(bundle, trust.trust(), &role).unwrap_err().code, code);
    };
    check(&Case::good().run_bundle(), Code::RoleMismatch);
    check(&sealed("builder", &Case::good().decide()), Code::RoleMismatch);
    check(&sealed(crate::keys::STRANGER, &Case::good().decide()), Code::SignerUnknown);
}

#[test]
fn another_place_or_another_release_needs_a_decision_of_its_own() {
    let decision = verified("decision:production", &Case::good().decide());
    for (file, old, new) in
        [(ENVIRONMENT, "0e0e", "0f0f"), (PROJECT, "0b0b", "0c0c"), (TARGET, "port: 8080", "port: 8081")]
    {
        let there = observed(&Case::with(|case| case.replace(file, old, new)));
        check(permit(&decision, &there, noon()), Code::NoDecision);
    }
}

/// A stock verifier reads the fields around the decision; they must say the same.
#[test]
fn a_decision_that_contradicts_itself_starts_nothing() {
    let changes: [fn(&mut Summary); 9] = [
        |summary| summary.verification_result = VerificationResult::Failed,
        |summary| summary.verified_levels = vec!["SLSA_BUILD_LEVEL_3".into()],
        |summary| summary.resource_uri = "plimsoll:elsewhere".into(),
        |summary| summary.policy.digest.clear(),
        |summary| summary.verifier.id = "https://elsewhere.example".into(),
        |summary| summary.decision.gates.clear(),
        |summary| summary.decision.verdict = Verdict::Refuse,
        |summary| summary.decision.gates[0].outcome = plimsoll_model::Outcome::Skipped,
        |summary| summary.decision.release.config = Digest::of(b"another"),
    ];
    for change in changes {
        check(ask("decision:production", change), Code::NoDecision);
    }
    let case = Case::good();
    let mut statement = case.decide();
    statement.subject.push(plimsoll_attest::Subject::new("another", Digest::of(b"another")));
    check(permit(&verified("decision:production", &statement), &observed(&case), noon()), Code::NoDecision);
}

#[test]
fn rules_that_this_binary_does_not_have_start_nothing() {
    check(ask("decision:production", |summary| summary.decision.rules = 2), Code::RulesUnknown);
}

#[test]
fn an_allow_waits_until_its_time_and_no_longer() {
    let case = Case::good();
    let decision = verified("decision:production", &case.decide());
    let at = |now| permit(&decision, &observed(&case), time(now));
    assert!(at("2026-01-02T04:00:00Z").is_ok());
    assert!(at("2026-01-03T04:00:00Z").is_ok());
    check(at("2026-01-03T04:00:00.000000001Z"), Code::DecisionExpired);
    // A clock that was set back would make it wait longer.
    check(at("2026-01-02T03:59:59Z"), Code::Clock);
}

/// Decides about a release that differs by its target, after `current`.
fn decided(port: u16, current: Option<(Digest, u64)>) -> (Decided, Observed) {
    let case = Case::with(|case| {
        case.context.standing = current.map(standing_at);
        case.replace(TARGET, "8080", &port.to_string());
    });
    (verified("decision:production", &case.decide()), observed(&case))
}

/// F4. Version 1, version 2, then the genuine decision of version 1 again.
#[test]
fn an_old_decision_however_well_signed_does_not_start_again() {
    let (first, mut there) = decided(8001, None);
    let started = permit(&first, &there, noon()).unwrap();
    let one = Some((*started.decision(), 1));
    let (second, at_one) = decided(8002, one);
    let two = Some((*permit(&second, &at_one, noon()).unwrap().decision(), 2));
    there.current = two;
    let refused = permit(&first, &there, noon()).unwrap_err();
    assert_eq!(refused.code, Code::Rollback);
    assert!(refused.sentence().contains("the beginning") && refused.sentence().contains("decision 2"));
    // The same release again, decided anew after what stands: that is how to go back.
    let (again, _) = decided(8001, two);
    assert!(permit(&again, &there, noon()).is_ok());
    assert_eq!(again.value().predicate.decision.counter, Some(3));
}

#[test]
fn a_decision_starts_once_and_only_at_its_own_place() {
    let (first, mut there) = decided(8001, None);
    let digest = *first.payload_digest();
    for current in
        [Some((digest, 1)), Some((Digest::of(b"other"), 1)), Some((digest, 0)), Some((digest, u64::MAX))]
    {
        there.current = current;
        check(permit(&first, &there, noon()), Code::Rollback);
    }
    // Two decisions after the same one: whichever is started first makes the other worthless.
    let (loser, mut at_one) = decided(8002, Some((digest, 1)));
    let (winner, _) = decided(8003, Some((digest, 1)));
    at_one.current = Some((*winner.payload_digest(), 2));
    check(permit(&loser, &at_one, noon()), Code::Rollback);
    // The right decision before it, and another number.
    at_one.current = Some((digest, 7));
    check(permit(&loser, &at_one, noon()), Code::Rollback);
}

/// The decision that stands, long after an allow that was not started would be void.
fn current() -> (Decided, Observed, Timestamp) {
    let case = Case::good();
    let decision = verified("decision:production", &case.decide());
    let current = Some((*decision.payload_digest(), 5));
    let there = Observed { current, ..observed(&case) };
    (decision, there, time("2030-01-01T00:00:00Z"))
}

const REPAIR: Start = Start::Repair { frozen: false };

#[test]
fn what_was_decided_keeps_running_however_old_the_decision_is() {
    let (decision, there, late) = current();
    for start in [Start::Restart, REPAIR] {
        let permit = mint(&decision, &there, start, late).unwrap();
        assert_eq!((permit.release(), permit.decision()), (&there.release, decision.payload_digest()));
    }
    // Nothing starts anew by it.
    check(mint(&decision, &there, Start::New, noon()), Code::Rollback);
    // A clock that was set back does not keep a service down.
    assert!(mint(&decision, &there, Start::Restart, time("2020-01-01T00:00:00Z")).is_ok());
}

#[test]
fn a_repair_waits_for_the_end_of_a_freeze_and_a_restart_does_not() {
    let (decision, there, late) = current();
    check(mint(&decision, &there, Start::Repair { frozen: true }, late), Code::Freeze);
    assert!(mint(&decision, &there, REPAIR, late).is_ok());
    assert!(mint(&decision, &there, Start::Restart, late).is_ok());
}

#[test]
fn only_the_current_decision_starts_again() {
    let (decision, mut there, _) = current();
    let digest = *decision.payload_digest();
    let others = [
        None,
        Some((Digest::of(b"newer"), 6)),
        Some((Digest::of(b"another"), 5)),
        Some((digest, 4)),
        Some((digest, 6)),
        Case::good().context.standing.map(|standing| (standing.decision, standing.counter)),
    ];
    for current in others {
        there.current = current;
        for start in [Start::Restart, REPAIR] {
            check(mint(&decision, &there, start, noon()), Code::Rollback);
        }
    }
    there.current = Some((digest, 5));
    assert!(mint(&decision, &there, Start::Restart, noon()).is_ok());
}

#[test]
fn a_restart_is_of_the_decided_release_by_the_key_of_its_environment() {
    let (decision, there, _) = current();
    for start in [Start::Restart, REPAIR] {
        let elsewhere = Observed { release: Digest::of(b"another"), ..there.clone() };
        check(mint(&decision, &elsewhere, start, noon()), Code::NoDecision);
        for who in ["decision:staging", "refusal"] {
            check(mint(&verified(who, decision.value()), &there, start, noon()), Code::RoleMismatch);
        }
        assert!(mint(&decision, &there, start, noon()).is_ok());
    }
}

/// New starts and restarts, against decisions that are old, freezes and tighter policies. The release before is
/// still there while a new one is confirmed, so that a fallback starts nothing and needs no permit.
#[test]
fn what_may_start_when_a_decision_expired_a_freeze_is_on_or_policies_are_tighter() {
    let (decision, there, late) = current();
    let frozen = |case: &mut Case| {
        let window =
            "freeze: [{from: \"2026-01-01 00:00\", to: \"2026-02-01 00:00\", zone: UTC}]\nrequire:\n";
        case.replace(ENVIRONMENT, "require:\n", window);
    };
    let tightened =
        |case: &mut Case| case.replace(ENVIRONMENT, "unit: source", "unit: source, load: artifact");
    // A new release.
    let waiting = verified("decision:production", &Case::good().decide());
    check(permit(&waiting, &observed(&Case::good()), late), Code::DecisionExpired);
    let new = |change: fn(&mut Case)| {
        let refusals = Case::with(change).refusals();
        refusals.into_iter().map(|(gate, _, code)| (gate, code)).collect::<Vec<_>>()
    };
    assert_eq!(new(frozen), [("freeze".to_owned(), Code::Freeze)]);
    assert_eq!(new(tightened), [("tests.load".to_owned(), Code::EvidenceMissing)]);
    assert_eq!(new(|_| ()), []);
    // What runs already is the same place and release under all of them.
    for change in [frozen, tightened, |_: &mut Case| ()] {
        let now = Observed { current: there.current, ..observed(&Case::with(change)) };
        assert_eq!(now, there);
        for start in [Start::Restart, REPAIR] {
            assert!(mint(&decision, &now, start, late).is_ok(), "{start:?}");
        }
        check(mint(&decision, &now, Start::Repair { frozen: true }, late), Code::Freeze);
    }
}

//! The table of new starts and restarts, one test for each cell, and what holds for every world.

use super::*;
use crate::drift::DriftKind;
use proptest::prelude::*;

const NOW: i64 = 1_000_000;
const OLD: u8 = 1;
const NEW: u8 = 2;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn digest(name: u8) -> Digest {
    Digest::of(&[name])
}

fn shop() -> ProjectName {
    "shop".parse().unwrap()
}

fn freeze() -> Reason {
    Code::Freeze.reason().with("environment", "production").with("until", "Monday").with("window", "weekend")
}

fn promoted(decision: u8, refused: &[Code]) -> Promoted {
    let reasons: Vec<Reason> = refused.iter().map(|code| code.reason()).collect();
    let check = if reasons.is_empty() { Ok(()) } else { Err(reasons) };
    Promoted { decision: digest(decision), release: digest(100 + decision), rollback: false, check }
}

fn wanted(promoted: Option<Promoted>, frozen: bool) -> Wanted {
    Wanted {
        environment: "production".parse().unwrap(),
        frozen: frozen.then(freeze),
        units: promoted.into_iter().map(|promoted| (shop(), promoted)).collect(),
    }
}

/// A unit that runs `OLD`.
fn running(phase: Phase) -> SeenUnit {
    let current = Current { decision: digest(OLD), grandfathered: false };
    SeenUnit { current: Some(current), phase, ..SeenUnit::default() }
}

fn taken_back(decision: u8) -> Option<TakenBack> {
    Some(TakenBack { decision: digest(decision), problem: "its process ended".into() })
}

/// So many failed starts, the last one so many seconds ago.
fn failures(decision: u8, count: u32, passed: i64) -> Option<Failures> {
    let (decision, last) = (digest(decision), at(NOW - passed));
    Some(Failures { decision, count, last, reason: Code::Health.reason() })
}

fn drifted(repairs: u32) -> SeenUnit {
    let drift = Drift { what: DriftKind::Files, cause: "app has another content".into(), repairable: true };
    SeenUnit { drift: vec![drift], repairs, ..running(Phase::Serving) }
}

fn seen(unit: SeenUnit) -> Seen {
    Seen { units: [(shop(), unit)].into() }
}

/// What happens, in short, and the codes that are reported.
fn outcome(wanted: &Wanted, unit: SeenUnit) -> (String, Vec<Code>) {
    let mut acts = Vec::new();
    let mut codes = Vec::new();
    for action in reconcile(wanted, &seen(unit), at(NOW)) {
        match action {
            Action::Start { decision, .. } => acts.push(format!("start {}", name(decision))),
            Action::Restart { decision, grandfathered: true, .. } => {
                acts.push(format!("restart {}, grandfathered", name(decision)));
            }
            Action::Restart { decision, .. } => acts.push(format!("restart {}", name(decision))),
            Action::Repair { .. } => acts.push("repair".into()),
            Action::Stop { .. } => acts.push("stop".into()),
            Action::Report { reasons, .. } => codes.extend(reasons.iter().map(|reason| reason.code)),
        }
    }
    (acts.join("; "), codes)
}

fn name(decision: Digest) -> u8 {
    (0..=9).find(|name| digest(*name) == decision).unwrap()
}

fn check(wanted: &Wanted, unit: SeenUnit, expect: &str, codes: &[Code]) {
    assert_eq!(outcome(wanted, unit), (expect.to_owned(), codes.to_vec()));
}

#[test]
fn a_new_release_that_is_in_order_starts() {
    check(&wanted(Some(promoted(NEW, &[])), false), running(Phase::Serving), "start 2", &[]);
    check(&wanted(Some(promoted(NEW, &[])), false), running(Phase::Failed), "start 2", &[]);
    check(&wanted(Some(promoted(NEW, &[])), false), SeenUnit::default(), "start 2", &[]);
}

#[test]
fn a_new_release_whose_decision_expired_is_refused() {
    let expired = promoted(NEW, &[Code::DecisionExpired]);
    check(&wanted(Some(expired), false), running(Phase::Serving), "", &[Code::DecisionExpired]);
}

#[test]
fn a_new_release_is_refused_while_frozen() {
    check(&wanted(Some(promoted(NEW, &[])), true), running(Phase::Serving), "", &[Code::Freeze]);
}

#[test]
fn a_rollback_starts_in_a_freeze_and_not_when_it_is_not_in_order() {
    let back = |refused: &[Code]| Some(Promoted { rollback: true, ..promoted(NEW, refused) });
    check(&wanted(back(&[]), true), running(Phase::Serving), "start 2", &[]);
    let expired = back(&[Code::DecisionExpired]);
    check(&wanted(expired, true), running(Phase::Serving), "", &[Code::DecisionExpired]);
}

#[test]
fn a_new_release_that_policy_refuses_today_is_refused() {
    let refused = promoted(NEW, &[Code::EvidenceMissing, Code::PolicyFailed]);
    let codes = [Code::EvidenceMissing, Code::PolicyFailed];
    check(&wanted(Some(refused), false), running(Phase::Serving), "", &codes);
}

#[test]
fn a_refused_release_does_not_keep_the_current_one_from_its_restart() {
    let refused = promoted(NEW, &[Code::Signature]);
    check(&wanted(Some(refused), false), running(Phase::Absent), "restart 1", &[Code::Signature]);
}

#[test]
fn the_current_release_restarts() {
    check(&wanted(Some(promoted(OLD, &[])), false), running(Phase::Absent), "restart 1", &[]);
    check(&wanted(Some(promoted(OLD, &[])), false), running(Phase::Failed), "restart 1", &[]);
}

#[test]
fn the_current_release_restarts_after_its_decision_expired() {
    let expired = promoted(OLD, &[Code::DecisionExpired]);
    check(&wanted(Some(expired), false), running(Phase::Absent), "restart 1", &[Code::DecisionExpired]);
}

#[test]
fn the_current_release_restarts_while_frozen() {
    check(&wanted(Some(promoted(OLD, &[])), true), running(Phase::Absent), "restart 1", &[]);
}

#[test]
fn the_current_release_restarts_grandfathered_when_policy_was_tightened() {
    let mut unit = running(Phase::Absent);
    unit.current.as_mut().unwrap().grandfathered = true;
    let refused = promoted(OLD, &[Code::PolicyFailed]);
    check(&wanted(Some(refused), false), unit, "restart 1, grandfathered", &[Code::PolicyFailed]);
}

#[test]
fn a_decision_that_was_taken_back_waits_for_another_one() {
    let unit = SeenUnit { taken_back: taken_back(NEW), ..running(Phase::Serving) };
    check(&wanted(Some(promoted(NEW, &[])), false), unit.clone(), "", &[Code::Fallback]);
    check(&wanted(Some(promoted(3, &[])), false), unit.clone(), "start 3", &[]);
    // That somebody meddled with it since comes first.
    let forged = wanted(Some(promoted(NEW, &[Code::DeliveryCommit])), false);
    check(&forged, unit, "", &[Code::DeliveryCommit, Code::Fallback]);
}

#[test]
fn drift_is_repaired() {
    check(&wanted(Some(promoted(OLD, &[])), false), drifted(0), "repair", &[]);
}

#[test]
fn drift_is_repaired_although_the_decision_expired() {
    let expired = promoted(OLD, &[Code::DecisionExpired]);
    check(&wanted(Some(expired), false), drifted(0), "repair", &[Code::DecisionExpired]);
}

#[test]
fn drift_repair_pauses_while_frozen() {
    check(&wanted(Some(promoted(OLD, &[])), true), drifted(0), "", &[Code::Drift, Code::Freeze]);
}

#[test]
fn drift_is_repaired_when_policy_was_tightened() {
    let refused = promoted(OLD, &[Code::PolicyFailed]);
    check(&wanted(Some(refused), false), drifted(0), "repair", &[Code::PolicyFailed]);
}

#[test]
fn drift_is_only_reported_after_three_repairs() {
    let old = wanted(Some(promoted(OLD, &[])), false);
    check(&old, drifted(2), "repair", &[]);
    check(&old, drifted(3), "", &[Code::Drift]);
}

#[test]
fn drift_that_a_restart_would_bring_back_is_only_reported() {
    let mut unit = drifted(0);
    unit.drift[0] = Drift { what: DriftKind::GeneratedCode, repairable: false, ..unit.drift[0].clone() };
    check(&wanted(Some(promoted(OLD, &[])), false), unit, "", &[Code::Drift]);
}

#[test]
fn a_unit_that_left_the_repository_is_stopped() {
    check(&wanted(None, false), running(Phase::Serving), "stop", &[]);
    check(&wanted(None, true), running(Phase::Failed), "stop", &[]);
    check(&wanted(None, false), SeenUnit::default(), "", &[]);
}

#[test]
fn failing_starts_wait_longer_each_time_and_at_most_ten_minutes() {
    for (count, wait) in [(1, 10), (2, 20), (3, 40), (6, 320), (7, 600), (u32::MAX, 600)] {
        for (passed, expect) in [(wait - 1, ""), (wait, "start 2")] {
            let unit = SeenUnit { failures: failures(NEW, count, passed), ..running(Phase::Serving) };
            check(&wanted(Some(promoted(NEW, &[])), false), unit, expect, &[Code::Health]);
        }
    }
}

#[test]
fn a_clock_that_was_set_back_lets_nothing_wait_for_the_future() {
    for (passed, expect) in [(0, ""), (-1, "start 2"), (-1_000_000, "start 2")] {
        let unit = SeenUnit { failures: failures(NEW, 9, passed), ..running(Phase::Serving) };
        check(&wanted(Some(promoted(NEW, &[])), false), unit, expect, &[Code::Health]);
    }
}

#[test]
fn failures_of_one_decision_do_not_hold_up_another_nor_the_care_for_what_runs() {
    let unit = |phase| SeenUnit { failures: failures(NEW, 9, 0), ..running(phase) };
    check(&wanted(Some(promoted(3, &[])), false), unit(Phase::Serving), "start 3", &[]);
    check(&wanted(Some(promoted(NEW, &[])), false), unit(Phase::Absent), "restart 1", &[Code::Health]);
}

#[test]
fn nothing_is_started_twice() {
    check(&wanted(Some(promoted(NEW, &[])), false), running(Phase::Starting), "", &[]);
    check(
        &wanted(Some(promoted(NEW, &[])), false),
        SeenUnit { phase: Phase::Starting, ..SeenUnit::default() },
        "",
        &[],
    );
}

#[test]
fn what_was_reported_is_reported_once_and_taken_back_when_it_is_over() {
    let frozen = wanted(Some(promoted(NEW, &[])), true);
    let told = SeenUnit { reported: vec![freeze()], ..running(Phase::Serving) };
    assert_eq!(reconcile(&frozen, &seen(told.clone()), at(NOW)), []);
    let over = reconcile(&wanted(Some(promoted(OLD, &[])), false), &seen(told), at(NOW));
    assert_eq!(over, [Action::Report { unit: shop(), reasons: Vec::new() }]);
}

/// A world in which every action works at once.
fn apply(world: &mut Seen, action: Action) {
    let unit = world.units.entry(action.unit().clone()).or_default();
    match action {
        Action::Start { decision, .. } => serve(unit, decision),
        // What starts has fresh files.
        Action::Restart { .. } => {
            unit.phase = Phase::Serving;
            unit.drift.clear();
        }
        Action::Repair { .. } => {
            unit.drift.clear();
            unit.repairs += 1;
        }
        Action::Stop { .. } => {
            let reported = std::mem::take(&mut unit.reported);
            *unit = SeenUnit { reported, ..SeenUnit::default() };
        }
        Action::Report { reasons, .. } => unit.reported = reasons,
    }
}

fn serve(unit: &mut SeenUnit, decision: Digest) {
    let current = Current { decision, grandfathered: false };
    let reported = std::mem::take(&mut unit.reported);
    *unit = SeenUnit { current: Some(current), phase: Phase::Serving, reported, ..SeenUnit::default() };
}

fn any_unit() -> impl Strategy<Value = SeenUnit> {
    let current = proptest::option::of((0..4_u8, any::<bool>()));
    let phase =
        prop_oneof![Just(Phase::Absent), Just(Phase::Starting), Just(Phase::Serving), Just(Phase::Failed)];
    let failures = proptest::option::of((0..4_u8, 1..9_u32, 0..700_i64));
    let drift = proptest::option::of(any::<bool>());
    (current, phase, proptest::option::of(0..4_u8), failures, drift, 0..5_u32, any::<bool>()).prop_map(
        |(current, phase, taken_back, failures, drift, repairs, told)| SeenUnit {
            current: current
                .map(|(decision, grandfathered)| Current { decision: digest(decision), grandfathered }),
            phase,
            taken_back: taken_back.and_then(self::taken_back),
            failures: failures.and_then(|(decision, count, passed)| self::failures(decision, count, passed)),
            drift: drift
                .map(|repairable| Drift { what: DriftKind::Files, cause: String::new(), repairable })
                .into_iter()
                .collect(),
            repairs,
            reported: if told { vec![freeze()] } else { Vec::new() },
        },
    )
}

fn any_promoted() -> impl Strategy<Value = Promoted> {
    let codes = proptest::sample::subsequence(vec![Code::DecisionExpired, Code::PolicyFailed], 0..=2);
    (0..4_u8, codes).prop_map(|(decision, codes)| promoted(decision, &codes))
}

fn any_world() -> impl Strategy<Value = (Wanted, Seen)> {
    let units =
        || prop_oneof![Just("shop"), Just("till"), Just("stock")].prop_map(|name| name.parse().unwrap());
    let wanted_units = proptest::collection::btree_map(units(), any_promoted(), 0..3);
    let seen_units = proptest::collection::btree_map(units(), any_unit(), 0..3);
    (wanted_units, seen_units, any::<bool>())
        .prop_map(|(units, seen, frozen)| (Wanted { units, ..wanted(None, frozen) }, Seen { units: seen }))
}

fn changes(action: &Action) -> bool {
    !matches!(action, Action::Report { .. })
}

proptest! {
    #[test]
    fn the_same_world_gives_the_same_actions((wanted, seen) in any_world()) {
        prop_assert_eq!(reconcile(&wanted, &seen, at(NOW)), reconcile(&wanted, &seen, at(NOW)));
    }

    #[test]
    fn at_most_one_action_changes_a_unit((wanted, seen) in any_world()) {
        let actions = reconcile(&wanted, &seen, at(NOW));
        let mut units = BTreeSet::new();
        for action in actions.iter().filter(|action| changes(action)) {
            prop_assert!(units.insert(action.unit()));
        }
    }

    #[test]
    fn a_refused_frozen_or_taken_back_decision_never_starts((wanted, seen) in any_world()) {
        for action in reconcile(&wanted, &seen, at(NOW)) {
            let Action::Start { unit, decision } = action else { continue };
            let promoted = &wanted.units[&unit];
            prop_assert!(promoted.check.is_ok() && wanted.frozen.is_none());
            prop_assert_eq!(promoted.decision, decision);
            prop_assert_ne!(seen.units.get(&unit).and_then(|unit| unit.taken_back.as_ref()).map(|it| it.decision), Some(decision));
        }
    }

    #[test]
    fn only_the_current_release_starts_without_a_new_permit((wanted, seen) in any_world()) {
        for action in reconcile(&wanted, &seen, at(NOW)) {
            let Action::Restart { unit, decision, .. } = action else { continue };
            prop_assert_eq!(Some(decision), seen.units[&unit].current.as_ref().map(|current| current.decision));
        }
    }

    /// What was done once is settled: after it nothing runs differently again, and in the end there is nothing to say.
    #[test]
    fn a_world_in_which_actions_work_comes_to_rest((wanted, mut seen) in any_world()) {
        for action in reconcile(&wanted, &seen, at(NOW)) {
            apply(&mut seen, action);
        }
        let second = reconcile(&wanted, &seen, at(NOW));
        prop_assert!(!second.iter().any(changes), "{second:?}");
        for action in second {
            apply(&mut seen, action);
        }
        prop_assert_eq!(reconcile(&wanted, &seen, at(NOW)), []);
    }
}

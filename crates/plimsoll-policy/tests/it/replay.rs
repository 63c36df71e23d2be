//! A decision once more under other rules: what they would refuse is told, and nothing else of it has changed.

use crate::{
    delivery::{BO, approved, freeze, roll_back},
    fixture::{Case, ENVIRONMENT, PEOPLE, PROJECT, TARGET},
    keys::pinned,
};
use plimsoll_model::{Code, Digest};
use plimsoll_policy::{
    Verdict,
    dossier::{Replay, replay},
};
use std::collections::{BTreeMap, BTreeSet};

/// The rules of a case with one change, and its dossier replayed by them.
fn replayed(case: &Case, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Replay {
    let mut rules = case.files.clone();
    change(&mut rules);
    let rules = rules.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    replay(&case.dossier(), &pinned(), &BTreeSet::new(), &rules).unwrap()
}

#[track_caller]
fn check(case: &Case, change: impl FnOnce(&mut BTreeMap<String, String>), expect: &[Code]) {
    let Replay { verdict, reasons } = replayed(case, change);
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, expect, "{reasons:?}");
    assert_eq!(verdict == Verdict::Allow, expect.is_empty());
}

fn edited(
    file: &'static str,
    old: &'static str,
    new: &'static str,
) -> impl Fn(&mut BTreeMap<String, String>) {
    move |rules| {
        let text = rules.get_mut(file).unwrap();
        assert!(text.contains(old), "{old} in {file}");
        *text = text.replace(old, new);
    }
}

#[test]
fn rules_that_ask_for_less_or_the_same_would_pass() {
    let good = Case::good();
    check(&good, |_| (), &[]);
    check(&good, edited(ENVIRONMENT, "  tests: {unit: source, smoke: artifact}\n", ""), &[]);
    check(&good, edited(PEOPLE, "version: 1\n", "version: 1\n# nobody else\n"), &[]);
}

#[test]
fn rules_that_ask_for_more_would_refuse_and_say_why() {
    let good = Case::good();
    check(&good, edited(ENVIRONMENT, "tests: {", "tests: {load: artifact, "), &[Code::EvidenceMissing]);
    check(&good, edited(ENVIRONMENT, "block: warning", "block: note"), &[Code::EvidenceFailed]);
    check(&good, edited(ENVIRONMENT, "builder: [local]", "builder: [hosted]"), &[Code::Builder]);
    check(&good, edited(PROJECT, "refs/heads/main", "refs/heads/release"), &[Code::SrcUnprotected]);
    let always = "require:\n";
    let frozen = "freeze: [{from: \"2026-01-01 00:00\", to: \"2026-01-05 00:00\", zone: UTC}]\nrequire:\n";
    check(&good, edited(ENVIRONMENT, always, frozen), &[Code::Freeze]);
    let other = |rules: &mut BTreeMap<String, String>| {
        let text = rules.get_mut(PROJECT).unwrap();
        *text = text.replace(&Digest::of(b"pipeline").to_string(), &Digest::of(b"another").to_string());
    };
    check(&good, other, &[Code::PipeUnapproved]);
}

#[test]
fn rules_that_cannot_be_read_refuse() {
    let good = Case::good();
    check(&good, |rules| drop(rules.remove(ENVIRONMENT)), &[Code::FileMissing]);
    check(&good, edited(PEOPLE, "version: 1", "version: 7"), &[Code::FileInvalid]);
    check(
        &good,
        edited(ENVIRONMENT, "require:\n", "require:\n  policies: [policies/x.rego]\n"),
        &[Code::FileMissing],
    );
}

/// What is no rule stays as it was recorded, whatever the work tree holds.
#[test]
fn files_that_are_no_rules_do_not_count() {
    check(&Case::good(), edited(TARGET, "18080", "18081"), &[]);
    check(&Case::good(), |rules| drop(rules.remove(TARGET)), &[]);
}

#[test]
fn people_who_approved_are_counted_as_the_other_rules_count() {
    let case = Case::with(approved(BO, |_| ()));
    check(&case, |_| (), &[]);
    // They could not approve under rules that were not there: that alone is no reason.
    check(&case, edited(PEOPLE, "version: 1\n", "version: 1\n# nobody else\n"), &[]);
    check(&case, edited(ENVIRONMENT, "{count: 1,", "{count: 2,"), &[Code::ApprQuorum]);
    let nobody = edited(PEOPLE, "{name: bo, roles: [release-managers], ", "{name: bo, ");
    check(&case, nobody, &[Code::ApprQuorum, Code::ApprSigner]);
    let more = edited(ENVIRONMENT, "tests: {", "tests: {load: artifact, ");
    check(&case, more, &[Code::ApprQuorum, Code::ApprFloor, Code::EvidenceMissing]);
}

#[test]
fn a_rollback_stays_one() {
    let case = Case::with(|case| {
        roll_back(case);
        freeze(case, "2026-01-01 00:00", "2026-01-05 00:00");
    });
    check(&case, |_| (), &[]);
    check(&case, edited(ENVIRONMENT, "tests: {", "tests: {load: artifact, "), &[Code::EvidenceMissing]);
}

#[test]
fn a_dossier_that_does_not_lead_to_its_decision_is_no_answer() {
    let rules = BTreeMap::new();
    let again = |change: fn(&mut plimsoll_policy::DossierParts)| {
        let mut parts = Case::good().dossier();
        change(&mut parts);
        replay(&parts, &pinned(), &BTreeSet::new(), &rules).unwrap_err().code
    };
    assert_eq!(again(|parts| drop(parts.statements.pop_first())), Code::DecisionMismatch);
    assert_eq!(again(|parts| parts.manifest.push(0)), Code::DigestMismatch);
}

//! Going back: a decision like any other, to a release that stood here, and to no other.

use crate::{
    delivery::{Colleague, team, to},
    service::Shop,
    world::{Ran, entries, text},
};
use serde_json::Value;
use std::fs;

const UNIT: &str = "shop@local";

fn back(shop: &Shop, arguments: &[&str]) -> Ran {
    shop.world.json(&[&["rollback", UNIT], arguments].concat())
}

/// Version 1 was promoted, then version 2. Gives the digests of both decisions.
fn second_version() -> (Shop, [String; 2]) {
    let shop = Shop::new();
    shop.world.plimsoll(&["run"]).ok();
    let first = decision(&shop.promote().ok().value());
    let second = decision(&shop.deliver("v2"));
    (shop, [first, second])
}

fn decision(promoted: &Value) -> String {
    text(&promoted["decision"]["decision"]).to_owned()
}

/// Kind and place of the newest decision.
fn newest(shop: &Shop) -> (String, Value) {
    let summary = shop.world.json(&["why", UNIT]).ok().value();
    let decision = &summary["plimsoll_decision"];
    (text(&decision["kind"]).to_owned(), decision["counter"].clone())
}

#[test]
fn going_back_is_a_decision_of_its_own_that_anybody_can_check() {
    let (shop, [first, second]) = second_version();
    let third = decision(&back(&shop, &[]).ok().value());
    assert_eq!(shop.answer().as_deref(), Some("v1"));
    assert_eq!(newest(&shop), ("rollback".to_owned(), Value::from(3)));
    assert!(third != first && third != second);
    shop.world.plimsoll(&["dossier", UNIT, "--output", "shop.tar"]).ok();
    let verified = shop.world.json(&["verify", "shop.tar"]).ok().value();
    assert_eq!(verified["decision"], third.as_str());

    // Back from there is the release that was left.
    back(&shop, &[]).ok();
    assert_eq!(shop.answer().as_deref(), Some("v2"));
    let digits = first.trim_start_matches("sha256:")[..12].to_owned();
    back(&shop, &["--to", &digits]).ok();
    assert_eq!(shop.answer().as_deref(), Some("v1"));
    assert_eq!(newest(&shop), ("rollback".to_owned(), Value::from(5)));
    // And the way forward is open.
    shop.deliver("v3");
    assert_eq!(shop.answer().as_deref(), Some("v3"));
}

#[test]
fn there_must_be_something_to_go_back_to() {
    let shop = Shop::new();
    back(&shop, &[]).ended(2);
    shop.world.plimsoll(&["run"]).ok();
    let first = decision(&shop.promote().ok().value());
    back(&shop, &[]).ended(2);
    back(&shop, &["--to", &first]).ended(2);
    // The same release once more is no other release.
    shop.promote().ok();
    back(&shop, &[]).ended(2);
    back(&shop, &["--to", &first]).ended(2);
    back(&shop, &["--to", "sha256"]).ended(2);
    back(&shop, &["--to", &"0".repeat(64)]).ended(2);
    shop.world.json(&["rollback", "shop@nowhere"]).ended(2);
    shop.world.plimsoll(&["rollback", "shop"]).ended(2);
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

#[test]
fn a_release_whose_parts_are_gone_does_not_start() {
    let (shop, _) = second_version();
    let run = shop.world.json(&["trace", UNIT]).ok().value();
    let second = run[0]["run"]["artifact"]["files"][0]["digest"].clone();
    back(&shop, &[]).ok();
    fs::remove_file(shop.world.blob(&second)).unwrap();
    back(&shop, &[]).ended(2);
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

#[test]
fn a_freeze_keeps_nobody_from_going_back() {
    let (shop, _) = second_version();
    shop.world.change_delivery("environments/local/environment.yaml", |file| {
        format!("{file}freeze: [{{from: \"2020-01-01 00:00\", to: \"2200-01-01 00:00\", zone: UTC}}]\n")
    });
    shop.commit_version("v3");
    shop.world.plimsoll(&["run"]).ok();
    shop.promote().refused(&["E-FREEZE"]);
    back(&shop, &[]).ok();
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

#[test]
fn what_the_rules_ask_of_every_release_is_asked_again() {
    let (shop, _) = second_version();
    shop.world.change_delivery("environments/local/environment.yaml", |file| {
        file.replace("tests: {", "tests: {smoke: artifact, ")
    });
    back(&shop, &[]).ended(1).refused(&["E-EVIDENCE-MISSING"]);
    assert_eq!(shop.answer().as_deref(), Some("v2"));
}

/// A release is also its configuration: with another one it was never allowed.
#[test]
fn the_artifact_of_before_under_another_target_is_no_earlier_release() {
    let (shop, _) = second_version();
    let target = "environments/local/shop/target.yaml";
    shop.world.change_delivery(target, |file| format!("{file}  args: [--debug]\n"));
    back(&shop, &[]).ended(1).refused(&["E-NO-DECISION"]);
    shop.world.change_delivery(target, |file| file.replace("  args: [--debug]\n", ""));
    back(&shop, &[]).ok();
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

#[test]
fn an_allow_that_was_never_promoted_is_no_way_back() {
    let shop = Shop::new();
    shop.world.plimsoll(&["run"]).ok();
    let hook = shop.world.delivery().join(".git/hooks/pre-receive");
    shop.world.repository.write_executable("hook", "#!/bin/sh\nexit 1\n");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::copy(shop.world.repository.path().join("hook"), &hook).unwrap();
    assert_ne!(shop.promote().status, 0);
    let lost = unpromoted(&shop);
    fs::remove_file(&hook).unwrap();
    shop.deliver("v2");
    shop.deliver("v3");
    back(&shop, &["--to", &lost]).ended(2);
    assert_eq!(shop.answer().as_deref(), Some("v3"));
}

/// The digest of the only decision that was made here.
fn unpromoted(shop: &Shop) -> String {
    let runs = entries(&shop.world.state().join("runs"));
    let made: Vec<_> = runs.iter().flat_map(|run| entries(&run.join("decisions"))).collect();
    assert_eq!(made.len(), 1);
    made[0].file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn people_are_not_asked_twice_for_a_release_that_they_approved() {
    let (shop, people) = team();
    let approved = |shop: &Shop| {
        to(shop, "staging").ok();
        to(shop, "production").ended(1);
        people.iter().for_each(|colleague: &Colleague| drop(colleague.approve("shop@production").ok()));
        decision(&to(shop, "production").ok().value())
    };
    approved(&shop);
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    approved(&shop);
    let staged = shop.world.json(&["why", "shop@staging"]).ok().value();
    let staged = text(&staged["plimsoll_decision"]["previous"]).to_owned();
    // The decision of another environment is none of this one.
    shop.world.json(&["rollback", "shop@production", "--to", &staged]).ended(2);
    shop.world.json(&["rollback", "shop@production"]).ok();
    assert_eq!(shop.answer_at(1).as_deref(), Some("v1"));
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"), "staging goes its own way");

    // Under another target nobody approved it.
    shop.world.change_delivery("environments/production/shop/target.yaml", |file| {
        format!("{file}  args: [--debug]\n")
    });
    let refused = shop.world.json(&["rollback", "shop@production"]).ended(1);
    let codes = refused.codes();
    assert!(
        codes.contains(&"E-NO-DECISION".to_owned()) && codes.contains(&"E-APPR-QUORUM".to_owned()),
        "{codes:?}"
    );
}

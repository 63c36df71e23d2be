//! Somebody whom a commit names falsely says so. Nobody can say it for them, and what they did they cannot disclaim.

use crate::{
    delivery::{team, to},
    service::Shop,
    world::text,
};
use plimsoll_attest::{
    Disclaimer,
    document::{self, Document as _},
};
use plimsoll_model::Digest;
use plimsoll_policy::repository::disclaimer_path;
use plimsoll_testkit::SshKey;
use serde_json::{Value, json};
use std::fs;

const UNIT: &str = "shop@production";

/// Somebody's disclaimer as an attacker would write it, committed to the delivery repository.
fn commit_disclaimer(shop: &Shop, key: &SshKey, commit: &str, named: Value) {
    let decided = shop.world.json(&["why", UNIT]).ok().value();
    let decision = &decided["plimsoll_decision"];
    let disclaimer: Disclaimer = serde_json::from_value(json!({
        "version": 1, "project": decision["project"], "environment": decision["environment"], "commit": commit,
        "named": named, "statement": "I am named in this commit and did not take part",
    }))
    .unwrap();
    let bytes = document::write(&disclaimer).unwrap();
    let (path, delivery) = (disclaimer_path(&Digest::of(&bytes)), shop.world.delivery());
    fs::create_dir_all(delivery.join("disclaimers")).unwrap();
    fs::write(delivery.join(format!("{path}.sig")), key.sign(Disclaimer::NAMESPACE, &bytes)).unwrap();
    fs::write(delivery.join(path), bytes).unwrap();
    for arguments in [&["add", "disclaimers"][..], &["commit", "-qm", "a disclaimer"]] {
        assert!(shop.world.repository.command(&delivery).args(arguments).status().unwrap().success());
    }
}

/// Who takes part, by the refusal of a promotion.
fn excluded(shop: &Shop) -> Vec<String> {
    let refused = to(shop, "production").ended(1).value();
    let reasons = refused["reasons"].as_array().unwrap().iter();
    let own = reasons.filter(|reason| reason["code"] == "E-APPR-SELF");
    own.map(|reason| text(&reason["parameters"]["person"]).to_owned()).collect()
}

#[test]
fn who_is_named_falsely_says_so_and_nobody_else_can() {
    let (shop, [bob, dora]) = team();
    shop.world.repository.write("version", "\nv2");
    let message = "v2\n\nCo-authored-by: Bob <bob@example.org>";
    let commit = shop.world.repository.commit(message).as_str().to_owned();
    shop.world.plimsoll(&["run"]).ok();
    to(&shop, "staging").ok();
    to(&shop, "production").ended(1);
    bob.approve(UNIT).ok();
    dora.approve(UNIT).ok();
    assert_eq!(excluded(&shop), ["bob"]);

    let by_bob = json!({ "name": "Bob", "email": "bob@example.org" });
    commit_disclaimer(&shop, &dora.key, &commit, by_bob.clone());
    assert_eq!(excluded(&shop), ["bob"], "somebody else says so");
    commit_disclaimer(&shop, &SshKey::generate(), &commit, by_bob.clone());
    assert_eq!(excluded(&shop), ["bob"], "nobody says so");
    commit_disclaimer(&shop, &bob.key, &"1".repeat(40), by_bob);
    assert_eq!(excluded(&shop), ["bob"], "about another commit");
    commit_disclaimer(&shop, &bob.key, &commit, json!({ "name": "Bob", "email": "bob@home.example" }));
    assert_eq!(excluded(&shop), ["bob"], "by another name");

    let disclaim = |colleague: &crate::delivery::Colleague, commit: &str| {
        let key = colleague.key.private_path();
        let key = key.to_str().unwrap();
        colleague.plimsoll(&["approve", UNIT, "--yes", "--key", key, "--disclaim", commit])
    };
    disclaim(&dora, &commit).ended(2);
    disclaim(&bob, &commit[..4]).ended(2);
    disclaim(&bob, &"1".repeat(40)).ended(2);
    disclaim(&bob, &commit[..10]).ok();
    to(&shop, "production").ok();
    assert_eq!(shop.answer_at(1).as_deref(), Some("v2"));
    shop.world.plimsoll(&["dossier", UNIT, "--output", "shop.tar"]).ok();
    shop.world.plimsoll(&["verify", "shop.tar"]).ok();
}

#[test]
fn who_committed_it_cannot_disclaim_it() {
    let (shop, [bob, dora]) = team();
    to(&shop, "staging").ok();
    to(&shop, "production").ended(1);
    let commit = shop.world.repository.head().as_str().to_owned();
    let key = shop.world.person.private_path();
    let key = key.to_str().unwrap();
    shop.world.json(&["approve", UNIT, "--yes", "--key", key]).ok();
    bob.approve(UNIT).ok();
    let author = excluded(&shop);
    assert_eq!(author.len(), 1);
    shop.world.json(&["approve", UNIT, "--yes", "--key", key, "--disclaim", &commit]).ended(2);
    for (name, email) in [("Carl Committer", "carl@example.org"), ("Ada Author", "ada@example.org")] {
        commit_disclaimer(&shop, &shop.world.person, &commit, json!({ "name": name, "email": email }));
    }
    assert_eq!(excluded(&shop), author);
    dora.approve(UNIT).ok();
    to(&shop, "production").ok();
}

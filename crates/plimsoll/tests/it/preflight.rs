//! Before rules are signed: which of the releases that stand would they have refused?

use crate::{
    delivery::{team, to},
    service::Shop,
    world::{Ran, entries, text},
};
use serde_json::{Value, json};
use std::fs;

const LOCAL: &str = "environments/local/environment.yaml";

/// Writes a policy file of the work tree, without committing or signing it.
fn write(shop: &Shop, file: &str, change: impl FnOnce(&str) -> String) {
    let path = shop.world.delivery().join(file);
    let old = fs::read_to_string(&path).unwrap();
    let new = change(&old);
    assert_ne!(old, new);
    fs::write(path, new).unwrap();
}

fn preflight(shop: &Shop) -> Ran {
    let delivery = shop.world.delivery();
    shop.world.json(&["policy", "preflight", "-C", delivery.to_str().unwrap()])
}

/// Each unit with its result and the codes of its reasons.
fn results(ran: &Ran) -> Value {
    let value = ran.value();
    let units = value["units"].as_array().unwrap().iter().map(|line| {
        let reasons = line["reasons"].as_array().into_iter().flatten();
        let codes: Vec<_> = reasons.map(|reason| reason["code"].clone()).collect();
        json!([line["unit"], line["result"], codes])
    });
    units.collect()
}

fn delivered() -> Shop {
    let shop = Shop::new();
    shop.world.plimsoll(&["run"]).ok();
    shop.promote().ok();
    shop
}

#[test]
fn rules_are_tried_on_what_stands_before_anybody_signs_them() {
    let shop = delivered();
    assert_eq!(results(&preflight(&shop).ok()), json!([["shop@local", "pass", []]]));

    write(&shop, LOCAL, |file| file.replace("tests: {", "tests: {smoke: artifact, "));
    let refused = preflight(&shop).ended(1);
    assert_eq!(results(&refused), json!([["shop@local", "refuse", ["E-EVIDENCE-MISSING"]]]));
    let delivery = shop.world.delivery();
    let shown = shop.world.plimsoll(&["policy", "preflight", "-C", delivery.to_str().unwrap()]).ended(1);
    assert!(shown.stdout.contains("would refuse  shop@local  stands at decision"), "{shown:#?}");
    assert!(shown.stdout.contains("smoke") && shown.stdout.contains("next "), "{shown:#?}");
    assert_eq!(shop.answer().as_deref(), Some("v1"), "what runs goes on");

    write(&shop, LOCAL, |file| file.replace("smoke: artifact, ", "").replace("protected: true, ", ""));
    let passed = preflight(&shop).ok();
    assert_eq!(results(&passed), json!([["shop@local", "pass", []]]));
    assert!(text(&passed.value()["next"]).contains("policy sign"));
}

#[test]
fn rules_that_cannot_be_read_would_refuse() {
    let shop = delivered();
    write(&shop, LOCAL, |file| format!("{file}surprise: 1\n"));
    assert_eq!(results(&preflight(&shop).ended(1)), json!([["shop@local", "refuse", ["E-FILE-INVALID"]]]));
}

#[test]
fn where_nothing_stands_nothing_is_refused_and_other_directories_have_no_rules() {
    let shop = Shop::new();
    assert_eq!(results(&preflight(&shop).ok()), json!([]));
    let home = shop.world.home();
    shop.world.json(&["policy", "preflight", "-C", home.to_str().unwrap()]).ended(2);
}

#[test]
fn people_are_counted_by_the_other_rules_and_a_machine_without_the_dossier_cannot_tell() {
    let (shop, [bob, dora]) = team();
    to(&shop, "staging").ok();
    to(&shop, "production").ended(1);
    bob.approve("shop@production").ok();
    dora.approve("shop@production").ok();
    to(&shop, "production").ok();
    let both = |production: Value| json!([production, ["shop@staging", "pass", []]]);
    assert_eq!(results(&preflight(&shop).ok()), both(json!(["shop@production", "pass", []])));

    write(&shop, "environments/production/environment.yaml", |file| file.replace("{count: 1", "{count: 3"));
    let refused = results(&preflight(&shop).ended(1));
    assert_eq!(refused, both(json!(["shop@production", "refuse", ["E-APPR-QUORUM"]])));

    let delivery = shop.world.delivery();
    let elsewhere = bob.plimsoll(&["policy", "preflight", "-C", delivery.to_str().unwrap()]).ended(3);
    let unknown = json!([["shop@production", "unknown", []], ["shop@staging", "unknown", []]]);
    assert_eq!(results(&elsewhere), unknown);
}

/// A dossier that does not lead to its decision is no pass, and neither is one that is gone.
#[test]
fn a_dossier_that_is_damaged_tells_nothing() {
    let shop = delivered();
    let records = entries(&shop.world.state().join("runs"));
    let records: Vec<_> = records.iter().flat_map(|run| entries(&run.join("decisions"))).collect();
    let record: Value = serde_json::from_slice(&fs::read(&records[0]).unwrap()).unwrap();
    let dossier = shop.world.blob(&record["dossier"]);
    let mut bytes = fs::read(&dossier).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let unknown = json!([["shop@local", "unknown", []]]);
    fs::remove_file(&dossier).unwrap();
    assert_eq!(results(&preflight(&shop).ended(3)), unknown);
    fs::write(&dossier, bytes).unwrap();
    assert_eq!(results(&preflight(&shop).ended(3)), unknown);
}

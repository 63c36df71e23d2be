//! What runs, compared again when something becomes known: the right environments are named, and no others.

use crate::{
    advisories::{import, lock, record},
    delivery::{team_of, to},
    service::{EXECUTABLE, Shop, service_pipeline},
    world::{Ran, World, text},
};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// A shop that depends on a version of `smallvec`, with advisories that are about none of those.
fn shop(environments: &[&str], scans: &str) -> (Shop, PathBuf) {
    let shop = Shop::from(environments, |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", format!("{}  - {{scan: {scans}}}\n", service_pipeline()));
        world.repository.write("Cargo.lock", lock("1.6.0"));
    });
    let advisories = shop.world.scratch("mark", b"").with_file_name("osv");
    fs::create_dir(&advisories).unwrap();
    fs::write(advisories.join("old.json"), record("RUSTSEC-2018-0018", "2020-01-01T00:00:00Z", "0.6.7"))
        .unwrap();
    import(&shop.world, &advisories, &[]).ok();
    (shop, advisories)
}

fn scan(world: &World, more: &[&str]) -> Ran {
    world.json(&[&["scan", "released"], more].concat())
}

/// Each finding by its first name, with the places in which it is.
fn found(scanned: &Value) -> Value {
    let places = |finding: &Value| -> Vec<Value> {
        finding["releases"].as_array().unwrap().iter().map(|release| release["unit"].clone()).collect()
    };
    let findings = scanned["findings"].as_array().unwrap().iter();
    findings.map(|one| json!([one["finding"]["aliases"][0], places(one)])).collect()
}

#[test]
fn an_advisory_names_exactly_the_environments_that_run_what_it_is_about() {
    let (shop, advisories) = shop(&["staging", "production"], "[dependencies, sbom]");
    let (shop, [bob, dora]) = team_of(shop);
    to(&shop, "staging").ok();
    to(&shop, "production").ended(1);
    bob.approve("shop@production").ok();
    dora.approve("shop@production").ok();
    to(&shop, "production").ok();
    shop.world.repository.write("Cargo.lock", lock("1.6.1"));
    shop.commit_version("v2");
    shop.world.json(&["run"]).ok();
    to(&shop, "staging").ok();
    let quiet = scan(&shop.world, &[]).ok().value();
    assert_eq!((found(&quiet), &quiet["releases"]), (json!([]), &json!(2)));

    // Neither the source nor the artifact is looked at again.
    fs::rename(shop.world.repository.path(), shop.world.home().join("gone")).unwrap();
    fs::create_dir(shop.world.repository.path()).unwrap();
    let file = advisories.join("RUSTSEC-2021-0003.json");
    let known = record("RUSTSEC-2021-0003", "2023-06-13T13:10:24Z", "1.6.1");
    fs::write(&file, &known).unwrap();
    let imported = import(&shop.world, &advisories, &[]).ok().value();
    assert_eq!(imported["released"], json!({"artifacts": 2, "newly": 1}));
    let told = scan(&shop.world, &[]).ended(1).value();
    assert_eq!(found(&told), json!([["RUSTSEC-2021-0003", ["shop@production"]]]));
    assert_eq!(told["findings"][0]["finding"]["fix"], "update smallvec to 1.6.1");
    let shown = shop.world.plimsoll(&["scan", "released"]).ended(1).stdout;
    for part in
        ["critical: smallvec 1.6.0 is vulnerable", "in   shop@production  commit ", "fix  update smallvec"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("staging"), "{shown}");
    let rows = shop.world.json(&["status"]).ok().value()["environments"].clone();
    let today = |row: &Value| (text(&row["unit"]).to_owned(), row["known"]["names"].clone());
    let told: Vec<_> = rows.as_array().unwrap().iter().map(today).collect();
    let expect = [("shop@production", json!(["RUSTSEC-2021-0003"])), ("shop@staging", Value::Null)];
    assert_eq!(told, expect.map(|(unit, names)| (unit.to_owned(), names)));
    let board = shop.world.plimsoll(&["status"]).ok().stdout;
    let line = "known today, by advisories of 2023-06-13: RUSTSEC-2021-0003, at worst critical";
    assert_eq!(board.matches(line).count(), 1, "{board}");
    let again = shop.world.plimsoll(&["advisories", "import", advisories.to_str().unwrap()]).ok().stdout;
    assert!(again.contains("nothing new about 2 released artifacts"), "{again}");
    scan(&shop.world, &["--environment", "production"]).ended(1);
    scan(&shop.world, &["--environment", "staging"]).ok();
    scan(&shop.world, &["--environment", "production", "--environment", "staging"]).ended(1);

    // What is withdrawn is silent again.
    let withdrawn = known.replace(
        "\"modified\":\"2023-06-13T13:10:24Z\"",
        "\"modified\":\"2024-01-01T00:00:00Z\",\"withdrawn\":\"2024-01-01T00:00:00Z\"",
    );
    fs::write(&file, withdrawn).unwrap();
    import(&shop.world, &advisories, &[]).ok();
    scan(&shop.world, &[]).ok();
}

#[test]
fn what_was_known_when_it_was_released_is_not_told_as_new() {
    let (shop, advisories) = shop(&["local"], "[dependencies, sbom]");
    fs::write(advisories.join("new.json"), record("RUSTSEC-2021-0003", "2023-06-13T13:10:24Z", "1.6.1"))
        .unwrap();
    import(&shop.world, &advisories, &[]).ok();
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("  scans: {dependencies: {block: high}}\n", "")
    });
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
    let none = scan(&shop.world, &[]).ok().value();
    assert_eq!(found(&none), json!([]));
    let all = scan(&shop.world, &["--all"]).ended(1).value();
    assert_eq!(found(&all), json!([["RUSTSEC-2021-0003", ["shop@local"]]]));
    assert_eq!(all["findings"][0]["new"], false);
    scan(&shop.world, &["--all", "--least", "critical"]).ended(1);
}

#[test]
fn a_release_without_a_signed_list_is_not_called_clean() {
    let (shop, _) = shop(&["local"], "[dependencies]");
    shop.world.json(&["run"]).ok();
    shop.promote().ok();
    let told = scan(&shop.world, &[]).ended(3).value();
    assert!(text(&told["untold"][0]).starts_with("shop@local commit "), "{told}");
    assert_eq!(told["releases"], 1);
}

#[test]
fn without_advisories_nobody_can_tell() {
    scan(&World::empty(), &[]).ended(3).refused(&["E-ADVISORY-INDEX"]);
    let shop = Shop::new();
    scan(&shop.world, &[]).ended(3).refused(&["E-ADVISORY-INDEX"]);
    assert_eq!(shop.world.json(&["status"]).ok().value()["environments"][0].get("known"), None);
    shop.world.plimsoll(&["scan", "released", "--environment", "No Such"]).ended(2);
}

//! The floors hold for the real workspace, and each way of breaking them is found in a copy that breaks it.

use super::*;
use serde_json::{Value, json};

fn real() -> Value {
    serde_json::to_value(&Project::open().unwrap().metadata).unwrap()
}

fn id_of(metadata: &Value, name: &str) -> Value {
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().find(|package| package["name"] == name).unwrap()["id"].clone()
}

/// Adds an edge of the given kind (`null`: a normal one).
fn connect(metadata: &mut Value, from: &str, to: &str, kind: &Value) {
    let (from, to) = (id_of(metadata, from), id_of(metadata, to));
    let nodes = metadata["resolve"]["nodes"].as_array_mut().unwrap();
    let node = nodes.iter_mut().find(|node| node["id"] == from).unwrap();
    node["deps"].as_array_mut().unwrap().push(json!({
        "name": "injected", "pkg": to, "dep_kinds": [{"kind": kind, "target": null}],
    }));
}

/// Adds a package that nothing depends on, shaped like one that is there.
fn publish(metadata: &mut Value, name: &str, target_kind: &str) {
    let id = json!(format!("registry+test#{name}@1.0.0"));
    let mut package = metadata["packages"][0].clone();
    package["name"] = json!(name);
    package["id"] = id.clone();
    package["targets"][0]["kind"] = json!([target_kind]);
    package["targets"].as_array_mut().unwrap().truncate(1);
    metadata["packages"].as_array_mut().unwrap().push(package);
    let node = json!({"id": id, "dependencies": [], "deps": [], "features": []});
    metadata["resolve"]["nodes"].as_array_mut().unwrap().push(node);
}

fn check(change: impl FnOnce(&mut Value), expect: &[&str]) {
    let mut metadata = real();
    change(&mut metadata);
    let found = findings(&serde_json::from_value(metadata).unwrap()).unwrap();
    assert_eq!(found, expect);
}

#[test]
fn the_workspace_keeps_its_floors() {
    check(|_| {}, &[]);
}

#[test]
fn tokio_on_the_ground_floor_is_found_at_any_depth() {
    for victim in ["plimsoll-model", "serde_json"] {
        let mut metadata = real();
        publish(&mut metadata, "tokio", "lib");
        connect(&mut metadata, victim, "tokio", &Value::Null);
        let found = findings(&serde_json::from_value(metadata).unwrap()).unwrap();
        for (name, _) in FLOORS.iter().filter(|(_, floor)| *floor == Floor::Pure) {
            let reported =
                |line: &&String| line.starts_with(&format!("{name} -> ")) && line.contains("-> tokio: ");
            assert_eq!(found.iter().filter(reported).count(), 1, "{name} with {victim} -> tokio: {found:?}");
        }
    }
}

#[test]
fn what_only_runs_while_compiling_or_testing_is_not_part_of_a_crate() {
    check(
        |m| {
            publish(m, "tokio", "lib");
            publish(m, "derive-something", "proc-macro");
            connect(m, "derive-something", "tokio", &Value::Null);
            connect(m, "plimsoll-model", "derive-something", &Value::Null);
            connect(m, "plimsoll-model", "tokio", &json!("build"));
            connect(m, "plimsoll-model", "tokio", &json!("dev"));
        },
        &[],
    );
}

#[test]
fn dependencies_point_downward() {
    check(
        |m| connect(m, "plimsoll-git", "plimsoll-store", &Value::Null),
        &["plimsoll-git -> plimsoll-store: floor-2 crates never know each other"],
    );
    check(
        |m| connect(m, "plimsoll-git", "plimsoll-store", &json!("dev")),
        &["plimsoll-git -> plimsoll-store: floor-2 crates never know each other"],
    );
    check(
        |m| connect(m, "plimsoll-fs", "plimsoll-host", &Value::Null),
        &["plimsoll-fs -> plimsoll-host: upward, from Engine to Adapter"],
    );
}

#[test]
fn test_helpers_are_for_tests() {
    check(
        |m| connect(m, "plimsoll-host", "plimsoll-testkit", &Value::Null),
        &["plimsoll-host -> plimsoll-testkit: only tests may use it"],
    );
    check(|m| connect(m, "plimsoll-host", "plimsoll-testkit", &json!("dev")), &[]);
}

#[test]
fn only_the_top_floor_talks_to_a_terminal() {
    check(
        |m| connect(m, "plimsoll-engine", "clap", &Value::Null),
        &["plimsoll-engine -> clap: only floor 3 talks to a terminal"],
    );
}

#[test]
fn the_ground_floor_asks_for_no_randomness() {
    check(
        |m| connect(m, "plimsoll-policy", "getrandom", &Value::Null),
        &["plimsoll-policy -> getrandom: floor 0 takes time, randomness and configuration as arguments"],
    );
}

#[test]
fn a_crate_without_a_floor_is_found() {
    check(
        |m| {
            publish(m, "plimsoll-surprise", "lib");
            let id = id_of(m, "plimsoll-surprise");
            m["workspace_members"].as_array_mut().unwrap().push(id);
        },
        &["plimsoll-surprise has no floor: add it to FLOORS in crates/xtask/src/layering.rs"],
    );
}

//! `plimsoll sbom`: the list of what a tree depends on, and what it says of itself.

use crate::world::World;
use serde_json::Value;
use std::fs;

const CARGO: &str = "version = 4\n\n[[package]]\nname = \"itoa\"\nversion = \"1.0.1\"\n\
    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n\
    [[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\"itoa\"]\n";

fn list(world: &World, arguments: &[&str]) -> Value {
    serde_json::from_str(&world.plimsoll(&[&["sbom", "--name", "shop"], arguments].concat()).ok().stdout)
        .unwrap()
}

#[test]
fn a_tree_is_listed_in_either_notation_and_the_same_content_gives_the_same_bytes() {
    let world = World::empty();
    world.repository.write("Cargo.lock", CARGO);
    let document = list(&world, &[]);
    assert_eq!(document["specVersion"], "1.6");
    assert_eq!(document["components"][1]["purl"], "pkg:cargo/itoa@1.0.1");
    assert_eq!(document["compositions"][0]["aggregate"], "complete");
    assert_eq!(list(&world, &[]), document);
    let dated = list(&world, &["--created", "2026-01-31T12:00:00Z"]);
    assert_eq!(dated["metadata"]["timestamp"], "2026-01-31T12:00:00Z");
    let file = world.scratch("shop.spdx.json", b"");
    world.plimsoll(&["sbom", "--format", "spdx", "--output", file.to_str().unwrap()]).ok();
    let spdx: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(spdx["spdxVersion"], "SPDX-2.3");
}

#[test]
fn a_list_that_lacks_something_says_so_in_the_file_and_on_the_terminal() {
    let world = World::empty();
    world.repository.write("requirements.txt", "flask>=2\n");
    world.repository.write("web/package-lock.json", "{");
    let shown = world.plimsoll(&["sbom"]).ok();
    assert!(shown.stderr.contains("completeness: incomplete"), "{}", shown.stderr);
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    let reasons: Vec<_> =
        document["metadata"]["properties"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(
        reasons,
        ["plimsoll:incomplete:requirements.txt", "plimsoll:incomplete:web/package-lock.json"]
    );
}

#[test]
fn a_tree_without_lock_files_is_unknown_and_wrong_use_is_told() {
    let world = World::empty();
    assert_eq!(list(&world, &[])["compositions"][0]["aggregate"], "unknown");
    world.plimsoll(&["sbom", "nowhere"]).ended(2);
    world.plimsoll(&["sbom", "--format", "word"]).ended(2);
    world.plimsoll(&["sbom", "--run", "0"]).ended(2);
    world.plimsoll(&["sbom", "--output", "/nowhere/bom.json"]).ended(3);
    world.repository.write("notes.txt", "nothing\n");
    world.plimsoll(&["sbom", "notes.txt"]).ended(2);
}

//! What is made to break a scanner: each comes to an answer within a bound of memory, says why, and is never clean. The
//! bounds of each reader have tests beside it; here they hold for the whole program.

use crate::{
    advisories::record,
    packed::gzip,
    secret_modes::Place,
    world::{Ran, World, text},
};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

/// Bytes of memory that a scan may ask for in all of these cases.
const MEMORY: u64 = 1 << 30;

/// A scan within [`MEMORY`].
fn scan(world: &World, arguments: &[&str]) -> Ran {
    let limit = format!("--data={MEMORY}");
    Ran::of(&mut world.prefixed(&["prlimit", &limit, "--"], &[&["--json", "scan"], arguments].concat()))
}

/// It is partial because of this file, and says this of it.
fn partial(ran: &Ran, path: &str, problem: &str) {
    let report = ran.value()["reports"][0].clone();
    assert_eq!((ran.status, text(&report["verdict"])), (3, "partial"), "{ran:#?}");
    let gaps = report["coverage"]["gaps"].as_array().unwrap().clone();
    let gap = gaps.iter().find(|gap| text(&gap["path"]).contains(path));
    let gap = gap.unwrap_or_else(|| panic!("no gap of {path}: {ran:#?}"));
    assert!(text(&gap["problem"]).contains(problem), "{gap}");
}

fn laughs(beginning: &str) -> String {
    let mut yaml = format!("{beginning}\na0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..10 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        yaml += &format!("a{level}: &a{level} [{inner}]\n");
    }
    yaml
}

#[test]
fn a_billion_laughs_is_a_gap() {
    for (path, beginning) in [
        (
            "pod.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}",
        ),
        (".github/workflows/a.yml", "on: push\njobs: {a: {runs-on: x, steps: [{run: a}]}}"),
        (".gitlab-ci.yml", "a: {script: [b]}"),
    ] {
        let world = World::empty();
        world.repository.write(path, laughs(beginning));
        partial(&scan(&world, &["config"]), path, "");
    }
}

#[test]
fn a_file_of_ten_gigabytes_is_a_gap_of_each_scanner_that_would_read_it() {
    for (engine, path) in [("secrets", "huge"), ("config", "Dockerfile"), ("config", "huge.yaml")] {
        let world = World::empty();
        let file = fs::File::create(world.repository.path().join(path)).unwrap();
        file.set_len(10 << 30).unwrap();
        partial(&scan(&world, &[engine]), path, "");
    }
}

/// A world with advisories about `smallvec`.
fn informed() -> World {
    let world = World::empty();
    let records = world.scratch("marker", b"").with_file_name("osv");
    fs::create_dir(&records).unwrap();
    let record = record("RUSTSEC-2021-0003", "2023-06-13T13:10:24Z", "1.6.1");
    fs::write(records.join("RUSTSEC-2021-0003.json"), record).unwrap();
    world.json(&["advisories", "import", records.to_str().unwrap()]).ok();
    world
}

/// One is longer than any that is read, the other has more entries than any that is kept.
#[test]
fn a_lock_file_with_a_million_entries_is_a_gap() {
    let world = informed();
    for entries in [1_000_000, 300_000] {
        let mut lock = "version = 4\n".to_owned();
        for number in 0..entries {
            lock += &format!("[[package]]\nname = \"p{number}\"\nversion = \"1.0.0\"\n");
        }
        world.repository.write("Cargo.lock", lock);
        partial(&scan(&world, &["dependencies"]), "Cargo.lock", "");
    }
}

#[test]
fn dependencies_that_need_each_other_come_to_an_end() {
    let world = informed();
    let registry = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let package = |name: &str, version: &str, more: &str, needs: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{more}\ndependencies = [\n \"{needs}\",\n]\n\n"
        )
    };
    let lock = [
        "version = 4\n\n".to_owned(),
        package("circle", "1.0.0", registry, "smallvec"),
        package("shop", "0.1.0", "", "circle"),
        package("smallvec", "1.6.0", registry, "circle"),
    ];
    world.repository.write("Cargo.lock", lock.concat());
    let found = scan(&world, &["dependencies"]).ended(1).value();
    assert_eq!(found["reports"][0]["findings"].as_array().unwrap().len(), 1);
    let shown = world.plimsoll(&["scan", "dependencies", "--explain", "RUSTSEC-2021-0003"]).ok().stdout;
    assert!(shown.contains("circle") && shown.contains("smallvec"), "{shown}");
    let node = r#"{"name":"shop","lockfileVersion":3,"packages":{"":{"name":"shop","dependencies":{"a":"1"}},"node_modules/a":{"version":"1.0.0","dependencies":{"b":"1"}},"node_modules/b":{"version":"1.0.0","dependencies":{"a":"1"}}}}"#;
    world.repository.write("Cargo.lock", "version = 4\n");
    world.repository.write("package-lock.json", node);
    // Nobody imported advisories about npm; that the file was read whole is what counts here.
    let read = scan(&world, &["dependencies"]).ended(3).value();
    assert_eq!(read["reports"][0]["coverage"]["packages"], 2, "{read}");
}

#[test]
fn what_is_no_text_is_read_as_what_it_is_or_is_a_gap() {
    let world = informed();
    world.repository.write("Cargo.lock", b"\0\x01\x02binary");
    partial(&scan(&world, &["dependencies"]), "Cargo.lock", "");
    let wide = |text: &str| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    world.repository.write("Dockerfile", wide("FROM scratch\nENV API_TOKEN=tr0ub4dor\nUSER 10001\n"));
    let found = scan(&world, &["config"]).ended(1);
    assert!(found.stdout.contains("config/dockerfile-secret-in-env"), "{found:#?}");
}

/// A layer that unpacks to a thousand times its length is read in pieces and given up.
#[test]
fn a_layer_that_unpacks_without_end_is_a_gap() {
    let world = World::empty();
    let mut bomb = vec![0; 64 << 20];
    for _ in 0..2 {
        bomb = gzip(&bomb);
    }
    let twice = world.scratch("layer.gz", &gzip(&gzip(&gzip(&bomb))));
    let ran = scan(&world, &["secrets", "--image", twice.to_str().unwrap()]);
    partial(&ran, "layer.gz", "");
}

#[test]
fn a_history_with_a_missing_object_is_partial() {
    let place = Place::new();
    place.repository.write("a", "first\n");
    place.repository.commit("one");
    let blob = place.repository.git(&["rev-parse", "HEAD:a"]);
    place.repository.write("a", "second\n");
    place.repository.commit("two");
    place.scan(0, &["--history"]);
    let object = place.repository.path().join(".git/objects").join(&blob[..2]).join(&blob[2..]);
    fs::set_permissions(&object, Permissions::from_mode(0o600)).unwrap();
    let whole = fs::read(&object).unwrap();
    fs::write(&object, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(text(&place.scan(3, &["--history"])["verdict"]), "partial", "cut off");
    fs::remove_file(&object).unwrap();
    assert_eq!(text(&place.scan(3, &["--history"])["verdict"]), "partial", "gone");
}

/// Colours are asked for, as on a terminal: without them every escape would be taken out whoever wrote it.
#[test]
fn a_name_of_a_file_drives_no_terminal_in_an_error() {
    let world = World::empty();
    let name = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}";
    world.repository.write(name, "nothing\n");
    let nowhere = format!("nowhere{name}");
    for words in [["sbom", name].as_slice(), &["scan", "secrets", &nowhere]] {
        let ran = Ran::of(world.command(words).env("CLICOLOR_FORCE", "1"));
        assert!(ran.status != 0 && ran.stderr.contains("]0;owned"), "{ran:?}");
        for part in ["\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}"] {
            assert!(!ran.stderr.contains(part), "{ran:?}");
        }
    }
}

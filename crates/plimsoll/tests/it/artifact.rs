//! From a commit to an artifact and its statements, and what verification says of changed ones.

use crate::world::{Ran, World, pipeline_with, text};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn world() -> World {
    let evidence = "evidence:\n  - {test: unit, on: source, run: test -f plimsoll.yaml}\n  - {test: smoke, on: artifact, run: grep ahoy /artifact/x}\n";
    World::new(&pipeline_with("echo ahoy > out/x", "out: [out]", evidence))
}

fn statement<'a>(run: &'a Value, name: &str) -> &'a Value {
    let statements = run["statements"].as_array().expect("statements");
    statements.iter().find(|statement| statement["name"] == name).expect("a statement of that name")
}

/// The file of the only artifact's only file.
fn built(world: &World, run: &Value) -> PathBuf {
    world.blob(&run["artifact"]["files"][0]["digest"])
}

#[test]
fn a_commit_becomes_an_artifact_with_one_statement_for_everything_that_was_watched() {
    let world = world();
    let run = world.json(&["run"]).ok().value();
    assert_eq!(run["commit"], world.repository.head().as_str());
    assert_eq!(fs::read_to_string(built(&world, &run)).unwrap(), "ahoy\n");
    for (name, role, predicate) in [
        ("source", "source", "https://plimsoll.dev/source/v1"),
        ("artifact", "builder", "https://slsa.dev/provenance/v1"),
        ("unit", "scanner", "https://in-toto.io/attestation/test-result/v0.1"),
        ("smoke", "scanner", "https://in-toto.io/attestation/test-result/v0.1"),
        ("run", "builder", "https://plimsoll.dev/run/v1"),
    ] {
        let made = statement(&run, name);
        let bundle = world.blob(&made["bundle"]);
        let verified = world.json(&["verify", bundle.to_str().unwrap()]).ok().value();
        assert_eq!(
            (&verified["role"], &verified["predicateType"]),
            (&role.into(), &predicate.into()),
            "{name}"
        );
        assert_eq!((&made["role"], &made["predicate_type"]), (&role.into(), &predicate.into()), "{name}");
    }
}

#[test]
fn the_same_commit_twice_gives_the_same_artifact() {
    let world = world();
    let runs = [(); 2].map(|()| world.json(&["run"]).ok().value());
    assert_eq!(runs[0]["artifact"], runs[1]["artifact"]);
    assert_ne!(runs[0]["run"], runs[1]["run"]);

    let again = self::world();
    let run = again.json(&["run"]).ok().value();
    assert_eq!(runs[0]["artifact"], run["artifact"], "another clone, another state directory");
}

#[test]
fn a_statement_counts_only_as_it_was_signed_for_what_it_names_by_a_key_that_is_known() {
    let world = world();
    let run = world.json(&["run"]).ok().value();
    let bundle = world.blob(&statement(&run, "artifact")["bundle"]);
    let bytes = fs::read(&bundle).unwrap();
    let other = world.scratch("other", b"not what was built");
    let verify = |file: &Path, subject: &Path| {
        world.json(&["verify", file.to_str().unwrap(), "--subject", subject.to_str().unwrap()])
    };

    verify(&bundle, &built(&world, &run)).ok();
    verify(&bundle, &other).ended(1).refused(&["E-SUBJECT"]);
    let changed = world.scratch("changed", &flip(&bytes, "\"payload\":\"", 40));
    verify(&changed, &other).ended(1).refused(&["E-SIGNATURE"]);
    let unsigned = world.scratch("unsigned", &flip(&bytes, "\"sig\":\"", 20));
    verify(&unsigned, &other).ended(1).refused(&["E-SIGNATURE"]);
    for (what, bytes) in
        [("cut", &bytes[..bytes.len() / 2]), ("json", b"{}"), ("deep", &b"{\"a\":".repeat(5000))]
    {
        verify(&world.scratch(what, bytes), &other).ended(1).refused(&["E-BUNDLE-PARSE"]);
    }

    let stranger = self::world();
    stranger.plimsoll(&["run"]).ok();
    stranger.json(&["verify", bundle.to_str().unwrap()]).ended(1).refused(&["E-SIGNER-UNKNOWN"]);
}

#[test]
fn no_flipped_bit_of_a_bundle_verifies_as_something_else() {
    let world = world();
    let run = world.json(&["run"]).ok().value();
    let original =
        world.json(&["verify", world.blob(&statement(&run, "run")["bundle"]).to_str().unwrap()]).value();
    let bytes = fs::read(world.blob(&statement(&run, "run")["bundle"])).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 40) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let file = world.scratch("flipped", &changed);
        let ran = world.json(&["verify", file.to_str().unwrap()]);
        // What a signature does not cover, as the hint of a key, may change and must not matter.
        let same = ran.status == 0 && ran.value() == original;
        assert!(ran.status == 1 || same, "byte {at}: {ran:#?}");
    }
}

/// The file with one character behind `marker` replaced by another of the same alphabet.
fn flip(bytes: &[u8], marker: &str, behind: usize) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let at = text.find(marker).unwrap_or_else(|| panic!("no {marker} in {text}")) + marker.len() + behind;
    let mut bytes = bytes.to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    bytes
}

/// The judge that never heard of Plimsoll.
#[test]
fn cosign_accepts_the_provenance_and_refuses_it_for_anything_else() {
    let world = world();
    let run = world.json(&["run"]).ok().value();
    let key = world.plimsoll(&["trust", "key", "builder"]).ok().stdout;
    let key = world.scratch("builder.pub", key.as_bytes());
    let bundle = world.blob(&statement(&run, "artifact")["bundle"]);
    let built = built(&world, &run);

    assert_eq!(cosign(&world, &key, &bundle, &built).status, 0);
    let other = world.scratch("other", b"not what was built");
    assert_ne!(cosign(&world, &key, &bundle, &other).status, 0);
    let changed = world.scratch("changed", &flip(&fs::read(&bundle).unwrap(), "\"payload\":\"", 40));
    assert_ne!(cosign(&world, &key, &changed, &built).status, 0);
    let scanner = world.plimsoll(&["trust", "key", "scanner"]).ok().stdout;
    let scanner = world.scratch("scanner.pub", scanner.as_bytes());
    assert_ne!(cosign(&world, &scanner, &bundle, &built).status, 0);
}

fn cosign(world: &World, key: &Path, bundle: &Path, file: &Path) -> Ran {
    cosign_as(world, key, "https://slsa.dev/provenance/v1", bundle, file)
}

/// What `cosign` says of a bundle of this kind.
pub(crate) fn cosign_as(world: &World, key: &Path, kind: &str, bundle: &Path, file: &Path) -> Ran {
    let mut command = Command::new(find_cosign());
    command.args(["verify-blob-attestation", "--insecure-ignore-tlog", "--type", kind]);
    command.arg("--key").arg(key).arg("--bundle").arg(bundle).arg(file);
    command.env_clear().env("HOME", world.home());
    Ran::of(&mut command)
}

fn find_cosign() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or(home).unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.push(cache.join("plimsoll-dev/bin"));
    let found = places.into_iter().map(|place| place.join("cosign")).find(|file| file.is_file());
    found.expect("cosign 3 is missing; dev/install.sh puts it where these tests look")
}

#[test]
fn the_statement_of_a_check_names_what_it_looked_at() {
    let world = world();
    let run = world.json(&["run"]).ok().value();
    let subject = |name: &str| {
        let bundle = world.blob(&statement(&run, name)["bundle"]);
        let value = world.json(&["verify", bundle.to_str().unwrap()]).ok().value();
        value["subject"].to_string()
    };
    let manifest = text(&run["artifact"]["manifest"]).trim_start_matches("sha256:").to_owned();
    let tree = text(&run["tree"]).trim_start_matches("sha256:").to_owned();
    assert!(subject("smoke").contains(&manifest), "{}", subject("smoke"));
    assert!(subject("unit").contains(&tree), "{}", subject("unit"));
    assert!(!subject("unit").contains(&manifest));
}

#[test]
fn an_export_is_whole_for_tools_that_know_nothing_of_the_state_directory() {
    let world = world();
    let run = world.json(&["run"]).ok().value();
    let to = world.home().join("export");
    let export = |to: &Path| world.json(&["export", text(&run["run"]), "--to", to.to_str().unwrap()]);
    export(&to).ok();
    let file = to.join("files/x");
    assert_eq!(fs::read_to_string(&file).unwrap(), "ahoy\n");
    let key = world.plimsoll(&["trust", "key", "builder"]).ok().stdout;
    let key = world.scratch("builder.pub", key.as_bytes());
    assert_eq!(cosign(&world, &key, &to.join("artifact.sigstore.json"), &file).status, 0);
    export(&to).ended(2);
}

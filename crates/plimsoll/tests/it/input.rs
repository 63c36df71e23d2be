//! Bad input: every message has a code or a place, the exit status says whose turn it is, and nothing is recorded of a
//! run that did not begin.

use crate::world::{Ran, World, pipeline, pipeline_with};
use std::{fs, process::Command};

fn good() -> World {
    World::new(&pipeline("echo x > out/x"))
}

#[test]
fn a_folder_is_not_a_commit() {
    let world = good();
    let folder = tempfile::tempdir().unwrap();
    world.json(&["run", "-C", folder.path().to_str().unwrap()]).ended(2).refused(&["E-SRC-NO-REPOSITORY"]);
    world.json(&["run", "-C", "/nowhere"]).ended(2);
    World::empty().json(&["run"]).ended(2).refused(&["E-SRC-REVISION"]);
}

#[test]
fn a_run_is_about_a_commit_that_exists() {
    let world = good();
    for revision in ["nowhere", "0000000000000000000000000000000000000000", "HEAD~9", "HEAD:plimsoll.yaml"] {
        world.json(&["run", revision]).ended(2).refused(&["E-SRC-REVISION"]);
    }
    world.json(&["run", "main"]).ok();
    world.json(&["run", world.repository.head().as_str()]).ok();
}

#[test]
fn a_shallow_clone_is_refused() {
    let world = good();
    world.repository.commit("second");
    let clone = tempfile::tempdir().unwrap();
    let from = format!("file://{}", world.repository.path().display());
    let mut git = world.repository.command(clone.path());
    Ran::of(git.args(["clone", "-q", "--depth=1", &from, "shallow"])).ok();
    let shallow = clone.path().join("shallow");
    world.json(&["run", "-C", shallow.to_str().unwrap()]).ended(1).refused(&["E-SRC-SHALLOW"]);
    Ran::of(world.repository.command(&shallow).args(["fetch", "-q", "--unshallow"])).ok();
    world.json(&["run", "-C", shallow.to_str().unwrap()]).ok();
}

#[test]
fn a_commit_without_a_pipeline_and_one_with_a_broken_pipeline_are_refused_before_anything_runs() {
    let world = World::empty();
    world.repository.write("README", "nothing else");
    world.repository.commit("first");
    world.json(&["run"]).ended(2).refused(&["E-FILE-MISSING"]);

    world.commit_pipeline("version: 1\nproject: Shop!\nbulid: {}\nevidence: 3\n");
    world.json(&["run"]).ended(2).refused(&["E-FILE-INVALID"]);
    let shown = world.plimsoll(&["run"]).ended(2).stderr;
    for part in ["plimsoll.yaml:2", "plimsoll.yaml:3", "plimsoll.yaml:4", "build", "evidence"] {
        assert!(shown.contains(part), "all errors at once, each with its place: no {part} in {shown}");
    }
    let check = world.plimsoll(&["check"]).ended(2).stderr;
    assert!(check.contains("plimsoll.yaml:2"), "{check}");
    let status = world.json(&["status"]);
    assert!(!status.stdout.contains("\"passed\""), "{status:#?}");
}

#[test]
fn what_no_pipeline_may_say_is_refused() {
    let cyclic = "version: 1\nproject: shop\nbuild:\n  steps:\n    - {name: a, run: x, needs: [b], out: [out]}\n    - {name: b, run: x, needs: [a]}\n  artifact:\n    files: [out/x]\n";
    for (what, pipeline, code) in [
        ("a cycle", cyclic.to_owned(), "E-FILE-INVALID"),
        (
            "a key that is not known",
            pipeline_with("x", "image: debian\n      out: [out]", ""),
            "E-FILE-INVALID",
        ),
        ("a key twice", pipeline("x") + "project: again\n", "E-FILE-INVALID"),
        ("an alias bomb", format!("a: &a [x,x]\nb: &b [*a,*a]\n{}", pipeline("x")), "E-FILE-INVALID"),
        (
            "event text in a command",
            pipeline("echo ${{ github.event.title }} > out/x"),
            "E-TEMPLATE-UNTRUSTED",
        ),
        ("no text at all", "\u{0}\u{1}".to_owned(), "E-FILE-INVALID"),
    ] {
        let world = World::new(&pipeline);
        for command in ["run", "check"] {
            let ran = world.json(&[command]);
            assert_eq!((ran.status, ran.codes()), (2, vec![code.to_owned()]), "{what}, {command}: {ran:#?}");
        }
    }
}

#[test]
fn only_what_is_committed_is_built_and_the_rest_is_named() {
    let world = World::new(&pipeline("ls > out/x"));
    world.repository.write("draft", "not committed");
    let ran = world.plimsoll(&["run"]).ok();
    assert!(ran.stderr.contains("left out: draft"), "{ran:#?}");
    let status = world.json(&["status"]).ok().value();
    let record = &status["runs"][0]["record"];
    let listed = fs::read_to_string(world.blob(&record["artifact"]["files"][0]["digest"])).unwrap();
    assert!(!listed.contains("draft"), "{listed}");
}

#[test]
fn a_replaced_commit_is_built_as_it_was_committed() {
    let world = World::new(&pipeline("cat said > out/x"));
    world.repository.write("said", "the truth");
    let honest = world.repository.commit("honest");
    world.repository.write("said", "something else");
    let other = world.repository.commit("other");
    world.repository.git(&["replace", honest.as_str(), other.as_str()]);
    let run = world.json(&["run", honest.as_str()]).ok().value();
    let built = fs::read_to_string(world.blob(&run["artifact"]["files"][0]["digest"])).unwrap();
    assert_eq!(built, "the truth");
}

#[test]
fn what_a_commit_only_points_to_is_no_part_of_it() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    let world = good();
    world.repository.write("big.bin", pointer);
    world.repository.commit("a pointer");
    world.json(&["run"]).ended(1).refused(&["E-SRC-LFS"]);

    let (world, inner) = (good(), good());
    let from = inner.repository.path();
    world.repository.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        from.to_str().unwrap(),
        "inner",
    ]);
    world.repository.commit("a submodule");
    world.json(&["run"]).ended(1).refused(&["E-SRC-SUBMODULE"]);
}

#[test]
fn borrowed_objects_are_refused() {
    let world = good();
    let clone = tempfile::tempdir().unwrap();
    let from = world.repository.path();
    let mut git = world.repository.command(clone.path());
    Ran::of(git.args(["clone", "-q", "--shared", from.to_str().unwrap(), "borrowed"])).ok();
    let borrowed = clone.path().join("borrowed");
    world.json(&["run", "-C", borrowed.to_str().unwrap()]).ended(1).refused(&["E-SRC-ALTERNATES"]);
}

/// The only pipeline here that needs Rust, whose files are hashed once.
#[test]
fn a_lock_file_that_does_not_fit_is_refused_without_a_network() {
    let world = World::empty();
    let pipeline = pipeline("echo x > out/x").replace("build:\n", "build:\n  fetch: [cargo]\n");
    world.repository.write("plimsoll.yaml", pipeline);
    let manifest = "[package]\nname = \"shop\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[dependencies]\nshelf = { path = \"shelf\" }\n";
    let shelf = "[package]\nname = \"shelf\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";
    for (path, content) in [
        ("Cargo.toml", manifest),
        ("src/main.rs", "fn main() {}\n"),
        ("shelf/Cargo.toml", shelf),
        ("shelf/src/lib.rs", ""),
    ] {
        world.repository.write(path, content);
    }
    let lock =
        |shelf: &str| format!("version = 4\n\n{shelf}[[package]]\nname = \"shop\"\nversion = \"1.0.0\"\n");
    world.repository.write("Cargo.lock", lock(""));
    world.repository.commit("stale");
    let run = |world: &World| Ran::of(world.command(&["--json", "run"]).env("PATH", path_with_rust()));
    run(&world).ended(1).refused(&["E-LOCK-STALE"]);

    world.repository.remove("Cargo.lock");
    world.repository.commit("none");
    run(&world).ended(1).refused(&["E-LOCK-INCOMPLETE"]);

    let entry = "[[package]]\nname = \"shelf\"\nversion = \"1.0.0\"\n\n";
    world.repository.write("Cargo.lock", lock(entry) + "dependencies = [\n \"shelf\",\n]\n");
    world.repository.commit("fits");
    run(&world).ok();
}

/// The real compiler's directory before the system's: a shim would look for its own configuration.
pub(crate) fn path_with_rust() -> String {
    let sysroot = Ran::of(Command::new("rustc").args(["--print", "sysroot"])).ok().stdout;
    format!("{}/bin:/usr/local/bin:/usr/bin:/bin", sysroot.trim())
}

//! What scripts rely on: one JSON document, exit statuses, no colour where nobody looks, and pipes that may close.

use crate::{
    input::path_with_rust,
    service::Shop,
    world::{Ran, World, pipeline, text},
};
use std::io::Read as _;

#[test]
fn every_command_gives_one_json_document_and_its_documented_status() {
    let shop = Shop::new();
    let run = shop.world.json(&["run"]).ok().value();
    shop.promote().ok();
    let id = run["run"].as_str().unwrap();
    let bundle = shop.world.blob(&run["statements"][0]["bundle"]);
    let delivery = shop.world.delivery();
    let delivery = delivery.to_str().unwrap();
    let cases: &[(&[&str], i32)] = &[
        (&["status"], 0),
        (&["check"], 0),
        (&["check", delivery], 0),
        (&["check", "/nowhere"], 2),
        (&["why", "shop@local"], 0),
        (&["why", "shop@moon"], 2),
        (&["why", "other@local"], 2),
        (&["trace", id], 0),
        (&["trace", "nothing"], 2),
        (&["logs", id], 0),
        (&["logs", id, "unit"], 0),
        (&["logs", id, "nothing"], 2),
        (&["logs", "ffff"], 2),
        (&["logs", "shop@local"], 0),
        (&["verify", bundle.to_str().unwrap()], 0),
        (&["verify", "/nowhere"], 2),
        (&["explain"], 0),
        (&["explain", "e-net-denied"], 0),
        (&["explain", "E-NOTHING"], 2),
        (&["dossier", "shop@local", "--output", "/dev/null"], 0),
        (&["dossier", "other@local"], 2),
        (&["export", "ffff", "--to", "/nowhere/x"], 2),
        (&["trust", "show"], 0),
        (&["trust", "key", "builder"], 0),
        (&["run", "nowhere"], 2),
        (&["promote", "other", "--to", "local"], 2),
        (&["promote", "shop", "--to", "local", "--run", "ffff"], 2),
        (&["init"], 2),
        (&["init", "--delivery", delivery], 2),
        (&["stop", "other@local"], 2),
        (&["stop", "shop@local"], 0),
    ];
    for (arguments, status) in cases {
        let ran = shop.world.json(arguments);
        assert_eq!(ran.status, *status, "{arguments:?}: {ran:#?}");
        assert_eq!(ran.stderr, "", "{arguments:?}: only the document");
        if *status != 0 {
            assert_eq!(ran.value()["status"], *status, "{arguments:?}");
        }
    }
}

#[test]
fn a_command_line_that_means_nothing_is_usage() {
    let world = World::new(&pipeline("echo x > out/x"));
    for arguments in [
        &["nothing"][..],
        &[],
        &["run", "--nothing"],
        &["why", "shop"],
        &["promote", "shop"],
        &["why", "../x@local"],
    ] {
        let ran = world.plimsoll(arguments).ended(2);
        assert!(ran.stderr.contains("Usage") || ran.stderr.contains("error"), "{ran:#?}");
    }
    assert!(world.plimsoll(&["--help"]).ok().stdout.contains("Exit status"));
    assert!(world.plimsoll(&["--version"]).ok().stdout.starts_with("plimsoll "));
}

#[test]
fn what_broke_is_told_from_what_was_refused() {
    let world = World::new(&pipeline("echo x > out/x"));
    std::fs::write(world.state().join("format.json"), "not json").unwrap();
    world.json(&["run"]).ended(3);
    let world = World::new(&pipeline("exit 1"));
    world.json(&["run"]).ended(1);
    let misspelt = pipeline("x").replace("run: |\n        x", "run: [cargoo, build]");
    let world = World::new(&misspelt);
    let ran = world.json(&["run"]).ended(1).refused(&["E-STEP-FAILED"]).value();
    let log = world.plimsoll(&["logs", text(&ran["run"]), "make"]).ok().stdout;
    assert!(log.contains("the command cargoo cannot be executed: No such file"), "{log}");
}

#[test]
fn doctor_tries_what_it_says() {
    let world = World::empty();
    let ran = Ran::of(world.command(&["--json", "doctor"]).env("PATH", path_with_rust()));
    let value = ran.value();
    assert_eq!(value["usable"], true, "{ran:#?}");
    assert_eq!(ran.status, 0);
    let nothing = tempfile::tempdir().unwrap();
    let ran = Ran::of(world.command(&["--json", "doctor"]).env("PATH", nothing.path())).ended(1);
    let missing: Vec<&str> =
        ["git", "ssh-keygen", "rust"].into_iter().filter(|what| ran.stdout.contains(what)).collect();
    assert_eq!(missing, ["git", "ssh-keygen", "rust"]);
}

#[test]
fn where_nobody_looks_there_is_no_colour() {
    let world = World::new(&pipeline("exit 1"));
    let ran = world.plimsoll(&["run"]).ended(1);
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{ran:#?}");
    assert!(ran.stderr.contains("E-STEP-FAILED: ") && ran.stderr.contains("next plimsoll logs"), "{ran:#?}");
    // script(1) gives it a terminal.
    let on_a_terminal = |no_colour: &str| {
        let line =
            format!("{no_colour} {} --state {} run", env!("CARGO_BIN_EXE_plimsoll"), world.state().display());
        let mut script = std::process::Command::new("script");
        script.args(["-qec", line.trim(), "/dev/null"]).current_dir(world.repository.path());
        script
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", world.home())
            .env("TERM", "xterm-256color");
        Ran::of(script.stdin(std::process::Stdio::null()))
    };
    assert!(on_a_terminal("").stdout.contains("\u{1b}["));
    assert!(!on_a_terminal("NO_COLOR=1").stdout.contains("\u{1b}["));
}

#[test]
fn quiet_prints_results_and_errors_only() {
    let world = World::new(&pipeline("echo x > out/x"));
    let ran = world.plimsoll(&["--quiet", "run"]).ok();
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.contains("result    passed"), "{ran:#?}");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let world = World::new(&pipeline("seq 200000; echo x > out/x"));
    let run = world.json(&["run"]).ok().value();
    for arguments in [&["explain"][..], &["--json", "explain"], &["logs", run["run"].as_str().unwrap()]] {
        let mut child = world.spawn(arguments);
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0; 10]).unwrap();
        drop(out);
        let ended = Ran::from(child.wait_with_output().unwrap()).ok();
        assert_eq!(ended.stderr, "", "{arguments:?}");
    }
}

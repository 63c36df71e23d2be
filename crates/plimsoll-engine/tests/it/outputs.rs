//! R7: outputs are frozen when the sandbox is gone, and later steps see what was frozen and nothing else.

use crate::{
    bench::Bench,
    memory::{Scripted, path},
};
use plimsoll_engine::ports::{Exit, Mount};
use plimsoll_model::{Code, Digest, Outcome};
use std::{fs, os::unix::fs::symlink};

const CHAIN: &str = "version: 1
project: shop
build:
  steps:
    - {name: generate, run: [generate], scratch: [work], out: [work/code.rs, work/assets]}
    - {name: compile, run: [compile], scratch: [target], out: [target/shop]}
  artifact: {files: [target/shop]}
";

fn generate(sandbox: Scripted) -> Scripted {
    sandbox.when("generate", |act| {
        act.write("work/code.rs", "generated");
        act.write("work/assets/logo.svg", "<svg/>");
        act.write("work/secret", "thrown away");
        Exit::Status(0)
    })
}

#[test]
fn later_steps_see_the_outputs_of_earlier_ones_and_not_their_scratch() {
    let bench = Bench::with(CHAIN);
    let sandbox = generate(Scripted::default()).when("compile", |act| {
        let inputs = ["/src/work/code.rs", "/src/work/assets/logo.svg", "/src/main.rs"]
            .map(|path| act.read(path).unwrap());
        assert_eq!(act.read("/src/work/secret"), None);
        act.write("target/shop", &inputs.join("\n"));
        Exit::Status(0)
    });
    let report = bench.run(&sandbox).unwrap();
    assert!(report.passed(), "{:?}", report.reasons);
    let file = &report.artifact.unwrap().files[0];
    assert_eq!(file.path, path("target/shop"));
    assert_eq!(bench.blobs.text(&file.digest), "generated\n<svg/>\nfn main() {}");
}

/// The build passed, and no artifact can be made of what it left.
#[test]
fn an_artifact_that_cannot_be_assembled_is_a_listed_attempt_of_a_run_that_comes_to_its_end() {
    let bench = Bench::with(&crate::bench::PIPELINE.replace("[dist/shop]", "[dist/other]"));
    let report = bench.run(&crate::bench::benign()).unwrap();
    assert!(!report.passed() && report.artifact.is_none());
    let codes: Vec<_> = report.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [Code::OutMissing]);
    let outcomes: Vec<_> = report.checks.iter().map(|(name, outcome)| (name.as_str(), *outcome)).collect();
    assert_eq!(outcomes, [("unit", Outcome::Passed), ("smoke", Outcome::Skipped)]);
    let run = bench.run_statement(&report);
    assert_eq!(run.artifact, None);
    let listed = run.attempts.iter().find(|attempt| attempt.name == "artifact").unwrap();
    assert_eq!((listed.outcome, listed.statement), (Outcome::Errored, None));
}

/// A read-only mount needs a place of its own kind below the read-only source.
#[test]
fn the_place_of_an_input_is_of_the_kind_of_the_input() {
    let bench = Bench::with(CHAIN);
    let sandbox = generate(Scripted::default()).when("compile", |act| {
        let source = act.plan().mounts.iter().find_map(|mount| match mount {
            Mount::ReadOnly { source, target } if target == "/src" => Some(source.clone()),
            _ => None,
        });
        let source = source.unwrap();
        assert!(source.join("work/code.rs").is_file());
        assert!(source.join("work/assets").is_dir());
        act.write("target/shop", "x");
        Exit::Status(0)
    });
    assert!(bench.run(&sandbox).unwrap().passed());
}

#[test]
fn an_output_that_cannot_be_kept_is_a_step_without_answer() {
    type Spoil = fn(&crate::memory::Act<'_>);
    let cases: [(Spoil, Code); 4] = [
        (|_| {}, Code::OutMissing),
        (|act| symlink("/etc/passwd", act.place("target/shop")).unwrap(), Code::OutKind),
        (|act| symlink("../../outside", act.place("target/shop")).unwrap(), Code::OutKind),
        (
            |act| {
                drop(std::os::unix::net::UnixListener::bind(act.place("target/shop")).unwrap());
            },
            Code::OutKind,
        ),
    ];
    for (number, (spoil, code)) in cases.into_iter().enumerate() {
        let bench = Bench::with(CHAIN);
        let sandbox = generate(Scripted::default()).when("compile", move |act| {
            spoil(act);
            Exit::Status(0)
        });
        let report = bench.run(&sandbox).unwrap();
        assert_eq!(report.steps[1].1, Outcome::Errored, "case {number}");
        assert_eq!(report.reasons[0].code, code);
        assert!(report.artifact.is_none());
    }
}

/// Build tools link what they keep to what they hand out. The mount is detached by then: no second name leads to it.
#[test]
fn an_output_with_a_second_name_is_kept_as_what_it_holds() {
    let bench = Bench::with(CHAIN);
    let sandbox = generate(Scripted::default()).when("compile", |act| {
        act.write("target/deps/shop-1", "x");
        fs::hard_link(act.place("target/deps/shop-1"), act.place("target/shop")).unwrap();
        Exit::Status(0)
    });
    let files = bench.run(&sandbox).unwrap().artifact.unwrap().files;
    assert_eq!(files[0].digest, Digest::of(b"x"));
}

#[test]
fn a_directory_that_was_made_for_a_step_is_no_output_of_it() {
    let bench = Bench::new();
    let sandbox = crate::bench::benign().when("compile", |_| Exit::Status(0));
    let report = bench.run(&sandbox).unwrap();
    assert_eq!((report.steps[0].1, report.reasons[0].code), (Outcome::Errored, Code::OutMissing));
}

/// A17: what is handed on is what was frozen, whatever became of the files that it came from.
#[test]
fn a_hand_off_that_was_altered_on_disk_is_refused_by_its_digest() {
    let bench = Bench::with(CHAIN);
    let swapper = bench.blobs.clone();
    let sandbox = generate(Scripted::default()).when("compile", move |act| {
        swapper.swap(&Digest::of(b"generated"), b"altered");
        act.write("target/shop", "x");
        Exit::Status(0)
    });
    let report = bench.run(&sandbox).unwrap();
    assert!(report.passed(), "the step saw the frozen file, and the artifact does not hold the altered one");

    let bench = Bench::with(CHAIN);
    let swapper = bench.blobs.clone();
    let sandbox = generate(Scripted::default()).when("compile", |act| {
        act.write("target/shop", "good");
        Exit::Status(0)
    });
    let altered = bench.run_until(&sandbox, &false.into(), &mut |event| {
        if let plimsoll_engine::run::Event::Ended { name: "compile", .. } = event {
            swapper.swap(&Digest::of(b"good"), b"evil");
        }
    });
    let files = altered.unwrap().artifact.unwrap().files;
    assert_eq!(files[0].digest, Digest::of(b"good"), "the statement names what was hashed");
}

#[test]
fn attempts_start_from_nothing() {
    let text = CHAIN.replace("out: [target/shop]}", "out: [target/shop], retry: 1}");
    let bench = Bench::with(&text);
    let sandbox = generate(Scripted::default()).when("compile", |act| {
        assert!(!act.place("target/left").exists());
        act.write("target/left", "behind");
        act.write("target/shop", "x");
        Exit::Status(i32::from(act.time() == 1))
    });
    assert!(bench.run(&sandbox).unwrap().passed());
    assert_eq!(sandbox.started(), ["generate", "compile", "compile"]);
}

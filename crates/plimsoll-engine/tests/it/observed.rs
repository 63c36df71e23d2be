//! R1: what an executor says it observed is hashed again, held against the plan, and written down as no more than it is.

use crate::{
    bench::{Bench, PASSING, artifact, role},
    memory::{clock, path},
    signer::{TWO_STEPS, UNOBSERVED, build, builder, closes, scanner},
};
use plimsoll_attest::predicate::{Run, run::AttemptKind};
use plimsoll_engine::{
    ports::{Blobs as _, Event, Journal as _},
    signer::{CloseCheck, CloseFetch, CloseStep, Closed, Request, Response},
};
use plimsoll_model::{
    Code, Digest, Entry, Outcome, RunId,
    record::{Material, NetworkEvent, NetworkMode},
};

#[test]
fn outputs_are_what_the_store_holds_and_not_what_was_said() {
    let swapped = |bench: &Bench| {
        let close = bench.step("compile", 1, &[("dist/shop", "good")]);
        bench.blobs.swap(&Digest::of(b"good"), b"evil");
        close
    };
    let swapped_tree = |bench: &Bench| {
        let close = bench.step("compile", 1, &[("dist/shop", "good")]);
        bench.blobs.swap(&close.outputs.unwrap(), b"{}");
        close
    };
    let not_stored = |bench: &Bench| {
        let mut tree = bench.tree(&[]);
        let entry = Entry::File { digest: Digest::of(b"never stored"), size: 12, executable: true };
        tree.entries.insert(path("dist/shop"), entry);
        let mut close = bench.step("compile", 1, &[]);
        close.outputs = Some(bench.keep(&tree));
        close
    };
    let other_size = |bench: &Bench| {
        let mut tree = bench.tree(&[("dist/shop", "good")]);
        if let Some(Entry::File { size, .. }) = tree.entries.get_mut(&path("dist/shop")) {
            *size += 1;
        }
        let mut close = bench.step("compile", 1, &[]);
        close.outputs = Some(bench.keep(&tree));
        close
    };
    let no_tree = |bench: &Bench| {
        let mut close = bench.step("compile", 1, &[]);
        close.outputs = Some(bench.blobs.put(b"not a tree").unwrap());
        close
    };
    let nothing = |bench: &Bench| {
        let mut close = bench.step("compile", 1, &[]);
        close.outputs = None;
        close
    };
    let mismatch = Code::DigestMismatch;
    type Lie<'a> = &'a dyn Fn(&Bench) -> CloseStep;
    let lies: [(Lie<'_>, Code); 6] = [
        (&swapped, mismatch),
        (&swapped_tree, mismatch),
        (&not_stored, UNOBSERVED),
        (&other_size, UNOBSERVED),
        (&no_tree, UNOBSERVED),
        (&nothing, UNOBSERVED),
    ];
    for (lie, code) in lies {
        let bench = Bench::new();
        let mut builder = builder(&bench);
        builder.refuses(&Request::CloseStep(lie(&bench)), code);
        builder.refuses(&artifact(), UNOBSERVED);
        assert_eq!(closes(&bench), 0);
    }
}

#[test]
fn a_step_leaves_its_outputs_and_nothing_beside_them() {
    for (files, fine) in [
        (&[("dist/shop", "x")][..], true),
        (&[("dist/a/b", "x"), ("dist/shop", "x")], true),
        (&[("dist/shop", "x"), ("gen/a", "of the step before")], false),
        (&[("dist/shop", "x"), ("plimsoll.yaml", "x")], false),
        (&[("distant/shop", "x"), ("dist/shop", "x")], false),
        (&[], false),
    ] {
        let bench = Bench::with(TWO_STEPS);
        let mut builder = builder(&bench);
        builder.closed(&Request::CloseStep(bench.step("generate", 1, &[("gen/a", "a")])));
        let request = Request::CloseStep(bench.step("compile", 1, files));
        if fine { drop(builder.closed(&request)) } else { builder.refuses(&request, UNOBSERVED) }
    }
}

#[test]
fn a_link_among_the_outputs_stays_inside() {
    for (target, fine) in
        [("shop", true), ("../main.rs", true), ("../../etc/passwd", false), ("/etc/passwd", false)]
    {
        let bench = Bench::new();
        let mut tree = bench.tree(&[("dist/shop", "x")]);
        tree.entries.insert(path("dist/link"), Entry::Symlink { target: target.into() });
        let mut close = bench.step("compile", 1, &[]);
        close.outputs = Some(bench.keep(&tree));
        let mut builder = builder(&bench);
        let request = Request::CloseStep(close);
        if fine { drop(builder.closed(&request)) } else { builder.refuses(&request, UNOBSERVED) }
    }
}

/// R8: every attempt is listed, so none can be used up by having it refused.
#[test]
fn an_attempt_that_was_refused_is_still_the_next_one() {
    let bench = Bench::with(TWO_STEPS);
    let mut builder = builder(&bench);
    let step = |attempt, file| Request::CloseStep(bench.step("generate", attempt, &[(file, "x")]));
    builder.refuses(&step(1, "elsewhere"), UNOBSERVED);
    builder.refuses(&step(2, "gen/code"), UNOBSERVED);
    builder.closed(&step(1, "gen/code"));
    assert_eq!(closes(&bench), 1);
}

/// F2: the file is swapped between the executor's hash and the signer's read. Whatever is signed names what is stored.
#[test]
fn a_swapped_blob_never_gets_a_statement_that_names_it_wrongly() {
    for round in 0..50 {
        let bench = Bench::new();
        let mut builder = builder(&bench);
        let close = Request::CloseStep(bench.step("compile", 1, &[("dist/shop", "good")]));
        let closed = std::thread::scope(|scope| {
            let swap = scope.spawn(|| {
                for _ in 0..round {
                    std::thread::yield_now();
                }
                bench.blobs.swap(&Digest::of(b"good"), b"evil");
            });
            let response = builder.answer(&close);
            swap.join().unwrap();
            response
        });
        if matches!(closed, Response::Closed(_)) {
            let files = builder.closed(&artifact()).artifact.unwrap().files;
            assert_eq!(files[0].digest, Digest::of(b"good"));
        }
    }
}

#[test]
fn a_check_of_the_artifact_is_about_the_artifact_of_this_run() {
    let bench = Bench::new();
    let mut builder = builder(&bench);
    let mut scanner = scanner(&bench);
    let foreign = bench.blobs.put(b"a manifest that an attacker made").unwrap();
    let smoke = |attempt, artifact| Request::CloseCheck(bench.check("smoke", attempt, None, artifact));
    scanner.refuses(&smoke(1, Some(foreign)), UNOBSERVED);
    let manifest = build(&bench, &mut builder);
    let mut again = bench.session("scanner");
    again.opened(&bench.open(1));
    again.refuses(&smoke(1, Some(foreign)), UNOBSERVED);
    for artifact in [None, Some(Digest::of(b"never stored"))] {
        let mut other = bench.session("scanner");
        other.opened(&bench.open(1));
        other.refuses(&smoke(1, artifact), UNOBSERVED);
    }
    let mut on_source = bench.session("scanner");
    on_source.opened(&bench.open(1));
    let unit = bench.check("unit", 1, Some(PASSING), Some(manifest));
    on_source.refuses(&Request::CloseCheck(unit), UNOBSERVED);
    let mut honest = bench.session("scanner");
    honest.opened(&bench.open(1));
    honest.closed(&smoke(1, Some(manifest)));
}

#[test]
fn a_check_is_closed_once_in_its_turn_and_only_if_it_is_planned() {
    let bench = Bench::new();
    let _builder = builder(&bench);
    let mut scanner = scanner(&bench);
    let unit = |attempt| Request::CloseCheck(bench.check("unit", attempt, Some(PASSING), None));
    scanner.refuses(&Request::CloseCheck(bench.check("lint", 1, None, None)), UNOBSERVED);
    scanner.refuses(&unit(2), UNOBSERVED);
    scanner.closed(&unit(1));
    scanner.refuses(&unit(1), UNOBSERVED);
    scanner.refuses(&unit(2), UNOBSERVED);
}

#[test]
fn reports_and_logs_of_a_check_are_what_the_store_holds() {
    let lies: [fn(&Bench, &mut CloseCheck); 3] = [
        |bench, close| bench.blobs.swap(&close.report.unwrap(), b"forged"),
        |bench, close| bench.blobs.swap(&close.observed.log, b"forged"),
        |_, close| close.report = Some(Digest::of(b"never stored")),
    ];
    for (lie, code) in lies.into_iter().zip([Code::DigestMismatch, Code::DigestMismatch, UNOBSERVED]) {
        let bench = Bench::new();
        let _builder = builder(&bench);
        let mut close = bench.check("unit", 1, Some(PASSING), None);
        lie(&bench, &mut close);
        scanner(&bench).refuses(&Request::CloseCheck(close), code);
        assert_eq!(closes(&bench), 0);
    }
}

/// Somebody who can write to the journal but holds no key cannot add an attempt under another's name, and what is in it
/// twice keeps the run from being stated.
#[test]
fn only_what_the_right_role_closed_counts_as_an_attempt() {
    let forged = |bench: &Bench, by: &str, run: u8| {
        let event = Event::Closed {
            run: RunId::from_random([run; 16]),
            kind: AttemptKind::Check,
            name: "unit".into(),
            attempt: 1,
            outcome: Outcome::Passed,
            predicate_type: None,
            statement: None,
            artifact: None,
        };
        bench.journal.append(&role(by), clock(), event).unwrap();
    };
    for (by, run, counts) in
        [("scanner", 1, true), ("builder", 1, false), ("refusal", 1, false), ("scanner", 2, false)]
    {
        let bench = Bench::new();
        let mut builder = builder(&bench);
        forged(&bench, by, run);
        let finished: Closed = builder.closed(&Request::Finish);
        let run = bench.read::<Run>(&finished.signed.unwrap(), "builder").predicate;
        assert_eq!(!run.attempts.is_empty(), counts, "{by}");
    }
    let bench = Bench::new();
    let mut builder = builder(&bench);
    forged(&bench, "scanner", 1);
    forged(&bench, "scanner", 1);
    builder.refuses(&Request::Finish, UNOBSERVED);

    let bench = Bench::new();
    forged(&bench, "scanner", 1);
    let mut late = crate::signer::builder(&bench);
    let finished = late.closed(&Request::Finish).signed.unwrap();
    let run = bench.read::<Run>(&finished, "builder").predicate;
    assert!(run.attempts.is_empty(), "what is older than the run is not of the run");
}

fn fetching() -> String {
    crate::bench::PIPELINE.replace("build:\n", "build:\n  fetch: [cargo]\n")
}

#[test]
fn a_fetch_phase_is_closed_before_every_step() {
    let nothing = || CloseFetch { materials: vec![], network: NetworkMode::None, events: vec![] };
    let bench = Bench::with(&fetching());
    let mut builder = builder(&bench);
    builder.refuses(&bench.compiled(), UNOBSERVED);
    builder.refuses(&artifact(), UNOBSERVED);
    let unplanned = Bench::new();
    crate::signer::builder(&unplanned).refuses(&Request::CloseFetch(nothing()), UNOBSERVED);
}

#[test]
fn a_fetch_says_no_better_of_itself_than_what_came_in() {
    let bench = Bench::with(&fetching());
    let mut builder = builder(&bench);
    let material = Material { uri: "pkg:cargo/a@1.0.0".into(), digest: bench.blobs.put(b"archive").unwrap() };
    let connection = NetworkEvent {
        host: "registry.example".into(),
        port: 443,
        address: Some("192.0.2.1".into()),
        refused: None,
        sent: 1,
        received: 1,
    };
    for (materials, network, events) in [
        (vec![material.clone()], NetworkMode::None, vec![]),
        (vec![], NetworkMode::None, vec![connection]),
        (vec![material], NetworkMode::Recorded, vec![]),
    ] {
        builder.refuses(&Request::CloseFetch(CloseFetch { materials, network, events }), UNOBSERVED);
    }
    let unstored = Material { uri: "pkg:cargo/a@1.0.0".into(), digest: Digest::of(b"never stored") };
    let close = CloseFetch { materials: vec![unstored], network: NetworkMode::Locked, events: vec![] };
    builder.refuses(&Request::CloseFetch(close), UNOBSERVED);
}

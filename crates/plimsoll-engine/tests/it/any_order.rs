//! An executor may ask for anything at any time, as often as it likes. Whatever it asks, what signers write down is a
//! run that could have happened.

use crate::bench::{Bench, PASSING, artifact};
use plimsoll_attest::predicate::run::AttemptKind;
use plimsoll_engine::{
    ports::{Event, Exit},
    signer::Request,
};
use plimsoll_model::{Digest, Outcome};
use proptest::prelude::*;
use std::collections::BTreeSet;

const PIPELINE: &str = "version: 1
project: shop
build:
  steps:
    - {name: generate, run: [generate], out: [gen], retry: 1}
    - {name: compile, run: [compile], out: [dist]}
  artifact: {files: [dist/shop]}
evidence:
  - {test: unit, on: source, run: [unit], report: {libtest: stdout}, retry: 1}
  - {test: smoke, on: artifact, run: [smoke]}
";

const SIGNERS: [&str; 4] = ["builder", "builder", "scanner", "source"];

/// Something to ask, of one of two builders, a scanner or the source signer.
#[derive(Debug, Clone, Copy)]
enum Ask {
    Open(u8),
    Source,
    Step { compile: bool, attempt: u32, passes: bool, stray: bool },
    Artifact,
    Check { smoke: bool, attempt: u32, foreign: bool },
    Finish,
}

/// Mostly the first two, which the plan allows.
fn attempt() -> impl Strategy<Value = u32> {
    prop_oneof![5 => Just(1), 3 => Just(2), 1 => Just(0), 1 => Just(3)]
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        3 => (1..3_u8).prop_map(Ask::Open),
        1 => Just(Ask::Source),
        6 => (any::<bool>(), attempt(), prop::bool::weighted(0.7), prop::bool::weighted(0.1)).prop_map(|(compile, attempt, passes, stray)| {
            Ask::Step { compile, attempt, passes, stray }
        }),
        2 => Just(Ask::Artifact),
        4 => (any::<bool>(), attempt(), prop::bool::weighted(0.2))
            .prop_map(|(smoke, attempt, foreign)| Ask::Check { smoke, attempt, foreign }),
        1 => Just(Ask::Finish),
    ]
}

fn request(bench: &Bench, ask: Ask) -> Request {
    match ask {
        Ask::Open(id) => Request::Open(bench.open(id)),
        Ask::Source => Request::CloseSource,
        Ask::Step { compile, attempt, passes, stray } => {
            let (name, own) = if compile { ("compile", "dist/shop") } else { ("generate", "gen/code") };
            let file = if stray { "elsewhere" } else { own };
            let mut close = bench.step(name, attempt, &[(file, "x")]);
            close.observed.exit = Exit::Status(i32::from(!passes));
            Request::CloseStep(close)
        }
        Ask::Artifact => artifact(),
        Ask::Check { smoke, attempt, foreign } => {
            let closed = bench.journal.events().into_iter().find_map(|(_, event)| match event {
                Event::Closed { artifact, .. } => artifact,
                _ => None,
            });
            let subject = if foreign { Some(Digest::of(b"a log")) } else { closed };
            let (name, report) = if smoke { ("smoke", None) } else { ("unit", Some(PASSING)) };
            Request::CloseCheck(bench.check(name, attempt, report, subject.filter(|_| smoke || foreign)))
        }
        Ask::Finish => Request::Finish,
    }
}

/// What holds for the entries of every journal.
fn check(events: &[Event]) {
    let (mut opened, mut finished, mut closed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut passed = BTreeSet::new();
    for event in events {
        match event {
            Event::Opened { run, .. } => assert!(opened.insert(run.clone()), "{run} was opened twice"),
            Event::Finished { run, .. } => {
                assert!(opened.contains(run) && finished.insert(run.clone()), "{run} was finished twice");
            }
            Event::Closed { run, kind, name, attempt, outcome, .. } => {
                assert!(
                    opened.contains(run) && !finished.contains(run),
                    "{name} was closed outside of {run}"
                );
                let earlier = |attempt| closed.contains(&(run.clone(), *kind, name.clone(), attempt));
                assert!(*attempt == 1 || earlier(attempt - 1), "attempt {attempt} of {name} is not the next");
                assert!(
                    closed.insert((run.clone(), *kind, name.clone(), *attempt)),
                    "{name} was closed twice"
                );
                let done = |other: &str| passed.contains(&(run.clone(), other.to_owned()));
                let ready = match (kind, name.as_str()) {
                    (AttemptKind::Step, "compile") => done("generate"),
                    (AttemptKind::Artifact, _) => done("generate") && done("compile"),
                    (AttemptKind::Check, "smoke") => done("artifact"),
                    _ => true,
                };
                assert!(ready, "{name} was closed before what it needs");
                if *outcome == Outcome::Passed {
                    let fresh = passed.insert((run.clone(), name.clone()));
                    assert!(fresh || *kind == AttemptKind::Check, "{name} passed twice");
                }
            }
            Event::Decided { .. }
            | Event::Promoted { .. }
            | Event::Refused { .. }
            | Event::Advisories { .. }
            | Event::TipSeen { .. } => {
                panic!("a run writes no {event:?}")
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_the_journal_tells_of_a_run_that_could_have_happened(
        asked in prop::collection::vec((0..SIGNERS.len(), ask()), 1..60)
    ) {
        let bench = Bench::with(PIPELINE);
        let mut sessions: Vec<_> = SIGNERS.iter().map(|name| bench.session(name)).collect();
        let opened = [(0, Ask::Open(1)), (2, Ask::Open(1)), (3, Ask::Open(1))];
        for (signer, ask) in opened.into_iter().chain(asked) {
            sessions[signer].answer(&request(&bench, ask));
        }
        let events: Vec<_> = bench.journal.events().into_iter().map(|(_, event)| event).collect();
        check(&events);
    }
}

/// The property is worth something only if runs do get far.
#[test]
fn the_benign_order_reaches_the_end() {
    let bench = Bench::with(PIPELINE);
    let mut sessions: Vec<_> = SIGNERS.iter().map(|name| bench.session(name)).collect();
    let step = |compile, attempt, passes| Ask::Step { compile, attempt, passes, stray: false };
    let check_of = |smoke| Ask::Check { smoke, attempt: 1, foreign: false };
    for (signer, ask) in [
        (0, Ask::Open(1)),
        (2, Ask::Open(1)),
        (3, Ask::Open(1)),
        (3, Ask::Source),
        (0, step(false, 1, false)),
        (0, step(false, 2, true)),
        (0, step(true, 1, true)),
        (0, Ask::Artifact),
        (2, check_of(false)),
        (2, check_of(true)),
        (0, Ask::Finish),
    ] {
        sessions[signer].answer(&request(&bench, ask));
    }
    let events: Vec<_> = bench.journal.events().into_iter().map(|(_, event)| event).collect();
    check(&events);
    assert_eq!(events.len(), 9);
    assert!(matches!(events.last(), Some(Event::Finished { .. })));
}

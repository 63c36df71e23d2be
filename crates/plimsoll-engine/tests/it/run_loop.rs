//! The run loop: order, parallelism, tries, what is skipped, and how a run is stopped.

use crate::{
    bench::{Bench, benign, codes},
    memory::Scripted,
};
use plimsoll_attest::predicate::{Provenance, run::AttemptKind};
use plimsoll_engine::{
    ports::Exit,
    run::{Event, RunError},
};
use plimsoll_model::{Code, Outcome};
use std::{
    num::NonZero,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// A pipeline of steps `(name, further keys)`, each of which leaves `<name>/out`.
fn steps(steps: &[(&str, &str)]) -> String {
    let step =
        |(name, more): &(&str, &str)| format!("    - {{name: {name}, run: [{name}], out: [{name}]{more}}}\n");
    let steps_text: String = steps.iter().map(step).collect();
    let last = steps.last().unwrap().0;
    format!("version: 1\nproject: shop\nbuild:\n  steps:\n{steps_text}  artifact: {{files: [{last}/out]}}\n")
}

fn leaves(sandbox: Scripted, name: &'static str) -> Scripted {
    sandbox.when(name, move |act| {
        act.write(&format!("{name}/out"), name);
        Exit::Status(0)
    })
}

#[test]
fn a_benign_run_passes_and_states_everything_that_was_closed() {
    let bench = Bench::new();
    let report = bench.run(&benign()).unwrap();
    assert!(report.passed(), "{:?}", report.reasons);
    let names: Vec<_> =
        report.statements.iter().map(|made| (made.name.as_str(), made.role.to_string())).collect();
    assert_eq!(names[0], ("source", "source".into()));
    assert_eq!(names[1], ("artifact", "builder".into()));
    assert_eq!(names.last().unwrap().0, "run");
    let run = bench.run_statement(&report);
    assert_eq!(run.attempts.len(), 5);
    assert_eq!(run.artifact.unwrap().digest, report.artifact.unwrap().manifest);
    for attempt in &run.attempts {
        let statement = report.statements.iter().find(|made| made.name == attempt.name);
        assert_eq!(statement.map(|made| made.signed.statement), attempt.statement, "{}", attempt.name);
    }
}

#[test]
fn steps_run_in_the_order_of_their_needs_whatever_the_order_of_the_file() {
    let text =
        steps(&[("third", ", needs: [second]"), ("first", ", needs: []"), ("second", ", needs: [first]")]);
    let bench = Bench::with(&text);
    let sandbox = ["first", "second", "third"].into_iter().fold(Scripted::default(), leaves);
    assert!(bench.run(&sandbox).unwrap().passed());
    assert_eq!(sandbox.started(), ["first", "second", "third"]);
}

#[test]
fn steps_that_need_nothing_of_each_other_run_at_the_same_time() {
    let processors = thread::available_parallelism().map_or(1, NonZero::get).min(8);
    let names: Vec<String> = (0..processors).map(|number| format!("step-{number}")).collect();
    let listed: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), ", needs: []")).collect();
    let bench = Bench::with(&steps(&listed));
    let together = Arc::new(Barrier::new(processors));
    let sandbox = names.iter().fold(Scripted::default(), |sandbox, name| {
        let (together, name) = (together.clone(), name.clone());
        sandbox.when(&name.clone(), move |act| {
            together.wait();
            act.write(&format!("{name}/out"), "x");
            Exit::Status(0)
        })
    });
    assert!(bench.run(&sandbox).unwrap().passed());
}

#[test]
fn no_more_units_run_at_a_time_than_there_are_processors() {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let names: Vec<String> = (0..processors.min(20) * 3).map(|number| format!("step-{number}")).collect();
    let listed: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), ", needs: []")).collect();
    let bench = Bench::with(&steps(&listed));
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let sandbox = names.iter().fold(Scripted::default(), |sandbox, name| {
        let (running, most, name) = (running.clone(), most.clone(), name.clone());
        sandbox.when(&name.clone(), move |act| {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            act.write(&format!("{name}/out"), "x");
            running.fetch_sub(1, Ordering::SeqCst);
            Exit::Status(0)
        })
    });
    assert!(bench.run(&sandbox).unwrap().passed());
    assert!(most.load(Ordering::SeqCst) <= processors);
}

#[test]
fn a_failed_attempt_is_repeated_as_often_as_the_plan_says_and_every_attempt_is_listed() {
    for (tries_that_fail, outcome) in [(1, Outcome::Passed), (2, Outcome::Passed), (3, Outcome::Failed)] {
        let bench = Bench::with(&steps(&[("flaky", ", retry: 2")]));
        let sandbox = Scripted::default().when("flaky", move |act| {
            act.write("flaky/out", "x");
            Exit::Status(i32::from(act.time() <= tries_that_fail))
        });
        let report = bench.run(&sandbox).unwrap();
        assert_eq!(report.steps, [("flaky".to_owned(), outcome)]);
        let listed: Vec<_> = bench
            .run_statement(&report)
            .attempts
            .into_iter()
            .filter(|attempt| attempt.kind == AttemptKind::Step)
            .map(|attempt| (attempt.attempt, attempt.outcome))
            .collect();
        let mut expected: Vec<_> =
            (1..=tries_that_fail as u32).map(|number| (number, Outcome::Failed)).collect();
        if outcome == Outcome::Passed {
            expected.push((tries_that_fail as u32 + 1, Outcome::Passed));
        }
        assert_eq!(listed, expected);
    }
}

#[test]
fn a_build_that_fails_leaves_no_artifact_and_no_provenance_but_a_run_statement_that_says_so() {
    let bench = Bench::new();
    let sandbox = benign().when("compile", |act| {
        act.write("dist/shop", "half of it");
        Exit::Status(101)
    });
    let report = bench.run(&sandbox).unwrap();
    assert!(!report.passed() && report.artifact.is_none());
    assert_eq!(report.steps, [("compile".to_owned(), Outcome::Failed)]);
    assert_eq!(report.checks, [("unit".to_owned(), Outcome::Passed), ("smoke".to_owned(), Outcome::Skipped)]);
    assert_eq!(report.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>(), [Code::StepFailed]);
    let provenance = <Provenance as plimsoll_attest::Predicate>::TYPE;
    assert!(report.statements.iter().all(|made| made.signed.predicate_type != provenance));
    let run = bench.run_statement(&report);
    assert!(run.artifact.is_none());
    let step = run.attempts.iter().find(|attempt| attempt.kind == AttemptKind::Step).unwrap();
    assert_eq!((step.name.as_str(), step.outcome), ("compile", Outcome::Failed));
    let planned: Vec<_> = run.planned.iter().map(|planned| planned.check.as_str()).collect();
    assert_eq!(planned, ["unit", "smoke"], "what did not run stays planned, so that it shows as missing");
}

#[test]
fn what_needs_a_step_that_failed_is_skipped_and_what_does_not_still_runs() {
    let text = steps(&[
        ("broken", ", needs: []"),
        ("middle", ", needs: [broken]"),
        ("alone", ", needs: []"),
        ("last", ", needs: [middle]"),
    ]);
    let bench = Bench::with(&text);
    let sandbox = ["middle", "alone", "last"].into_iter().fold(Scripted::default(), leaves);
    let sandbox = sandbox.when("broken", |_| Exit::Status(1));
    let report = bench.run(&sandbox).unwrap();
    let outcome = |name: &str| report.steps.iter().find(|(step, _)| step == name).unwrap().1;
    assert_eq!(outcome("broken"), Outcome::Failed);
    assert_eq!((outcome("middle"), outcome("last")), (Outcome::Skipped, Outcome::Skipped));
    assert_eq!(outcome("alone"), Outcome::Passed);
    let mut started = sandbox.started();
    started.sort();
    assert_eq!(started, ["alone", "broken"]);
}

#[test]
fn each_way_to_be_killed_has_its_own_reason() {
    for (exit, outcome, code) in [
        (Exit::Status(2), Outcome::Failed, Code::StepFailed),
        (Exit::Signal(11), Outcome::Failed, Code::StepFailed),
        (Exit::TimedOut, Outcome::Errored, Code::StepTimeout),
        (Exit::LogLimit, Outcome::Errored, Code::StepLimit),
        (Exit::OutOfMemory, Outcome::Errored, Code::StepLimit),
        (Exit::Cancelled, Outcome::Errored, Code::StepFailed),
    ] {
        let bench = Bench::with(&steps(&[("only", "")]));
        let sandbox = Scripted::default().when("only", move |act| {
            act.write("only/out", "left before it was killed");
            exit
        });
        let report = bench.run(&sandbox).unwrap();
        assert_eq!((report.steps[0].1, report.reasons[0].code), (outcome, code), "{exit}");
        assert!(report.artifact.is_none());
    }
}

#[test]
fn an_interrupted_run_kills_what_runs_and_states_nothing_more() {
    let bench = Bench::with(&steps(&[("endless", ""), ("later", "")]));
    let interrupted = AtomicBool::new(false);
    let sandbox = leaves(
        Scripted::default().when("endless", |act| {
            act.print("started");
            act.sleep()
        }),
        "later",
    );
    let mut watch = |event: Event<'_>| {
        if let Event::Output { .. } = event {
            interrupted.store(true, Ordering::Relaxed);
        }
    };
    let ended = bench.run_until(&sandbox, &interrupted, &mut watch);
    assert!(matches!(ended, Err(RunError::Interrupted)));
    assert_eq!(sandbox.started(), ["endless"]);
    let finished = |event: &plimsoll_engine::ports::Event| {
        matches!(event, plimsoll_engine::ports::Event::Finished { .. })
    };
    assert!(!bench.journal.events().iter().any(|(_, event)| finished(event)));
}

#[test]
fn an_interruption_before_the_first_step_starts_none() {
    let bench = Bench::new();
    let ended = bench.run_until(&benign(), &AtomicBool::new(true), &mut |_| {});
    assert!(matches!(ended, Err(RunError::Interrupted)));
}

#[test]
fn a_sandbox_that_breaks_stops_the_run_and_everything_beside_it() {
    let bench = Bench::with(&steps(&[("endless", ", needs: []"), ("unknown", ", needs: []")]));
    let sandbox = Scripted::default().when("endless", |act| act.sleep());
    assert!(matches!(bench.run(&sandbox), Err(RunError::Sandbox(_))));
}

#[test]
fn a_sandbox_that_panics_stops_the_run_instead_of_hanging_it() {
    let bench = Bench::with(&steps(&[("endless", ", needs: []"), ("broken", ", needs: []")]));
    let sandbox = Scripted::default().when("endless", |act| act.sleep()).when("broken", |_| panic!("a bug"));
    assert!(matches!(bench.run(&sandbox), Err(RunError::Internal { .. })));
}

#[test]
fn a_branch_that_moves_between_looking_and_opening_is_refused() {
    let bench = Bench::new();
    let open = bench.open(1);
    let next = crate::memory::Commit::of(&[("plimsoll.yaml", crate::bench::PIPELINE)]).after(&open.commit);
    let moved = bench.source.commit_to("refs/heads/main", next);
    let mut builder = bench.session("builder");
    builder.refuses(&plimsoll_engine::signer::Request::Open(open), Code::RefMoved);
    let report = bench.run(&benign()).unwrap();
    assert_eq!(bench.run_statement(&report).commit, moved);
}

#[test]
fn the_same_run_id_is_executed_once() {
    let bench = Bench::new();
    bench.run(&benign()).unwrap();
    assert_eq!(codes(bench.run(&benign()).unwrap_err()), [Code::SignUnobserved]);
}

//! Tests and adapters: a report is what a check says of itself, and the signer judges it again.

use crate::{
    bench::{Bench, FAILING, LINT, NO_TESTS, PASSING, benign, with_evidence},
    memory::Scripted,
};
use plimsoll_attest::predicate::{
    Scan, TestResult,
    common::{Ending, On},
    scan::Findings,
    test::TestCounts,
};
use plimsoll_engine::{
    ports::{Exit, Mount},
    run::Report,
    signer::{CloseToolless, Request},
};
use plimsoll_model::{Code, Digest, Outcome};
use std::os::unix::fs::symlink;

const CLEAN: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","version":"1.2","rules":[{"id":"a"},{"id":"b"}]}},"results":[]}]}"#;

fn finding(level: &str) -> String {
    CLEAN.replace(
        "\"results\":[]",
        &format!(r#""results":[{{"ruleId":"a","level":"{level}","message":{{"text":"x"}}}}]"#),
    )
}

/// Runs a pipeline whose test `unit` prints `text` and ends with `exit`.
fn unit(text: &'static str, exit: Exit) -> (Bench, Report) {
    let bench = Bench::new();
    let sandbox = benign().when("unit", move |act| {
        act.print(text);
        exit
    });
    let report = bench.run(&sandbox).unwrap();
    (bench, report)
}

fn test_result(bench: &Bench, report: &Report, name: &str) -> TestResult {
    let made = report.statements.iter().rev().find(|made| made.name == name).unwrap();
    bench.read::<TestResult>(&made.signed, "scanner").predicate
}

#[test]
fn the_counts_of_a_report_end_up_in_the_statement() {
    let (bench, report) = unit(PASSING, Exit::Status(0));
    let result = test_result(&bench, &report, "unit");
    assert_eq!(result.passed_tests, ["a", "b"]);
    assert_eq!(result.check.counts, Some(TestCounts { passed: 2, failed: 0, skipped: 0 }));
    assert_eq!((result.check.report.as_deref(), result.check.on), (Some("libtest"), On::Source));
    assert_eq!(bench.blobs.text(&result.check.log), PASSING);
    let smoke = test_result(&bench, &report, "smoke").check;
    assert_eq!((smoke.counts, smoke.report, smoke.on), (None, None, On::Artifact));
}

#[test]
fn a_test_passes_only_where_report_and_exit_agree() {
    for (text, exit, outcome, code) in [
        (PASSING, Exit::Status(0), Outcome::Passed, None),
        (FAILING, Exit::Status(101), Outcome::Failed, Some(Code::EvidenceFailed)),
        (FAILING, Exit::Status(0), Outcome::Errored, Some(Code::EvidenceSelf)),
        (PASSING, Exit::Status(101), Outcome::Errored, Some(Code::EvidenceSelf)),
        (NO_TESTS, Exit::Status(0), Outcome::Errored, Some(Code::EvidenceEmpty)),
        ("", Exit::Status(0), Outcome::Errored, Some(Code::EvidenceEmpty)),
        ("\nrunning 2 tests\ntest a ... ok\n", Exit::Status(0), Outcome::Errored, Some(Code::EvidenceParse)),
        (PASSING, Exit::TimedOut, Outcome::Errored, Some(Code::EvidenceErrored)),
        (PASSING, Exit::LogLimit, Outcome::Errored, Some(Code::EvidenceErrored)),
        (PASSING, Exit::OutOfMemory, Outcome::Errored, Some(Code::EvidenceErrored)),
        (PASSING, Exit::Cancelled, Outcome::Errored, Some(Code::EvidenceErrored)),
    ] {
        let (bench, report) = unit(text, exit);
        assert_eq!(report.checks[0], ("unit".to_owned(), outcome), "{exit} {text}");
        assert_eq!(report.reasons.first().map(|reason| reason.code), code, "{exit} {text}");
        let check = test_result(&bench, &report, "unit").check;
        assert_eq!((check.outcome, check.reasons), (outcome, report.reasons.clone()));
        let attempts = bench.run_statement(&report).attempts;
        let listed = attempts.iter().find(|attempt| attempt.name == "unit").unwrap();
        assert_eq!(listed.outcome, outcome);
    }
}

#[test]
fn how_a_command_ended_is_stated_as_it_was_seen() {
    for (exit, ending) in [(Exit::TimedOut, Ending::TimedOut), (Exit::Status(101), Ending::Status(101))] {
        let (bench, report) = unit(FAILING, exit);
        assert_eq!(test_result(&bench, &report, "unit").check.exit, ending);
    }
}

#[test]
fn a_report_on_the_other_stream_does_not_count() {
    let bench = Bench::new();
    let sandbox = benign().when("unit", |act| {
        act.complain(PASSING);
        Exit::Status(0)
    });
    let report = bench.run(&sandbox).unwrap();
    assert_eq!(report.checks[0].1, Outcome::Errored);
}

#[test]
fn a_retried_test_lists_every_attempt_and_the_newest_counts() {
    let text = crate::bench::PIPELINE.replace("run: [unit],", "run: [unit], retry: 1,");
    let bench = Bench::with(&text);
    let sandbox = benign().when("unit", |act| {
        let passes = act.time() == 2;
        act.print(if passes { PASSING } else { FAILING });
        Exit::Status(if passes { 0 } else { 101 })
    });
    let report = bench.run(&sandbox).unwrap();
    assert!(report.passed());
    let attempts = bench.run_statement(&report).attempts;
    let listed: Vec<_> =
        attempts.iter().filter(|a| a.name == "unit").map(|a| (a.attempt, a.outcome)).collect();
    assert_eq!(listed, [(1, Outcome::Failed), (2, Outcome::Passed)]);
    assert_eq!(test_result(&bench, &report, "unit").check.attempt, 2);
}

#[test]
fn a_check_sees_what_it_is_about_and_cannot_write_to_it() {
    let bench = Bench::new();
    let sandbox = benign()
        .when("unit", |act| {
            assert_eq!(act.read("/src/main.rs").as_deref(), Some("fn main() {}"));
            assert_eq!(act.read("/artifact/dist/shop"), None);
            act.print(PASSING);
            Exit::Status(0)
        })
        .when("smoke", |act| {
            assert_eq!(act.read("/artifact/dist/shop").as_deref(), Some("#!/bin/sh\nexec true\n"));
            assert!(!act.plan().mounts.iter().any(|mount| matches!(mount, Mount::Writable { .. })));
            Exit::Status(0)
        });
    assert!(bench.run(&sandbox).unwrap().passed());
}

fn scan(report: impl Fn(&mut crate::memory::Act<'_>) -> Exit + Send + Sync + 'static) -> (Bench, Report) {
    let bench = Bench::with(&with_evidence(LINT));
    let sandbox: Scripted = benign().when("lint", report);
    let report = bench.run(&sandbox).unwrap();
    (bench, report)
}

fn writes(text: String) -> impl Fn(&mut crate::memory::Act<'_>) -> Exit + Send + Sync {
    move |act| {
        act.write("reports/lint.sarif", &text);
        Exit::Status(0)
    }
}

fn scan_result(bench: &Bench, report: &Report) -> Scan {
    let made = report.statements.iter().find(|made| made.name == "lint").unwrap();
    bench.read::<Scan>(&made.signed, "scanner").predicate
}

#[test]
fn a_clean_scan_passes_and_says_by_which_tool_and_rules() {
    let (bench, report) = scan(writes(CLEAN.into()));
    assert!(report.passed(), "{:?}", report.reasons);
    let scan = scan_result(&bench, &report);
    assert_eq!((scan.rules, scan.findings), (2, Findings::default()));
    assert_eq!((scan.tool.name.as_str(), scan.tool.version.as_deref()), ("lint", Some("1.2")));
    let shell = std::fs::read("/usr/bin/sh").or_else(|_| std::fs::read("/bin/sh")).unwrap();
    assert_eq!(scan.tool.digest, Digest::of(&shell), "the executable on disk, whatever the report says");
    assert_eq!(bench.blobs.text(&scan.report.unwrap()), CLEAN);
}

#[test]
fn findings_are_counted_by_level_and_errors_do_not_pass() {
    for (level, outcome) in
        [("error", Outcome::Failed), ("warning", Outcome::Passed), ("note", Outcome::Passed)]
    {
        let (bench, report) = scan(writes(finding(level)));
        assert_eq!(report.checks[0].1, outcome, "{level}");
        let Findings { error, warning, note, none } = scan_result(&bench, &report).findings;
        assert_eq!([error, warning, note, none].iter().sum::<u64>(), 1);
        assert_eq!(error == 1, level == "error");
    }
}

/// A31: a report that is not there, cannot be read or looked at nothing never means that nothing was found.
#[test]
fn a_scan_without_a_report_that_can_be_believed_came_to_no_answer() {
    type Command = fn(&mut crate::memory::Act<'_>) -> Exit;
    let cases: [(Command, Code); 7] = [
        (|_| Exit::Status(0), Code::EvidenceParse),
        (
            |act| {
                symlink("/etc/passwd", act.place("reports/lint.sarif")).unwrap();
                Exit::Status(0)
            },
            Code::EvidenceParse,
        ),
        (
            |act| {
                std::fs::create_dir(act.place("reports/lint.sarif")).unwrap();
                Exit::Status(0)
            },
            Code::EvidenceParse,
        ),
        (
            |act| {
                act.write("reports/lint.sarif", "{");
                Exit::Status(0)
            },
            Code::EvidenceParse,
        ),
        (
            |act| {
                act.write("reports/lint.sarif", r#"{"version":"2.1.0","runs":[]}"#);
                Exit::Status(0)
            },
            Code::EvidenceEmpty,
        ),
        (
            |act| {
                act.write("reports/lint.sarif", CLEAN);
                Exit::Status(2)
            },
            Code::EvidenceSelf,
        ),
        (
            |act| {
                act.write("reports/lint.sarif", CLEAN);
                Exit::TimedOut
            },
            Code::EvidenceErrored,
        ),
    ];
    for (number, (command, code)) in cases.into_iter().enumerate() {
        let (bench, report) = scan(command);
        assert_eq!(report.checks[0].1, Outcome::Errored, "case {number}");
        assert_eq!(report.reasons[0].code, code, "case {number}");
        assert_eq!(scan_result(&bench, &report).outcome, Outcome::Errored);
    }
}

/// Each attempt is listed, the others go on, and nothing is signed of a tool that nobody ran.
#[test]
fn an_adapter_whose_tool_nobody_can_find_came_to_no_answer_and_the_run_to_its_end() {
    let text = with_evidence(LINT).replace("tool: sh", "retry: 1, tool: no-such-tool-anywhere");
    let bench = Bench::with(&(text + "  - {test: smoke, on: artifact, run: [smoke]}\n"));
    let sandbox = benign().when("lint", writes(CLEAN.into()));
    let report = bench.run(&sandbox).unwrap();
    assert!(!report.passed());
    let outcomes: Vec<_> = report.checks.iter().map(|(name, outcome)| (name.as_str(), *outcome)).collect();
    assert_eq!(outcomes, [("lint", Outcome::Errored), ("smoke", Outcome::Passed)]);
    let codes: Vec<_> = report.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [Code::EvidenceTool; 2]);
    assert!(report.statements.iter().all(|made| made.name != "lint"));
    let attempts = bench.run_statement(&report).attempts;
    let listed: Vec<_> = attempts.iter().filter(|attempt| attempt.name == "lint").collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| (one.outcome, one.statement) == (Outcome::Errored, None)));
}

/// Nobody can get rid of an unwanted test by calling it an adapter whose tool is missing.
#[test]
fn only_an_adapter_of_the_plan_is_closed_as_one_without_its_tool() {
    let bench = Bench::new();
    let open = bench.open(1);
    bench.session("builder").opened(&open);
    let mut scanner = bench.session("scanner");
    scanner.opened(&open);
    for name in ["unit", "lint"] {
        let close = CloseToolless { check: name.parse().unwrap(), attempt: 1, problem: None };
        scanner.refuses(&Request::CloseToolless(close), Code::SignUnobserved);
    }
}

//! Scans by Plimsoll itself: what a signer makes of their reports. The scanner runs in a sandbox and reads hostile bytes,
//! so its report is believed no more than any other.

use crate::{
    bench::{Bench, benign, with_evidence},
    memory::Act,
};
use plimsoll_attest::predicate::Scan;
use plimsoll_engine::{ports::Exit, run::Report};
use plimsoll_model::{Code, Digest, Outcome, ScanEngine, Severity};
use plimsoll_scan::{Coverage, Finding, Fingerprint, Gap, Rule, sarif};

const SCANNED: &str = "{scan: [secrets]}\n  - {scan: [config], on: artifact}";

const RULE: Rule =
    Rule { id: "secrets/a", title: "a", severity: Severity::High, help: "Do not.", references: &[] };

fn finding(what: &str, severity: Severity) -> Finding {
    Finding {
        rule: RULE.id.into(),
        severity,
        message: "a".into(),
        fix: None,
        diff: None,
        location: None,
        subject: what.into(),
        aliases: vec![],
        fingerprint: Fingerprint::of(RULE.id, &[what]),
    }
}

fn written(engine: ScanEngine) -> plimsoll_scan::Report {
    plimsoll_scan::Report {
        engine,
        version: "0.1.0",
        rules: vec![&RULE],
        rules_digest: Digest::of(b"rules"),
        imported: None,
        database: None,
        coverage: Coverage { files: 3, bytes: 100, ..Coverage::default() },
        findings: vec![],
        suppressed: vec![],
    }
}

/// Runs the pipeline; the scan of the source reports this, that of the artifact is clean.
fn scanned(text: impl Fn() -> String + Send + Sync + 'static, exit: Exit) -> (Bench, Report) {
    let bench = Bench::with(&with_evidence(SCANNED));
    let sandbox = benign().when("/plimsoll", move |act: &mut Act<'_>| {
        if act.plan().argv.contains(&"/artifact".to_owned()) {
            act.write("report/scan.sarif", &sarif::write(&[written(ScanEngine::Config)], None).to_string());
            return Exit::Status(0);
        }
        act.write("report/scan.sarif", &text());
        exit
    });
    let report = bench.run(&sandbox).unwrap();
    (bench, report)
}

fn reported(change: impl Fn(&mut plimsoll_scan::Report)) -> String {
    let mut report = written(ScanEngine::Secrets);
    change(&mut report);
    sarif::write(&[report], None).to_string()
}

fn statement(bench: &Bench, report: &Report, name: &str) -> Scan {
    let made = report.statements.iter().find(|made| made.name == name).unwrap();
    bench.read::<Scan>(&made.signed, "scanner").predicate
}

#[test]
fn a_scan_says_what_it_looked_at_and_by_which_program_and_rules() {
    let (bench, report) = scanned(|| reported(|_| {}), Exit::Status(0));
    assert!(report.passed(), "{:?}", report.reasons);
    let scan = statement(&bench, &report, "secrets");
    let own = scan.own.unwrap();
    assert_eq!((own.engine, own.coverage.files, own.coverage.bytes), (ScanEngine::Secrets, 3, 100));
    assert_eq!((own.rules_digest, own.results.len(), own.unlisted), (Digest::of(b"rules"), 0, 0));
    assert_eq!(scan.tool.digest, Digest::of(&std::fs::read("/proc/self/exe").unwrap()));
    let artifact = statement(&bench, &report, "artifact-config");
    assert_eq!(artifact.own.unwrap().engine, ScanEngine::Config);
}

/// Which findings block is for the environment to say: the run records them all.
#[test]
fn findings_are_listed_and_do_not_fail_the_scan() {
    let text = || {
        reported(|report| {
            report.findings = vec![finding("x", Severity::Critical), finding("x", Severity::Critical)];
            report.suppressed = vec![finding("y", Severity::Low)];
        })
    };
    let (bench, report) = scanned(text, Exit::Status(0));
    assert!(report.passed(), "{:?}", report.reasons);
    let own = statement(&bench, &report, "secrets").own.unwrap();
    let mut said: Vec<_> = own.results.iter().map(|r| (r.severity, r.suppressed)).collect();
    said.sort();
    assert_eq!(said, [(Severity::Low, true), (Severity::Critical, false)], "the same one counts once");
}

#[test]
fn of_more_findings_than_a_statement_lists_the_worst_are_listed_and_the_rest_counted() {
    let text = || {
        reported(|report| {
            report.findings = (0..10_007).map(|n| finding(&n.to_string(), Severity::Low)).collect();
            report.findings.push(finding("worst", Severity::Critical));
        })
    };
    let (bench, report) = scanned(text, Exit::Status(0));
    let own = statement(&bench, &report, "secrets").own.unwrap();
    assert_eq!((own.results.len(), own.unlisted), (10_000, 8));
    assert!(own.results.iter().any(|result| result.severity == Severity::Critical));
}

/// A31: none of these means that nothing was found.
#[test]
fn a_report_that_cannot_be_believed_is_no_answer() {
    let gap = || Gap { path: "a.bin".into(), problem: "too large".into() };
    type Text = Box<dyn Fn() -> String + Send + Sync>;
    let foreign = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","rules":[{"id":"a"}]}},"results":[]}]}"#;
    let cases: [(&str, Text, Exit, Code); 7] = [
        (
            "something was not looked at",
            Box::new(move || reported(|report| report.coverage.gaps.push(gap()))),
            Exit::Status(0),
            Code::EvidenceErrored,
        ),
        (
            "nothing was looked at",
            Box::new(|| reported(|report| report.coverage = Coverage::default())),
            Exit::Status(0),
            Code::EvidenceEmpty,
        ),
        (
            "no rules",
            Box::new(|| reported(|report| report.rules.clear())),
            Exit::Status(0),
            Code::EvidenceEmpty,
        ),
        (
            "another scanner",
            Box::new(|| sarif::write(&[written(ScanEngine::Config)], None).to_string()),
            Exit::Status(0),
            Code::EvidenceParse,
        ),
        ("another program", Box::new(move || foreign.to_owned()), Exit::Status(0), Code::EvidenceParse),
        (
            "cut off",
            Box::new(|| reported(|_| {}).split_at(300).0.to_owned()),
            Exit::Status(0),
            Code::EvidenceParse,
        ),
        ("it ended badly", Box::new(|| reported(|_| {})), Exit::Status(3), Code::EvidenceSelf),
    ];
    for (what, text, exit, code) in cases {
        let (bench, report) = scanned(text, exit);
        let outcome = report.checks.iter().find(|(name, _)| name == "secrets").unwrap().1;
        assert_eq!(outcome, Outcome::Errored, "{what}");
        assert!(report.reasons.iter().any(|reason| reason.code == code), "{what}: {:?}", report.reasons);
        assert_eq!(statement(&bench, &report, "secrets").outcome, Outcome::Errored, "{what}");
    }
}

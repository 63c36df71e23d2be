//! Scans that say more of themselves than this machine knows: other rules, other data, and a wish for the network.

use crate::{
    bench::{Bench, LINT, benign, with_evidence},
    memory::{Act, clock},
};
use plimsoll_engine::{
    ports::{Event, Exit, Journal as _},
    run::Report,
};
use plimsoll_model::{Code, Digest, Outcome, Role, ScanEngine, Severity, Timestamp};
use plimsoll_scan::{Coverage, Database, Rule, sarif};

const CLEAN: &str =
    r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","rules":[{"id":"a"}]}},"results":[]}]}"#;

const RULE: Rule =
    Rule { id: "dependencies/a", title: "a", severity: Severity::High, help: "Do not.", references: &[] };

fn time(at: &str) -> Timestamp {
    at.parse().unwrap()
}

fn index(name: &str, updated: &str) -> Database {
    Database { digest: Digest::of(name.as_bytes()), updated: time(updated) }
}

fn import(bench: &Bench, by: Role, database: &Database) {
    let Database { digest: index, updated, .. } = *database;
    let event = Event::Advisories { index, updated, statement: Digest::of(b"statement") };
    bench.journal.append(&by, clock(), event).unwrap();
}

/// A scan that found nothing.
fn clean(engine: ScanEngine) -> plimsoll_scan::Report {
    plimsoll_scan::Report {
        engine,
        version: "0.1.0",
        rules: vec![&RULE],
        rules_digest: Digest::of(b"rules"),
        imported: None,
        database: None,
        coverage: Coverage { files: 1, bytes: 10, packages: 3, ..Coverage::default() },
        findings: vec![],
        suppressed: vec![],
    }
}

fn written(report: plimsoll_scan::Report) -> String {
    sarif::write(&[report], None).to_string()
}

/// What becomes of a scan of dependencies that names these rules and this data.
fn judged(bench: &Bench, rules: &'static [u8], database: Option<Database>) -> (Outcome, Vec<Code>) {
    let rules_digest = Digest::of(rules);
    let text = written(plimsoll_scan::Report { rules_digest, database, ..clean(ScanEngine::Dependencies) });
    came_to(bench.run(&benign().when("/plimsoll", move |act: &mut Act<'_>| {
        act.write("report/scan.sarif", &text);
        Exit::Status(0)
    })))
}

fn came_to(report: Result<Report, plimsoll_engine::run::RunError>) -> (Outcome, Vec<Code>) {
    let report = report.unwrap();
    (report.checks[0].1, report.reasons.iter().map(|reason| reason.code).collect())
}

/// A31d: whoever takes the scanner over cannot have it say that it looked with newer data.
#[test]
fn only_the_advisories_that_the_journal_names_are_those_of_a_scan() {
    let (old, new) = (index("old", "2025-01-01T00:00:00Z"), index("new", "2026-01-01T00:00:00Z"));
    let bench = || {
        let bench = Bench::with(&with_evidence("{scan: [dependencies]}"));
        import(&bench, Role::Scanner, &old);
        import(&bench, Role::Scanner, &new);
        bench
    };
    let refused = || (Outcome::Errored, vec![Code::EvidenceSelf]);
    assert_eq!(judged(&bench(), b"rules", Some(new.clone())), (Outcome::Passed, vec![]), "benign twin");
    assert_eq!(judged(&bench(), b"rules", Some(old.clone())), refused(), "what was in use before");
    assert_eq!(judged(&bench(), b"rules", None), refused(), "none at all");
    let younger = Database { updated: time("2027-01-01T00:00:00Z"), ..new.clone() };
    assert_eq!(judged(&bench(), b"rules", Some(younger)), refused(), "the right data, made younger");
    // What another role writes about advisories does not count.
    let bench = bench();
    import(&bench, Role::Builder, &old);
    assert_eq!(judged(&bench, b"rules", Some(old)), refused());
}

#[test]
fn a_scan_by_other_rules_than_this_program_has_is_not_believed() {
    let new = index("new", "2026-01-01T00:00:00Z");
    let bench = Bench::with(&with_evidence("{scan: [dependencies]}"));
    import(&bench, Role::Scanner, &new);
    let other = judged(&bench, b"fewer rules", Some(new));
    assert_eq!(other, (Outcome::Errored, vec![Code::EvidenceSelf]));
}

/// A31c: an environment may ask for the rules of the user by their digest, and a report can name any.
#[test]
fn only_the_imported_rules_of_this_machine_are_those_of_a_scan() {
    let (own, other) = (Digest::of(b"own"), Digest::of(b"other"));
    let refused = || (Outcome::Errored, vec![Code::EvidenceSelf]);
    for engine in [ScanEngine::Secrets, ScanEngine::Malware] {
        // What is there before the run, what somebody imports while it runs, and what the report names.
        let judged =
            |before: Result<Option<Digest>, String>, imports: Option<Digest>, imported: Option<Digest>| {
                let bench = Bench::with(&with_evidence(&format!("{{scan: [{engine}]}}")));
                *bench.imported.lock().unwrap() = before;
                let text = written(plimsoll_scan::Report { imported, ..clean(engine) });
                let machine = bench.imported.clone();
                came_to(bench.run(&benign().when("/plimsoll", move |act: &mut Act<'_>| {
                    act.write("report/scan.sarif", &text);
                    if imports.is_some() {
                        *machine.lock().unwrap() = Ok(imports);
                    }
                    Exit::Status(0)
                })))
            };
        let passed = || (Outcome::Passed, vec![]);
        assert_eq!(judged(Ok(Some(own)), None, Some(own)), passed(), "benign twin");
        assert_eq!(judged(Ok(None), None, None), passed(), "nobody imported any");
        assert_eq!(judged(Ok(Some(own)), None, Some(other)), refused(), "others");
        assert_eq!(judged(Ok(Some(own)), None, None), refused(), "it left them out");
        assert_eq!(judged(Ok(None), None, Some(own)), refused(), "there are none");
        assert_eq!(judged(Err("damaged".into()), None, Some(own)), refused(), "nobody can read them");
        assert_eq!(judged(Err("damaged".into()), None, None), refused());
        assert_eq!(judged(Ok(Some(own)), Some(other), Some(own)), passed(), "those before an import");
        assert_eq!(judged(Ok(Some(own)), Some(other), Some(other)), passed(), "those after it");
        assert_eq!(judged(Ok(Some(own)), Some(other), None), refused(), "neither");
    }
}

/// A13: the report is clean, and the tool asked for another machine while it looked.
#[test]
fn a_scanner_that_asks_for_the_network_is_not_believed() {
    for (attempts, expect) in [
        (None, (Outcome::Passed, vec![])),
        (Some(0), (Outcome::Passed, vec![])),
        (Some(1), (Outcome::Errored, vec![Code::EvidenceTainted])),
    ] {
        let sandbox = benign().when("lint", move |act: &mut Act<'_>| {
            act.write("reports/lint.sarif", CLEAN);
            Exit::Status(0)
        });
        let sandbox = sandbox.that_asks_for_the_network(attempts);
        assert_eq!(came_to(Bench::with(&with_evidence(LINT)).run(&sandbox)), expect, "{attempts:?}");
    }
}

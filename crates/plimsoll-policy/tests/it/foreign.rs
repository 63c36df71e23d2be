//! Foreign scanners behind manifests: which findings block, by which manifest they count, what is new, and by whose word one
//! may stand.

use crate::{
    exceptions::{EXCEPTIONS, excepting},
    fixture::{Case, ENVIRONMENT, environment},
    keys::pinned,
    scans::refused,
    vex::{VERA, add, openvex, people},
};
use plimsoll_attest::predicate::{
    common::Ending,
    scan::{AdapterScan, OwnResult},
};
use plimsoll_model::{Code, Digest, ReportFormat, Severity};
use plimsoll_policy::{VEX_NAMESPACE, Verdict, decision::ExcusedBy, dossier};
use std::collections::BTreeSet;

fn result(what: &str, severity: Severity) -> OwnResult {
    OwnResult::new(Digest::of(what.as_bytes()), severity)
}

fn adapter(results: &[OwnResult]) -> AdapterScan {
    AdapterScan {
        name: "lint".parse().unwrap(),
        manifest: Digest::of(b"manifest"),
        ready: true,
        format: ReportFormat::Sarif,
        data: None,
        found: BTreeSet::from([3]),
        results: results.to_vec(),
        unlisted: 0,
    }
}

/// Why the scan does not pass under this requirement; none where it does.
fn judged(require: &str, adapter: AdapterScan) -> Option<Code> {
    ended(require, adapter, Ending::Status(0))
}

fn case(require: &str, adapter: AdapterScan) -> Case {
    let mut case = Case::good();
    case.files.insert(ENVIRONMENT.into(), environment(&format!("  scans: {{lint: {require}}}\n")));
    case.lint.says().adapter = Some(Box::new(adapter));
    case
}

fn ended(require: &str, adapter: AdapterScan, exit: Ending) -> Option<Code> {
    let mut case = case(require, adapter);
    case.lint.says().exit = exit;
    let mut found = case.refusals().into_iter().map(|(gate, _, code)| {
        assert!(gate.starts_with("scans."), "{gate} {code}");
        code
    });
    found.next_back()
}

#[test]
fn a_finding_blocks_by_its_severity_and_not_by_the_level_that_the_tool_gave_it() {
    let found = |severity| adapter(&[result("a", severity)]);
    for (block, severity, expect) in [
        ("critical", Severity::High, None),
        ("critical", Severity::Critical, Some(Code::EvidenceFailed)),
        ("high", Severity::Medium, None),
        ("high", Severity::High, Some(Code::EvidenceFailed)),
        ("low", Severity::Info, Some(Code::EvidenceFailed)),
    ] {
        assert_eq!(judged(&format!("{{block: {block}}}"), found(severity)), expect, "{block} {severity}");
    }
    assert_eq!(judged("{block: low}", adapter(&[])), None);
    assert_eq!(judged("{new: 0}", adapter(&[])), None);
    assert_eq!(
        judged("{new: 0}", found(Severity::Low)),
        Some(Code::EvidenceFailed),
        "nothing runs: all is new"
    );
    assert_eq!(judged("{new: 1}", found(Severity::Low)), None);
}

/// Whoever writes a change cannot choose the rules that it is judged by.
#[test]
fn only_the_manifest_that_the_environment_names_counts() {
    let digest = Digest::of(b"manifest");
    let pinned = format!("{{block: high, manifest: \"{digest}\"}}");
    let ready = "{block: high, manifest: ready}";
    assert_eq!(judged(&pinned, adapter(&[])), None);
    assert_eq!(judged(ready, adapter(&[])), None);
    let own = AdapterScan { ready: false, ..adapter(&[]) };
    assert_eq!(judged(ready, own.clone()), Some(Code::EvidenceTool));
    assert_eq!(judged(&pinned, own), None, "a project's manifest counts where its digest is named");
    let other = AdapterScan { name: "zizmor".parse().unwrap(), ..adapter(&[]) };
    assert_eq!(judged(ready, other), Some(Code::EvidenceTool));
    let changed = AdapterScan { manifest: Digest::of(b"other"), ..adapter(&[]) };
    assert_eq!(judged(&pinned, changed), Some(Code::EvidenceTool));
}

#[test]
fn what_the_tool_counts_as_suppressed_blocks_unless_the_environment_lets_it() {
    let suppressed = OwnResult { suppressed: true, ..result("a", Severity::High) };
    let said = || adapter(std::slice::from_ref(&suppressed));
    assert_eq!(judged("{block: high}", said()), Some(Code::EvidenceConfig));
    assert_eq!(judged("{block: critical}", said()), None);
    assert_eq!(judged("{block: high, comments: true}", said()), None);
}

#[test]
fn findings_that_are_not_listed_are_not_clean() {
    let more = AdapterScan { unlisted: 1, ..adapter(&[]) };
    assert_eq!(judged("{block: high}", more), Some(Code::EvidenceFailed));
}

#[test]
fn the_status_that_means_found_is_no_failure_where_something_was_found() {
    let found = || adapter(&[result("a", Severity::Low)]);
    for (exit, adapter, expect) in [
        (Ending::Status(3), found(), None),
        (Ending::Status(3), adapter(&[]), Some(Code::EvidenceSelf)),
        (Ending::Status(4), found(), Some(Code::EvidenceSelf)),
        (Ending::TimedOut, found(), Some(Code::EvidenceSelf)),
    ] {
        assert_eq!(ended("{block: high}", adapter, exit), expect, "{exit:?}");
    }
}

const LODASH: &str = "pkg:npm/lodash@4.17.20";

/// A vulnerable package, as a foreign scanner lists it.
fn vulnerable() -> OwnResult {
    OwnResult {
        rule: Some("GHSA-35jh-r3h4-6jhm-lodash".into()),
        path: Some("package-lock.json".into()),
        package: Some(LODASH.into()),
        advisories: vec!["CVE-2021-23337".into(), "GHSA-35jh-r3h4-6jhm".into()],
        ..result("lodash", Severity::High)
    }
}

fn excepted(named: &str, result: &OwnResult) -> Case {
    let mut case = case("{block: high}", adapter(std::slice::from_ref(result)));
    case.files.insert(EXCEPTIONS.into(), excepting(named, "2026-03-01"));
    case
}

#[test]
fn an_exception_is_about_exactly_the_finding_that_it_names() {
    let fingerprint = |digest: Digest| format!("scan: lint, finding: \"{digest}\"");
    let advisory =
        |name: &str, package: &str| format!("scan: lint, advisory: {name}, package: \"{package}\"");
    for (named, passes) in [
        (fingerprint(vulnerable().fingerprint), true),
        (fingerprint(Digest::of(b"unknown")), false),
        (fingerprint(vulnerable().fingerprint).replace("lint", "other"), false),
        (fingerprint(vulnerable().fingerprint).replace("lint", "dependencies"), false),
        ("scan: lint, rule: GHSA-35jh-r3h4-6jhm-lodash, path: package-lock.json".to_owned(), true),
        ("scan: lint, rule: GHSA-35jh-r3h4-6jhm-lodash, path: other/package-lock.json".to_owned(), false),
        ("scan: lint, rule: GHSA-35jh-r3h4-6jhm, path: package-lock.json".to_owned(), false),
        (format!("scan: lint, rule: GHSA-35jh-r3h4-6jhm-lodash, package: \"{LODASH}\""), true),
        (advisory("cve-2021-23337", LODASH), true),
        (advisory("CVE-2021-23337", "pkg:npm/lodash@4.17.19"), false),
        (advisory("CVE-2021-23338", LODASH), false),
    ] {
        let expect = (!passes).then_some(Code::EvidenceFailed);
        assert_eq!(refused(&excepted(&named, &vulnerable())), expect, "{named}");
    }
    // One finding is not two, and one that ended says so.
    let named = fingerprint(vulnerable().fingerprint);
    let two = adapter(&[vulnerable(), result("more", Severity::High)]);
    let mut both = case("{block: high}", two);
    both.files.insert(EXCEPTIONS.into(), excepting(&named, "2026-03-01"));
    assert_eq!(refused(&both), Some(Code::EvidenceFailed));
    let mut over = excepted(&named, &vulnerable());
    over.files.insert(EXCEPTIONS.into(), excepting(&named, "2026-01-01"));
    let reason = over.decide().predicate.decision.reasons().next().unwrap().to_string();
    assert!(reason.contains("the exception of ada ended at"), "{reason}");
}

/// Whoever answers for it, and by whichever document: a package that is an attack stays one.
#[test]
fn an_attack_that_a_foreign_scanner_found_has_no_exception() {
    type Change = fn(&mut OwnResult);
    let cases: [(&str, Change, Option<Code>); 4] = [
        ("vulnerable", |_| {}, None),
        ("its rule", |r| r.rule = Some("MAL-2026-1-lodash".into()), Some(Code::EvidenceFailed)),
        ("another of its names", |r| r.advisories.push("mal-2026-1".into()), Some(Code::EvidenceFailed)),
        ("a statement that does not say", |r| r.rule = None, Some(Code::EvidenceFailed)),
    ];
    for (what, change, expect) in cases {
        let mut result = vulnerable();
        change(&mut result);
        let named = format!("scan: lint, finding: \"{}\"", result.fingerprint);
        assert_eq!(refused(&excepted(&named, &result)), expect, "{what}");
        let mut case = case("{block: high, vex: [vera]}", adapter(std::slice::from_ref(&result)));
        people(&mut case);
        let document = openvex("CVE-2021-23337", LODASH, "not_affected");
        add(&mut case, "a", &document, &[(VERA, VEX_NAMESPACE)]);
        assert_eq!(refused(&case), expect, "{what}");
    }
}

#[test]
fn an_exception_for_a_foreign_scanner_is_a_rule_that_somebody_signed() {
    let mut case = excepted(&format!("scan: lint, finding: \"{}\"", vulnerable().fingerprint), &vulnerable());
    assert_eq!(refused(&case), None, "benign twin");
    let mut signed = case.files.clone();
    signed.remove(EXCEPTIONS);
    case.policy = Some(vec![signed]);
    let codes: Vec<_> = case.refusals().into_iter().map(|(_, _, code)| code).collect();
    assert_eq!(codes, [Code::PolicyUnsigned]);
}

#[test]
fn a_decision_names_what_let_a_foreign_finding_pass_and_is_computed_again_offline() {
    let case =
        excepted("scan: lint, rule: GHSA-35jh-r3h4-6jhm-lodash, path: package-lock.json", &vulnerable());
    let decision = case.decide().predicate.decision;
    assert_eq!(decision.verdict, Verdict::Allow);
    let [excused] = decision.excused.as_slice() else { panic!("{decision:?}") };
    assert_eq!((excused.gate.as_str(), excused.finding), ("scans.lint", vulnerable().fingerprint));
    assert_eq!((&excused.rule, &excused.package), (&vulnerable().rule, &vulnerable().package));
    assert!(matches!(&excused.by, ExcusedBy::Exception { owner, .. } if owner == "ada"), "{excused:?}");
    dossier::recompute(&case.dossier(), &pinned(), &BTreeSet::new()).unwrap();
    let mut parts = case.dossier();
    parts.files.remove(EXCEPTIONS);
    let reason = dossier::recompute(&parts, &pinned(), &BTreeSet::new()).unwrap_err();
    assert_eq!(reason.code, Code::DecisionMismatch);
}

#[test]
fn a_vex_document_lets_exactly_its_vulnerability_of_a_foreign_scanner_pass() {
    let judged = |require: &str, document: &str, found: &OwnResult| {
        let mut case = case(require, adapter(std::slice::from_ref(found)));
        people(&mut case);
        add(&mut case, "a", document, &[(VERA, VEX_NAMESPACE)]);
        refused(&case)
    };
    let good = openvex("CVE-2021-23337", LODASH, "not_affected");
    let asked = "{block: high, vex: [vera]}";
    let blocks = Some(Code::EvidenceFailed);
    assert_eq!(judged(asked, &good, &vulnerable()), None);
    assert_eq!(judged("{block: high}", &good, &vulnerable()), blocks, "nobody is believed");
    assert_eq!(
        judged("{block: high, vex: [vim]}", &good, &vulnerable()),
        blocks,
        "somebody else is believed"
    );
    let other = openvex("CVE-2021-23337", "pkg:npm/lodash@4.17.19", "not_affected");
    assert_eq!(judged(asked, &other, &vulnerable()), blocks);
    let unnamed = OwnResult { package: None, ..vulnerable() };
    assert_eq!(judged(asked, &good, &unnamed), blocks, "it names no package");
    let lint = OwnResult { advisories: vec![], ..vulnerable() };
    assert_eq!(judged(asked, &good, &lint), blocks, "it names no advisory");
}

/// An exception covers what the tool itself counts as suppressed, too.
#[test]
fn an_exception_covers_what_the_tool_suppresses() {
    let silenced = OwnResult { suppressed: true, ..vulnerable() };
    let named = format!("scan: lint, finding: \"{}\"", silenced.fingerprint);
    assert_eq!(
        refused(&case("{block: high}", adapter(std::slice::from_ref(&silenced)))),
        Some(Code::EvidenceConfig)
    );
    assert_eq!(refused(&excepted(&named, &silenced)), None);
}

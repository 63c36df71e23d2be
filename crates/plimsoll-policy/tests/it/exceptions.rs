//! Exceptions: which finding each way of naming one is about, from when until when it counts, and that it is a rule that
//! somebody signed. Each stands beside the twin that blocks.

use crate::{
    fixture::{Case, PEOPLE},
    samples::time,
    scans::{case, own, refused, result},
};
use plimsoll_attest::predicate::scan::OwnResult;
use plimsoll_model::{Code, Digest, ScanEngine, Severity};
use plimsoll_policy::{
    GatherError, Verdict,
    decision::{Excused, ExcusedBy},
    dossier,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(crate) const EXCEPTIONS: &str = "environments/production/shop/exceptions.yaml";
const SMALLVEC: &str = "pkg:cargo/smallvec@1.6.0";

/// `exceptions.yaml` with one exception of ada, which names the finding like this.
pub(crate) fn excepting(named: &str, expires: &str) -> String {
    format!(
        "version: 1\nexceptions:\n- {{{named}, owner: ada, reason: it is not called, expires: {expires}}}\n"
    )
}

/// A vulnerable package, as a scan lists it.
pub(crate) fn vulnerable() -> OwnResult {
    OwnResult {
        rule: Some("dependencies/vulnerable".into()),
        path: Some("Cargo.lock".into()),
        package: Some(SMALLVEC.into()),
        advisories: vec!["RUSTSEC-2021-0003".into(), "CVE-2021-25900".into()],
        ..result("smallvec", Severity::High)
    }
}

fn scanned(result: &OwnResult) -> Case {
    case("{block: high}", own(ScanEngine::Dependencies, std::slice::from_ref(result)))
}

fn with(named: &str, expires: &str, result: &OwnResult) -> Case {
    let mut case = scanned(result);
    case.files.insert(EXCEPTIONS.into(), excepting(named, expires));
    case
}

#[test]
fn an_exception_is_about_exactly_what_it_names() {
    let fingerprint = format!("scan: dependencies, finding: \"{}\"", vulnerable().fingerprint);
    let other = format!("scan: dependencies, finding: \"{}\"", Digest::of(b"other"));
    for (named, passes) in [
        (fingerprint.as_str(), true),
        (&other, false),
        (
            "scan: artifact-dependencies, advisory: CVE-2021-25900, package: \"pkg:cargo/smallvec@1.6.0\"",
            false,
        ),
        ("scan: dependencies, advisory: CVE-2021-25900, package: \"pkg:cargo/smallvec@1.6.0\"", true),
        ("scan: dependencies, advisory: cve-2021-25900, package: \"pkg:cargo/smallvec@1.6.0\"", true),
        ("scan: dependencies, advisory: CVE-2021-25901, package: \"pkg:cargo/smallvec@1.6.0\"", false),
        ("scan: dependencies, advisory: CVE-2021-25900, package: \"pkg:cargo/smallvec@1.6.1\"", false),
        ("scan: dependencies, rule: dependencies/vulnerable, path: Cargo.lock", true),
        ("scan: dependencies, rule: dependencies/vulnerable, path: other/Cargo.lock", false),
        ("scan: dependencies, rule: dependencies/vulnerable, package: \"pkg:cargo/smallvec@1.6.0\"", true),
        ("scan: dependencies, rule: dependencies/unsound, package: \"pkg:cargo/smallvec@1.6.0\"", false),
    ] {
        let expect = (!passes).then_some(Code::EvidenceFailed);
        assert_eq!(refused(&with(named, "2026-03-01", &vulnerable())), expect, "{named}");
    }
}

const NAMED: &str = "scan: dependencies, advisory: CVE-2021-25900, package: \"pkg:cargo/smallvec@1.6.0\"";

#[test]
fn an_exception_counts_to_the_end_of_its_last_day_and_for_a_year_at_most() {
    // It is decided at 2026-01-02T04:00:00Z.
    for (expires, problem) in [
        ("2026-01-02", None),
        ("2026-12-31", None),
        ("2026-01-01", Some("(the exception of ada ended at 2026-01-02T00:00:00Z)")),
        ("2027-03-01", Some("(the exception of ada counts from 2026-03-01T00:00:00Z on)")),
    ] {
        let case = with(NAMED, expires, &vulnerable());
        let decision = case.decide().predicate.decision;
        let reason = decision.reasons().next().map(ToString::to_string).unwrap_or_default();
        assert_eq!(decision.verdict == Verdict::Allow, problem.is_none(), "{expires}: {reason}");
        assert!(reason.contains(problem.unwrap_or_default()), "{expires}: {reason}");
    }
}

#[test]
fn a_decision_names_what_let_each_finding_pass_and_is_computed_again_offline() {
    let case = with(NAMED, "2026-03-01", &vulnerable());
    let decision = case.decide().predicate.decision;
    let by = ExcusedBy::Exception {
        owner: "ada".into(),
        reason: "it is not called".into(),
        justification: None,
        until: time("2026-03-02T00:00:00Z"),
    };
    let expected = Excused {
        gate: "scans.dependencies".into(),
        finding: vulnerable().fingerprint,
        rule: Some("dependencies/vulnerable".into()),
        package: Some(SMALLVEC.into()),
        advisories: vulnerable().advisories,
        by,
    };
    assert_eq!(decision.excused, [expected]);
    let (parts, root) = (case.dossier(), &crate::keys::pinned());
    assert!(parts.files.contains_key(EXCEPTIONS));
    dossier::recompute(&parts, root, &BTreeSet::new()).unwrap();
    // Without the file, or with another, it is not the same decision.
    for change in [None, Some(excepting(NAMED, "2026-03-02"))] {
        let mut parts = case.dossier();
        parts.files.remove(EXCEPTIONS);
        parts.files.extend(change.map(|text| (EXCEPTIONS.into(), text.into_bytes())));
        let reason = dossier::recompute(&parts, root, &BTreeSet::new()).unwrap_err();
        assert_eq!(reason.code, Code::DecisionMismatch);
    }
}

/// Whoever may push, but not sign rules, allows a finding.
#[test]
fn an_exception_that_nobody_signed_refuses() {
    let mut case = with(NAMED, "2026-03-01", &vulnerable());
    let mut signed = case.files.clone();
    signed.remove(EXCEPTIONS);
    case.policy = Some(vec![signed]);
    let codes: Vec<_> = case.refusals().into_iter().map(|(_, _, code)| code).collect();
    assert_eq!(codes, [Code::PolicyUnsigned]);
}

#[test]
fn an_attack_has_no_exception() {
    let fingerprint = format!("scan: dependencies, finding: \"{}\"", vulnerable().fingerprint);
    type Change = fn(&mut OwnResult);
    let cases: [(&str, Change, Option<Code>); 4] = [
        ("vulnerable", |_| {}, None),
        ("its rule", |r| r.rule = Some("dependencies/malicious".into()), Some(Code::EvidenceFailed)),
        ("its name", |r| r.advisories.push("MAL-2026-1".into()), Some(Code::EvidenceFailed)),
        ("a statement that does not say", |r| r.rule = None, Some(Code::EvidenceFailed)),
    ];
    for (what, change, expect) in cases {
        let mut result = vulnerable();
        change(&mut result);
        assert_eq!(refused(&with(&fingerprint, "2026-03-01", &result)), expect, "{what}");
    }
}

#[test]
fn an_exception_without_a_person_who_answers_for_it_is_an_error_of_the_file() {
    let mut case = with(NAMED, "2026-03-01", &vulnerable());
    assert!(case.is_allowed());
    case.replace(EXCEPTIONS, "owner: ada", "owner: mallory");
    assert!(matches!(case.gather_from(&case.own_bundles()), Err(GatherError::File(_))));
    case.replace(EXCEPTIONS, "owner: mallory", "owner: ada");
    case.replace(PEOPLE, "name: ada,", "name: ada, robot: true,");
    assert!(matches!(case.gather_from(&case.own_bundles()), Err(GatherError::File(_))));
}

/// A comment in the source that the environment does not let count is one more finding to except.
#[test]
fn an_exception_covers_what_a_comment_allows() {
    let silenced = OwnResult { suppressed: true, ..vulnerable() };
    assert_eq!(refused(&scanned(&silenced)), Some(Code::EvidenceConfig));
    assert_eq!(refused(&with(NAMED, "2026-03-01", &silenced)), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// From findings of which some are excepted: leaving an exception out, or letting it end, allows nothing that was
    /// refused, and refuses what was allowed by it.
    #[test]
    fn exceptions_that_are_missing_or_over_never_allow(
        found in prop::collection::btree_set(0_u8..6, 0..5),
        excepted in prop::collection::btree_map(0_u8..6, any::<bool>(), 0..6),
    ) {
        let of = |n: u8| OwnResult { rule: Some("config/x".into()), ..result(&n.to_string(), Severity::High) };
        let found: Vec<_> = found.into_iter().map(of).collect();
        let file = |entries: &[(u8, &str)]| {
            let one = |(n, expires): &(u8, &str)| format!(
                "- {{scan: config, finding: \"{}\", owner: ada, reason: why, expires: {expires}}}\n", of(*n).fingerprint
            );
            format!("version: 1\nexceptions:{}\n{}", if entries.is_empty() { " []" } else { "" },
                entries.iter().map(one).collect::<String>())
        };
        let judged = |entries: &[(u8, &str)]| {
            let mut case = case("{block: high}", own(ScanEngine::Config, &found));
            case.files.insert(EXCEPTIONS.into(), file(entries));
            let decision = case.decide().predicate.decision;
            (decision.verdict == Verdict::Allow, decision.excused.len())
        };
        let all: Vec<_> = excepted.keys().map(|n| (*n, "2026-03-01")).collect();
        let some: Vec<_> =
            excepted.iter().map(|(n, ends)| (*n, if *ends { "2026-01-01" } else { "2026-03-01" })).collect();
        let fewer: Vec<_> = some.iter().copied().filter(|(_, expires)| *expires != "2026-01-01").collect();
        let ((before, excused), (after, fewer_excused)) = (judged(&all), judged(&some));
        prop_assert!(before || !after);
        prop_assert!(fewer_excused <= excused);
        prop_assert_eq!(after, fewer_excused == found.len());
        prop_assert_eq!(judged(&fewer), (after, fewer_excused), "one that is over is as if it were not there");
    }
}

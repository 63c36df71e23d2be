//! VEX documents count only by the word of people whom the environment names, about exactly the package and the
//! vulnerability, and where nobody contradicts. Licences pass only where the environment's list allows them.

use crate::{
    exceptions::{EXCEPTIONS, excepting, vulnerable},
    fixture::{Case, PEOPLE},
    keys::{line, pinned, signed_by},
    scans::{case, own, refused, result},
};
use plimsoll_attest::predicate::scan::{OwnLicense, OwnResult, OwnScan};
use plimsoll_model::{Code, ScanEngine, Severity};
use plimsoll_policy::{GatherError, VEX_NAMESPACE, Verdict, decision::ExcusedBy, dossier};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Keys of people: the first two are named by the environment, the third is not.
pub(crate) const VERA: u8 = 31;
const VIM: u8 = 32;
const EVE: u8 = 33;
const ASKED: &str = "{block: high, vex: [vera, vim]}";
const PACKAGE: &str = "pkg:cargo/smallvec@1.6.0";

pub(crate) fn openvex(vulnerability: &str, package: &str, status: &str) -> String {
    let reason = if status == "not_affected" { r#","impact_statement":"nothing calls it""# } else { "" };
    format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc","author":"vera","timestamp":"2026-01-01T00:00:00Z","version":1,
"statements":[{{"vulnerability":{{"name":"{vulnerability}"}},"products":[{{"@id":"{package}"}}],"status":"{status}"{reason}}}]}}"#
    )
}

fn good() -> String {
    openvex("CVE-2021-25900", PACKAGE, "not_affected")
}

fn scanned(require: &str, own: OwnScan) -> Case {
    let mut case = case(require, own);
    people(&mut case);
    case
}

/// Adds the people with these keys to people.yaml.
pub(crate) fn people(case: &mut Case) {
    let people = case.files.get_mut(PEOPLE).unwrap();
    for (name, key) in [("vera", VERA), ("vim", VIM), ("eve", EVE)] {
        people.push_str(&format!("  - {{name: {name}, ssh-keys: [\"{}\"]}}\n", line(key)));
    }
}

fn of(result: &OwnResult) -> Case {
    scanned(ASKED, own(ScanEngine::Dependencies, std::slice::from_ref(result)))
}

pub(crate) fn add(case: &mut Case, name: &str, document: &str, signatures: &[(u8, &str)]) {
    let armor = signatures.iter().map(|(key, namespace)| signed_by(*key, namespace, document.as_bytes()));
    let armor: String = armor.collect();
    case.files.insert(format!("vex/{name}.json"), document.to_owned());
    if !armor.is_empty() {
        case.files.insert(format!("vex/{name}.json.sig"), armor);
    }
}

fn with(document: &str, by: u8) -> Case {
    let mut case = of(&vulnerable());
    add(&mut case, "a", document, &[(by, VEX_NAMESPACE)]);
    case
}

#[test]
fn a_document_of_somebody_who_is_named_lets_exactly_its_vulnerability_pass() {
    assert_eq!(refused(&of(&vulnerable())), Some(Code::EvidenceFailed));
    let blocks = Some(Code::EvidenceFailed);
    for (document, expect) in [
        (good(), None),
        (openvex("rustsec-2021-0003", PACKAGE, "fixed"), None),
        (openvex("CVE-2021-25900", PACKAGE, "affected"), blocks),
        (openvex("CVE-2021-25900", PACKAGE, "under_investigation"), blocks),
        (openvex("CVE-2021-25901", PACKAGE, "not_affected"), blocks),
        (openvex("CVE-2021-25900", "pkg:cargo/smallvec@1.6.1", "not_affected"), blocks),
        (openvex("CVE-2021-25900", "pkg:cargo/smallvec", "not_affected"), blocks),
        (openvex("CVE-2021-25900", "pkg:npm/smallvec@1.6.0", "not_affected"), blocks),
        (
            r#"{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[{"id":"CVE-2021-25900",
            "analysis":{"state":"not_affected"},"affects":[{"ref":"pkg:cargo/smallvec@1.6.0"}]}]}"#
                .to_owned(),
            None,
        ),
        ("{}".to_owned(), blocks),
        ("[".to_owned(), blocks),
    ] {
        assert_eq!(refused(&with(&document, VERA)), expect, "{document}");
    }
}

/// Whoever may push to the delivery repository, but is not named, says that nothing matters.
#[test]
fn a_document_counts_only_as_signed_by_somebody_who_is_named() {
    type Signed = &'static [(u8, &'static str)];
    let cases: [(&str, Signed, bool); 6] = [
        ("nobody", &[], false),
        ("vera", &[(VERA, VEX_NAMESPACE)], true),
        ("somebody who is not named", &[(EVE, VEX_NAMESPACE)], false),
        ("a key that people.yaml does not have", &[(99, VEX_NAMESPACE)], false),
        ("vera, for another purpose", &[(VERA, "plimsoll-approval")], false),
        ("both", &[(EVE, VEX_NAMESPACE), (VIM, VEX_NAMESPACE)], true),
    ];
    for (what, signatures, passes) in cases {
        let mut case = of(&vulnerable());
        add(&mut case, "a", &good(), signatures);
        assert_eq!(refused(&case).is_none(), passes, "{what}");
    }
    // Another text than what was signed, and a key that was taken out of people.yaml.
    let mut case = with(&good(), VERA);
    case.files.insert("vex/a.json".into(), good() + " ");
    assert_eq!(refused(&case), Some(Code::EvidenceFailed));
    let mut case = with(&good(), VERA);
    case.replace(PEOPLE, &line(VERA), &line(34));
    assert_eq!(refused(&case), Some(Code::EvidenceFailed));
    let reason = case.decide().predicate.decision.reasons().next().unwrap().to_string();
    assert!(reason.contains("is not allowed"), "{reason}");
    // An environment that names nobody believes nobody.
    let mut case = scanned("{block: high}", own(ScanEngine::Dependencies, &[vulnerable()]));
    add(&mut case, "a", &good(), &[(VERA, VEX_NAMESPACE)]);
    assert_eq!(refused(&case), Some(Code::EvidenceFailed));
}

#[test]
fn where_two_contradict_each_other_nothing_passes() {
    let mut case = with(&good(), VERA);
    assert_eq!(refused(&case), None);
    let other = openvex("RUSTSEC-2021-0003", PACKAGE, "affected");
    add(&mut case, "b", &other, &[(EVE, VEX_NAMESPACE)]);
    assert_eq!(refused(&case), None, "eve is not named");
    add(&mut case, "b", &other, &[(VIM, VEX_NAMESPACE)]);
    assert_eq!(refused(&case), Some(Code::EvidenceFailed));
    let reason = case.decide().predicate.decision.reasons().next().unwrap().to_string();
    assert!(reason.contains("contradict"), "{reason}");
}

#[test]
fn an_attack_stays_one_whoever_says_that_it_does_not_matter() {
    let malicious = OwnResult { rule: Some("dependencies/malicious".into()), ..vulnerable() };
    let mut case = of(&malicious);
    add(&mut case, "a", &good(), &[(VERA, VEX_NAMESPACE)]);
    assert_eq!(refused(&case), Some(Code::EvidenceFailed));
}

#[test]
fn a_decision_names_the_document_and_is_computed_again_offline() {
    let case = with(&good(), VERA);
    let decision = case.decide().predicate.decision;
    assert_eq!(decision.verdict, Verdict::Allow);
    let ExcusedBy::Vex { person, status, .. } = &decision.excused[0].by else { panic!("{decision:?}") };
    assert_eq!((person.as_str(), status.as_str()), ("vera", "not_affected"));
    let parts = case.dossier();
    dossier::recompute(&parts, &pinned(), &BTreeSet::new()).unwrap();
    for gone in ["vex/a.json", "vex/a.json.sig"] {
        let mut parts = case.dossier();
        parts.files.remove(gone);
        let reason = dossier::recompute(&parts, &pinned(), &BTreeSet::new()).unwrap_err();
        assert_eq!(reason.code, Code::DecisionMismatch, "{gone}");
    }
}

fn licensed(list: &str, stated: &[(&str, Option<&str>)]) -> Case {
    let licenses = stated.iter().map(|(package, license)| OwnLicense {
        package: format!("pkg:npm/{package}@1.0.0"),
        license: license.map(str::to_owned),
    });
    let own = OwnScan { licenses: Some(licenses.collect()), ..own(ScanEngine::Dependencies, &[]) };
    scanned(&format!("{{block: high, licenses: {list}}}"), own)
}

#[test]
fn a_licence_passes_only_where_the_list_has_it() {
    let blocks = Some(Code::EvidenceFailed);
    for (list, stated, expect) in [
        ("[MIT]", &[][..], None),
        ("[MIT]", &[("a", Some("MIT"))], None),
        ("[MIT]", &[("a", Some("MIT OR GPL-3.0-only"))], None),
        ("[MIT]", &[("a", Some("MIT AND GPL-3.0-only"))], blocks),
        ("[MIT, GPL-3.0-only]", &[("a", Some("MIT AND GPL-3.0-only"))], None),
        ("[MIT]", &[("a", Some("MIT")), ("b", Some("Apache-2.0"))], blocks),
        ("[MIT]", &[("a", None)], blocks),
        ("[MIT]", &[("a", Some("see LICENSE"))], blocks),
    ] {
        assert_eq!(refused(&licensed(list, stated)), expect, "{list} {stated:?}");
    }
    let silent = scanned("{block: high, licenses: [MIT]}", own(ScanEngine::Dependencies, &[]));
    assert_eq!(refused(&silent), Some(Code::EvidenceEmpty), "a scan that lists none");
    let unknown = licensed("[Nonsense-1.0]", &[]);
    assert!(matches!(unknown.gather_from(&unknown.own_bundles()), Err(GatherError::File(_))));
}

#[test]
fn a_package_without_an_allowed_licence_can_be_excepted() {
    let named = "scan: dependencies, rule: dependencies/license, package: \"pkg:npm/a@1.0.0\"";
    let mut case = licensed("[MIT]", &[("a", None), ("b", Some("MIT"))]);
    case.files.insert(EXCEPTIONS.into(), excepting(named, "2026-03-01"));
    assert_eq!(refused(&case), None);
    assert_eq!(case.decide().predicate.decision.excused.len(), 1);
    case.files.insert(EXCEPTIONS.into(), excepting(named, "2026-01-01"));
    assert_eq!(refused(&case), Some(Code::EvidenceFailed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn one_more_licence_on_the_list_refuses_nothing_that_was_allowed(
        expressions in prop::collection::vec(prop::option::of("(MIT|ISC|Zlib)( (AND|OR) (MIT|ISC|Zlib)){0,2}"), 0..4),
        list in prop::sample::subsequence(vec!["MIT", "ISC", "Zlib"], 1..3),
        more in prop::sample::select(vec!["MIT", "ISC", "Zlib", "Apache-2.0"]),
    ) {
        let names: Vec<String> = (0..expressions.len()).map(|n| n.to_string()).collect();
        let stated: Vec<_> = names.iter().map(String::as_str).zip(expressions.iter().map(Option::as_deref)).collect();
        let judged = |list: &[&str]| licensed(&format!("[{}]", list.join(", ")), &stated).is_allowed();
        let mut longer = list.clone();
        if !longer.contains(&more) { longer.push(more); }
        prop_assert!(!judged(&list) || judged(&longer));
    }

    /// Evidence can only help: documents that are gone, unsigned or of somebody else never allow, and where somebody
    /// contradicts they do not either.
    #[test]
    fn weaker_documents_never_allow(
        kinds in prop::collection::vec(0_usize..4, 0..3),
        weaker in prop::collection::vec(0_usize..3, 0..3),
    ) {
        let judged = |weaker: &[usize]| {
            let mut case = of(&vulnerable());
            for (at, kind) in kinds.iter().enumerate() {
                let (vulnerability, status) = [
                    ("CVE-2021-25900", "not_affected"), ("RUSTSEC-2021-0003", "fixed"),
                    ("CVE-2021-25901", "not_affected"), ("CVE-2021-25900", "affected"),
                ][*kind];
                let document = openvex(vulnerability, PACKAGE, status);
                // What contradicts stays: without it more is allowed.
                let weak = if *kind == 3 { None } else { weaker.get(at) };
                match weak {
                    None => add(&mut case, &at.to_string(), &document, &[(VERA, VEX_NAMESPACE)]),
                    Some(0) => {}
                    Some(1) => add(&mut case, &at.to_string(), &document, &[]),
                    Some(_) => add(&mut case, &at.to_string(), &document, &[(EVE, VEX_NAMESPACE)]),
                }
            }
            case.is_allowed()
        };
        prop_assert!(judged(&[]) || !judged(&weaker));
    }
}

/// What is only listed and does not block needs nobody's word.
#[test]
fn what_does_not_block_is_not_excused() {
    let mut case = of(&OwnResult { severity: Severity::Low, ..vulnerable() });
    add(&mut case, "a", &good(), &[(VERA, VEX_NAMESPACE)]);
    assert_eq!(case.decide().predicate.decision.excused, []);
    assert_eq!(refused(&of(&result("other", Severity::Low))), None);
}

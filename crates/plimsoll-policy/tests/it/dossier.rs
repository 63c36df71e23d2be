//! Dossiers: what is written is read and gives the same decision; nothing else is read, and no change goes unnoticed.

use crate::{
    fixture::{Case, ENVIRONMENT, TARGET, before, payload, standing},
    keys::{self, STRANGER, pinned, sealed, sealed_bytes},
    samples,
};
use plimsoll_attest::TrustRoot;
use plimsoll_model::{Code, Digest, Reason};
use plimsoll_policy::{
    DossierParts, Verdict,
    dossier::{read, recompute, write},
};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// No trust root was pinned before.
const NONE: BTreeSet<Digest> = BTreeSet::new();

#[track_caller]
fn check(change: impl FnOnce(&mut DossierParts), expect: Code) -> Reason {
    let mut parts = Case::good().dossier();
    change(&mut parts);
    let reason = recompute(&parts, &pinned(), &NONE).unwrap_err();
    assert_eq!(reason.code, expect, "{reason}");
    reason
}

#[test]
fn an_allow_is_recomputed_from_its_dossier_alone() {
    let parts = Case::good().dossier();
    let bytes = write(&parts).unwrap();
    assert_eq!(read(&bytes).unwrap(), parts);
    let decision = recompute(&read(&bytes).unwrap(), &pinned(), &NONE).unwrap();
    assert_eq!(decision.payload(), payload(&parts.decision));
}

#[test]
fn the_first_decision_of_an_environment_is_recomputed() {
    let parts = Case::first().dossier();
    let decision = recompute(&parts, &pinned(), &NONE).unwrap();
    assert_eq!(decision.value().predicate.decision.counter, Some(1));
}

#[test]
fn a_refusal_is_recomputed_whatever_stood_before_it() {
    for before in [None, Some(standing())] {
        let parts = Case::with(|case| {
            case.context.standing = before;
            case.lint.given = false;
        });
        let decision = recompute(&parts.dossier(), &pinned(), &NONE).unwrap();
        assert_eq!(decision.value().predicate.decision.verdict, Verdict::Refuse);
    }
}

#[test]
fn every_kind_of_defect_is_recomputed_as_it_was_decided() {
    for (what, .., change) in crate::defects::DEFECTS {
        let parts = Case::with(change).dossier();
        let decision =
            recompute(&parts, &pinned(), &NONE).unwrap_or_else(|reason| panic!("{what}: {reason}"));
        assert_eq!(decision.payload(), payload(&parts.decision), "{what}");
    }
}

#[test]
fn a_decision_that_does_not_follow_from_its_inputs_is_found() {
    type Change = fn(&mut plimsoll_policy::Decision);
    let changes: [(&str, Change); 6] = [
        ("trust_number", |decision| decision.trust_number = 2),
        ("policy_set", |decision| decision.policy_set = Digest::of(b"another")),
        ("gates", |decision| drop(decision.gates.remove(0))),
        ("pipeline", |decision| decision.pipeline = Digest::of(b"another")),
        ("evidence_root", |decision| decision.evidence_root = Digest::of(b"another")),
        ("counter", |decision| decision.counter = None),
    ];
    for (field, change) in changes {
        let mut statement = Case::good().decide();
        change(&mut statement.predicate.decision);
        let decision = sealed("decision:production", &statement);
        let reason = check(|parts| parts.decision = decision, Code::DecisionMismatch);
        assert!(reason.sentence().contains(field), "{reason}");
    }
    let mut overclaimed = Case::good().decide();
    overclaimed.predicate.verified_levels = vec!["SLSA_BUILD_LEVEL_3".into()];
    check(|parts| parts.decision = sealed("decision:production", &overclaimed), Code::DecisionMismatch);
}

#[test]
fn an_allow_over_bad_evidence_is_found() {
    let case = Case::with(|case| case.lint.says().findings.error = 1);
    let mut statement = case.decide();
    let good = Case::good().decide().predicate;
    statement.predicate.decision.verdict = Verdict::Allow;
    statement.predicate.decision.gates = good.decision.gates;
    statement.predicate.verification_result = good.verification_result;
    statement.predicate.verified_levels = good.verified_levels;
    let parts = DossierParts { decision: sealed("decision:production", &statement), ..case.dossier() };
    assert_eq!(recompute(&parts, &pinned(), &NONE).unwrap_err().code, Code::DecisionMismatch);
}

#[test]
fn inputs_that_were_exchanged_are_found() {
    check(|parts| drop(parts.statements.pop_first()), Code::DecisionMismatch);
    check(|parts| replace(parts, ENVIRONMENT, "warning", "note"), Code::DecisionMismatch);
    check(|parts| replace(parts, TARGET, "18080", "18081"), Code::DecisionMismatch);
    check(|parts| replace(parts, ENVIRONMENT, "require", "demand"), Code::FileInvalid);
    check(|parts| drop(parts.files.remove(TARGET)), Code::FileMissing);
    check(|parts| parts.manifest.push(b'\n'), Code::DigestMismatch);
    let other = Case::with(|case| case.edits.push(|run| run.plan = Digest::of(b"another"))).run_bundle();
    check(|parts| parts.run = other, Code::DecisionMismatch);
}

fn replace(parts: &mut DossierParts, file: &str, old: &str, new: &str) {
    let text = String::from_utf8(parts.files[file].clone()).unwrap();
    assert!(text.contains(old));
    parts.files.insert(file.to_owned(), text.replace(old, new).into_bytes());
}

/// The decision before this one says what it follows, what is used up, and how new the policies must be.
#[test]
fn the_decision_before_belongs_to_the_dossier_and_is_the_right_one() {
    check(|parts| parts.standing = None, Code::DecisionMismatch);
    let bytes = payload(&before());
    let another = sealed("decision:production", &Case::first().decide());
    check(|parts| parts.standing = Some(another), Code::DecisionMismatch);
    let refusal = Case::with(|case| case.lint.given = false).decide();
    check(|parts| parts.standing = Some(sealed("decision:production", &refusal)), Code::DossierParse);
    for who in ["decision:staging", "refusal", "builder"] {
        check(|parts| parts.standing = Some(sealed_bytes(who, &bytes)), Code::RoleMismatch);
    }
    check(|parts| parts.standing = Some(sealed_bytes(STRANGER, &bytes)), Code::SignerUnknown);
    // A decision that was the first has none before it.
    let first = DossierParts { standing: Some(before()), ..Case::first().dossier() };
    assert_eq!(recompute(&first, &pinned(), &NONE).unwrap_err().code, Code::DecisionMismatch);
    assert!(recompute(&Case::good().dossier(), &pinned(), &NONE).is_ok());
}

#[test]
fn a_dossier_of_an_older_trust_root_counts_where_that_root_was_pinned() {
    let older = Case::with(|case| case.root = 2).dossier();
    let earlier = |root: &[u8]| BTreeSet::from([Digest::of(root)]);
    let refused = |earlier| recompute(&older, &pinned(), &earlier).unwrap_err().code;
    assert_eq!(refused(NONE), Code::TrustRoot);
    assert_eq!(refused(earlier(&keys::root(8, 2).0)), Code::TrustRoot);
    let decision = recompute(&older, &pinned(), &earlier(&older.root)).unwrap();
    assert_eq!(decision.value().predicate.decision.trust_number, 2);
}

#[test]
fn what_the_decision_does_not_name_has_no_place_in_its_dossier() {
    check(|parts| drop(parts.files.insert("README.md".into(), vec![])), Code::DossierParse);
    let staging = "environments/staging/environment.yaml";
    check(|parts| drop(parts.files.insert(staging.into(), vec![])), Code::DossierParse);
    let other = samples::test("unit", plimsoll_attest::predicate::common::On::Source, 9, true);
    for extra in [sealed("scanner", &other), b"no bundle".to_vec()] {
        check(|parts| parts.statements.extend([extra]), Code::DossierParse);
    }
}

#[test]
fn a_decision_counts_by_the_key_of_its_verdict_only() {
    let allow = Case::good().decide();
    check(|parts| parts.decision = sealed("refusal", &allow), Code::RoleMismatch);
    check(|parts| parts.decision = sealed("decision:staging", &allow), Code::RoleMismatch);
    check(|parts| parts.decision = sealed("builder", &allow), Code::RoleMismatch);
    check(|parts| parts.decision = sealed(STRANGER, &allow), Code::SignerUnknown);
    check(|parts| parts.decision = parts.run.clone(), Code::RoleMismatch);
    let refuse = Case::with(|case| case.lint.given = false).decide();
    check(|parts| parts.decision = sealed("decision:production", &refuse), Code::RoleMismatch);
    check(|parts| parts.run = sealed_bytes("scanner", &payload(&parts.run)), Code::RoleMismatch);
}

#[test]
fn rules_that_this_binary_does_not_have_cannot_be_recomputed() {
    let mut statement = Case::good().decide();
    statement.predicate.decision.rules = 2;
    check(|parts| parts.decision = sealed("decision:production", &statement), Code::RulesUnknown);
}

#[test]
fn the_trust_root_of_a_dossier_must_be_or_follow_the_pinned_one() {
    let (root, signature) = keys::root(8, 3);
    check(|parts| (parts.root, parts.root_signatures) = (root, [signature].into()), Code::TrustRoot);
    let (root, signature) = keys::root(7, 2);
    check(|parts| (parts.root, parts.root_signatures) = (root, [signature].into()), Code::TrustRoot);
    check(|parts| parts.root_signatures.clear(), Code::Threshold);
    let (older, signature) = keys::root(7, 2);
    let older = TrustRoot::accept(&older, &[&signature], None).unwrap();
    assert!(recompute(&Case::good().dossier(), &older, &NONE).is_ok());
}

/// A tar entry: name, type, content.
fn entry(name: &str, kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    if kind == tar::EntryType::Symlink {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header, content).unwrap();
    builder.into_inner().unwrap()[..512 + content.len().next_multiple_of(512)].to_vec()
}

#[test]
fn a_tar_that_is_not_exactly_a_dossier_is_refused() {
    use tar::EntryType::{Link, Regular, Symlink, XHeader};
    let good = write(&Case::good().dossier()).unwrap();
    let blob = format!("blobs/sha256/{}", Digest::of(b"hidden").hex());
    let before = |entry: Vec<u8>| [entry, good.clone()].concat();
    let mut flipped = good.clone();
    flipped[512] ^= 1;
    let bad: [(&str, Vec<u8>, &str); 12] = [
        ("nothing", vec![], "oci-layout"),
        ("a blob that nothing names", before(entry(&blob, Regular, b"hidden")), "nothing names"),
        ("a blob with another content", before(entry(&blob, Regular, b"else")), "another content"),
        ("another name", before(entry("readme", Regular, b"")), "no place"),
        ("a symbolic link", before(entry(&blob, Symlink, b"")), "not a regular file"),
        ("a hard link", before(entry(&blob, Link, b"")), "not a regular file"),
        ("an extension", before(entry("x", XHeader, b"20 path=index.json\n\n")), "not a regular file"),
        ("a document twice", before(entry("index.json", Regular, b"{}")), "twice"),
        ("one changed byte", flipped, "another content"),
        ("text after the end", [good.clone(), b"more".to_vec()].concat(), "one form"),
        ("padding after the end", [good.clone(), vec![0; 512]].concat(), "one form"),
        ("no end", good[..good.len() - 1024].to_vec(), "one form"),
    ];
    for (what, bytes, expect) in bad {
        let reason = read(&bytes).unwrap_err();
        assert_eq!(reason.code, Code::DossierParse, "{what}");
        assert!(reason.sentence().contains(expect), "{what}: {reason}");
    }
}

#[test]
fn a_dossier_is_an_image_layout_with_one_artifact() {
    let bytes = write(&Case::good().dossier()).unwrap();
    let mut names = vec![];
    for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
        let entry = entry.unwrap();
        assert_eq!((entry.header().mtime().unwrap(), entry.header().uid().unwrap()), (0, 0));
        names.push(entry.path().unwrap().display().to_string());
    }
    assert!(names.is_sorted());
    assert_eq!(names[names.len() - 2..], ["index.json", "oci-layout"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is changed, cut or made up: an answer, never a panic, and never another decision.
    #[test]
    fn foreign_bytes_are_refused(at in any::<prop::sample::Index>(), bit in 0u8..8, cut in any::<bool>()) {
        let mut bytes = write(&Case::good().dossier()).unwrap();
        let place = at.index(bytes.len());
        if cut { bytes.truncate(place) } else { bytes[place] ^= 1 << bit }
        prop_assert_eq!(read(&bytes).unwrap_err().code, Code::DossierParse);
    }

    #[test]
    fn noise_is_no_dossier(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        prop_assert!(read(&bytes).is_err());
    }
}

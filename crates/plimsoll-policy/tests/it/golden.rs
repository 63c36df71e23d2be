//! Dossiers by rules version 1, byte for byte. They must be recomputed for ever: a version of the rules is added beside
//! an old one, never in its place. testdata/golden/README.md says how `cosign` verifies the decision.

use crate::{
    fixture::Case,
    keys::{pinned, public},
};
use plimsoll_policy::{
    Verdict,
    dossier::{read, recompute, write},
};
use std::{collections::BTreeSet, path::Path};

const ALLOW: &[u8] = include_bytes!("../../testdata/golden/allow-rules-1.tar");
const REFUSE: &[u8] = include_bytes!("../../testdata/golden/refuse-rules-1.tar");

#[track_caller]
fn check(dossier: &[u8], verdict: Verdict) {
    let decision = recompute(&read(dossier).unwrap(), &pinned(), &BTreeSet::new()).unwrap();
    assert_eq!(
        (decision.value().predicate.decision.rules, decision.value().predicate.decision.verdict),
        (1, verdict)
    );
}

#[test]
fn an_allow_by_rules_version_1_is_recomputed() {
    check(ALLOW, Verdict::Allow);
}

#[test]
fn a_refusal_by_rules_version_1_is_recomputed() {
    check(REFUSE, Verdict::Refuse);
}

/// Leaves what was made where somebody who meant the change can copy it from.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a golden file that differs is left for comparison")]
fn same(name: &str, expect: &[u8], actual: &[u8]) {
    if expect != actual {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, actual).unwrap();
        panic!("testdata/golden/{name} differs from {}", path.display());
    }
}

#[test]
fn dossiers_keep_their_bytes() {
    let allow = Case::good().dossier();
    let bundle = include_bytes!("../../testdata/golden/decision.sigstore.json");
    same("decision.sigstore.json", bundle, &allow.decision);
    let key = include_bytes!("../../testdata/golden/decision.pub");
    same("decision.pub", key, public("decision:production").to_pem().as_bytes());
    same("allow-rules-1.tar", ALLOW, &write(&allow).unwrap());
    let refuse = Case::with(|case| case.lint.says().findings.error = 1).dossier();
    same("refuse-rules-1.tar", REFUSE, &write(&refuse).unwrap());
}

//! One bundle of each kind, byte for byte. A difference means that older statements may not be read any more: keep the
//! reader, and add a file beside the old one. testdata/golden/README.md says how `cosign` verifies them.

use crate::{
    fixture::{Signer, role, trust},
    samples,
};
use plimsoll_attest::{
    Bundle, Predicate, Statement, check_subject,
    document::{self, Document},
    verify, verify_any,
};
use plimsoll_model::Digest;
use std::{fmt::Debug, path::Path};

#[track_caller]
fn check<P: Predicate + Debug>(
    name: &str,
    expect: &[u8],
    signer: &str,
    statement: &Statement<P>,
    subject: Digest,
) {
    same(&format!("{name}.sigstore.json"), expect, &Signer::of(signer).seal(statement));
    let verified = verify::<P>(expect, &trust(), &role(signer)).unwrap();
    assert_eq!(verified.value(), statement);
    assert_eq!(verified.role(), &role(signer));
    assert_eq!(verified.payload(), statement.to_bytes().unwrap());
    assert_eq!(verified.payload_digest(), &Digest::of(verified.payload()));
    assert_eq!(check_subject(verified.value(), &subject), Ok(()));
    let any = verify_any(expect, &trust()).unwrap();
    assert_eq!(any.value().predicate_type, P::TYPE);
    assert_eq!(any.value().subject, statement.subject);
    assert_eq!(any.payload_digest(), verified.payload_digest());
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

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("../../testdata/golden/", $name))
    };
}

#[test]
fn a_source_statement_keeps_its_bytes() {
    check("source", golden!("source.sigstore.json"), "source", &samples::source(), samples::tree());
}

#[test]
fn a_provenance_statement_keeps_its_bytes() {
    let expect = golden!("provenance.sigstore.json");
    check("provenance", expect, "builder", &samples::provenance(), samples::manifest());
}

#[test]
fn a_test_statement_keeps_its_bytes() {
    check("test", golden!("test.sigstore.json"), "scanner", &samples::test(), samples::tree());
}

#[test]
fn a_scan_statement_keeps_its_bytes() {
    check("scan", golden!("scan.sigstore.json"), "scanner", &samples::scan(), samples::manifest());
}

#[test]
fn a_run_statement_keeps_its_bytes() {
    check("run", golden!("run.sigstore.json"), "builder", &samples::run(), samples::manifest());
}

#[test]
fn an_observation_keeps_its_bytes() {
    let expect = golden!("observation.sigstore.json");
    check("observation", expect, "agent:production", &samples::observation(), samples::manifest());
}

#[test]
fn a_delta_keeps_its_bytes() {
    let subject = Digest::of(golden!("range.json"));
    check("delta", golden!("delta.sigstore.json"), "source", &samples::delta(), subject);
}

#[test]
fn documents_that_people_sign_keep_their_bytes() {
    document("approval.json", golden!("approval.json"), &samples::approval());
    document("disclaimer.json", golden!("disclaimer.json"), &samples::disclaimer());
    document("policy-set.json", golden!("policy-set.json"), &samples::policy_set());
}

#[track_caller]
fn document<T: Document + Debug>(name: &str, expect: &[u8], value: &T) {
    same(name, expect, &document::write(value).unwrap());
    assert_eq!(document::read::<T>(expect).as_ref(), Ok(value));
}

#[test]
fn the_envelope_of_a_bundle_stands_alone() {
    let bundle = golden!("provenance.sigstore.json");
    let json: serde_json::Value = serde_json::from_slice(bundle).unwrap();
    let envelope = serde_json::to_value(Bundle::parse(bundle).unwrap().envelope()).unwrap();
    assert_eq!(envelope, json["dsseEnvelope"]);
}

#[test]
fn the_keys_beside_the_bundles_are_the_ones_that_signed_them() {
    for (name, pem) in [
        ("source", &golden!("source.pub")[..]),
        ("builder", golden!("builder.pub")),
        ("scanner", golden!("scanner.pub")),
        ("agent", golden!("agent.pub")),
    ] {
        let role = if name == "agent" { "agent:production" } else { name };
        same(&format!("{name}.pub"), pem, Signer::of(role).public.to_pem().as_bytes());
    }
}

//! Good signatures that do not count: another role, another kind of statement, another environment, another subject, a
//! key that nobody listed.

use crate::{
    fixture::{ROLES, Signer, Summary, role, trust},
    samples,
};
use plimsoll_attest::{
    Predicate, Statement, Subject, Trust, check_subject,
    predicate::{
        Delta, Observation, Provenance, Run, SUMMARY_TYPE, Sbom, Scan, SourceRevision, TestResult, may_sign,
    },
    verify, verify_any,
};
use plimsoll_model::{Code, Digest, Reason};

fn code<T>(result: Result<T, Reason>) -> Option<Code> {
    result.err().map(|reason| reason.code)
}

#[test]
fn each_kind_of_statement_belongs_to_one_kind_of_role() {
    let check = |predicate_type: &str, signers: &[&str]| {
        for name in ROLES {
            let expect = signers.contains(&name);
            assert_eq!(may_sign(&role(name), predicate_type), expect, "{name} for {predicate_type}");
        }
    };
    check(SourceRevision::TYPE, &["source"]);
    check(Delta::TYPE, &["source"]);
    check(Observation::TYPE, &["agent:production", "agent:staging"]);
    check(Provenance::TYPE, &["builder"]);
    check(Run::TYPE, &["builder"]);
    check(TestResult::TYPE, &["scanner"]);
    check(Scan::TYPE, &["scanner"]);
    check(Sbom::TYPE, &["scanner"]);
    check(SUMMARY_TYPE, &["decision:production", "decision:staging", "refusal"]);
    check("https://example.org/anything/v1", &[]);
    check("", &[]);
}

/// Signs the statement with every role's key and verifies it as every role: only `pairs` pass, all else is `E-ROLE`.
fn matrix<P: Predicate>(statement: &Statement<P>, pairs: &[&str]) {
    for signer in ROLES {
        let bundle = Signer::of(signer).seal(statement);
        for expected in ROLES {
            let found = code(verify::<P>(&bundle, &trust(), &role(expected)));
            let passes = signer == expected && pairs.contains(&signer);
            let expect = if passes { None } else { Some(Code::RoleMismatch) };
            assert_eq!(found, expect, "{} signed by {signer}, wanted of {expected}", P::TYPE);
        }
        let expect = if pairs.contains(&signer) { None } else { Some(Code::RoleMismatch) };
        assert_eq!(code(verify_any(&bundle, &trust())), expect, "{} signed by {signer}", P::TYPE);
    }
}

#[test]
fn a_role_signs_its_own_statements_and_no_others() {
    matrix(&samples::source(), &["source"]);
    matrix(&samples::provenance(), &["builder"]);
    matrix(&samples::test(), &["scanner"]);
    matrix(&samples::scan(), &["scanner"]);
    matrix(&samples::run(), &["builder"]);
    matrix(&samples::delta(), &["source"]);
    matrix(&samples::observation(), &["agent:production", "agent:staging"]);
    matrix(&samples::summary(), &["decision:production", "decision:staging", "refusal"]);
}

#[test]
fn a_statement_of_another_kind_by_the_same_role_is_refused() {
    let builder = Signer::of("builder");
    let run = builder.seal(&samples::run());
    let reason = verify::<Provenance>(&run, &trust(), &role("builder")).unwrap_err();
    assert_eq!(
        reason.to_string(),
        "E-ROLE: the bundle is signed as builder for https://plimsoll.dev/run/v1, and this needs builder for \
         https://slsa.dev/provenance/v1"
    );
    let test = Signer::of("scanner").seal(&samples::test());
    assert_eq!(code(verify::<Scan>(&test, &trust(), &role("scanner"))), Some(Code::RoleMismatch));
    assert_eq!(code(verify::<TestResult>(&test, &trust(), &role("scanner"))), None);
}

#[test]
fn a_decision_counts_in_its_own_environment() {
    let bundle = Signer::of("decision:staging").seal(&samples::summary());
    let reason = verify::<Summary>(&bundle, &trust(), &role("decision:production")).unwrap_err();
    assert_eq!(reason.code, Code::RoleMismatch);
    assert!(reason.sentence().contains("signed as decision:staging, and this needs decision:production"));
    assert!(verify::<Summary>(&bundle, &trust(), &role("decision:staging")).is_ok());
}

#[test]
fn an_agent_is_believed_about_its_own_environment() {
    let bundle = Signer::of("agent:staging").seal(&samples::observation());
    let reason = verify::<Observation>(&bundle, &trust(), &role("agent:production")).unwrap_err();
    assert_eq!(reason.code, Code::RoleMismatch);
    assert!(reason.sentence().contains("signed as agent:staging, and this needs agent:production"));
    assert!(verify::<Observation>(&bundle, &trust(), &role("agent:staging")).is_ok());
}

#[test]
fn a_revision_is_no_delta_though_one_key_signs_both() {
    let source = Signer::of("source").seal(&samples::source());
    assert_eq!(code(verify::<Delta>(&source, &trust(), &role("source"))), Some(Code::RoleMismatch));
    let delta = Signer::of("source").seal(&samples::delta());
    assert_eq!(code(verify::<SourceRevision>(&delta, &trust(), &role("source"))), Some(Code::RoleMismatch));
    assert_eq!(code(verify::<Delta>(&delta, &trust(), &role("source"))), None);
}

#[test]
fn a_key_that_nobody_listed_is_refused() {
    let bundle = Signer::stranger().seal(&samples::scan());
    assert_eq!(code(verify::<Scan>(&bundle, &trust(), &role("scanner"))), Some(Code::SignerUnknown));
    assert_eq!(code(verify_any(&bundle, &trust())), Some(Code::SignerUnknown));
    assert_eq!(code(verify_any(&bundle, &Trust::default())), Some(Code::SignerUnknown));
    let more = Trust::new([(role("scanner"), Signer::stranger().public)]).unwrap();
    assert_eq!(code(verify_any(&bundle, &more)), None);
}

#[test]
fn a_stranger_who_claims_a_listed_key_is_refused() {
    let (stranger, scanner) = (Signer::stranger(), Signer::of("scanner"));
    let payload = samples::scan().to_bytes().unwrap();
    let bundle =
        plimsoll_attest::seal(&payload, &scanner.public, |bytes| Ok::<_, ()>(stranger.sign(bytes))).unwrap();
    assert_eq!(code(verify_any(&bundle, &trust())), Some(Code::Signature));
}

#[test]
fn a_signature_over_the_payload_alone_is_refused() {
    let scanner = Signer::of("scanner");
    let payload = samples::scan().to_bytes().unwrap();
    let bundle =
        plimsoll_attest::seal(&payload, &scanner.public, |_| Ok::<_, ()>(scanner.sign(&payload))).unwrap();
    assert_eq!(code(verify_any(&bundle, &trust())), Some(Code::Signature));
}

#[test]
fn a_key_has_one_role() {
    let key = || Signer::of("builder").public;
    let refused = Trust::new([(role("builder"), key()), (role("scanner"), key())]);
    assert_eq!(code(refused), Some(Code::TrustRoot));
    let environments = Trust::new([(role("decision:staging"), key()), (role("decision:production"), key())]);
    assert_eq!(code(environments), Some(Code::TrustRoot));
    let twice = Trust::new([(role("builder"), key()), (role("builder"), key())]).unwrap();
    assert_eq!(twice.iter().count(), 1);
}

#[test]
fn a_statement_counts_for_the_digests_it_names() {
    let mut statement = samples::scan();
    let other = Digest::of(b"other");
    let reason = check_subject(&statement, &other).unwrap_err();
    assert_eq!(reason.code, Code::SubjectMismatch);
    assert_eq!(
        reason.sentence(),
        format!("the statement is about {}, not about {other}", samples::manifest())
    );
    statement.subject.push(Subject::new("other", other));
    assert_eq!(check_subject(&statement, &other), Ok(()));
    assert!(check_subject(&statement, &Digest::of(b"third")).unwrap_err().sentence().contains("and 1 more"));
}

//! Bundles that somebody changed, cut, or wrote to confuse a reader.

use crate::{
    fixture::{Signer, role, trust},
    samples,
};
use plimsoll_attest::{
    Bundle, Statement, Subject,
    bundle::MAX_BUNDLE,
    predicate::{Scan, SourceRevision},
    statement::{MAX_STATEMENT, StatementError},
    verify, verify_any,
};
use plimsoll_model::{Code, Digest, Reason};
use proptest::prelude::*;
use serde_json::{Value, json};

fn scan_bundle() -> Vec<u8> {
    Signer::of("scanner").seal(&samples::scan())
}

fn verified(bundle: &[u8]) -> Result<Digest, Reason> {
    verify::<Scan>(bundle, &trust(), &role("scanner")).map(|verified| *verified.payload_digest())
}

#[track_caller]
fn refused(bundle: &[u8], problem: &str) {
    let reason = verified(bundle).unwrap_err();
    assert_eq!(reason.code, Code::BundleParse, "{reason}");
    assert!(reason.sentence().contains(problem), "{reason}");
    assert_eq!(verify_any(bundle, &trust()).unwrap_err(), reason);
}

/// The bundle with one change to its JSON.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json = serde_json::from_slice(&scan_bundle()).unwrap();
    change(&mut json);
    serde_json::to_vec(&json).unwrap()
}

/// The bundle with a piece of its text replaced.
fn replaced(from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(scan_bundle()).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to).into_bytes()
}

#[test]
fn a_change_of_any_byte_is_refused() {
    let good = scan_bundle();
    let hint = std::str::from_utf8(&good).unwrap().find("\"hint\":\"").unwrap() + 8;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let code = verified(&bad).expect_err("a changed byte").code;
        let in_hint = (hint..hint + 44).contains(&at);
        let expected =
            matches!(code, Code::Signature | Code::BundleParse) || (in_hint && code == Code::SignerUnknown);
        assert!(expected, "byte {at}: {code}");
    }
}

proptest! {
    #[test]
    fn edits_are_refused_or_change_nothing_that_is_signed(
        at in any::<prop::sample::Index>(),
        remove in 0_usize..8,
        insert in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let good = scan_bundle();
        let at = at.index(good.len());
        let mut edited = good.clone();
        edited.splice(at..(at + remove).min(good.len()), insert);
        if let Ok(digest) = verified(&edited) {
            prop_assert_eq!(digest, Digest::of(&samples::scan().to_bytes().unwrap()));
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Bundle::parse(&bytes).is_err());
        prop_assert!(Statement::<Scan>::from_bytes(&bytes).is_err());
    }

    #[test]
    fn any_statement_of_a_trusted_key_is_read_without_panic(text in "\\PC{0,80}") {
        let payload = text.as_bytes();
        prop_assert_eq!(verified(&Signer::of("scanner").seal_bytes(payload)).unwrap_err().code, Code::BundleParse);
    }
}

#[test]
fn a_bundle_that_was_cut_off_is_refused() {
    let good = scan_bundle();
    for length in 0..good.len() {
        assert_eq!(verified(&good[..length]).unwrap_err().code, Code::BundleParse, "{length}");
    }
}

#[test]
fn a_bundle_has_exactly_one_signature() {
    let again = |json: &mut Value| {
        let signatures = json["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
        signatures.push(signatures[0].clone());
    };
    refused(&changed(again), "2 signatures: expected exactly one");
    refused(&changed(|json| json["dsseEnvelope"]["signatures"] = json!([])), "0 signatures");
}

#[test]
fn unknown_fields_are_refused_everywhere() {
    refused(&changed(|json| json["extra"] = json!(1)), "unknown field `extra`");
    refused(&changed(|json| json["dsseEnvelope"]["extra"] = json!(1)), "unknown field `extra`");
    refused(&changed(|json| json["verificationMaterial"]["certificate"] = json!({})), "unknown field");
    refused(&changed(|json| json["verificationMaterial"]["publicKey"]["extra"] = json!(1)), "unknown field");
    let keyid = |json: &mut Value| json["dsseEnvelope"]["signatures"][0]["keyid"] = json!("");
    refused(&changed(keyid), "unknown field `keyid`");
    refused(&changed(|json| json["messageSignature"] = json!({})), "unknown field");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let payload_type = r#""payloadType":"application/vnd.in-toto+json""#;
    refused(&replaced(payload_type, &format!("{payload_type},{payload_type}")), "`payloadType` stands twice");
    let media_type = r#""payload":""#;
    refused(&replaced(media_type, r#""payload":"e30=","payload":""#), "`payload` stands twice");
}

#[test]
fn log_entries_that_nobody_checks_are_not_carried_along() {
    let with = |entries: Value| changed(|json| json["verificationMaterial"]["tlogEntries"] = entries);
    assert!(verified(&with(json!([]))).is_ok());
    refused(&with(json!([{"logIndex": "1"}])), "entries of a transparency log are not supported");
    refused(&with(Value::Null), "invalid type: null");
}

#[test]
fn other_versions_and_payloads_are_refused() {
    let media_type = |text: &str| changed(|json| json["mediaType"] = json!(text));
    assert!(verified(&media_type("application/vnd.dev.sigstore.bundle+json;version=0.3")).is_ok());
    for bad in ["application/vnd.dev.sigstore.bundle+json;version=0.1", "application/json", ""] {
        refused(&media_type(bad), "the media type is");
    }
    let other = changed(|json| json["dsseEnvelope"]["payloadType"] = json!("text/plain"));
    refused(&other, "the payload type is `text/plain`");
}

#[test]
fn base64_has_one_form() {
    for bad in ["AAAA", "not base64", "", "Zg", "Zh==", "Zm8=\n", "-_-_"] {
        let hint = changed(|json| json["verificationMaterial"]["publicKey"]["hint"] = json!(bad));
        assert_eq!(verified(&hint).unwrap_err().code, Code::BundleParse, "{bad:?}");
    }
    for bad in ["A", "Zg", "Zh==", "Zm8=\n", "-_-_"] {
        refused(&changed(|json| json["dsseEnvelope"]["payload"] = json!(bad)), "not base64");
        refused(&changed(|json| json["dsseEnvelope"]["signatures"][0]["sig"] = json!(bad)), "not base64");
    }
}

#[test]
fn size_and_depth_are_limited() {
    let long = format!("{{\"mediaType\":\"{}\"}}", "x".repeat(MAX_BUNDLE));
    refused(long.as_bytes(), "more than");
    let deep = format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20));
    refused(deep.as_bytes(), "recursion limit");
    let scanner = Signer::of("scanner");
    refused(&scanner.seal_bytes(deep.as_bytes()), "malformed");
    let nested = payload(&json!([]), &serde_json::from_str(&deep[(1 << 20) - 60..(1 << 20) + 60]).unwrap());
    refused(&scanner.seal_bytes(&nested), "subjects");
    refused(&scanner.seal_bytes(&vec![b' '; MAX_STATEMENT + 1]), "more than");
}

fn payload(subject: &Value, predicate: &Value) -> Vec<u8> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1", "predicate": predicate,
        "predicateType": "https://plimsoll.dev/scan/v1", "subject": subject,
    });
    plimsoll_model::jcs::to_bytes(&statement).unwrap()
}

/// The payload with one change, signed by the right key: what a faulty signer could make.
fn signed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&samples::scan().to_bytes().unwrap()).unwrap();
    change(&mut json);
    Signer::of("scanner").seal_bytes(&plimsoll_model::jcs::to_bytes(&json).unwrap())
}

#[test]
fn a_statement_is_read_strictly_even_under_a_good_signature() {
    assert!(verified(&signed(|_| ())).is_ok());
    refused(&signed(|json| json["extra"] = json!(1)), "unknown field `extra`");
    refused(&signed(|json| json["subject"][0]["uri"] = json!("x")), "unknown field `uri`");
    let commit = |json: &mut Value| json["subject"][0]["digest"]["gitCommit"] = json!("00");
    refused(&signed(commit), "unknown field `gitCommit`");
    refused(&signed(|json| json["subject"][0]["digest"] = json!({})), "missing field `sha256`");
    let capitals = |json: &mut Value| json["subject"][0]["digest"]["sha256"] = json!("A".repeat(64));
    refused(&signed(capitals), "not a digest");
    let version = |json: &mut Value| json["_type"] = json!("https://in-toto.io/Statement/v0.1");
    refused(&signed(version), "the statement is of type `https://in-toto.io/Statement/v0.1`");
    refused(&signed(|json| json["subject"] = json!([])), "0 subjects");
    let crowd = |json: &mut Value| {
        let subjects = vec![json["subject"][0].clone(); 1025];
        json["subject"] = json!(subjects);
    };
    refused(&signed(crowd), "1025 subjects");
}

#[test]
fn a_predicate_is_read_strictly_even_under_a_good_signature() {
    let predicate = |change: fn(&mut Value)| verified(&signed(|json| change(&mut json["predicate"])));
    assert!(predicate(|_| ()).is_ok());
    let changes: [fn(&mut Value); 5] = [
        |scan| scan["extra"] = json!(1),
        |scan| scan["tool"]["extra"] = json!(1),
        |scan| scan["outcome"] = json!("fine"),
        |scan| scan["rules"] = json!(-1),
        |scan| drop(scan.as_object_mut().unwrap().remove("report")),
    ];
    for change in changes {
        assert_eq!(predicate(change).unwrap_err().code, Code::BundleParse);
    }
}

#[test]
fn a_statement_has_one_text() {
    let good = String::from_utf8(samples::scan().to_bytes().unwrap()).unwrap();
    let scanner = Signer::of("scanner");
    assert!(verified(&scanner.seal_bytes(good.as_bytes())).is_ok());
    let check = |bad: String| {
        assert_ne!(bad, good);
        let bundle = scanner.seal_bytes(bad.as_bytes());
        assert_eq!(verified(&bundle).unwrap_err().code, Code::BundleParse, "{bad}");
        assert_eq!(verify_any(&bundle, &trust()).unwrap_err().code, Code::BundleParse, "{bad}");
    };
    check(good.replace("\"rules\":12", "\"rules\":12,\"rules\":12"));
    check(good.replace("\"rules\":12", "\"rules\":0,\"rules\":12"));
    check(good.replace("\"rules\":12", "\"rules\": 12"));
    check(good.replace("\"rules\":12", "\"rules\":12.0"));
    check(good.replace("\"rules\":12", "\"rules\":1.2e1"));
    check(good.replace("\"lint\"", "\"\\u006cint\""));
    check(format!("{good}\n"));
    check(format!("\u{feff}{good}"));
}

#[test]
fn what_json_cannot_carry_is_not_written() {
    let mut statement = samples::scan();
    statement.predicate.rules = (1 << 53) + 1;
    assert_eq!(statement.to_bytes(), Err(StatementError::Unwritable));
    statement.predicate.rules = 1 << 53;
    assert!(statement.to_bytes().is_ok());
}

#[test]
fn limits_hold_for_writing_too() {
    let mut statement: Statement<SourceRevision> = samples::source();
    statement.subject = vec![];
    assert_eq!(statement.to_bytes(), Err(StatementError::Subjects(0)));
    statement.subject = vec![Subject::new("x", Digest::of(b"x")); 1024];
    assert!(statement.to_bytes().is_ok());
    statement.subject.push(Subject::new("x", Digest::of(b"x")));
    assert_eq!(statement.to_bytes(), Err(StatementError::Subjects(1025)));
    statement.subject.truncate(1);
    statement.predicate.requested = "x".repeat(MAX_STATEMENT);
    assert_eq!(statement.to_bytes(), Err(StatementError::TooLarge));
}

//! Documents that people sign with the real `ssh-keygen`: what is read, whose signature counts, and for what.

use crate::samples;
use plimsoll_attest::{
    ApprovalDocument, Disclaimer, PolicySetDocument, Signed,
    approval::MAX_GATES,
    document::{Document, DocumentError, MAX_DOCUMENT, read, write},
    policy_set::MAX_FILES,
    sshsig::SshsigError,
};
use plimsoll_model::{Digest, Outcome};
use plimsoll_testkit::SshKey;
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn a_signed_approval_names_its_signer_and_its_bytes() {
    let (bo, cy) = (SshKey::generate(), SshKey::generate_as("ecdsa"));
    let allowed = [&bo, &cy].map(|key| key.public_line().parse().unwrap());
    let bytes = write(&samples::approval()).unwrap();
    for key in [&bo, &cy] {
        let armor = key.sign("plimsoll-approval", &bytes);
        let signed = Signed::<ApprovalDocument>::verify(&bytes, &armor, &allowed).unwrap();
        assert_eq!(signed.document(), &samples::approval());
        assert_eq!((signed.signer(), signed.digest()), (key.fingerprint().as_str(), Digest::of(&bytes)));
    }
}

#[test]
fn a_signature_counts_for_one_kind_of_document() {
    let key = SshKey::generate();
    let allowed = [key.public_line().parse().unwrap()];
    let bytes = write(&samples::disclaimer()).unwrap();
    let armor = |namespace| key.sign(namespace, &bytes);
    assert!(Signed::<Disclaimer>::verify(&bytes, &armor(Disclaimer::NAMESPACE), &allowed).is_ok());
    for other in [ApprovalDocument::NAMESPACE, PolicySetDocument::NAMESPACE, "git", "file", "plimsoll-root"] {
        let expect = DocumentError::Signature(SshsigError::Namespace(other.into()));
        assert_eq!(Signed::<Disclaimer>::verify(&bytes, &armor(other), &allowed), Err(expect));
    }
    // One shape is never read as another, even under its own signature.
    let armor = key.sign(ApprovalDocument::NAMESPACE, &bytes);
    let error = Signed::<ApprovalDocument>::verify(&bytes, &armor, &allowed).unwrap_err();
    assert!(matches!(error, DocumentError::Malformed(_)), "{error}");
}

#[test]
fn a_stranger_or_a_change_of_any_byte_is_refused() {
    let (key, stranger) = (SshKey::generate(), SshKey::generate());
    let allowed = [key.public_line().parse().unwrap()];
    let bytes = write(&samples::approval()).unwrap();
    let verify = |bytes: &[u8], armor: &str| Signed::<ApprovalDocument>::verify(bytes, armor, &allowed);
    let error = verify(&bytes, &stranger.sign("plimsoll-approval", &bytes)).unwrap_err();
    assert_eq!(error, DocumentError::Signature(SshsigError::Key(stranger.fingerprint())));
    let armor = key.sign("plimsoll-approval", &bytes);
    assert!(verify(&bytes, &armor).is_ok());
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        assert_eq!(verify(&bad, &armor), Err(DocumentError::Signature(SshsigError::Signature)), "byte {at}");
    }
    for bad in ["", &armor.repeat(2), &armor[1..]] {
        assert_eq!(verify(&bytes, bad), Err(DocumentError::Signature(SshsigError::Malformed)));
    }
}

#[test]
fn what_a_person_signed_in_another_form_is_not_read() {
    let key = SshKey::generate();
    let allowed = [key.public_line().parse().unwrap()];
    let good = String::from_utf8(write(&samples::approval()).unwrap()).unwrap();
    let verify = |text: &str| {
        let armor = key.sign("plimsoll-approval", text.as_bytes());
        Signed::<ApprovalDocument>::verify(text.as_bytes(), &armor, &allowed).map(|_| ())
    };
    assert_eq!(verify(&good), Ok(()));
    assert_eq!(verify(&format!("{good}\n")), Err(DocumentError::NotCanonical));
    assert_eq!(verify(&good.replace(":1}", ": 1}")), Err(DocumentError::NotCanonical));
    assert_eq!(verify(&good.replace("Z\"", ".000Z\"")), Err(DocumentError::NotCanonical));
    let twice = good.replace("\"soak\":\"failed\"", "\"soak\":\"failed\",\"soak\":\"passed\"");
    assert!(matches!(verify(&twice), Err(DocumentError::Malformed(text)) if text.contains("stands twice")));
}

/// The document with one change, in canonical form.
fn changed<T: Document>(document: &T, change: fn(&mut Value)) -> Result<T, DocumentError> {
    let mut json = serde_json::to_value(document).unwrap();
    change(&mut json);
    read(&plimsoll_model::jcs::to_bytes(&json).unwrap())
}

#[test]
fn other_shapes_are_not_read() {
    let approvals: [fn(&mut Value); 8] = [
        |approval| approval["version"] = json!(2),
        |approval| approval["kind"] = json!("break-glass"),
        |approval| approval["extra"] = json!(1),
        |approval| approval["floor"]["soak"] = json!("fine"),
        |approval| approval["nonce"] = json!(""),
        |approval| approval["expiry"] = json!("never"),
        |approval| approval["project"] = json!("shop"),
        |approval| drop(approval.as_object_mut().unwrap().remove("base")),
    ];
    assert!(changed(&samples::approval(), |_| ()).is_ok());
    for change in approvals {
        assert!(changed(&samples::approval(), change).is_err());
    }
    let disclaimers: [fn(&mut Value); 3] = [
        |disclaimer| disclaimer["statement"] = json!("I take it back"),
        |disclaimer| disclaimer["version"] = json!(0),
        |disclaimer| disclaimer["commit"] = json!("HEAD"),
    ];
    assert!(changed(&samples::disclaimer(), |_| ()).is_ok());
    for change in disclaimers {
        assert!(changed(&samples::disclaimer(), change).is_err());
    }
}

#[test]
fn sizes_are_limited_in_both_directions() {
    let mut approval = samples::approval();
    approval.floor = (0..MAX_GATES).map(|gate| (gate.to_string(), Outcome::Passed)).collect();
    assert!(write(&approval).is_ok());
    approval.floor.insert("one more".into(), Outcome::Passed);
    assert!(matches!(write(&approval), Err(DocumentError::Malformed(_))));
    let mut set = samples::policy_set();
    set.files = (0..=MAX_FILES).map(|file| (file.to_string(), Digest::of(b""))).collect();
    assert!(matches!(write(&set), Err(DocumentError::Malformed(_))));
    let mut set = samples::policy_set();
    set.number = (1 << 53) + 1;
    assert!(write(&set).is_err());
    let long = vec![b' '; MAX_DOCUMENT + 1];
    assert!(matches!(read::<Disclaimer>(&long), Err(DocumentError::Malformed(_))));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read::<ApprovalDocument>(&bytes).is_err());
        prop_assert!(read::<Disclaimer>(&bytes).is_err());
        prop_assert!(read::<PolicySetDocument>(&bytes).is_err());
    }

    #[test]
    fn edits_are_refused_or_read_as_what_they_say(
        at in any::<prop::sample::Index>(),
        remove in 0_usize..8,
        insert in "[0-9a-z\":,{}]{0,6}",
    ) {
        let mut edited = write(&samples::approval()).unwrap();
        let at = at.index(edited.len());
        edited.splice(at..(at + remove).min(edited.len()), insert.into_bytes());
        if let Ok(document) = read::<ApprovalDocument>(&edited) {
            prop_assert_eq!(write(&document).unwrap(), edited);
        }
    }
}

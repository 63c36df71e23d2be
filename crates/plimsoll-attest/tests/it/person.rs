//! Signatures by people: made by the real `ssh-keygen`, and for security keys, of which no test machine has one, put
//! together by PROTOCOL.u2f.

use p256::ecdsa::{Signature as EcdsaSignature, SigningKey, signature::Signer as _};
use plimsoll_attest::sshsig::{SshKey, SshKeyError, SshsigError, verify};
use plimsoll_model::Digest;
use ssh_key::{
    Algorithm, HashAlg, LineEnding, PublicKey, Signature, SshSig,
    private::Ed25519Keypair,
    public::{EcdsaPublicKey, KeyData, SkEcdsaSha2NistP256, SkEd25519},
};

const NAMESPACE: &str = "plimsoll-test";
const MESSAGE: &[u8] = b"a message\n";

fn allowed(key: &plimsoll_testkit::SshKey) -> SshKey {
    key.public_line().parse().unwrap()
}

#[test]
fn signatures_of_the_real_ssh_keygen_verify_and_others_do_not() {
    for kind in ["ed25519", "ecdsa"] {
        let (key, other) =
            (plimsoll_testkit::SshKey::generate_as(kind), plimsoll_testkit::SshKey::generate_as(kind));
        let (ours, theirs) = ([allowed(&key)], allowed(&other));
        assert_eq!(ours[0].fingerprint(), key.fingerprint());
        let armored = key.sign(NAMESPACE, MESSAGE);
        let check = |allowed: &[SshKey], namespace, message| verify(allowed, namespace, message, &armored);
        assert_eq!(check(&[theirs.clone(), ours[0].clone()], NAMESPACE, MESSAGE), Ok(key.fingerprint()));
        assert_eq!(check(&[theirs], NAMESPACE, MESSAGE), Err(SshsigError::Key(key.fingerprint())));
        assert_eq!(check(&[], NAMESPACE, MESSAGE), Err(SshsigError::Key(key.fingerprint())));
        assert_eq!(check(&ours, NAMESPACE, b"a massage\n"), Err(SshsigError::Signature));
        assert_eq!(check(&ours, NAMESPACE, b""), Err(SshsigError::Signature));
        assert_eq!(check(&ours, "git", MESSAGE), Err(SshsigError::Namespace(NAMESPACE.into())));
    }
}

#[test]
fn keys_that_cannot_be_checked_are_reported() {
    let rsa = plimsoll_testkit::SshKey::generate_as("rsa");
    assert_eq!(rsa.public_line().parse::<SshKey>(), Err(SshKeyError::Unsupported("ssh-rsa".into())));
    let error = verify(&[], NAMESPACE, MESSAGE, &rsa.sign(NAMESPACE, MESSAGE)).unwrap_err();
    assert_eq!(error, SshsigError::Unsupported("ssh-rsa".into()));
    for bad in ["", "ssh-ed25519", "ssh-ed25519 AAAA", "no-pty ssh-ed25519 AAAA", "\u{0}"] {
        assert_eq!(bad.parse::<SshKey>(), Err(SshKeyError::Malformed), "{bad:?}");
    }
}

#[test]
fn a_changed_signature_never_verifies() {
    let key = plimsoll_testkit::SshKey::generate();
    let ours = [allowed(&key)];
    let good = key.sign(NAMESPACE, MESSAGE);
    // Line ends are layout.
    for at in (0..good.len()).filter(|at| good.as_bytes()[*at] != b'\n') {
        let mut bad = good.clone().into_bytes();
        bad[at] ^= 1;
        let Ok(bad) = String::from_utf8(bad) else { continue };
        if let Ok(signer) = verify(&ours, NAMESPACE, MESSAGE, &bad) {
            panic!("{signer} signed with byte {at} changed:\n{bad}");
        }
    }
    for length in 0..good.trim_end().len() {
        assert!(verify(&ours, NAMESPACE, MESSAGE, &good[..length]).is_err(), "{length}");
    }
}

#[test]
fn malformed_signatures_are_refused_without_panic() {
    let wrap = |text: &str| format!("-----BEGIN SSH SIGNATURE-----\n{text}\n-----END SSH SIGNATURE-----\n");
    let huge = wrap(&"A".repeat(1 << 20));
    for bad in ["", "x", &wrap(""), &wrap("U1NIU0lH"), &wrap("U1NIU0lHAAAAAf////8="), &huge] {
        assert_eq!(verify(&[], NAMESPACE, MESSAGE, bad), Err(SshsigError::Malformed));
    }
    let key = plimsoll_testkit::SshKey::generate();
    let twice = key.sign(NAMESPACE, MESSAGE).repeat(2);
    assert_eq!(verify(&[allowed(&key)], NAMESPACE, MESSAGE, &twice), Err(SshsigError::Malformed));
}

/// What a security key signs: the hash of its application, flags and counter, and the hash of the message.
fn touched_data(flags: u8) -> (Vec<u8>, Vec<u8>) {
    let trailer = [&[flags][..], &7_u32.to_be_bytes()].concat();
    let message = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, MESSAGE).unwrap();
    let hashes = [Digest::of(b"ssh:"), Digest::of(&message)];
    ([&hashes[0].as_bytes()[..], &trailer, hashes[1].as_bytes()].concat(), trailer)
}

fn sk_ed25519(flags: u8) -> (SshKey, String) {
    let pair = Ed25519Keypair::from_seed(&[3; 32]);
    let key = KeyData::SkEd25519(SkEd25519::new(pair.public, "ssh:"));
    let (data, trailer) = touched_data(flags);
    let raw = [pair.sign(&data).as_bytes(), &trailer].concat();
    armored(key, Algorithm::SkEd25519, raw)
}

fn sk_ecdsa(flags: u8) -> (SshKey, String) {
    let pair = SigningKey::from_slice(&[3; 32]).unwrap();
    let EcdsaPublicKey::NistP256(point) = EcdsaPublicKey::from(pair.verifying_key()) else { unreachable!() };
    let key = KeyData::SkEcdsaSha2NistP256(SkEcdsaSha2NistP256::new(point, "ssh:"));
    let (data, trailer) = touched_data(flags);
    let signature: EcdsaSignature = pair.sign(&data);
    let raw = [Signature::try_from(signature).unwrap().as_bytes(), &trailer].concat();
    armored(key, Algorithm::SkEcdsaSha2NistP256, raw)
}

fn armored(key: KeyData, algorithm: Algorithm, raw: Vec<u8>) -> (SshKey, String) {
    let line = PublicKey::from(key.clone()).to_openssh().unwrap();
    let signature = Signature::new(algorithm, raw).unwrap();
    let signature = SshSig::new(key, NAMESPACE, HashAlg::Sha512, signature).unwrap();
    (line.parse().unwrap(), signature.to_pem(LineEnding::LF).unwrap())
}

#[test]
fn a_security_key_counts_when_somebody_touched_it() {
    for make in [sk_ed25519, sk_ecdsa] {
        for (flags, present) in [(0, false), (1, true), (4, false), (5, true)] {
            let (key, armored) = make(flags);
            let fingerprint = key.fingerprint().to_owned();
            let expect = if present { Ok(fingerprint) } else { Err(SshsigError::Presence(fingerprint)) };
            let key = [key];
            assert_eq!(verify(&key, NAMESPACE, MESSAGE, &armored), expect, "{flags}");
            assert_eq!(verify(&key, NAMESPACE, b"other", &armored), Err(SshsigError::Signature));
        }
    }
}

#[test]
fn the_flag_for_touching_is_part_of_what_is_signed() {
    let (key, untouched) = sk_ed25519(0);
    let mut signature = SshSig::from_pem(&untouched).unwrap();
    let mut raw = signature.signature_bytes().to_vec();
    let flags = raw.len() - 5;
    raw[flags] = 1;
    let forged = Signature::new(Algorithm::SkEd25519, raw).unwrap();
    signature = SshSig::new(signature.public_key().clone(), NAMESPACE, HashAlg::Sha512, forged).unwrap();
    let forged = signature.to_pem(LineEnding::LF).unwrap();
    assert_eq!(verify(&[key], NAMESPACE, MESSAGE, &forged), Err(SshsigError::Signature));
}

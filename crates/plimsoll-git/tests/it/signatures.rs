//! Commit signatures: by git itself, by hand, by strangers, for other purposes.

use crate::support::{open, raw_tree};
use plimsoll_engine::ports::{CommitSignature, Source, SourceError};
use plimsoll_model::{CommitId, Digest};
use plimsoll_testkit::{GitFixture, SshKey};
use ssh_key::{
    Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SigningKey, SshSig,
    public::{KeyData, SkEd25519},
};

const WHO: &str = "Ada <ada@example.org> 1700000000 +0000";

/// Head (tree and names) and message of a commit, between which headers go.
fn parts(fixture: &GitFixture) -> (String, String) {
    let tree = raw_tree(fixture, &[]);
    (format!("tree {tree}\nauthor {WHO}\ncommitter {WHO}\n"), "\nby hand\n".to_owned())
}

fn header(name: &str, armored: &str) -> String {
    format!("{name} {}\n", armored.trim_end().replace('\n', "\n "))
}

fn stored(fixture: &GitFixture, headers: &str) -> CommitId {
    let (head, message) = parts(fixture);
    fixture.object("commit", format!("{head}{headers}{message}")).parse().unwrap()
}

fn problem(fixture: &GitFixture, commit: &CommitId, allowed: &[String]) -> String {
    match open(fixture).commit(commit, allowed).unwrap().signature {
        CommitSignature::Bad { problem } => problem,
        other => panic!("expected a bad signature, got {other:?}"),
    }
}

#[test]
fn commits_that_git_signed_with_an_allowed_key_are_good() {
    for kind in ["ed25519", "ecdsa"] {
        let (fixture, key, other) = (GitFixture::new(), SshKey::generate_as(kind), SshKey::generate());
        fixture.write("file", kind);
        let commit = fixture.commit_signed("signed\n\nwith a body", &key);
        let allowed = [other.public_line(), key.public_line()];
        let facts = open(&fixture).commit(&commit, &allowed).unwrap();
        assert_eq!(facts.signature, CommitSignature::Good { fingerprint: key.fingerprint() }, "{kind}");
    }
}

#[test]
fn signed_merges_and_sha256_commits_are_good() {
    let (fixture, key) = (GitFixture::with_init(&["--object-format=sha256"]), SshKey::generate());
    fixture.commit("root");
    fixture.branch("side");
    fixture.commit("side");
    fixture.checkout("main");
    fixture.merge("side");
    let commit = fixture.commit_signed("after the merge", &key);
    let facts = open(&fixture).commit(&commit, &[key.public_line()]).unwrap();
    assert_eq!(facts.signature, CommitSignature::Good { fingerprint: key.fingerprint() });
}

/// ATTACKS A01: a maintainer's name, no signature or one by a stranger.
#[test]
fn a_forged_name_is_unsigned_or_by_an_unknown_key() {
    let (fixture, maintainer, stranger) = (GitFixture::new(), SshKey::generate(), SshKey::generate());
    let allowed = [maintainer.public_line()];
    let unsigned = fixture.commit("as the maintainer");
    assert_eq!(open(&fixture).commit(&unsigned, &allowed).unwrap().signature, CommitSignature::Unsigned);
    let forged = fixture.commit_signed("as the maintainer", &stranger);
    let problem_text = problem(&fixture, &forged, &allowed);
    assert!(problem_text.contains(&stranger.fingerprint()) && problem_text.contains("is not allowed"));
    assert!(problem(&fixture, &forged, &[]).contains("is not allowed"));
}

#[test]
fn a_signature_for_anything_but_this_commit_does_not_count() {
    let (fixture, key) = (GitFixture::new(), SshKey::generate());
    let allowed = [key.public_line()];
    let (head, message) = parts(&fixture);
    let this = format!("{head}{message}");
    let check = |headers: &str, expect: &str| {
        let text = problem(&fixture, &stored(&fixture, headers), &allowed);
        assert!(text.contains(expect), "{text}");
    };
    check(&header("gpgsig", &key.sign("file", this.as_bytes())), "namespace `file`");
    check(&header("gpgsig", &key.sign("git ", this.as_bytes())), "namespace");
    check(&header("gpgsig", &key.sign("git", b"other content")), "does not fit the message");
    let good = header("gpgsig", &key.sign("git", this.as_bytes()));
    check(&format!("{good}{good}"), "more than one");
    check(&format!("{good}{}", header("gpgsig-sha256", "x\ny")), "more than one");
    check(&good.replace("gpgsig ", "gpgsig-sha256 "), "another form");
    check(&format!("{good}encoding UTF-8\n"), "does not fit the message");

    let facts = open(&fixture).commit(&stored(&fixture, &good), &allowed).unwrap();
    assert_eq!(facts.signature, CommitSignature::Good { fingerprint: key.fingerprint() });
}

#[test]
fn other_kinds_of_signature_are_named() {
    let (fixture, rsa) = (GitFixture::new(), SshKey::generate_as("rsa"));
    let armor = |kind: &str| header("gpgsig", &format!("-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----"));
    for (headers, expect) in [
        (armor("PGP SIGNATURE"), "an OpenPGP signature; this version reads SSH signatures"),
        (armor("PGP MESSAGE"), "an OpenPGP signature; this version reads SSH signatures"),
        (armor("SIGNED MESSAGE"), "an X.509 signature; this version reads SSH signatures"),
        (armor("SOMETHING"), "a signature of an unknown kind"),
        ("gpgsig \n".to_owned(), "a signature of an unknown kind"),
        (armor("SSH SIGNATURE"), "malformed SSH signature"),
    ] {
        let text = problem(&fixture, &stored(&fixture, &headers), &[]);
        assert!(text.starts_with(expect), "{text}");
    }
    let commit = fixture.commit_signed("by RSA", &rsa);
    let text = problem(&fixture, &commit, &[rsa.public_line()]);
    assert!(text.contains("rsa") && text.contains("not supported"), "{text}");
}

#[test]
fn an_allowed_key_that_cannot_be_read_is_an_error() {
    let (fixture, key) = (GitFixture::new(), SshKey::generate());
    let commit = fixture.commit_signed("signed", &key);
    for line in
        ["", "# comment", "ssh-ed25519", "ssh-ed25519 AAAA", &format!("cert-authority {}", key.public_line())]
    {
        let result = open(&fixture).commit(&commit, &[key.public_line(), line.to_owned()]);
        assert!(matches!(result, Err(SourceError::Failed { .. })), "{line}");
    }
}

fn sign(key: &impl SigningKey, message: &[u8]) -> Signature {
    key.try_sign(message).unwrap()
}

/// What a security key does (PROTOCOL.u2f), in software: the public key's line, and the armoured signature.
fn security_key_signs(key: &SshKey, flags: u8, message: &[u8]) -> (String, String) {
    let private = PrivateKey::read_openssh_file(key.private_path()).unwrap();
    let point = *private.public_key().key_data().ed25519().unwrap();
    let public = PublicKey::from(KeyData::SkEd25519(SkEd25519::new(point, "ssh:")));
    let signed = SshSig::signed_data("git", HashAlg::Sha512, message).unwrap();
    let trailer = [flags, 0, 0, 0, 7];
    let digests = [Digest::of(b"ssh:"), Digest::of(&signed)];
    let signature = sign(&private, &[digests[0].as_bytes(), &trailer[..], digests[1].as_bytes()].concat());
    let signature = Signature::new(Algorithm::SkEd25519, [signature.as_bytes(), &trailer].concat()).unwrap();
    let armored = SshSig::new(public.key_data().clone(), "git", HashAlg::Sha512, signature).unwrap();
    (public.to_openssh().unwrap(), armored.to_pem(LineEnding::LF).unwrap())
}

#[test]
fn a_security_key_must_have_been_touched() {
    let (fixture, key) = (GitFixture::new(), SshKey::generate());
    let (head, message) = parts(&fixture);
    let this = format!("{head}{message}");
    let (line, touched) = security_key_signs(&key, 1, this.as_bytes());
    let (_, untouched) = security_key_signs(&key, 4, this.as_bytes());
    let good = stored(&fixture, &header("gpgsig", &touched));
    let signature = open(&fixture).commit(&good, std::slice::from_ref(&line)).unwrap().signature;
    assert!(matches!(signature, CommitSignature::Good { .. }), "{signature:?}");
    let bad = stored(&fixture, &header("gpgsig", &untouched));
    assert!(problem(&fixture, &bad, &[line]).contains("nobody touched"));
    // The same point as an ordinary key is another key.
    assert!(problem(&fixture, &good, &[key.public_line()]).contains("is not allowed"));
}

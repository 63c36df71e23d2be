//! SSH signatures of commits (PROTOCOL.sshsig): one of the allowed keys, in git's namespace, over exactly these bytes.

use crate::error::failed;
use plimsoll_engine::ports::{CommitSignature, SourceError};
use ssh_key::{Algorithm, HashAlg, PublicKey, SshSig};

/// The namespace of commits and tags; a signature made for anything else must not count here.
const NAMESPACE: &str = "git";

/// Judges the armoured signature of a commit over `signed` by `allowed_keys`, lines of `authorized_keys(5)` without
/// options.
///
/// # Errors
/// When an allowed key cannot be read: a typing error there must not look like an unknown signer.
pub(crate) fn judge(
    armored: &[u8],
    signed: &[u8],
    allowed_keys: &[String],
) -> Result<CommitSignature, SourceError> {
    let allowed = allowed_keys.iter().map(|line| public_key(line)).collect::<Result<Vec<_>, _>>()?;
    Ok(match verify(armored, signed, &allowed) {
        Ok(fingerprint) => CommitSignature::Good { fingerprint },
        Err(problem) => CommitSignature::Bad { problem },
    })
}

fn public_key(line: &str) -> Result<PublicKey, SourceError> {
    PublicKey::from_openssh(line.trim())
        .map_err(|error| failed(format!("read the allowed key `{}`", line.trim()), error))
}

fn verify(armored: &[u8], signed: &[u8], allowed: &[PublicKey]) -> Result<String, String> {
    check_format(armored)?;
    let signature =
        SshSig::from_pem(armored).map_err(|error| format!("a malformed SSH signature: {error}"))?;
    check_algorithm(&signature)?;
    let fingerprint = signature.public_key().fingerprint(HashAlg::Sha256).to_string();
    if signature.namespace() != NAMESPACE {
        return Err(format!("made for the namespace `{}`, not for git", signature.namespace()));
    }
    let key = allowed.iter().find(|key| key.key_data() == signature.public_key());
    let key = key.ok_or_else(|| format!("by the key {fingerprint}, which is not an allowed one"))?;
    key.verify(NAMESPACE, signed, &signature)
        .map_err(|_| format!("the key {fingerprint} did not sign this content"))?;
    Ok(fingerprint)
}

fn check_format(armored: &[u8]) -> Result<(), String> {
    let kind = if armored.starts_with(b"-----BEGIN SSH SIGNATURE-----") {
        return Ok(());
    } else if armored.starts_with(b"-----BEGIN PGP ") {
        "an OpenPGP signature"
    } else if armored.starts_with(b"-----BEGIN SIGNED MESSAGE-----") {
        "an X.509 signature"
    } else {
        "a signature of an unknown kind"
    };
    Err(format!("{kind}; this version reads SSH signatures"))
}

/// Security keys are left out: whether somebody touched them stands in flags that the library does not judge.
fn check_algorithm(signature: &SshSig) -> Result<(), String> {
    let key = signature.public_key().algorithm();
    let read = matches!(key, Algorithm::Ed25519 | Algorithm::Ecdsa { curve: ssh_key::EcdsaCurve::NistP256 });
    let read = read && signature.algorithm() == key;
    read.then_some(())
        .ok_or_else(|| format!("by a key of type {key}; this version reads Ed25519 and ECDSA P-256 keys"))
}

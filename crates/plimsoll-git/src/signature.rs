//! SSH signatures of commits: one of the allowed keys, in git's namespace, over exactly these bytes.

use crate::error::failed;
use plimsoll_attest::sshsig::{self, SshKey, SshKeyError, SshsigError};
use plimsoll_engine::ports::{CommitSignature, SourceError};

/// The namespace of commits and tags; a signature made for anything else must not count here.
const NAMESPACE: &str = "git";

/// Judges the armoured signature of a commit over `signed` by `allowed_keys`, lines of `authorized_keys(5)` without
/// options. Keys of a type whose signatures cannot be checked allow nothing.
///
/// # Errors
/// When an allowed key is malformed: a typing error there must not look like an unknown signer.
pub(crate) fn judge(
    armored: &[u8],
    signed: &[u8],
    allowed_keys: &[String],
) -> Result<CommitSignature, SourceError> {
    let mut allowed = Vec::new();
    for line in allowed_keys {
        match line.parse::<SshKey>() {
            Ok(key) => allowed.push(key),
            Err(SshKeyError::Unsupported(_)) => {}
            Err(error) => return Err(failed(format!("read the allowed key `{line}`"), error)),
        }
    }
    Ok(match verify(armored, signed, &allowed) {
        Ok(fingerprint) => CommitSignature::Good { fingerprint },
        Err(problem) => CommitSignature::Bad { problem },
    })
}

fn verify(armored: &[u8], signed: &[u8], allowed: &[SshKey]) -> Result<String, String> {
    let malformed = || SshsigError::Malformed.to_string();
    let armored = std::str::from_utf8(armored).map_err(|_| malformed())?;
    if let Some(kind) = foreign_kind(armored) {
        return Err(format!("{kind}; this version reads SSH signatures"));
    }
    sshsig::verify(allowed, NAMESPACE, signed, armored).map_err(|error| error.to_string())
}

/// What a signature is that is not an SSH signature, by the first line of its armour.
fn foreign_kind(armored: &str) -> Option<&'static str> {
    match armored.lines().next().unwrap_or_default() {
        "-----BEGIN SSH SIGNATURE-----" => None,
        line if line.starts_with("-----BEGIN PGP ") => Some("an OpenPGP signature"),
        "-----BEGIN SIGNED MESSAGE-----" => Some("an X.509 signature"),
        _ => Some("a signature of an unknown kind"),
    }
}

//! Signatures by people: armoured SSH signatures as `ssh-keygen -Y sign` makes them (OpenSSH, PROTOCOL.sshsig), by keys
//! in files, agents or security keys (PROTOCOL.u2f). The namespace keeps a signature for one purpose from counting for
//! another.

use ssh_key::{PublicKey, SshSig, public::KeyData};
use std::{fmt, str::FromStr};

/// Bytes of one armoured signature; a security key's is below 1 KiB.
const MAX_ARMOR: usize = 16 << 10;
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";

/// A person's public key: Ed25519, ECDSA on P-256, or either on a security key. Equal keys are equal, whatever their
/// comments say.
#[derive(Clone, PartialEq, Eq)]
pub struct SshKey {
    key: KeyData,
    fingerprint: String,
}

/// Why text is not a person's key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshKeyError {
    /// Not a line of `authorized_keys(5)` without options.
    #[error("not an SSH public key")]
    Malformed,
    /// A key whose signatures cannot be checked here.
    #[error("SSH keys of type {0} are not supported: use ed25519 or ecdsa on P-256")]
    Unsupported(String),
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SshsigError {
    /// Not exactly one armoured signature of version 1.
    #[error("malformed SSH signature")]
    Malformed,
    /// By a key whose signatures cannot be checked here.
    #[error("signatures by SSH keys of type {0} are not supported")]
    Unsupported(String),
    /// Made for another purpose.
    #[error("the signature was made for the namespace `{0}`")]
    Namespace(String),
    /// By a key that is not among the allowed ones.
    #[error("the key {0} is not allowed")]
    Key(String),
    /// By a security key that nobody touched.
    #[error("nobody touched the security key {0}")]
    Presence(String),
    /// By an allowed key, but over another message.
    #[error("the signature does not fit the message")]
    Signature,
}

impl SshKey {
    /// The name that `ssh-keygen -l` shows, as in `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn is_security_key(&self) -> bool {
        matches!(self.key, KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_))
    }
}

impl FromStr for SshKey {
    type Err = SshKeyError;

    /// Reads one line, as in `ssh-ed25519 AAAA… comment`.
    fn from_str(line: &str) -> Result<Self, SshKeyError> {
        let key = PublicKey::from_openssh(line.trim()).map_err(|_| SshKeyError::Malformed)?;
        if !is_supported(key.key_data()) {
            return Err(SshKeyError::Unsupported(key.algorithm().to_string()));
        }
        Ok(Self { fingerprint: fingerprint(key.key_data()), key: key.key_data().clone() })
    }
}

impl fmt::Debug for SshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SshKey({})", self.fingerprint)
    }
}

/// Checks that `armored` is one signature over `message`, made for `namespace` by one of the `allowed` keys, and for a
/// security key with somebody touching it. Answers with the key's fingerprint.
///
/// # Errors
/// When any of this does not hold.
pub fn verify(
    allowed: &[SshKey],
    namespace: &str,
    message: &[u8],
    armored: &str,
) -> Result<String, SshsigError> {
    let signature = parse(armored)?;
    let signer = fingerprint(signature.public_key());
    if !is_supported(signature.public_key()) {
        return Err(SshsigError::Unsupported(signature.public_key().algorithm().to_string()));
    }
    if signature.namespace() != namespace {
        return Err(SshsigError::Namespace(signature.namespace().to_owned()));
    }
    let key = allowed.iter().find(|key| key.key == *signature.public_key());
    let key = key.ok_or_else(|| SshsigError::Key(signer.clone()))?;
    PublicKey::from(key.key.clone())
        .verify(namespace, message, &signature)
        .map_err(|_| SshsigError::Signature)?;
    if key.is_security_key() && !is_touched(&signature) {
        return Err(SshsigError::Presence(signer));
    }
    Ok(signer)
}

/// The armoured signatures in a text, one after the other. What stands between them is left out, an armour without an
/// end included.
pub fn armors(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(END).filter_map(|part| part.rfind(BEGIN).map(|at| &part[at..]))
}

fn parse(armored: &str) -> Result<SshSig, SshsigError> {
    if armored.len() > MAX_ARMOR {
        return Err(SshsigError::Malformed);
    }
    let signature = SshSig::from_pem(armored.trim()).map_err(|_| SshsigError::Malformed)?;
    // The library takes older versions, of which there are none, and does not compare the two algorithms.
    let fits = signature.algorithm() == signature.public_key().algorithm();
    let is_rsa = matches!(signature.public_key(), KeyData::Rsa(_));
    if signature.version() == SshSig::VERSION && (fits || is_rsa) {
        Ok(signature)
    } else {
        Err(SshsigError::Malformed)
    }
}

/// The flag for user presence (PROTOCOL.u2f, "SSH U2F signatures"): a byte of flags and four of a counter end the
/// signature, and are covered by it.
fn is_touched(signature: &SshSig) -> bool {
    let bytes = signature.signature_bytes();
    bytes.len().checked_sub(5).and_then(|at| bytes.get(at)).is_some_and(|flags| flags & 1 == 1)
}

fn is_supported(key: &KeyData) -> bool {
    match key {
        KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_) => true,
        KeyData::Ecdsa(key) => key.curve() == ssh_key::EcdsaCurve::NistP256,
        _ => false,
    }
}

fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(ssh_key::HashAlg::Sha256).to_string()
}

//! Sigstore bundles, version 0.3, signed with a key: written in exactly one shape, the one that `cosign` writes, and read
//! in no other. Nothing in a bundle except the signed payload is evidence.

use crate::{
    dsse::{Envelope, PAYLOAD_TYPE, pae},
    json,
    key::PublicKey,
    statement::MAX_STATEMENT,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use plimsoll_model::Digest;
use serde::Deserialize;

/// Media type of every bundle that is written.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The older spelling of the same version, which is read too.
const OTHER_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";
/// Bytes of a bundle: the largest statement in base64, and room for the rest.
pub const MAX_BUNDLE: usize = MAX_STATEMENT / 3 * 4 + (64 << 10);

/// A parsed bundle. Nothing of it has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    hint: Digest,
    envelope: Envelope,
}

/// Why bytes are not a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Not JSON of the one shape, or too large.
    #[error("{0}")]
    Malformed(String),
    /// Another kind or version of bundle.
    #[error("the media type is `{0}`: expected `{MEDIA_TYPE}`")]
    MediaType(String),
    /// The hint does not have the form of a key's SHA-256.
    #[error("the key hint is not a SHA-256")]
    Hint,
    /// The payload is no in-toto statement.
    #[error("the payload type is `{0}`: expected `{PAYLOAD_TYPE}`")]
    PayloadType(String),
    /// None, or several: the second could be about anything.
    #[error("{0} signatures: expected exactly one")]
    Signatures(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Material {
    public_key: Hint,
    #[serde(default, rename = "tlogEntries")]
    _log: json::Empty,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hint {
    #[serde(with = "json::base64")]
    hint: Vec<u8>,
}

impl Bundle {
    /// Reads a bundle within limits.
    ///
    /// # Errors
    /// When the bytes have another shape than the one that is written, save for white space, the order of keys, the two
    /// spellings of the media type, and an empty list of log entries.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let wire: Wire = json::read(bytes, MAX_BUNDLE).map_err(BundleError::Malformed)?;
        if ![MEDIA_TYPE, OTHER_MEDIA_TYPE].contains(&wire.media_type.as_str()) {
            return Err(BundleError::MediaType(wire.media_type));
        }
        let hint = wire.verification_material.public_key.hint;
        let hint = Digest::from_bytes(hint.try_into().map_err(|_| BundleError::Hint)?);
        let envelope = wire.dsse_envelope;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(BundleError::PayloadType(envelope.payload_type));
        }
        match envelope.signatures.len() {
            1 => Ok(Self { hint, envelope }),
            other => Err(BundleError::Signatures(other)),
        }
    }

    /// The envelope: with plain DSSE verifiers it can stand alone.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Fingerprint of the key that the bundle claims to be signed with; unauthenticated, and good only for finding the
    /// key to check.
    #[must_use]
    pub const fn hint(&self) -> &Digest {
        &self.hint
    }

    /// Checks the signature.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let signed = self.envelope.signed_bytes();
        self.envelope.signatures.iter().all(|one| key.verify(&signed, &one.sig).is_ok())
    }

    pub(crate) fn into_payload(self) -> Vec<u8> {
        self.envelope.payload
    }
}

/// Makes the JSON of a bundle around `payload`. The signature comes from `sign`, which is given the bytes to sign
/// ([`pae`]) and answers with ECDSA on P-256 and SHA-256 in DER by the private half of `key`.
///
/// # Errors
/// Those of `sign`.
pub fn seal<E>(
    payload: &[u8],
    key: &PublicKey,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let signature = sign(&pae(PAYLOAD_TYPE, payload))?;
    let [hint, payload, signature] =
        [key.fingerprint().as_bytes(), payload, &signature].map(|bytes| BASE64_STANDARD.encode(bytes));
    // Constants and base64 need no escapes.
    let json = format!(
        concat!(
            r#"{{"mediaType":"{}","verificationMaterial":{{"publicKey":{{"hint":"{}"}}}},"#,
            r#""dsseEnvelope":{{"payload":"{}","payloadType":"{}","signatures":[{{"sig":"{}"}}]}}}}"#
        ),
        MEDIA_TYPE, hint, payload, PAYLOAD_TYPE, signature
    );
    Ok(json.into_bytes())
}

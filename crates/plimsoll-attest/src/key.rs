//! Public keys of roles: ECDSA on P-256 with SHA-256, because every common verifier takes it. Private keys are not here.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use p256::{
    ecdsa::{Signature, VerifyingKey, signature::Verifier as _},
    pkcs8::{DecodePublicKey as _, EncodePublicKey as _},
};
use plimsoll_model::Digest;
use std::fmt;

/// A public key on P-256. Equal keys are equal, however the file that they came from was encoded.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    der: Vec<u8>,
    fingerprint: Digest,
}

/// Bytes are not a public key that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a P-256 public key in the form of SubjectPublicKeyInfo")]
pub struct KeyError;

/// A signature is not by this key over these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit")]
pub struct BadSignature;

impl PublicKey {
    /// Reads `-----BEGIN PUBLIC KEY-----` (RFC 7468, section 13).
    ///
    /// # Errors
    /// When the text is anything else, or the key is not on P-256.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::new(VerifyingKey::from_public_key_pem(text.trim()).map_err(|_| KeyError)?)
    }

    /// Reads SubjectPublicKeyInfo in DER (RFC 5280, section 4.1; RFC 5480).
    ///
    /// # Errors
    /// When the bytes are anything else, or the key is not on P-256.
    pub fn from_der(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::new(VerifyingKey::from_public_key_der(bytes).map_err(|_| KeyError)?)
    }

    fn new(key: VerifyingKey) -> Result<Self, KeyError> {
        let der = key.to_public_key_der().map_err(|_| KeyError)?.into_vec();
        let fingerprint = Digest::of(&der);
        Ok(Self { key, der, fingerprint })
    }

    /// SubjectPublicKeyInfo in DER, with an uncompressed point.
    #[must_use]
    pub fn to_der(&self) -> &[u8] {
        &self.der
    }

    /// The PEM text of [`PublicKey::to_der`], ending in a newline.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let text = BASE64_STANDARD.encode(&self.der);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (at, character) in text.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem + "\n-----END PUBLIC KEY-----\n"
    }

    /// SHA-256 of [`PublicKey::to_der`]: the key's name here, and in base64 the hint of a bundle.
    #[must_use]
    pub const fn fingerprint(&self) -> &Digest {
        &self.fingerprint
    }

    /// Checks an ECDSA signature with SHA-256 in DER over `message`. Both solutions for `s` are taken, as common signers
    /// make either; hence a signature is never a name of anything.
    ///
    /// # Errors
    /// When it is malformed, or not by this key over this message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let signature = Signature::from_der(signature).map_err(|_| BadSignature)?;
        self.key.verify(message, &signature).map_err(|_| BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::{SigningKey, signature::Signer as _};

    fn signing_key() -> SigningKey {
        SigningKey::from_slice(&[7; 32]).unwrap()
    }

    fn public_key() -> PublicKey {
        PublicKey::new(*signing_key().verifying_key()).unwrap()
    }

    #[test]
    fn a_key_is_the_same_from_pem_from_der_and_with_a_compressed_point() {
        let key = public_key();
        assert_eq!(PublicKey::from_pem(&key.to_pem()), Ok(key.clone()));
        assert_eq!(PublicKey::from_der(key.to_der()), Ok(key.clone()));
        let mut compressed = key.to_der().to_vec();
        compressed.truncate(27 + 32);
        (compressed[1], compressed[24], compressed[26]) = (0x39, 0x22, 2 + (key.to_der()[90] & 1));
        assert_eq!(PublicKey::from_der(&compressed), Ok(key));
    }

    #[test]
    fn what_is_no_key_on_the_curve_is_refused() {
        let good = public_key().to_der().to_vec();
        let mut off_the_curve = good.clone();
        off_the_curve[90] ^= 1;
        let mut other_curve = good.clone();
        other_curve[22] = 0x22;
        for bad in [&[][..], &good[..90], &[&good[..], &[0]].concat(), &off_the_curve, &other_curve] {
            assert_eq!(PublicKey::from_der(bad), Err(KeyError));
        }
        let private = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n";
        for bad in ["", "ssh-ed25519 AAAA", private] {
            assert_eq!(PublicKey::from_pem(bad), Err(KeyError));
        }
    }

    #[test]
    fn both_solutions_of_a_signature_verify_and_no_other_encoding_does() {
        let (key, message) = (public_key(), b"message");
        let signature: Signature = signing_key().sign(message);
        let (r, s) = signature.split_scalars();
        let other = Signature::from_scalars(r, -s).unwrap();
        for good in [signature.to_der(), other.to_der()] {
            assert_eq!(key.verify(message, good.as_bytes()), Ok(()));
            assert_eq!(key.verify(b"massage", good.as_bytes()), Err(BadSignature));
            for bad in [&good.as_bytes()[1..], &[good.as_bytes(), &[0]].concat(), &signature.to_bytes()] {
                assert_eq!(key.verify(message, bad), Err(BadSignature));
            }
        }
    }

    #[test]
    fn malformed_signatures_never_verify_and_never_panic() {
        let key = public_key();
        let zero = [0x30, 6, 2, 1, 0, 2, 1, 0];
        let endless = [0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 1];
        for bad in [&[][..], &[0x30], &[0x30, 0x80, 0, 0], &zero, &endless, &[0xff; 200]] {
            assert_eq!(key.verify(b"", bad), Err(BadSignature));
        }
    }
}

//! Dead Simple Signing Envelopes (DSSE 1.0): what exactly is signed, and how a payload and its signature travel.

use crate::json;
use serde::{Deserialize, Serialize};

/// The only payload type: an in-toto statement. Per-predicate types are refused by common verifiers.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The pre-authentication encoding: `DSSEv1 SP len(type) SP type SP len(payload) SP payload`, lengths in bytes and
/// decimal (DSSE 1.0, protocol, "Signature Definition"). This is what a key signs.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// An envelope with a payload and signatures over its [`pae`]. As JSON it is what verifiers of plain DSSE read; there is
/// no `keyid`, since it would be an unauthenticated hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Envelope {
    /// What is signed.
    #[serde(with = "json::base64")]
    pub payload: Vec<u8>,
    /// How to read the payload.
    pub payload_type: String,
    /// Signatures over [`Envelope::signed_bytes`].
    pub signatures: Vec<Signature>,
}

/// One signature of an [`Envelope`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// An ECDSA signature in ASN.1 DER.
    #[serde(with = "json::base64")]
    pub sig: Vec<u8>,
}

impl Envelope {
    /// The bytes that the signatures are over.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PublicKey;
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use p256::{
        ecdsa::{SigningKey, signature::Signer as _},
        pkcs8::EncodePublicKey as _,
    };

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        let check = |payload_type, payload: &[u8], expect: &str| {
            assert_eq!(pae(payload_type, payload), expect.as_bytes());
        };
        check(
            "http://example.com/HelloWorld",
            b"hello world",
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
        );
        check("", b"", "DSSEv1 0  0 ");
        check("\u{e4}", b"1 2", "DSSEv1 2 \u{e4} 3 1 2");
    }

    /// The example of DSSE 1.0, protocol, "Test Vectors", whose signature is r and s without DER.
    #[test]
    fn the_published_example_verifies_and_is_made_again() {
        let secret = "d73ec437fd6346e3619c5ebfdfff0f6916804955ad32ac9ac492b0ede1f6ffb7";
        let point = "0467cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d238\
                     0c782bd54e269125a44f4433aff1432ce94e12bca73aa67ac80cea12608ddf74";
        let sig = "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==";
        let key = SigningKey::from_slice(&bytes(secret)).unwrap();
        assert_eq!(key.verifying_key().to_sec1_point(false).as_bytes(), bytes(point));
        let message = pae("http://example.com/HelloWorld", b"hello world");
        let made: p256::ecdsa::Signature = key.sign(&message);
        assert_eq!(BASE64_STANDARD.encode(made.to_bytes()), sig);
        let public =
            PublicKey::from_der(key.verifying_key().to_public_key_der().unwrap().as_bytes()).unwrap();
        assert_eq!(public.verify(&message, made.to_der().as_bytes()), Ok(()));
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let pairs = hex.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn no_two_pairs_of_type_and_payload_have_one_encoding() {
        assert_ne!(pae("a 1 b", b"c"), pae("a", b"b 1 c"));
        assert_ne!(pae("a", b" 1 b"), pae("a ", b"1 b"));
    }
}

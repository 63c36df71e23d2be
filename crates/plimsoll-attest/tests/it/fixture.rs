//! Keys that everybody may know, and a trust root's worth of roles for them.

use p256::{
    ecdsa::{DerSignature, SigningKey, signature::Signer as _},
    pkcs8::EncodePublicKey as _,
};
use plimsoll_attest::{Predicate, PublicKey, Statement, Trust, seal};
use plimsoll_model::Role;
use serde::{Deserialize, Serialize};

/// A role's key. Signatures are deterministic (RFC 6979), so bundles are the same bytes every time.
pub(crate) struct Signer {
    key: SigningKey,
    pub(crate) public: PublicKey,
}

impl Signer {
    fn new(seed: u8) -> Self {
        let key = SigningKey::from_slice(&[seed; 32]).unwrap();
        let der = key.verifying_key().to_public_key_der().unwrap();
        Self { public: PublicKey::from_der(der.as_bytes()).unwrap(), key }
    }

    /// The key of a role of [`trust`].
    pub(crate) fn of(name: &str) -> Self {
        let at = ROLES.iter().position(|role| *role == name).unwrap();
        Self::new(u8::try_from(at + 1).unwrap())
    }

    /// A key that [`trust`] does not list.
    pub(crate) fn stranger() -> Self {
        Self::new(99)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: DerSignature = self.key.sign(message);
        signature.as_bytes().to_vec()
    }

    pub(crate) fn seal_bytes(&self, payload: &[u8]) -> Vec<u8> {
        seal(payload, &self.public, |message| Ok::<_, std::convert::Infallible>(self.sign(message))).unwrap()
    }

    pub(crate) fn seal<P: Predicate>(&self, statement: &Statement<P>) -> Vec<u8> {
        self.seal_bytes(&statement.to_bytes().unwrap())
    }
}

/// New ones go to the end: a role's place is its key.
pub(crate) const ROLES: [&str; 8] = [
    "source",
    "builder",
    "scanner",
    "decision:production",
    "decision:staging",
    "refusal",
    "agent:production",
    "agent:staging",
];

pub(crate) fn role(name: &str) -> Role {
    name.parse().unwrap()
}

/// One key for each of [`ROLES`].
pub(crate) fn trust() -> Trust {
    Trust::new(ROLES.map(|name| (role(name), Signer::of(name).public))).unwrap()
}

/// A decision, as far as this crate cares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) verdict: String,
}

impl Predicate for Summary {
    const TYPE: &'static str = plimsoll_attest::predicate::SUMMARY_TYPE;
}

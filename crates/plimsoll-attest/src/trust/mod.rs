//! Which keys are believed for which role. Where that is decided is the [`TrustRoot`]; what verification needs of it is
//! [`Trust`].

mod root;

pub use root::{Candidate, NAMESPACE, NamedKey, RootDocument, TrustRoot};

use crate::key::PublicKey;
use plimsoll_model::{Code, Digest, Reason, Role};
use std::collections::BTreeMap;

/// The keys of each role. No key has two roles, so a signature has exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    keys: BTreeMap<Digest, (Role, PublicKey)>,
}

impl Trust {
    /// Trust in `keys`. A role may have several, a key only one role.
    ///
    /// # Errors
    /// `E-TRUST-ROOT` when a key stands under two roles: whoever signs one kind of statement could sign the other.
    pub fn new(keys: impl IntoIterator<Item = (Role, PublicKey)>) -> Result<Self, Reason> {
        let mut trust = Self::default();
        for (role, key) in keys {
            let fingerprint = *key.fingerprint();
            if let Some((other, _)) = trust.keys.insert(fingerprint, (role.clone(), key))
                && other != role
            {
                let problem = format!("the key {fingerprint} is listed for {other} and for {role}");
                return Err(Code::TrustRoot.reason().with("problem", problem));
            }
        }
        Ok(trust)
    }

    /// The key with this fingerprint, and its role.
    #[must_use]
    pub fn find(&self, fingerprint: &Digest) -> Option<(&Role, &PublicKey)> {
        self.keys.get(fingerprint).map(|(role, key)| (role, key))
    }

    /// All keys, with their roles, in the order of their fingerprints.
    pub fn iter(&self) -> impl Iterator<Item = (&Role, &PublicKey)> {
        self.keys.values().map(|(role, key)| (role, key))
    }
}

//! The trust root, `trust/root.json`: believed when enough of its own keys signed it, and after the first time only when
//! enough of the keys of the root before it did too.

use super::Trust;
use crate::{
    json,
    key::PublicKey,
    sshsig::{self, SshKey},
};
use plimsoll_model::{Code, Digest, Opaque, Reason, Role};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The namespace of signatures over a trust root: `ssh-keygen -Y sign -n plimsoll-root -f KEY trust/root.json`.
pub const NAMESPACE: &str = "plimsoll-root";
const MAX_ROOT: usize = 1 << 20;
/// Root keys, policy signers, and keys of one role.
const MAX_KEYS: usize = 256;
/// Signatures that are looked at.
const MAX_SIGNATURES: usize = 1024;

/// `trust/root.json` as it is written. Nothing of it has been checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootDocument {
    /// Version of the format; 1.
    pub version: u32,
    /// Random identity that all versions of one root share.
    pub genesis: Opaque,
    /// Which version of the root this is, from 1.
    pub number: u64,
    /// How many distinct root keys must sign.
    pub threshold: u32,
    /// Who signs the root.
    pub root_keys: Vec<NamedKey>,
    /// Keys of the roles, as PEM of SubjectPublicKeyInfo.
    pub roles: BTreeMap<Role, Vec<String>>,
    /// Who signs changes of the policy set.
    pub policy_signers: Vec<NamedKey>,
}

/// A person's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedKey {
    /// The person, for people; only the key counts.
    pub name: String,
    /// A line of `authorized_keys(5)` without options, as in a file `.pub`.
    pub key: String,
}

/// An accepted trust root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRoot {
    digest: Digest,
    genesis: Opaque,
    number: u64,
    threshold: usize,
    root_keys: Vec<(String, SshKey)>,
    policy_signers: Vec<(String, SshKey)>,
    trust: Trust,
}

/// A root that may follow another as soon as enough people have signed it. It is believed for nothing before that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    root: TrustRoot,
    signers: BTreeSet<String>,
    lacks: usize,
}

impl Candidate {
    /// Which version of the root it would be.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.root.number
    }

    /// Who can sign it, by name.
    #[must_use]
    pub fn root_keys(&self) -> &[(String, SshKey)] {
        &self.root.root_keys
    }

    /// How many distinct keys of it must sign.
    #[must_use]
    pub const fn threshold(&self) -> usize {
        self.root.threshold
    }

    /// Fingerprints of those of its keys that have signed.
    #[must_use]
    pub const fn signers(&self) -> &BTreeSet<String> {
        &self.signers
    }

    /// How many signatures it lacks at least; with none [`TrustRoot::accept`] accepts it.
    #[must_use]
    pub const fn lacks(&self) -> usize {
        self.lacks
    }
}

impl TrustRoot {
    /// Accepts a trust root. Each of `signatures` is the text of a file `trust/root.json*.sig` with one or more armoured
    /// signatures in the namespace [`NAMESPACE`]; those that are malformed, by other keys or over other bytes do not
    /// count, and several by one key count once.
    ///
    /// Without `pinned` the root must be signed by the threshold of its own keys. With it, also by the threshold of the
    /// pinned root's keys, have its genesis, and not be older; with the same number it must be the same bytes.
    ///
    /// # Errors
    /// `E-TRUST-ROOT` for a root that cannot be used or does not follow the pinned one, `E-THRESHOLD` when too few keys
    /// signed.
    pub fn accept(bytes: &[u8], signatures: &[&str], pinned: Option<&Self>) -> Result<Self, Reason> {
        let root = Self::read(bytes).map_err(|problem| refused(&problem))?;
        let armors = armors(signatures);
        root.count(&root, bytes, &armors)?;
        if let Some(pinned) = pinned {
            pinned.count(&root, bytes, &armors)?;
            pinned.followed_by(&root).map_err(|problem| refused(&problem))?;
        }
        Ok(root)
    }

    /// Reads a root that is to follow `pinned` while people are still signing it.
    ///
    /// # Errors
    /// `E-TRUST-ROOT` for a root that cannot be used, or could not follow however many sign it.
    pub fn candidate(bytes: &[u8], signatures: &[&str], pinned: &Self) -> Result<Candidate, Reason> {
        let root = Self::read(bytes).map_err(|problem| refused(&problem))?;
        pinned.followed_by(&root).map_err(|problem| refused(&problem))?;
        let armors = armors(signatures);
        let lacks = |of: &Self| of.threshold.saturating_sub(of.signers(bytes, &armors).len());
        let lacks = lacks(&root).max(lacks(pinned));
        Ok(Candidate { signers: root.signers(bytes, &armors), root, lacks })
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let document: RootDocument = json::read(bytes, MAX_ROOT)?;
        if document.version != 1 {
            return Err(format!("its format has version {}, and this binary knows 1", document.version));
        }
        let root_keys = people(&document.root_keys)?;
        let distinct: BTreeSet<&str> = root_keys.iter().map(|(_, key)| key.fingerprint()).collect();
        let threshold = document.threshold as usize;
        if threshold == 0 || threshold > distinct.len() {
            return Err(format!("the threshold is {threshold} of {} distinct root keys", distinct.len()));
        }
        Ok(Self {
            digest: Digest::of(bytes),
            genesis: document.genesis,
            number: document.number,
            threshold,
            root_keys,
            policy_signers: people(&document.policy_signers)?,
            trust: trust(&document.roles)?,
        })
    }

    /// Checks that enough distinct keys of this root signed `bytes`, which are those of `signed`.
    fn count(&self, signed: &Self, bytes: &[u8], armors: &[&str]) -> Result<(), Reason> {
        let signers = self.signers(bytes, armors);
        if signers.len() >= self.threshold {
            return Ok(());
        }
        let reason = Code::Threshold.reason().with("have", signers.len()).with("need", self.threshold);
        Err(reason.with("version", signed.number))
    }

    /// The distinct keys of this root that signed.
    fn signers(&self, bytes: &[u8], armors: &[&str]) -> BTreeSet<String> {
        let keys: Vec<SshKey> = self.root_keys.iter().map(|(_, key)| key.clone()).collect();
        armors.iter().filter_map(|armor| sshsig::verify(&keys, NAMESPACE, bytes, armor).ok()).collect()
    }

    fn followed_by(&self, next: &Self) -> Result<(), String> {
        if self.genesis != next.genesis {
            return Err(format!("it has the genesis {}, and the pinned one {}", next.genesis, self.genesis));
        }
        if next.number < self.number {
            return Err(format!("it has number {}, and the pinned one {}", next.number, self.number));
        }
        if next.number == self.number && next.digest != self.digest {
            return Err(format!("it has number {} like the pinned one, and another content", next.number));
        }
        Ok(())
    }

    /// The identity that all versions of this root share.
    #[must_use]
    pub const fn genesis(&self) -> &Opaque {
        &self.genesis
    }

    /// Which version of the root this is.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Digest of `trust/root.json`.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The keys of the roles.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Who signs this root and the one after it, by name.
    #[must_use]
    pub fn root_keys(&self) -> &[(String, SshKey)] {
        &self.root_keys
    }

    /// Who signs changes of the policy set, by name.
    #[must_use]
    pub fn policy_signers(&self) -> &[(String, SshKey)] {
        &self.policy_signers
    }
}

fn armors<'a>(signatures: &[&'a str]) -> Vec<&'a str> {
    signatures.iter().flat_map(|text| sshsig::armors(text)).take(MAX_SIGNATURES).collect()
}

fn people(keys: &[NamedKey]) -> Result<Vec<(String, SshKey)>, String> {
    if keys.len() > MAX_KEYS {
        return Err(format!("more than {MAX_KEYS} keys in one list"));
    }
    let read = |named: &NamedKey| {
        let key = named.key.parse().map_err(|error| format!("the key of {}: {error}", named.name))?;
        Ok((named.name.clone(), key))
    };
    keys.iter().map(read).collect()
}

fn trust(roles: &BTreeMap<Role, Vec<String>>) -> Result<Trust, String> {
    if roles.values().any(|keys| keys.len() > MAX_KEYS) {
        return Err(format!("more than {MAX_KEYS} keys for one role"));
    }
    let pairs = roles.iter().flat_map(|(role, keys)| keys.iter().map(move |key| (role, key)));
    let read = |(role, pem): (&Role, &String)| {
        let key = PublicKey::from_pem(pem).map_err(|error| format!("a key of {role}: {error}"))?;
        Ok((role.clone(), key))
    };
    let keys = pairs.map(read).collect::<Result<Vec<_>, String>>()?;
    Trust::new(keys).map_err(|reason| reason.parameters.get("problem").cloned().unwrap_or_default())
}

fn refused(problem: &str) -> Reason {
    Code::TrustRoot.reason().with("problem", problem)
}

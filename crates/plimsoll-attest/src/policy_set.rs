//! Statements about the policy set, `policy-set/<number>.json`: which policy files count, each statement naming the one
//! before it. Who pushes to the delivery repository changes files; only a policy signer of the trust root puts the change
//! into force.

use crate::{
    document::{self, Document},
    limits,
    sshsig::{self, SshKey},
    trust::TrustRoot,
};
use plimsoll_model::{Code, Digest, Opaque, Reason, removed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Files of a policy set.
pub const MAX_FILES: usize = 10_000;
/// Signatures over one statement that are looked at.
const MAX_SIGNATURES: usize = 64;

/// `policy-set/<number>.json`: all policy files of the delivery repository after one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySetDocument {
    /// Version of this form; 1.
    #[serde(deserialize_with = "limits::version")]
    pub version: u32,
    /// Identity of the trust root under which it is signed.
    pub genesis: Opaque,
    /// Which change this is, from 1.
    pub number: u64,
    /// SHA-256 of the statement before it; none for the first.
    pub previous: Option<Digest>,
    /// Digest of every policy file, by path.
    #[serde(deserialize_with = "limits::map::<MAX_FILES, _, _>")]
    pub files: BTreeMap<String, Digest>,
}

impl Document for PolicySetDocument {
    const NAMESPACE: &'static str = "plimsoll-policy";
}

/// A statement as it lies in the delivery repository. Nothing of it has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySetFile {
    /// Bytes of `policy-set/<number>.json`.
    pub bytes: Vec<u8>,
    /// Text of `policy-set/<number>.json.sig`: one or more armoured signatures; empty where the file is missing.
    pub signatures: String,
}

/// A policy set that is in force. Private fields: whoever holds one knows that [`SignedPolicySet::accept`] made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPolicySet {
    document: PolicySetDocument,
    digest: Digest,
    signers: BTreeMap<String, String>,
}

impl SignedPolicySet {
    /// Accepts the newest of `statements`, which are those of the delivery repository by the number in their file names.
    /// They must be numbered from 1 without a gap, each naming the one before it, all under the genesis of `root`. The
    /// newest must be signed by a policy signer of `root`; signatures that do not count are passed over. Signatures of
    /// older statements are not looked at, since the newest names them and signers come and go.
    ///
    /// # Errors
    /// `E-POLICY-UNSIGNED`.
    pub fn accept(root: &TrustRoot, statements: &BTreeMap<u64, PolicySetFile>) -> Result<Self, Reason> {
        let newest = statements.last_key_value().ok_or_else(|| unsigned("there is no statement"))?;
        let document = chain(root.genesis(), statements)?;
        let signers = signers(*newest.0, newest.1, root.policy_signers())?;
        Ok(Self { document, digest: Digest::of(&newest.1.bytes), signers })
    }

    /// Checks that the set holds each of `used`: digests of policy files by path.
    ///
    /// # Errors
    /// `E-POLICY-UNSIGNED`, naming the first file that is not listed or has another content.
    pub fn holds(&self, used: &BTreeMap<String, Digest>) -> Result<(), Reason> {
        used.iter().try_for_each(|(path, digest)| match self.document.files.get(path) {
            Some(listed) if removed!("policy-files") || listed == digest => Ok(()),
            Some(_) => Err(self.differs(format_args!("{path} was changed after it was signed"))),
            None => Err(self.differs(format_args!("{path} is not listed"))),
        })
    }

    /// Checks that `present`, all policy files of the delivery repository, are exactly the set.
    ///
    /// # Errors
    /// `E-POLICY-UNSIGNED`, naming the first file that is not listed, has another content, or is gone.
    pub fn is_exactly(&self, present: &BTreeMap<String, Digest>) -> Result<(), Reason> {
        self.holds(present)?;
        match self.document.files.keys().find(|path| !present.contains_key(*path)) {
            None => Ok(()),
            Some(gone) => Err(self.differs(format_args!("{gone} is listed and not there"))),
        }
    }

    fn differs(&self, problem: std::fmt::Arguments<'_>) -> Reason {
        unsigned(format_args!("{problem} (statement {})", self.document.number))
    }

    /// The statement.
    #[must_use]
    pub const fn document(&self) -> &PolicySetDocument {
        &self.document
    }

    /// SHA-256 of the statement's bytes: what the next one names.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Who signed it: names in the trust root, by fingerprint; at least one.
    #[must_use]
    pub const fn signers(&self) -> &BTreeMap<String, String> {
        &self.signers
    }
}

/// Follows the statements from the first to the newest, and gives the newest.
fn chain(genesis: &Opaque, statements: &BTreeMap<u64, PolicySetFile>) -> Result<PolicySetDocument, Reason> {
    let mut newest: Option<(PolicySetDocument, Digest)> = None;
    for ((number, file), expected) in statements.iter().zip(1..) {
        if *number != expected {
            return Err(unsigned(format_args!("statement {expected} is missing")));
        }
        let previous = newest.as_ref().map(|(_, digest)| *digest);
        let document = link(genesis, *number, previous, &file.bytes)
            .map_err(|problem| unsigned(format_args!("statement {number}: {problem}")))?;
        newest = Some((document, Digest::of(&file.bytes)));
    }
    newest.map(|(document, _)| document).ok_or_else(|| unsigned("there is no statement"))
}

/// Reads one statement, which must stand at this place.
fn link(
    genesis: &Opaque,
    number: u64,
    previous: Option<Digest>,
    bytes: &[u8],
) -> Result<PolicySetDocument, String> {
    let document: PolicySetDocument = document::read(bytes).map_err(|error| error.to_string())?;
    if document.genesis != *genesis {
        return Err(format!("it belongs to the trust root {}, not to {genesis}", document.genesis));
    }
    if document.number != number {
        return Err(format!("it says that it is statement {}", document.number));
    }
    if document.previous != previous {
        return Err("it does not name the statement before it".into());
    }
    Ok(document)
}

/// Who of `allowed` signed the statement, each key once.
fn signers(
    number: u64,
    file: &PolicySetFile,
    allowed: &[(String, SshKey)],
) -> Result<BTreeMap<String, String>, Reason> {
    let keys: Vec<SshKey> = allowed.iter().map(|(_, key)| key.clone()).collect();
    let mut signers = BTreeMap::new();
    let mut problem = "it has no signature".to_owned();
    for armor in sshsig::armors(&file.signatures).take(MAX_SIGNATURES) {
        match sshsig::verify(&keys, PolicySetDocument::NAMESPACE, &file.bytes, armor) {
            Ok(signer) => {
                let named = allowed.iter().find(|(_, key)| key.fingerprint() == signer);
                let name = named.map_or_else(String::new, |(name, _)| name.clone());
                signers.insert(signer, name);
            }
            Err(error) => problem = error.to_string(),
        }
    }
    if signers.is_empty() {
        return Err(unsigned(format_args!("statement {number}: {problem}")));
    }
    Ok(signers)
}

fn unsigned(problem: impl std::fmt::Display) -> Reason {
    Code::PolicyUnsigned.reason().with("problem", problem)
}

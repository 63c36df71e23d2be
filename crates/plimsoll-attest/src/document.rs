//! Documents that people sign with their SSH keys: canonical JSON beside an armoured signature, as files that
//! `ssh-keygen -Y sign` and `ssh-keygen -Y verify` work on. Each kind has a namespace of its own, so that a signature
//! under one never counts as another.

use crate::{
    json,
    sshsig::{self, SshKey, SshsigError},
};
use plimsoll_model::{Digest, jcs};
use serde::{Serialize, de::DeserializeOwned};

/// Bytes of a document.
pub const MAX_DOCUMENT: usize = 4 << 20;

/// A kind of document.
pub trait Document: Serialize + DeserializeOwned + PartialEq {
    /// The namespace of its signatures, for `ssh-keygen -Y sign -n`.
    const NAMESPACE: &'static str;
}

/// Why bytes are not a signed document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Too large, not JSON, or not of the expected shape.
    #[error("the document is malformed: {0}")]
    Malformed(String),
    /// Of the expected shape, but with another text than the canonical one.
    #[error("the document is not in canonical form (RFC 8785)")]
    NotCanonical,
    /// Its signature does not count.
    #[error(transparent)]
    Signature(#[from] SshsigError),
}

/// The canonical bytes of a document: what is signed, stored, and what its digest is taken of.
///
/// # Errors
/// [`DocumentError::Malformed`] when a limit is exceeded or reading the bytes would give another value, as for an integer
/// beyond 2^53.
pub fn write<T: Document>(document: &T) -> Result<Vec<u8>, DocumentError> {
    let bytes = jcs::to_bytes(document).map_err(|error| DocumentError::Malformed(error.to_string()))?;
    match read::<T>(&bytes)? == *document {
        true => Ok(bytes),
        false => Err(DocumentError::Malformed("it holds a value that JSON cannot carry".into())),
    }
}

/// Reads a document that somebody else wrote. Nothing is known about who did.
///
/// # Errors
/// When it has more than [`MAX_DOCUMENT`] bytes, another shape or version, or is not in canonical form.
pub fn read<T: Document>(bytes: &[u8]) -> Result<T, DocumentError> {
    let document: T = json::read(bytes, MAX_DOCUMENT).map_err(DocumentError::Malformed)?;
    match jcs::to_bytes(&document) {
        Ok(canonical) if canonical == bytes => Ok(document),
        Ok(_) | Err(_) => Err(DocumentError::NotCanonical),
    }
}

/// A document with the key that signed it. Private fields, no `Deserialize`: whoever holds one knows that
/// [`Signed::verify`] made it. Whose key it is, and whether that person's word counts, is for the reader to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<T> {
    document: T,
    digest: Digest,
    signer: String,
}

impl<T: Document> Signed<T> {
    /// Checks that `armored` is one signature over exactly these bytes, made for this kind of document by one of the
    /// `allowed` keys.
    ///
    /// # Errors
    /// When it is not, or the bytes are no such document.
    pub fn verify(bytes: &[u8], armored: &str, allowed: &[SshKey]) -> Result<Self, DocumentError> {
        let signer = sshsig::verify(allowed, T::NAMESPACE, bytes, armored)?;
        Ok(Self { document: read(bytes)?, digest: Digest::of(bytes), signer })
    }

    /// What was signed.
    #[must_use]
    pub const fn document(&self) -> &T {
        &self.document
    }

    /// SHA-256 of the signed bytes: the document's name everywhere.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Fingerprint of the key that signed, as in `SHA256:…`.
    #[must_use]
    pub fn signer(&self) -> &str {
        &self.signer
    }
}

//! In-toto statements, version 1: a claim (the predicate) about things that are named by digest (the subjects). They are
//! written as canonical JSON and read only as such, so that a statement has one text and one digest.

use crate::{json, predicate::Predicate};
use plimsoll_model::{Digest, jcs};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// `_type` of every statement (in-toto attestation framework 1.0, "Statement").
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// Bytes of a statement.
pub const MAX_STATEMENT: usize = 16 << 20;
/// Subjects of a statement; common verifiers take no more.
pub const MAX_SUBJECTS: usize = 1024;

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    name: String,
    digest: SubjectDigest,
}

/// Only `sha256`: some verifiers refuse a statement in which any subject has a digest of another kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectDigest {
    #[serde(with = "json::hex")]
    sha256: Digest,
}

impl Subject {
    /// Something with a name for people and a digest.
    #[must_use]
    pub fn new(name: impl Into<String>, digest: Digest) -> Self {
        Self { name: name.into(), digest: SubjectDigest { sha256: digest } }
    }

    /// Its name, for people; never for comparison.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its digest.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.digest.sha256
    }
}

/// A statement of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<P> {
    /// What it is about: at least one and at most [`MAX_SUBJECTS`] subjects.
    pub subject: Vec<Subject>,
    /// What it says.
    pub predicate: P,
}

/// A statement of any kind, for showing it.
#[derive(Debug, Clone, PartialEq)]
pub struct AnyStatement {
    /// The kind.
    pub predicate_type: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// What it says.
    pub predicate: Value,
}

/// Why bytes are not a statement, or a statement cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// More than [`MAX_STATEMENT`] bytes.
    #[error("the statement has more than {MAX_STATEMENT} bytes")]
    TooLarge,
    /// No subject, or more than [`MAX_SUBJECTS`].
    #[error("the statement has {0} subjects: expected 1 to {MAX_SUBJECTS}")]
    Subjects(usize),
    /// A statement of another version or framework.
    #[error("the statement is of type `{0}`: expected `{STATEMENT_TYPE}`")]
    Type(String),
    /// A statement of another kind.
    #[error("the predicate is of type `{0}`")]
    PredicateType(String),
    /// Not JSON, or not of the expected shape.
    #[error("the statement is malformed: {0}")]
    Malformed(String),
    /// Of the expected shape, but with another text than the canonical one.
    #[error("the statement is not in canonical form (RFC 8785)")]
    NotCanonical,
    /// The value does not survive writing and reading, as an integer beyond 2^53.
    #[error("the statement holds a value that JSON cannot carry")]
    Unwritable,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a, P> {
    #[serde(rename = "_type")]
    statement_type: &'a str,
    subject: &'a [Subject],
    predicate_type: &'a str,
    predicate: &'a P,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Read<'a> {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    #[serde(borrow)]
    predicate: &'a RawValue,
}

impl<P: Predicate> Statement<P> {
    /// The canonical bytes: what is signed, and what the statement's digest is taken of.
    ///
    /// # Errors
    /// When a limit is exceeded, or reading the bytes would give another value.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StatementError> {
        let bytes = write(P::TYPE, &self.subject, &self.predicate)?;
        if Self::from_bytes(&bytes)? == *self { Ok(bytes) } else { Err(StatementError::Unwritable) }
    }

    /// Reads a statement of this kind from its canonical bytes.
    ///
    /// # Errors
    /// When they are not that, or a limit is exceeded. Unknown fields are always refused: they would be lost when the
    /// value is written again, and the texts differ.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatementError> {
        let read = read(bytes)?;
        if read.predicate_type != P::TYPE {
            return Err(StatementError::PredicateType(read.predicate_type));
        }
        let predicate = serde_json::from_str(read.predicate.get()).map_err(malformed)?;
        let statement = Self { subject: read.subject, predicate };
        same(bytes, &write(P::TYPE, &statement.subject, &statement.predicate)?)?;
        Ok(statement)
    }
}

impl AnyStatement {
    /// Reads a statement of any kind from its canonical bytes.
    ///
    /// # Errors
    /// As [`Statement::from_bytes`], except that nothing is known about the predicate.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatementError> {
        let read = read(bytes)?;
        let predicate: Value = serde_json::from_str(read.predicate.get()).map_err(malformed)?;
        same(bytes, &write(&read.predicate_type, &read.subject, &predicate)?)?;
        Ok(Self { predicate_type: read.predicate_type, subject: read.subject, predicate })
    }
}

fn write<P: Serialize>(
    predicate_type: &str,
    subject: &[Subject],
    predicate: &P,
) -> Result<Vec<u8>, StatementError> {
    count(subject)?;
    let written = Written { statement_type: STATEMENT_TYPE, subject, predicate_type, predicate };
    let bytes = jcs::to_bytes(&written).map_err(|_| StatementError::Unwritable)?;
    if bytes.len() > MAX_STATEMENT { Err(StatementError::TooLarge) } else { Ok(bytes) }
}

fn read(bytes: &[u8]) -> Result<Read<'_>, StatementError> {
    if bytes.len() > MAX_STATEMENT {
        return Err(StatementError::TooLarge);
    }
    let read: Read<'_> = serde_json::from_slice(bytes).map_err(malformed)?;
    if read.statement_type != STATEMENT_TYPE {
        return Err(StatementError::Type(read.statement_type));
    }
    count(&read.subject)?;
    Ok(read)
}

/// Canonical bytes have every key once, so this also refuses duplicate keys.
fn same(read: &[u8], written: &[u8]) -> Result<(), StatementError> {
    if read == written { Ok(()) } else { Err(StatementError::NotCanonical) }
}

fn count(subject: &[Subject]) -> Result<(), StatementError> {
    match subject.len() {
        1..=MAX_SUBJECTS => Ok(()),
        other => Err(StatementError::Subjects(other)),
    }
}

fn malformed(error: serde_json::Error) -> StatementError {
    StatementError::Malformed(error.to_string())
}

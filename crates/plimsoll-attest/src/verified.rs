//! The only mint of [`Verified`]: a signature by a key that the trust root lists for exactly the role that may say this.

use crate::{
    bundle::Bundle,
    predicate::{Predicate, may_sign},
    statement::{AnyStatement, Statement, StatementError},
    trust::Trust,
};
use plimsoll_model::{Code, Digest, Reason, Role, removed};
use std::fmt;

/// A statement whose signature was checked, with the role that signed it. Private fields, no `Deserialize`, no
/// `Default`: whoever holds one knows that [`verify`] or [`verify_any`] made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
    role: Role,
    payload: Vec<u8>,
    payload_digest: Digest,
}

impl<T> Verified<T> {
    /// The statement.
    #[must_use]
    pub const fn value(&self) -> &T {
        &self.value
    }

    /// Whose key signed it.
    #[must_use]
    pub const fn role(&self) -> &Role {
        &self.role
    }

    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// SHA-256 of the signed bytes: the name of the statement everywhere. Never of the bundle, to which proofs can be
    /// added.
    #[must_use]
    pub const fn payload_digest(&self) -> &Digest {
        &self.payload_digest
    }

    fn new(value: T, role: Role, payload: Vec<u8>) -> Self {
        let payload_digest = Digest::of(&payload);
        Self { value, role, payload, payload_digest }
    }
}

/// Verifies a bundle that must hold a statement of kind `P`, signed as `expected`. For decisions the environment is part
/// of the role.
///
/// # Errors
/// `E-BUNDLE-PARSE`, `E-SIGNER-UNKNOWN`, `E-SIGNATURE`, and `E-ROLE` for another role than `expected`, a role that does
/// not sign this kind of statement, or a statement of another kind.
pub fn verify<P: Predicate>(
    bundle: &[u8],
    trust: &Trust,
    expected: &Role,
) -> Result<Verified<Statement<P>>, Reason> {
    let (role, payload) = open(bundle, trust)?;
    if role != *expected || !may_sign(&role, P::TYPE) {
        return Err(confusion(&role, None, format_args!("{expected} for {}", P::TYPE)));
    }
    match Statement::from_bytes(&payload) {
        Ok(statement) => Ok(Verified::new(statement, role, payload)),
        Err(StatementError::PredicateType(found)) => {
            Err(confusion(&role, Some(&found), format_args!("{expected} for {}", P::TYPE)))
        }
        Err(error) => Err(unreadable(&error)),
    }
}

/// Verifies a bundle with a statement of any kind that its signer may sign, for showing it to somebody.
///
/// # Errors
/// `E-BUNDLE-PARSE`, `E-SIGNER-UNKNOWN`, `E-SIGNATURE`, and `E-ROLE` for a role that does not sign this kind of
/// statement.
pub fn verify_any(bundle: &[u8], trust: &Trust) -> Result<Verified<AnyStatement>, Reason> {
    let (role, payload) = open(bundle, trust)?;
    let statement = AnyStatement::from_bytes(&payload).map_err(|error| unreadable(&error))?;
    if !removed!("role") && !may_sign(&role, &statement.predicate_type) {
        let expected = format_args!("the role of that kind of statement");
        return Err(confusion(&role, Some(&statement.predicate_type), expected));
    }
    Ok(Verified::new(statement, role, payload))
}

/// Refuses a statement that is not about `digest`.
///
/// # Errors
/// `E-SUBJECT`.
pub fn check_subject<P>(statement: &Statement<P>, digest: &Digest) -> Result<(), Reason> {
    if statement.subject.iter().any(|subject| subject.sha256() == *digest) {
        return Ok(());
    }
    let actual = match statement.subject.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.sha256().to_string(),
        [first, others @ ..] => format!("{} and {} more", first.sha256(), others.len()),
    };
    Err(Code::SubjectMismatch.reason().with("actual", actual).with("expected", digest))
}

/// The role that signed a bundle, and the payload. The payload is not looked at before its signature was checked.
fn open(bundle: &[u8], trust: &Trust) -> Result<(Role, Vec<u8>), Reason> {
    let bundle = Bundle::parse(bundle).map_err(|error| Code::BundleParse.reason().with("problem", error))?;
    let (role, key) = trust.find(bundle.hint()).ok_or_else(|| Code::SignerUnknown.reason())?;
    if !removed!("signature") && !bundle.is_signed_by(key) {
        return Err(Code::Signature.reason());
    }
    Ok((role.clone(), bundle.into_payload()))
}

fn confusion(role: &Role, found: Option<&str>, expected: fmt::Arguments<'_>) -> Reason {
    let actual = found.map_or_else(|| role.to_string(), |kind| format!("{role} for {kind}"));
    Code::RoleMismatch.reason().with("actual", actual).with("expected", expected)
}

fn unreadable(error: &StatementError) -> Reason {
    Code::BundleParse.reason().with("problem", error)
}

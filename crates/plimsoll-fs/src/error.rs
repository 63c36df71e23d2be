//! Why the walker stopped: a refusal of the registry, or the operating system.

use plimsoll_model::{Code, Digest, Reason};
use std::{fmt, io};

/// Why something could not be frozen, written or opened.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// A refusal of the registry. `E-OUT-MISSING` and `E-OUT-LIMIT` name a step: the caller, who knows it, adds the
    /// parameters `step` and `run`.
    #[error(transparent)]
    Refused(#[from] Reason),
    /// The operating system said no.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What it said.
        source: io::Error,
    },
}

impl FsError {
    /// The error of doing `action`. A [`Reason`] that travels inside `source`, as from a full store, is given back.
    #[must_use]
    pub fn io(action: impl Into<String>, source: impl Into<io::Error>) -> Self {
        let source = source.into();
        let reason = source.get_ref().and_then(|inner| inner.downcast_ref::<Reason>()).cloned();
        reason.map_or_else(|| Self::Io { action: action.into(), source }, Self::Refused)
    }

    /// The refusal's code, if this is one.
    #[must_use]
    pub const fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(reason) => Some(reason.code),
            Self::Io { .. } => None,
        }
    }

    pub(crate) fn missing(path: impl fmt::Display) -> Self {
        Code::OutMissing.reason().with("path", path).into()
    }

    pub(crate) fn kind(path: impl fmt::Display, kind: &str) -> Self {
        Code::OutKind.reason().with("path", path).with("kind", kind).into()
    }

    pub(crate) fn limit(limit: impl fmt::Display) -> Self {
        Code::OutLimit.reason().with("limit", limit).into()
    }

    pub(crate) fn digest(what: impl fmt::Display, actual: &Digest, expected: &Digest) -> Self {
        let reason = Code::DigestMismatch.reason().with("what", what);
        reason.with("actual", actual).with("expected", expected).into()
    }
}

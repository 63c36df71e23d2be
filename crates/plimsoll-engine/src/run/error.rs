//! Why a run did not come to its end.

use crate::ports::{SandboxError, SignerError, SourceError, StoreError};
use plimsoll_fs::FsError;
use plimsoll_model::Reason;
use plimsoll_pipeline::FileErrors;
use std::{error::Error, io};

/// A run that ended without a run statement.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A rule said no.
    #[error("refused")]
    Refused(Vec<Reason>),
    /// A file that users write is wrong.
    #[error("{} has errors", .0.file)]
    File(Box<FileErrors>),
    /// Somebody stopped it.
    #[error("interrupted")]
    Interrupted,
    /// The repository could not be read.
    #[error(transparent)]
    Source(SourceError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The sandbox failed, as opposed to the command in it.
    #[error(transparent)]
    Sandbox(SandboxError),
    /// A signer died.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The operating system said no.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something that should be impossible.
    #[error("failed to {action}: {problem}")]
    Internal {
        /// What was tried.
        action: String,
        /// What came of it.
        problem: String,
    },
}

impl RunError {
    pub(crate) fn io(action: impl Into<String>, source: io::Error) -> Self {
        if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            let reason = plimsoll_model::Code::StateFull.reason();
            return reason.with("path", "the state directory").with("problem", source).into();
        }
        Self::Io { action: action.into(), source }
    }

    pub(crate) fn internal(action: &str, error: &dyn Error) -> Self {
        Self::Internal { action: action.into(), problem: error.to_string() }
    }
}

impl From<Reason> for RunError {
    fn from(reason: Reason) -> Self {
        Self::Refused(vec![reason])
    }
}

impl From<SourceError> for RunError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Refused(reason) => reason.into(),
            other => Self::Source(other),
        }
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(reason) => reason.into(),
            other => Self::Store(other),
        }
    }
}

impl From<SandboxError> for RunError {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Refused(reason) => reason.into(),
            SandboxError::Unavailable(error) => {
                plimsoll_model::Code::IsoUnavailable.reason().with("problem", error.problem).into()
            }
            other => Self::Sandbox(other),
        }
    }
}

impl From<FsError> for RunError {
    fn from(error: FsError) -> Self {
        match error {
            FsError::Refused(reason) => reason.into(),
            FsError::Io { action, source } => Self::io(action, source),
        }
    }
}

//! Why dependencies could not be fetched.

use crate::ports::{SandboxError, StoreError};
use plimsoll_fs::FsError;
use plimsoll_model::{Code, Reason};
use std::io;

/// A fetch that ended without packages.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Rules said no; all that did.
    #[error("refused")]
    Refused(Vec<Reason>),
    /// Somebody stopped it.
    #[error("interrupted")]
    Interrupted,
    /// The sandbox failed, as opposed to the client in it.
    #[error(transparent)]
    Sandbox(SandboxError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
    /// The operating system said no.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What it said.
        source: io::Error,
    },
}

impl FetchError {
    pub(super) fn io(action: impl Into<String>, source: io::Error) -> Self {
        Self::Io { action: action.into(), source }
    }

    /// `E-FETCH-FAILED`.
    pub(super) fn failed(problem: impl std::fmt::Display) -> Self {
        Code::FetchFailed.reason().with("problem", problem).into()
    }
}

impl From<Reason> for FetchError {
    fn from(reason: Reason) -> Self {
        Self::Refused(vec![reason])
    }
}

impl From<SandboxError> for FetchError {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Refused(reason) => reason.into(),
            other => Self::Sandbox(other),
        }
    }
}

impl From<StoreError> for FetchError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(reason) => reason.into(),
            other => Self::Store(other),
        }
    }
}

impl From<FsError> for FetchError {
    fn from(error: FsError) -> Self {
        match error {
            FsError::Refused(reason) => reason.with("step", "fetch").into(),
            FsError::Io { action, source } => Self::Io { action, source },
        }
    }
}

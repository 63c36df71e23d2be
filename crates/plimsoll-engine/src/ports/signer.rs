//! Where statements are signed: another process, asked one request at a time.

use crate::signer::{Request, Response};

/// A signer did not answer; nothing was signed.
#[derive(Debug, thiserror::Error)]
#[error("the {role} signer did not answer: {problem}")]
pub struct SignerError {
    /// Its role.
    pub role: String,
    /// What happened.
    pub problem: String,
}

/// A signer of one role.
pub trait Signer: Send {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// When the signer is gone or its answer cannot be read.
    fn ask(&mut self, request: &Request) -> Result<Response, SignerError>;
}

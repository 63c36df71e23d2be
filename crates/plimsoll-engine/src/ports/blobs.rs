//! The content store: bytes by their SHA-256.

use plimsoll_fs::FsError;
use plimsoll_model::{Digest, Reason};
use std::{fs::File, io};

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A refusal of the registry, for example a full disk or content that does not fit its name.
    #[error(transparent)]
    Refused(#[from] Reason),
    /// Nothing is stored under this digest.
    #[error("there is no blob {0}")]
    Missing(Digest),
    /// The blob is larger than the caller wants to read.
    #[error("the blob {digest} has more than {limit} bytes")]
    TooLarge {
        /// Which blob.
        digest: Digest,
        /// The caller's limit in bytes.
        limit: u64,
    },
    /// The operating system said no.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What it said.
        source: io::Error,
    },
}

impl StoreError {
    /// The error of doing `action`. A [`Reason`] that travels inside `source`, as from a full disk, is given back.
    #[must_use]
    pub fn io(action: impl Into<String>, source: io::Error) -> Self {
        FsError::io(action, source).into()
    }
}

impl From<FsError> for StoreError {
    fn from(error: FsError) -> Self {
        match error {
            FsError::Refused(reason) => Self::Refused(reason),
            FsError::Io { action, source } => Self::Io { action, source },
        }
    }
}

/// For sinks and readers of the walker that stand on a store.
impl From<StoreError> for FsError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(reason) => Self::Refused(reason),
            StoreError::Io { action, source } => Self::Io { action, source },
            other => Self::io("use the content store", io::Error::other(other)),
        }
    }
}

/// A blob while it is written. Dropping it without [`BlobWriter::finish`] stores nothing.
pub trait BlobWriter: io::Write {
    /// Makes the blob durable and gives its digest and its length in bytes.
    ///
    /// # Errors
    /// When the disk is full or fails; then nothing is stored.
    fn finish(self: Box<Self>) -> Result<(Digest, u64), StoreError>;
}

/// Bytes by digest. A blob is there whole or not at all, also after kill -9.
pub trait Blobs: Send + Sync {
    /// Begins a blob whose digest is not known yet.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn writer(&self) -> Result<Box<dyn BlobWriter + '_>, StoreError>;

    /// Opens a blob for reading, positioned at its beginning. The content is not checked; hash what you read.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none.
    fn open(&self, digest: &Digest) -> Result<File, StoreError>;

    /// Stores `bytes`.
    ///
    /// # Errors
    /// When the disk is full or fails.
    fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let mut writer = self.writer()?;
        writer.write_all(bytes).map_err(|error| StoreError::io("write a blob", error))?;
        writer.finish().map(|(digest, _)| digest)
    }

    /// Reads a blob of at most `limit` bytes and checks its content against its name.
    ///
    /// # Errors
    /// When it is missing, larger than `limit`, or does not have its digest (`E-DIGEST`).
    fn read(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, StoreError> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        let read = self.open(digest)?.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|source| StoreError::Io { action: format!("read the blob {digest}"), source })?;
        if bytes.len() as u64 > limit {
            return Err(StoreError::TooLarge { digest: *digest, limit });
        }
        let actual = Digest::of(&bytes);
        if actual != *digest {
            let reason = plimsoll_model::Code::DigestMismatch.reason();
            return Err(reason
                .with("what", "a stored blob")
                .with("actual", actual)
                .with("expected", digest)
                .into());
        }
        Ok(bytes)
    }
}

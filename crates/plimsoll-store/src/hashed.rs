//! Copying content out of the store without letting damaged content through.

use plimsoll_engine::ports::StoreError;
use plimsoll_model::{Code, Digest, Hasher};
use std::io::{self, Read};

/// Hashes what is read, to be checked at the end.
pub(crate) struct Hashed<R> {
    inner: R,
    hasher: Hasher,
    length: u64,
}

impl<R> Hashed<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, hasher: Hasher::new(), length: 0 }
    }

    /// How much was read.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// The digest of what was read.
    pub(crate) fn digest(self) -> Digest {
        self.hasher.finish()
    }

    /// Refuses with `E-DIGEST` when what was read is not the blob `expected` of `size` bytes.
    pub(crate) fn check(self, expected: &Digest, size: u64) -> Result<(), StoreError> {
        let length = self.length;
        let actual = self.digest();
        if (actual, length) == (*expected, size) {
            return Ok(());
        }
        let reason = Code::DigestMismatch.reason().with("what", "a stored blob");
        Err(reason.with("actual", actual).with("expected", expected).into())
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.length += count as u64;
        Ok(count)
    }
}

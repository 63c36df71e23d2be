//! Tables by object id. An id is the digest of something, so a few of its bytes are as good as a hash of all of them, as long
//! as nobody who makes objects can tell where they end up.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashers with secrets of this process.
#[derive(Debug, Clone)]
pub(crate) struct ById {
    first: u64,
    second: u64,
}

impl Default for ById {
    fn default() -> Self {
        let secret = RandomState::new();
        Self { first: secret.hash_one(1), second: secret.hash_one(2) }
    }
}

impl BuildHasher for ById {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher { state: self.first, factor: self.second | 1 }
    }
}

/// Takes ids only, which are hashed as one piece: its first eight bytes count.
#[derive(Debug)]
pub(crate) struct IdHasher {
    state: u64,
    factor: u64,
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(start) = bytes.first_chunk() {
            let product = u128::from(self.state ^ u64::from_le_bytes(*start)) * u128::from(self.factor);
            self.state = (product >> 64) as u64 ^ product as u64;
        }
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

//! The state directory and artifacts, against the real file system and, where it matters, against stock tools.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set up its case fails")]

mod artifacts;
mod bases;
mod exports;
mod journal;
mod state;

use plimsoll_engine::ports::{Blobs, StoreError};
use plimsoll_model::{Code, Digest, Entry, RelPath, Timestamp, Tree};
use plimsoll_store::StateDir;
use std::path::PathBuf;
use tempfile::TempDir;

/// A fresh state directory.
struct Fresh {
    root: TempDir,
    state: StateDir,
}

impl Fresh {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let state = StateDir::open_writer(&root.path().join("state"), "plimsoll test").unwrap();
        Self { root, state }
    }

    fn blobs(&self) -> &dyn Blobs {
        self.state.layout()
    }

    fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.state.layout().path().join("blobs/sha256").join(digest.hex())
    }

    /// A tree of stored files; an executable one has a name that ends in `*`, which is cut off.
    fn tree(&self, files: &[(&str, &[u8])]) -> Tree {
        let entries = files.iter().map(|(name, content)| {
            let executable = name.ends_with('*');
            let digest = self.blobs().put(content).unwrap();
            let entry = Entry::File { digest, size: content.len() as u64, executable };
            (path(name.trim_end_matches('*')), entry)
        });
        Tree { entries: entries.collect() }
    }
}

fn path(text: &str) -> RelPath {
    text.parse().unwrap()
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The refusal's sentence with its code, or what else came of it.
fn shown<T: std::fmt::Debug>(result: Result<T, StoreError>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(StoreError::Refused(reason)) => reason.to_string(),
        Err(error) => format!("{error}"),
    }
}

fn code<T>(result: Result<T, StoreError>) -> Option<Code> {
    match result {
        Err(StoreError::Refused(reason)) => Some(reason.code),
        _ => None,
    }
}

//! What an unpacker works with: the blobs of an artifact to read, and a directory for what it takes out of them. Nothing
//! is synced, since it can always be unpacked again.

use crate::{Layout, durable::failed};
use plimsoll_engine::ports::{BlobWriter, Blobs, StoreError};
use plimsoll_model::{Digest, Hasher};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Contents by digest: those that were unpacked into a directory, before those of a layout, which is only read.
#[derive(Debug)]
pub struct Staging {
    blobs: Layout,
    directory: PathBuf,
    begun: AtomicU64,
}

impl Staging {
    /// Reads from the layout `blobs` and writes files named by the digits of their digest into `directory`.
    ///
    /// # Errors
    /// When `blobs` is no layout.
    pub fn open(blobs: &Path, directory: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            blobs: Layout::open_reader(blobs)?,
            directory: directory.to_owned(),
            begun: AtomicU64::default(),
        })
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.directory.join(digest.hex())
    }
}

impl Blobs for Staging {
    fn writer(&self) -> Result<Box<dyn BlobWriter + '_>, StoreError> {
        let path = self.directory.join(format!("begun-{}", self.begun.fetch_add(1, Ordering::Relaxed)));
        let file = File::create_new(&path).map_err(|error| failed("begin", &path, error))?;
        Ok(Box::new(Piece { staging: self, file, path, hasher: Hasher::new(), length: 0 }))
    }

    fn open(&self, digest: &Digest) -> Result<File, StoreError> {
        let path = self.path(digest);
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.blobs.open(digest),
            opened => opened.map_err(|error| failed("open", &path, error)),
        }
    }
}

/// A content that is not whole yet.
struct Piece<'a> {
    staging: &'a Staging,
    file: File,
    path: PathBuf,
    hasher: Hasher,
    length: u64,
}

impl Write for Piece<'_> {
    /// A full disk is an error that carries the [`plimsoll_model::Reason`] (`E-STATE-FULL`).
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes).map_err(|error| {
            let reason = crate::durable::full(&self.path, &error);
            reason.map_or(error, |reason| io::Error::new(io::ErrorKind::StorageFull, reason))
        })?;
        self.hasher.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for Piece<'_> {
    fn finish(self: Box<Self>) -> Result<(Digest, u64), StoreError> {
        let Self { staging, path, hasher, length, .. } = *self;
        let digest = hasher.finish();
        fs::rename(&path, staging.path(&digest)).map_err(|error| failed("keep", &path, error))?;
        Ok((digest, length))
    }
}

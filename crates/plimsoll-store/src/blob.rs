//! Writing one blob: hashed while it is written, synced, and only then given its name.

use crate::durable::{failed, full, sync_directory, unused_name};
use plimsoll_engine::ports::{BlobWriter, StoreError};
use plimsoll_model::{Digest, Hasher};
use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Digests that are remembered as durable.
const REMEMBERED: usize = 10_000;

/// Blobs that this process made durable: storing one of them again needs no second sync.
#[derive(Debug, Default)]
pub(crate) struct Durable(Mutex<BTreeSet<Digest>>);

impl Durable {
    fn has(&self, digest: &Digest) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }

    fn note(&self, digest: Digest) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < REMEMBERED {
            known.insert(digest);
        }
    }
}

/// A blob that has no name yet.
pub(crate) struct FileBlob<'a> {
    blobs: &'a Path,
    durable: &'a Durable,
    unfinished: Unfinished,
    hasher: Hasher,
    length: u64,
}

impl<'a> FileBlob<'a> {
    /// Begins a blob in `temporary`, to be stored in `blobs` of the same file system.
    pub(crate) fn begin(blobs: &'a Path, temporary: &Path, durable: &'a Durable) -> Result<Self, StoreError> {
        let path = unused_name(temporary)?;
        let created = File::options().write(true).create_new(true).open(&path);
        let file = created.map_err(|error| failed("begin a blob in", temporary, error))?;
        Ok(Self { blobs, durable, unfinished: Unfinished { file, path }, hasher: Hasher::new(), length: 0 })
    }

    fn store(self) -> Result<(Digest, u64), StoreError> {
        let Self { blobs, durable, unfinished, hasher, length } = self;
        let digest = hasher.finish();
        let path = blobs.join(digest.hex());
        // An intact blob stays. A damaged one is replaced, which is how a store is repaired by running again.
        if !is_intact(&path, &digest, length) {
            unfinished.rename(&path).map_err(|error| failed("store a blob as", &path, error))?;
        } else if durable.has(&digest) {
            return Ok((digest, length));
        }
        // Also of one that was there: whoever stored it may not have come to its sync yet.
        sync_directory(blobs)?;
        durable.note(digest);
        Ok((digest, length))
    }
}

impl Write for FileBlob<'_> {
    /// A full disk is an error that carries the [`plimsoll_model::Reason`] (`E-STATE-FULL`).
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.unfinished.file.write(bytes).map_err(|error| {
            let reason = full(self.blobs, &error);
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

impl BlobWriter for FileBlob<'_> {
    fn finish(self: Box<Self>) -> Result<(Digest, u64), StoreError> {
        self.store()
    }
}

/// A file that goes away unless it is renamed.
struct Unfinished {
    file: File,
    path: PathBuf,
}

impl Unfinished {
    fn rename(self, path: &Path) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(0o444))?;
        self.file.sync_all()?;
        fs::rename(&self.path, path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename there is nothing under this name; after anything else there must not be.
        let _ = fs::remove_file(&self.path);
    }
}

fn is_intact(path: &Path, digest: &Digest, length: u64) -> bool {
    let Ok(mut file) = File::open(path) else { return false };
    if !file.metadata().is_ok_and(|metadata| metadata.len() == length) {
        return false;
    }
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return hasher.finish() == *digest,
            Ok(count) => hasher.update(&buffer[..count]),
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_model::{Code, Reason};

    /// `/dev/full` answers every write with ENOSPC, to everybody.
    #[test]
    fn a_full_disk_is_a_refusal_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let durable = Durable::default();
        let mut blob = FileBlob::begin(directory.path(), directory.path(), &durable).unwrap();
        blob.write_all(b"fits").unwrap();
        blob.unfinished.file = File::options().write(true).open("/dev/full").unwrap();
        let error = blob.write_all(b"does not").unwrap_err();
        let reason = error.get_ref().and_then(|inner| inner.downcast_ref::<Reason>()).unwrap();
        assert_eq!(reason.code, Code::StateFull);
        drop(blob);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

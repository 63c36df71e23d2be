//! The content store, which is one OCI image layout (OCI image specification 1.1, "Image Layout"), so that stock tools
//! read it where it stands.

use crate::{
    blob::{Durable, FileBlob},
    durable::{ensure_directory, failed, replace},
};
use plimsoll_engine::ports::{BlobWriter, Blobs, StoreError};
use plimsoll_model::Digest;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// The file that says that a directory is a layout, and its only content so far.
pub(crate) const LAYOUT_FILE: &str = "oci-layout";
pub(crate) const LAYOUT_CONTENT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// A layout of this state directory. Several processes may write blobs at the same time.
#[derive(Debug)]
pub struct Layout {
    root: PathBuf,
    blobs: PathBuf,
    temporary: PathBuf,
    writable: bool,
    durable: Durable,
}

impl Layout {
    /// Opens the layout at `root`, and makes it if it may be written. `temporary` is a directory of the same file
    /// system.
    pub(crate) fn open(root: PathBuf, temporary: PathBuf, writable: bool) -> Result<Self, StoreError> {
        let blobs = root.join("blobs").join("sha256");
        let layout = Self { root, blobs, temporary, writable, durable: Durable::default() };
        if writable && !layout.root.join(LAYOUT_FILE).exists() {
            layout.create()?;
        }
        Ok(layout)
    }

    /// Opens a layout that somebody else keeps, for reading.
    ///
    /// # Errors
    /// When there is none.
    pub fn open_reader(root: &Path) -> Result<Self, StoreError> {
        if !root.join(LAYOUT_FILE).exists() {
            return Err(failed("open", root, io::Error::new(io::ErrorKind::NotFound, "it is no OCI layout")));
        }
        Self::open(root.to_owned(), root.to_owned(), false)
    }

    fn create(&self) -> Result<(), StoreError> {
        for directory in [&self.root, &self.root.join("blobs"), &self.blobs] {
            ensure_directory(directory)?;
        }
        if !self.index_path().exists() {
            self.write_index(&[])?;
        }
        replace(&self.temporary, &self.root.join(LAYOUT_FILE), LAYOUT_CONTENT)
    }

    /// The directory, for tools that read OCI layouts.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    pub(crate) fn index_path(&self) -> PathBuf {
        self.root.join("index.json")
    }

    pub(crate) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Whoever opened the state directory for reading does not write.
    pub(crate) fn check_writable(&self) -> Result<(), StoreError> {
        if self.writable {
            return Ok(());
        }
        let source = io::Error::new(io::ErrorKind::PermissionDenied, "it was opened for reading");
        Err(failed("write to", &self.root, source))
    }
}

impl Layout {
    /// Where a blob is, or would be.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }
}

impl Blobs for Layout {
    fn writer(&self) -> Result<Box<dyn BlobWriter + '_>, StoreError> {
        self.check_writable()?;
        Ok(Box::new(FileBlob::begin(&self.blobs, &self.temporary, &self.durable)?))
    }

    fn open(&self, digest: &Digest) -> Result<File, StoreError> {
        let path = self.blob(digest);
        File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::Missing(*digest),
            _ => failed("open", &path, error),
        })
    }
}

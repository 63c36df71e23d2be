//! Base images: read from an OCI image layout on this machine, by digest, and believed only as far as they fit it.

use super::{
    rootfs::RootFs,
    unpack::{UNCOMPRESSED_LIMIT, apply_layer},
};
use crate::hashed::Hashed;
use crate::oci::{CONFIG, DOCUMENT_LIMIT, Descriptor, INDEX, ImageConfig, Index, MANIFEST, Manifest};
use plimsoll_engine::ports::{Blobs, StoreError};
use plimsoll_fs::{Opened, open_beneath};
use plimsoll_model::{Code, Digest, RelPath};
use serde::de::DeserializeOwned;
use std::{
    fmt,
    fs::File,
    io::{self, Read},
    os::fd::AsFd,
    path::PathBuf,
};

/// What an image stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// An image of an OCI layout.
    Layout {
        /// The layout's directory.
        directory: PathBuf,
        /// Digest of an image manifest, or of an index that has one for the platform. The layout's own index is not
        /// asked.
        digest: Digest,
    },
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scratch => f.write_str("scratch"),
            Self::Layout { directory, digest } => write!(f, "{}@{digest}", directory.display()),
        }
    }
}

/// A base whose layers are in the store, checked.
#[derive(Debug, Default)]
pub(super) struct Imported {
    pub(super) layers: Vec<Descriptor>,
    pub(super) config: Option<ImageConfig>,
    pub(super) rootfs: RootFs,
}

impl Base {
    /// Copies the base into the store and reads what its layers hold.
    pub(super) fn import(&self, blobs: &dyn Blobs, architecture: &str) -> Result<Imported, StoreError> {
        let Self::Layout { directory, digest } = self else { return Ok(Imported::default()) };
        let root = File::open(directory).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => self.refuse("it is not there"),
            _ => StoreError::io(format!("open {}", directory.display()), error),
        })?;
        Import { base: self, root, blobs, architecture }.image(digest)
    }

    pub(super) fn refuse(&self, problem: impl fmt::Display) -> StoreError {
        Code::ArtBase.reason().with("base", self).with("problem", problem).into()
    }
}

struct Import<'a> {
    base: &'a Base,
    root: File,
    blobs: &'a dyn Blobs,
    architecture: &'a str,
}

impl Import<'_> {
    fn image(&self, digest: &Digest) -> Result<Imported, StoreError> {
        let manifest = self.manifest(digest)?;
        let config: ImageConfig = self.config(&manifest)?;
        if config.rootfs.diff_ids.len() != manifest.layers.len() {
            return Err(self.base.refuse("its configuration lists another number of layers"));
        }
        let mut rootfs = RootFs::default();
        let mut left = UNCOMPRESSED_LIMIT;
        for (layer, diff_id) in manifest.layers.iter().zip(&config.rootfs.diff_ids) {
            self.copy(layer)?;
            apply_layer(self.blobs, &mut rootfs, layer, diff_id, &mut left, &mut hash).map_err(|error| {
                self.base.refuse(format!("its layer {} is not usable: {error}", layer.digest))
            })?;
        }
        let plain = |layer: &Descriptor| Descriptor::new(&layer.media_type, layer.digest, layer.size);
        Ok(Imported { layers: manifest.layers.iter().map(plain).collect(), config: Some(config), rootfs })
    }

    /// The image manifest behind the digest, through an index if it names one.
    fn manifest(&self, digest: &Digest) -> Result<Manifest, StoreError> {
        let bytes = self.document(digest)?;
        let kind: Kind = self.parse(&bytes, "its manifest")?;
        let manifest: Manifest = if kind.is_index() {
            let index: Index = self.parse(&bytes, "its index")?;
            let chosen = index.manifests.iter().find(|entry| {
                let here = |platform: &crate::oci::Platform| {
                    platform.os == "linux" && platform.architecture == self.architecture
                };
                entry.media_type == MANIFEST && entry.platform.as_ref().is_some_and(here)
            });
            let Some(chosen) = chosen else {
                return Err(self.base.refuse(format!("it has no image for linux/{}", self.architecture)));
            };
            self.parse(&self.document(&chosen.digest)?, "its manifest")?
        } else {
            self.parse(&bytes, "its manifest")?
        };
        if manifest.config.media_type != CONFIG {
            return Err(self
                .base
                .refuse(format!("it is no OCI image but has {}", manifest.config.media_type)));
        }
        Ok(manifest)
    }

    fn config(&self, manifest: &Manifest) -> Result<ImageConfig, StoreError> {
        let bytes = self.document(&manifest.config.digest)?;
        let config: ImageConfig = self.parse(&bytes, "its configuration")?;
        if config.os != "linux" || config.architecture != self.architecture {
            let found = format!("it is for {}/{}", config.os, config.architecture);
            return Err(self.base.refuse(format!("{found}, not for linux/{}", self.architecture)));
        }
        Ok(config)
    }

    fn document(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let read = self.open(digest)?.take(DOCUMENT_LIMIT + 1).read_to_end(&mut bytes);
        read.map_err(|error| StoreError::io(format!("read {digest} of the base image"), error))?;
        if bytes.len() as u64 > DOCUMENT_LIMIT {
            return Err(self.base.refuse(format!("{digest} has more than {DOCUMENT_LIMIT} bytes")));
        }
        self.check(&Digest::of(&bytes), digest)?;
        Ok(bytes)
    }

    fn copy(&self, layer: &Descriptor) -> Result<(), StoreError> {
        let mut source = self.open(&layer.digest)?.take(layer.size.saturating_add(1));
        let mut writer = self.blobs.writer()?;
        io::copy(&mut source, &mut writer).map_err(|error| StoreError::io("copy a base layer", error))?;
        let (digest, size) = writer.finish()?;
        self.check(&digest, &layer.digest)?;
        if size != layer.size {
            return Err(self.base.refuse(format!("{digest} has another size than its manifest says")));
        }
        Ok(())
    }

    fn open(&self, digest: &Digest) -> Result<File, StoreError> {
        let missing = || self.base.refuse(format!("{digest} is not in it"));
        let path: RelPath = format!("blobs/sha256/{}", digest.hex()).parse().map_err(|_| missing())?;
        open_beneath(self.root.as_fd(), &path, Opened::File).map(File::from).map_err(|_| missing())
    }

    fn check(&self, actual: &Digest, expected: &Digest) -> Result<(), StoreError> {
        if actual == expected {
            return Ok(());
        }
        Err(self.base.refuse(format!("what is stored as {expected} has the digest {actual}")))
    }

    fn parse<T: DeserializeOwned>(&self, bytes: &[u8], what: &str) -> Result<T, StoreError> {
        serde_json::from_slice(bytes)
            .map_err(|error| self.base.refuse(format!("{what} cannot be read: {error}")))
    }
}

/// Enough of a document to tell an index from a manifest. `mediaType` decides; without one, what it holds does.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    media_type: Option<String>,
    manifests: Option<serde::de::IgnoredAny>,
}

impl Kind {
    fn is_index(&self) -> bool {
        self.media_type.as_ref().map_or(self.manifests.is_some(), |kind| kind == INDEX)
    }
}

fn hash(content: &mut dyn Read) -> io::Result<Digest> {
    let mut content = Hashed::new(content);
    io::copy(&mut content, &mut io::sink())?;
    Ok(content.digest())
}

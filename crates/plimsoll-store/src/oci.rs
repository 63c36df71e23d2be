//! The few documents of the OCI image specification 1.1 that Plimsoll writes and reads. They are written as canonical
//! JSON from these types alone, because their digests must not depend on the version of a library.

use plimsoll_engine::ports::{Blobs, StoreError};
use plimsoll_model::{Digest, jcs};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, io};

/// Media type of an image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an image index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of an image configuration.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of an uncompressed layer.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// Media type of a layer compressed with gzip.
pub const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Media type of the configuration of a manifest that has none.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The content of that configuration.
pub const EMPTY_CONTENT: &[u8] = b"{}";
/// Media type of a plain file.
pub const OCTETS: &str = "application/octet-stream";
/// Annotation of a layer that is a file: its path.
pub const TITLE: &str = "org.opencontainers.image.title";
/// Annotation of an entry of an index: the name that tools select it by.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A document may not be larger than this, as registries demand (4 MiB).
pub const DOCUMENT_LIMIT: u64 = 4 << 20;

/// Names and values, in order of names.
pub type Annotations = BTreeMap<String, String>;

/// What a blob is, by digest and size (OCI image specification 1.1, "Descriptor").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What kind of content.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// What kind of artifact, if it is a manifest of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Where an image runs; only in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Whatever else is to be known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
}

impl Descriptor {
    /// A descriptor of nothing but content.
    #[must_use]
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        let media_type = media_type.to_owned();
        Self { media_type, digest, size, artifact_type: None, platform: None, annotations: BTreeMap::new() }
    }
}

/// Where an image runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The processor, in Go's words: `amd64`, `arm64`.
    pub architecture: String,
    /// The operating system: `linux`.
    pub os: String,
}

/// One image or artifact ("Image Manifest").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// Always [`MANIFEST`]; older images leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What kind of artifact this is, where it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The content, lowest layer first.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Whatever else is to be known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: Annotations,
}

/// Several manifests ("Image Index"); also the `index.json` of a layout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// Always [`INDEX`]; older layouts leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
}

impl Index {
    /// An index of these manifests.
    #[must_use]
    pub fn of(manifests: Vec<Descriptor>) -> Self {
        Self { schema_version: 2, media_type: Some(INDEX.into()), manifests }
    }
}

/// How an image runs, and what its layers contain ("Image Configuration").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// When it was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The processor.
    pub architecture: String,
    /// The operating system.
    pub os: String,
    /// What a container starts with.
    #[serde(default)]
    pub config: ContainerConfig,
    /// The layers, uncompressed.
    pub rootfs: RootFs,
}

/// What a container starts with. Fields that Plimsoll neither sets nor inherits are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerConfig {
    /// The user, by name or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment, as `NAME=value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    /// The command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// The directory to start in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// The signal that ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
}

/// The layers of an image, uncompressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The digest of each layer's tar, lowest first.
    pub diff_ids: Vec<Digest>,
}

/// Stores a document and describes it.
///
/// # Errors
/// When it cannot be stored.
pub fn put_document<T: Serialize>(
    blobs: &dyn Blobs,
    media_type: &str,
    document: &T,
) -> Result<Descriptor, StoreError> {
    let bytes = jcs::to_bytes(document).map_err(|error| StoreError::Io {
        action: format!("write a document of type {media_type}"),
        source: io::Error::other(error),
    })?;
    let digest = blobs.put(&bytes)?;
    Ok(Descriptor::new(media_type, digest, bytes.len() as u64))
}

/// Reads a document, checked against its digest, of at most [`DOCUMENT_LIMIT`] bytes. Unknown fields are ignored, as
/// the specification demands of readers.
///
/// # Errors
/// When it is missing, too large, of another digest (`E-DIGEST`), or not of this shape.
pub fn read_document<T: DeserializeOwned>(blobs: &dyn Blobs, digest: &Digest) -> Result<T, StoreError> {
    let bytes = blobs.read(digest, DOCUMENT_LIMIT)?;
    serde_json::from_slice(&bytes).map_err(|error| StoreError::Io {
        action: format!("read the document {digest}"),
        source: error.into(),
    })
}

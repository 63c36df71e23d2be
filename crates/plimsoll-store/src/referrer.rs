//! Signed statements beside what they are about: each Sigstore bundle is a manifest that refers to its subject, in the
//! form that cosign and registries with the referrers API read (OCI image specification 1.1, "subject").

use crate::{
    IndexEntry, Layout,
    artifact::{self, put_empty},
    hashed::Hashed,
    oci::{Annotations, Descriptor, INDEX, MANIFEST, Manifest, put_document, read_document},
};
use plimsoll_engine::ports::{Blobs, StoreError};
use plimsoll_model::{Digest, Timestamp};
use std::io;

/// Media type of a bundle, and artifact type of its manifest.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// What the media type of every version of a bundle begins with.
const ANY_BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
const CREATED: &str = "org.opencontainers.image.created";
/// Media type of a dossier, and artifact type of its manifest.
const DOSSIER: &str = "application/vnd.plimsoll.dossier.v1.tar";
/// The decision that a dossier is about, by the digest of its payload.
const DECISION: &str = "dev.plimsoll.decision";

/// A manifest that refers to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The referring manifest.
    pub descriptor: Descriptor,
    /// Its content.
    pub manifest: Manifest,
}

impl Referrer {
    /// The bundle, if that is what refers: exactly one layer, of a bundle's type. Its signature is not checked.
    #[must_use]
    pub fn bundle(&self) -> Option<&Descriptor> {
        match self.manifest.layers.as_slice() {
            [layer] if layer.media_type.starts_with(ANY_BUNDLE) => Some(layer),
            _ => None,
        }
    }

    /// What the bundle states, by its own unauthenticated word.
    #[must_use]
    pub fn predicate_type(&self) -> Option<&str> {
        self.manifest.annotations.get(PREDICATE_TYPE).map(String::as_str)
    }
}

/// Stores `bundle` as a referrer of `subject` and gives what is to be added to the index of its layout
/// ([`Layout::add_entries`]). Without `created` the same bundle always becomes the same manifest.
///
/// # Errors
/// Failures of the store.
pub fn bundle_referrer(
    blobs: &dyn Blobs,
    subject: &Descriptor,
    bundle: &[u8],
    predicate_type: &str,
    created: Option<Timestamp>,
) -> Result<IndexEntry, StoreError> {
    let mut annotations = Annotations::new();
    annotations.insert(CONTENT.into(), "dsse-envelope".into());
    annotations.insert(PREDICATE_TYPE.into(), predicate_type.into());
    annotations.extend(created.map(|time| (CREATED.to_owned(), time.to_string())));
    referrer(blobs, subject, BUNDLE, bundle, annotations)
}

/// Stores the dossier of `decision` as a referrer of the artifact that was decided about.
///
/// # Errors
/// Failures of the store.
pub fn dossier_referrer(
    blobs: &dyn Blobs,
    subject: &Descriptor,
    dossier: &[u8],
    decision: &Digest,
) -> Result<IndexEntry, StoreError> {
    let annotations = Annotations::from([(DECISION.into(), decision.to_string())]);
    referrer(blobs, subject, DOSSIER, dossier, annotations)
}

fn referrer(
    blobs: &dyn Blobs,
    subject: &Descriptor,
    kind: &str,
    bytes: &[u8],
    annotations: Annotations,
) -> Result<IndexEntry, StoreError> {
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST.into()),
        artifact_type: Some(kind.into()),
        config: put_empty(blobs)?,
        layers: vec![Descriptor::new(kind, blobs.put(bytes)?, bytes.len() as u64)],
        subject: Some(Descriptor::new(&subject.media_type, subject.digest, subject.size)),
        annotations: annotations.clone(),
    };
    let mut descriptor = put_document(blobs, MANIFEST, &manifest)?;
    descriptor.artifact_type = Some(kind.into());
    Ok(IndexEntry { descriptor, name: None, annotations })
}

impl Layout {
    /// Every manifest of the index that refers to `subject`, oldest first. Each is read: what an index says of a
    /// manifest is a hint.
    ///
    /// # Errors
    /// When any manifest cannot be read, since it could be one of them.
    pub fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, StoreError> {
        let mut referrers = Vec::new();
        for entry in self.entries()? {
            if entry.descriptor.media_type == INDEX {
                continue;
            }
            let manifest: Manifest = read_document(self, &entry.descriptor.digest)?;
            if manifest.subject.as_ref().is_some_and(|named| named.digest == *subject) {
                referrers.push(Referrer { descriptor: entry.descriptor, manifest });
            }
        }
        Ok(referrers)
    }

    /// The blob of the dossier of `decision`, if the index has one. Nothing of it is believed: whoever reads it
    /// computes the decision again.
    ///
    /// # Errors
    /// When the index or the manifest cannot be read.
    pub fn dossier(&self, decision: &Digest) -> Result<Option<Descriptor>, StoreError> {
        let wanted = decision.to_string();
        for entry in self.entries()? {
            let named = entry.annotations.get(DECISION) == Some(&wanted);
            if named && entry.descriptor.artifact_type.as_deref() == Some(DOSSIER) {
                let manifest: Manifest = read_document(self, &entry.descriptor.digest)?;
                return Ok(manifest.layers.into_iter().next());
            }
        }
        Ok(None)
    }

    /// Copies an artifact from another layout: its manifest and everything that names, each blob hashed on the way.
    ///
    /// # Errors
    /// [`StoreError::Missing`] for what is not there, `E-DIGEST` for what is damaged, and failures to write.
    pub fn copy_artifact(&self, from: &Self, manifest: &Digest) -> Result<(), StoreError> {
        for digest in artifact::blobs(from, manifest)? {
            if self.open(&digest).is_err() {
                copy_blob(from, self, &digest)?;
            }
        }
        Ok(())
    }
}

fn copy_blob(from: &Layout, to: &Layout, digest: &Digest) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("copy a blob", error);
    let mut reader = Hashed::new(from.open(digest)?);
    let mut writer = to.writer()?;
    let size = io::copy(&mut reader, &mut *writer).map_err(failed)?;
    reader.check(digest, size)?;
    writer.finish().map(|_| ())
}

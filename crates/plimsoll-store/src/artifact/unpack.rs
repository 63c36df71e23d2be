//! Reading layers: an artifact as a tree again, for checks that look at what will run.

use super::{
    files::{self, FILES_ARTIFACT},
    rootfs::{Keep, LayerError, RootFs},
};
use crate::{
    hashed::Hashed,
    oci::{Descriptor, ImageConfig, LAYER, LAYER_GZIP, Manifest, read_document},
};
use flate2::read::MultiGzDecoder;
use plimsoll_engine::ports::{Blobs, StoreError};
use plimsoll_model::{Digest, Tree};
use std::io::{self, Read};

/// Bytes of all layers of an image together, uncompressed.
pub(super) const UNCOMPRESSED_LIMIT: u64 = 32 << 30;

/// The files of the artifact `manifest`, all of whose contents are in `blobs` afterwards. Owners and every permission
/// but the owner's execute bit are left out; absolute links of an image are made relative to its root.
///
/// # Errors
/// `E-DIGEST`; [`StoreError::Missing`]; [`StoreError::Io`] for content that is no artifact or holds devices.
pub fn artifact_tree(blobs: &dyn Blobs, manifest: &Digest) -> Result<Tree, StoreError> {
    let document: Manifest = read_document(blobs, manifest)?;
    if document.artifact_type.as_deref() == Some(FILES_ARTIFACT) {
        return files::tree(&document);
    }
    let failed = |error| StoreError::io(format!("unpack {manifest}"), into_io(error));
    let config: ImageConfig = read_document(blobs, &document.config.digest)?;
    if config.rootfs.diff_ids.len() != document.layers.len() {
        return Err(failed(LayerError::Content("its configuration lists another number of layers".into())));
    }
    let mut rootfs = RootFs::default();
    let mut left = UNCOMPRESSED_LIMIT;
    for (layer, diff_id) in document.layers.iter().zip(&config.rootfs.diff_ids) {
        apply_layer(blobs, &mut rootfs, layer, diff_id, &mut left, &mut |content| keep(blobs, content))
            .map_err(failed)?;
    }
    rootfs.into_tree().map_err(failed)
}

/// The blobs that an artifact consists of, its manifest last.
///
/// # Errors
/// Those of reading the manifest.
pub fn blobs(store: &dyn Blobs, manifest: &Digest) -> Result<Vec<Digest>, StoreError> {
    let document: Manifest = read_document(store, manifest)?;
    let named = document.layers.iter().chain([&document.config]).map(|descriptor| descriptor.digest);
    Ok(named.chain([*manifest]).collect())
}

/// Puts a stored layer on top of `rootfs`, at most `left` bytes of it uncompressed, and checks it against its diff id.
pub(super) fn apply_layer(
    blobs: &dyn Blobs,
    rootfs: &mut RootFs,
    layer: &Descriptor,
    diff_id: &Digest,
    left: &mut u64,
    keep: &mut Keep<'_>,
) -> Result<(), LayerError> {
    let file = io::BufReader::new(blobs.open(&layer.digest).map_err(into_io_store)?);
    let inner: Box<dyn Read> = match layer.media_type.as_str() {
        LAYER => Box::new(file),
        LAYER_GZIP => Box::new(MultiGzDecoder::new(file)),
        other => return Err(LayerError::Content(format!("layers of type {other} are not supported"))),
    };
    let mut reader = Hashed::new(inner.take(left.saturating_add(1)));
    rootfs.apply(&mut reader, keep)?;
    io::copy(&mut reader, &mut io::sink())?;
    let Some(rest) = left.checked_sub(reader.length()) else {
        return Err(LayerError::Content(format!("it has more than {UNCOMPRESSED_LIMIT} bytes uncompressed")));
    };
    *left = rest;
    let actual = reader.digest();
    if actual != *diff_id {
        return Err(LayerError::Content(format!("it unpacks to {actual}, not to {diff_id}")));
    }
    Ok(())
}

fn keep(blobs: &dyn Blobs, content: &mut dyn Read) -> io::Result<Digest> {
    let mut writer = blobs.writer().map_err(into_io_store)?;
    io::copy(content, &mut writer)?;
    writer.finish().map(|(digest, _)| digest).map_err(into_io_store)
}

fn into_io(error: LayerError) -> io::Error {
    match error {
        LayerError::Io(error) => error,
        LayerError::Content(problem) => io::Error::new(io::ErrorKind::InvalidData, problem),
    }
}

/// A refusal goes on inside the error, to be found again by [`StoreError::io`].
fn into_io_store(error: StoreError) -> io::Error {
    match error {
        StoreError::Refused(reason) => io::Error::other(reason),
        StoreError::Io { source, .. } => source,
        other => io::Error::other(other),
    }
}

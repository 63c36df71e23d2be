//! The `files` artifact: a manifest with one layer per file, each the file itself, as tools that pull plain files from
//! a registry expect (OCI image specification 1.1, "Guidelines for Artifact Usage").

use super::{Assembled, output_files};
use crate::oci::{
    Annotations, Descriptor, EMPTY, EMPTY_CONTENT, MANIFEST, Manifest, OCTETS, TITLE, put_document,
};
use plimsoll_engine::ports::{Blobs, StoreError};
use plimsoll_model::{Code, Digest, Entry, Reason, RelPath, Tree};

/// Artifact type of the manifest.
pub const FILES_ARTIFACT: &str = "application/vnd.plimsoll.files.v1";
/// Annotation of a layer whose file may be executed.
const EXECUTABLE: &str = "vnd.plimsoll.executable";

/// Makes an artifact of the files of `tree`, whose contents are in `blobs` already.
///
/// # Errors
/// `E-OUT-KIND` for a link or an empty directory, which a layer cannot be; `E-OUT-MISSING` when there is no file at
/// all; failures of the store.
pub fn assemble_files(blobs: &dyn Blobs, tree: &Tree) -> Result<Assembled, StoreError> {
    let layers =
        tree.entries.iter().map(|(path, entry)| layer(path, entry)).collect::<Result<Vec<_>, _>>()?;
    if layers.is_empty() {
        return Err(Code::OutMissing.reason().with("path", "of the artifact").into());
    }
    for layer in &layers {
        blobs.open(&layer.digest)?;
    }
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST.into()),
        artifact_type: Some(FILES_ARTIFACT.into()),
        config: put_empty(blobs)?,
        layers,
        subject: None,
        annotations: Annotations::new(),
    };
    let stored = put_document(blobs, MANIFEST, &manifest)?;
    Ok(Assembled {
        manifest: stored.digest,
        size: stored.size,
        media_type: stored.media_type,
        artifact_type: Some(FILES_ARTIFACT.into()),
        files: output_files(tree),
    })
}

/// Stores the configuration of a manifest that has none.
pub(crate) fn put_empty(blobs: &dyn Blobs) -> Result<Descriptor, StoreError> {
    let digest = blobs.put(EMPTY_CONTENT)?;
    Ok(Descriptor::new(EMPTY, digest, EMPTY_CONTENT.len() as u64))
}

fn layer(path: &RelPath, entry: &Entry) -> Result<Descriptor, Reason> {
    let refused = |kind| Err(Code::OutKind.reason().with("path", path).with("kind", kind));
    match entry {
        Entry::File { digest, size, executable } => Ok(file(path, *digest, *size, *executable)),
        Entry::Symlink { .. } => refused("a symbolic link, which an artifact of files cannot hold"),
        Entry::EmptyDirectory => refused("an empty directory, which an artifact of files cannot hold"),
    }
}

fn file(path: &RelPath, digest: Digest, size: u64, executable: bool) -> Descriptor {
    let mut layer = Descriptor::new(OCTETS, digest, size);
    layer.annotations.insert(TITLE.into(), path.to_string());
    if executable {
        layer.annotations.insert(EXECUTABLE.into(), "true".into());
    }
    layer
}

/// The files that a manifest of this kind names.
pub(super) fn tree(manifest: &Manifest) -> Result<Tree, StoreError> {
    let mut tree = Tree::default();
    for layer in &manifest.layers {
        let path = layer.annotations.get(TITLE).and_then(|title| title.parse::<RelPath>().ok());
        let Some(path) = path else {
            return Err(StoreError::io(
                format!("read the artifact: the layer {} has no path", layer.digest),
                std::io::ErrorKind::InvalidData.into(),
            ));
        };
        let executable = layer.annotations.get(EXECUTABLE).is_some_and(|value| value == "true");
        let entry = Entry::File { digest: layer.digest, size: layer.size, executable };
        tree.entries.insert(path, entry);
    }
    Ok(tree)
}

//! One artifact with everything that refers to it, as an OCI layout of its own: a directory, or a tar that is the same
//! for the same content.

use crate::{
    IndexEntry, Layout,
    artifact::tar_header,
    hashed::Hashed,
    layout::{LAYOUT_CONTENT, LAYOUT_FILE},
    oci::{Annotations, Descriptor, Index, Manifest, REF_NAME, read_document},
};
use plimsoll_engine::ports::{Blobs, StoreError};
use plimsoll_model::{Digest, jcs};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};
use tar::{Builder, EntryType};

/// A file of the exported layout.
enum Content {
    Bytes(Vec<u8>),
    Blob(Digest, u64),
}

impl Layout {
    /// Writes the artifact, called `name`, and its referrers as a layout into `destination`, which is made and must not
    /// be there.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when something that the artifact names is not there; `E-DIGEST` when it is damaged;
    /// failures to write. What was written by then stays there.
    pub fn export_directory(
        &self,
        artifact: &Descriptor,
        name: &str,
        destination: &Path,
    ) -> Result<(), StoreError> {
        let failed = |error| crate::durable::failed("write", destination, error);
        let files = self.exported(artifact, name)?;
        fs::create_dir(destination).map_err(failed)?;
        fs::create_dir_all(destination.join("blobs/sha256")).map_err(failed)?;
        for (path, content) in &files {
            let path = destination.join(path);
            let mut file = File::options().write(true).create_new(true).open(&path).map_err(failed)?;
            self.read_content(content, &mut |reader, _| io::copy(reader, &mut file).map(|_| ()))?;
        }
        Ok(())
    }

    /// Writes the same layout as a tar into `out`.
    ///
    /// # Errors
    /// Those of [`Layout::export_directory`].
    pub fn export_tar(
        &self,
        artifact: &Descriptor,
        name: &str,
        out: &mut dyn Write,
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::io("write the exported tar", error);
        let files = self.exported(artifact, name)?;
        let mut builder = Builder::new(out);
        for directory in ["blobs/", "blobs/sha256/"] {
            let mut header = tar_header(EntryType::Directory, 0o755, 0, 0);
            builder.append_data(&mut header, directory, io::empty()).map_err(failed)?;
        }
        for (path, content) in &files {
            self.read_content(content, &mut |reader, size| {
                let mut header = tar_header(EntryType::Regular, 0o644, size, 0);
                builder.append_data(&mut header, path, reader)
            })?;
        }
        builder.finish().map_err(failed)
    }

    /// Every file of the exported layout, by path.
    fn exported(&self, artifact: &Descriptor, name: &str) -> Result<BTreeMap<String, Content>, StoreError> {
        let mut named = artifact.clone();
        named.annotations.insert(REF_NAME.into(), name.into());
        let mut manifests = vec![named];
        for referrer in self.referrers(&artifact.digest)? {
            let annotations: Annotations = referrer.manifest.annotations;
            let entry = IndexEntry { descriptor: referrer.descriptor, name: None, annotations };
            manifests.push(entry.into_descriptor());
        }
        let mut files = BTreeMap::new();
        for manifest in &manifests {
            self.add_blobs(&mut files, manifest)?;
        }
        let index = jcs::to_bytes(&Index::of(manifests))
            .map_err(|error| StoreError::io("write an index", io::Error::other(error)))?;
        files.insert("index.json".into(), Content::Bytes(index));
        files.insert(LAYOUT_FILE.into(), Content::Bytes(LAYOUT_CONTENT.to_vec()));
        Ok(files)
    }

    fn add_blobs(
        &self,
        files: &mut BTreeMap<String, Content>,
        descriptor: &Descriptor,
    ) -> Result<(), StoreError> {
        let manifest: Manifest = read_document(self, &descriptor.digest)?;
        let named = manifest.layers.iter().chain([&manifest.config, descriptor]);
        for blob in named {
            let path = format!("blobs/sha256/{}", blob.digest.hex());
            files.insert(path, Content::Blob(blob.digest, blob.size));
        }
        Ok(())
    }

    /// Hands the content and its length to `write`, and checks it against its digest behind that.
    fn read_content(
        &self,
        content: &Content,
        write: &mut dyn FnMut(&mut dyn Read, u64) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::io("export the layout", error);
        match content {
            Content::Bytes(bytes) => write(&mut bytes.as_slice(), bytes.len() as u64).map_err(failed),
            Content::Blob(digest, size) => {
                let mut reader = Hashed::new(self.open(digest)?.take(*size));
                write(&mut reader, *size).map_err(failed)?;
                reader.check(digest, *size)
            }
        }
    }
}

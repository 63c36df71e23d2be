//! Artifacts out of frozen outputs: plain files or an image, always one OCI manifest. The same input gives the same
//! digest on every machine; nothing here looks at a clock, a file mode or the order of a directory.

mod base;
mod elf;
mod files;
mod image;
mod layer;
mod rootfs;
mod unpack;

pub use base::Base;
pub(crate) use files::put_empty;
pub use files::{FILES_ARTIFACT, assemble_files};
pub use image::{Image, ImageCommand, assemble_image, host_architecture, image_command};
pub(crate) use layer::header as tar_header;
pub use unpack::{artifact_tree, blobs};

use crate::oci::Descriptor;
use plimsoll_model::{Code, Digest, Entry, Reason, RelPath, Tree, record::OutputFile};
use std::collections::BTreeMap;

/// An artifact in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// Digest of its manifest, by which it is known.
    pub manifest: Digest,
    /// Length of the manifest in bytes.
    pub size: u64,
    /// Media type of the manifest.
    pub media_type: String,
    /// What kind of artifact; none for an image.
    pub artifact_type: Option<String>,
    /// The files that Plimsoll put into it, by their path in the artifact.
    pub files: Vec<OutputFile>,
}

impl Assembled {
    /// The artifact as an index or a referrer names it.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::new(&self.media_type, self.manifest, self.size);
        descriptor.artifact_type.clone_from(&self.artifact_type);
        descriptor
    }
}

/// Puts outputs where the pipeline wants them: `files` maps a path of `outputs`, a file or a directory with everything
/// below it, to its path in the artifact.
///
/// # Errors
/// `E-OUT-MISSING` (without the step's name) for a path that no output has; `E-OUT-KIND` when two of them end up at one
/// path, or one below a file.
pub fn place(outputs: &Tree, files: &BTreeMap<RelPath, RelPath>) -> Result<Tree, Reason> {
    let mut placed = Tree::default();
    for (from, to) in files {
        let mut found = false;
        for (path, entry) in outputs.entries.iter().filter(|(path, _)| path.starts_with(from)) {
            found = true;
            let target = path.below(from).map_or_else(|| to.clone(), |below| to.join(&below));
            if placed.entries.insert(target.clone(), entry.clone()).is_some() {
                let reason = Code::OutKind.reason().with("path", target);
                return Err(reason.with("kind", "placed where another output is placed"));
            }
        }
        if !found {
            return Err(Code::OutMissing.reason().with("path", from));
        }
    }
    check_nesting(&placed)?;
    Ok(placed)
}

/// Nothing lies below a file or a link, which no file system could hold.
fn check_nesting(tree: &Tree) -> Result<(), Reason> {
    for path in tree.entries.keys() {
        let mut above = path.parent();
        while let Some(parent) = above {
            if tree.entries.contains_key(&parent) {
                let reason = Code::OutKind.reason().with("path", path);
                return Err(reason.with("kind", format!("placed below {parent}, which is no directory")));
            }
            above = parent.parent();
        }
    }
    Ok(())
}

/// The files of a tree, for whoever names them as subjects.
fn output_files(tree: &Tree) -> Vec<OutputFile> {
    let files = tree.entries.iter().filter_map(|(path, entry)| match entry {
        Entry::File { digest, size, .. } => {
            Some(OutputFile { path: path.clone(), digest: *digest, size: *size })
        }
        Entry::Symlink { .. } | Entry::EmptyDirectory => None,
    });
    files.collect()
}

//! From what a pipeline says of its artifact to what the store assembles.

use plimsoll_engine::{
    ports::{Assemble, Blobs, StoreError},
    signer::protocol::ArtifactRecord,
};
use plimsoll_model::{Code, Digest, RelPath, Timestamp, Tree};
use plimsoll_pipeline::{ArtifactSpec, Base};
use plimsoll_store::artifact::{self, Assembled, Image};
use std::{collections::BTreeMap, path::PathBuf};

/// Assembles into one store; relative base images are looked for below `project`.
pub(crate) struct Assembler<'a> {
    pub(crate) blobs: &'a dyn Blobs,
    pub(crate) project: PathBuf,
}

impl Assemble for Assembler<'_> {
    fn assemble(
        &self,
        spec: &ArtifactSpec,
        outputs: &Tree,
        created: Timestamp,
    ) -> Result<ArtifactRecord, StoreError> {
        let assembled = match spec {
            ArtifactSpec::Files(files) => {
                // A file is known by its name; the pipeline's reader refuses two of the same.
                let places = files.iter().map(|path| (path.clone(), path.file_name().to_owned()));
                let tree = place(outputs, places)?;
                artifact::assemble_files(self.blobs, &tree)?
            }
            ArtifactSpec::Image { base, files, entrypoint, cmd, env } => {
                let places =
                    files.iter().map(|(path, to)| (path.clone(), to.trim_start_matches('/').to_owned()));
                let tree = place(outputs, places)?;
                let image = Image {
                    base: self.base(base),
                    entrypoint: entrypoint.clone(),
                    cmd: cmd.clone(),
                    env: env.clone(),
                    architecture: artifact::host_architecture().into(),
                    created,
                };
                artifact::assemble_image(self.blobs, &tree, &image)?
            }
        };
        Ok(record(assembled))
    }

    fn tree(&self, manifest: &Digest) -> Result<Tree, StoreError> {
        artifact::artifact_tree(self.blobs, manifest)
    }
}

impl Assembler<'_> {
    fn base(&self, base: &Base) -> artifact::Base {
        match base {
            Base::Scratch => artifact::Base::Scratch,
            Base::Layout { directory, digest } => {
                artifact::Base::Layout { directory: self.project.join(directory), digest: *digest }
            }
        }
    }
}

fn place(outputs: &Tree, places: impl Iterator<Item = (RelPath, String)>) -> Result<Tree, StoreError> {
    let mut files = BTreeMap::new();
    for (from, to) in places {
        let unusable = || Code::OutKind.reason().with("path", &to).with("kind", "no path of an artifact");
        let to: RelPath = to.parse().map_err(|_| unusable())?;
        files.insert(from, to);
    }
    Ok(artifact::place(outputs, &files)?)
}

fn record(assembled: Assembled) -> ArtifactRecord {
    let Assembled { manifest, size, media_type, files, .. } = assembled;
    ArtifactRecord { manifest, size, media_type, files }
}

//! Images: an optional base and one layer of outputs, with a configuration that says what to start.

use super::{
    Assembled,
    base::{Base, Imported},
    elf,
    files::FILES_ARTIFACT,
    layer::write_layer,
    output_files,
    rootfs::{Node, RootFs},
};
use crate::oci::{
    Annotations, CONFIG, ContainerConfig, Descriptor, ImageConfig, LAYER, MANIFEST, Manifest,
    RootFs as LayerList, put_document, read_document,
};
use plimsoll_engine::ports::{Blobs, StoreError};
use plimsoll_model::{Code, Digest, Entry, RelPath, Timestamp, Tree};
use std::collections::BTreeMap;

/// What an image is to be, besides its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What it stands on.
    pub base: Base,
    /// The command it starts.
    pub entrypoint: Vec<String>,
    /// Default arguments of the command.
    pub cmd: Vec<String>,
    /// Environment of the command, beside what the base sets; it wins over the base.
    pub env: BTreeMap<String, String>,
    /// The processor it is for, in the words of OCI: `amd64`, `arm64`.
    pub architecture: String,
    /// The time that everything in it carries, to the second (`SOURCE_DATE_EPOCH`).
    pub created: Timestamp,
}

/// The processor of this machine, in the words of OCI.
#[must_use]
pub const fn host_architecture() -> &'static str {
    if cfg!(target_arch = "x86_64") {
        "amd64"
    } else if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        std::env::consts::ARCH
    }
}

/// Makes an image whose top layer is `tree`, the contents of which are in `blobs` already.
///
/// # Errors
/// `E-ART-INTERPRETER` for an executable whose loader is not in the image, `E-ART-BASE` for a base that is missing, of
/// another digest, damaged, or in the way of the files; `E-OUT-KIND` for names that a layer cannot hold; `E-DIGEST`;
/// failures of the store.
pub fn assemble_image(blobs: &dyn Blobs, tree: &Tree, image: &Image) -> Result<Assembled, StoreError> {
    let base = image.base.import(blobs, &image.architecture)?;
    check_places(tree, image, &base.rootfs)?;
    let mtime = u64::try_from(image.created.as_second()).unwrap_or(0);
    let is_below = |path: &RelPath| base.rootfs.get(path.as_str()) == Some(&Node::Directory);
    let (digest, size) = write_layer(blobs, tree, mtime, &is_below)?;
    let Imported { mut layers, config, mut rootfs } = base;
    rootfs.apply_tree(tree).map_err(|error| image.base.refuse(error))?;
    check_interpreters(blobs, tree, &rootfs)?;
    layers.push(Descriptor::new(LAYER, digest, size));
    let mut diff_ids = config.as_ref().map_or_else(Vec::new, |config| config.rootfs.diff_ids.clone());
    diff_ids.push(digest);
    let config = put_document(blobs, CONFIG, &configuration(image, config, diff_ids))?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST.into()),
        artifact_type: None,
        config,
        layers,
        subject: None,
        annotations: Annotations::new(),
    };
    let stored = put_document(blobs, MANIFEST, &manifest)?;
    Ok(Assembled {
        manifest: stored.digest,
        size: stored.size,
        media_type: stored.media_type,
        artifact_type: None,
        files: output_files(tree),
    })
}

/// The environment, user, directory and stop signal of the base stay; what it starts does not.
fn configuration(image: &Image, base: Option<ImageConfig>, diff_ids: Vec<Digest>) -> ImageConfig {
    let inherited = base.map(|base| base.config).unwrap_or_default();
    let mut env = variables(inherited.env.as_deref().unwrap_or_default());
    env.extend(image.env.clone());
    let env: Vec<String> = env.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let created = Timestamp::from_second(image.created.as_second().max(0)).unwrap_or_default();
    ImageConfig {
        created: Some(created.to_string()),
        architecture: image.architecture.clone(),
        os: "linux".into(),
        config: ContainerConfig {
            entrypoint: Some(image.entrypoint.clone()),
            cmd: Some(image.cmd.clone()).filter(|cmd| !cmd.is_empty()),
            env: Some(env).filter(|env| !env.is_empty()),
            ..inherited
        },
        rootfs: LayerList { kind: "layers".into(), diff_ids },
    }
}

fn variables(env: &[String]) -> BTreeMap<String, String> {
    let pairs = env.iter().filter_map(|variable| variable.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What an image starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageCommand {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// The directory it starts in; empty for the root.
    pub working_directory: String,
}

/// What the image behind a manifest starts with; none for an artifact of files.
///
/// # Errors
/// When the manifest or its configuration is not in the store or cannot be read.
pub fn image_command(blobs: &dyn Blobs, manifest: &Digest) -> Result<Option<ImageCommand>, StoreError> {
    let manifest: Manifest = read_document(blobs, manifest)?;
    if manifest.artifact_type.as_deref() == Some(FILES_ARTIFACT) {
        return Ok(None);
    }
    let ImageConfig { config, .. } = read_document(blobs, &manifest.config.digest)?;
    let mut argv = config.entrypoint.unwrap_or_default();
    argv.extend(config.cmd.unwrap_or_default());
    let env = variables(config.env.as_deref().unwrap_or_default());
    Ok(Some(ImageCommand { argv, env, working_directory: config.working_dir.unwrap_or_default() }))
}

/// A file may replace a file of the base. It may not replace a directory, nor a link that the base reaches a directory
/// through: either would take away more than the one path.
fn check_places(tree: &Tree, image: &Image, base: &RootFs) -> Result<(), StoreError> {
    for (path, entry) in &tree.entries {
        let is_directory = base.get(path.as_str()) == Some(&Node::Directory);
        if is_directory && *entry != Entry::EmptyDirectory {
            return Err(image.base.refuse(format!("it has a directory at {path}")));
        }
        let mut above = path.parent();
        while let Some(parent) = above {
            if !matches!(base.get(parent.as_str()), None | Some(Node::Directory)) {
                return Err(image.base.refuse(format!("{parent} is no directory in it")));
            }
            above = parent.parent();
        }
    }
    Ok(())
}

fn check_interpreters(blobs: &dyn Blobs, tree: &Tree, rootfs: &RootFs) -> Result<(), StoreError> {
    for (path, entry) in &tree.entries {
        let Entry::File { digest, .. } = entry else { continue };
        let Some(interpreter) = elf::interpreter(&blobs.open(digest)?) else { continue };
        let real = rootfs.resolve(&interpreter);
        let found = real.and_then(|real| rootfs.get(&real).cloned());
        if !matches!(found, Some(Node::File { .. })) {
            let reason = Code::ArtInterpreter.reason().with("path", path);
            return Err(reason.with("interpreter", interpreter).into());
        }
    }
    Ok(())
}

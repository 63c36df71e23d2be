//! The directories of one run on the host: the exported source, frozen outputs, the unpacked artifact. They are
//! copies of content that the store keeps; losing them loses nothing.

use crate::{
    ports::{Blobs, StoreError},
    run::RunError,
    signer::REPORT_LIMIT,
};
use plimsoll_fs::{FsError, HardLinks, Limits, Select, Sink};
use plimsoll_model::{Code, Digest, Entry, Reason, RelPath, Tree, jcs, removed};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

/// The directory of one run, removed with everything below it when it is dropped.
#[derive(Debug)]
pub(crate) struct Workspace {
    path: PathBuf,
    root: OwnedFd,
}

impl Workspace {
    /// Makes `path`, which must not exist yet.
    pub(crate) fn create(path: PathBuf) -> Result<Self, RunError> {
        let failed = |source| RunError::io(format!("make the directory {}", path.display()), source);
        fs::create_dir(&path).map_err(failed)?;
        let root = File::open(&path).map_err(failed)?.into();
        Ok(Self { path, root })
    }

    /// Makes an empty directory and gives its path and a descriptor of it.
    pub(crate) fn directory(&self, name: &str) -> Result<(PathBuf, OwnedFd), RunError> {
        let relative: RelPath =
            name.parse().map_err(|error| RunError::internal("name a directory", &error))?;
        let descriptor = plimsoll_fs::create_directory(self.root.as_fd(), &relative)?;
        // Steps can run as another user than the engine; the directory around the run's own keeps others out.
        let opened = rustix::fs::fchmod(&descriptor, rustix::fs::Mode::from_raw_mode(0o755));
        opened.map_err(|errno| RunError::io(format!("open {name} for steps"), errno.into()))?;
        Ok((self.path.join(name), descriptor))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let name = self
            .path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.parse::<RelPath>().ok());
        let parent = self.path.parent().and_then(|parent| File::open(parent).ok());
        if let (Some(parent), Some(name)) = (parent, name) {
            // What cannot be removed is removed at the next start.
            let _ = plimsoll_fs::remove_tree(parent.as_fd(), &name);
        }
    }
}

/// Makes the places below an exported source where something will be mounted: nothing can be made there later, since
/// the source is read-only in every sandbox.
pub(crate) fn make_mount_points<'a>(
    source: &Path,
    directories: impl Iterator<Item = &'a RelPath>,
    files: impl Iterator<Item = &'a RelPath>,
) -> Result<(), RunError> {
    let failed = |path: &RelPath| {
        let action = format!("make room for {path} in the source");
        move |source| RunError::io(action, source)
    };
    for path in directories {
        refuse_links(source, path)?;
        fs::create_dir_all(source.join(path.as_str())).map_err(failed(path))?;
    }
    for path in files {
        refuse_links(source, path)?;
        let place = source.join(path.as_str());
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(failed(path))?;
        }
        if !place.exists() {
            File::create(&place).map_err(failed(path))?;
        }
    }
    Ok(())
}

/// Makes the place of an output a directory where the output is one: what it is shows only when its step has passed.
/// Nobody has mounted anything there by then, since only what needs the step does.
pub(crate) fn fit_mount_point(source: &Path, path: &RelPath, output: &Path) -> Result<(), RunError> {
    let place = source.join(path.as_str());
    let failed = |error| RunError::io(format!("make room for {path} in the source"), error);
    let is_room = fs::symlink_metadata(&place).is_ok_and(|found| found.is_file() && found.len() == 0);
    if output.is_dir() && is_room {
        fs::remove_file(&place).and_then(|()| fs::create_dir(&place)).map_err(failed)?;
    }
    Ok(())
}

/// A symbolic link of the commit on the way to a mount point would lead the engine elsewhere.
fn refuse_links(source: &Path, path: &RelPath) -> Result<(), RunError> {
    let mut place = source.to_owned();
    for component in path.components() {
        place.push(component);
        if place.is_symlink() {
            let kind = "behind a symbolic link of the commit";
            let reason = Code::OutKind.reason().with("path", path).with("kind", kind);
            return Err(reason.into());
        }
    }
    Ok(())
}

/// Freezes `paths`, each of which lies below one of the `writable` directories, into the store. Gives the tree with
/// paths below the source root.
pub(crate) fn freeze_outputs(
    blobs: &dyn Blobs,
    writable: &BTreeMap<String, OwnedFd>,
    paths: &[RelPath],
) -> Result<Tree, FsError> {
    freeze_within(blobs, writable, paths, Limits::default())
}

fn freeze_within(
    blobs: &dyn Blobs,
    writable: &BTreeMap<String, OwnedFd>,
    paths: &[RelPath],
    limits: Limits,
) -> Result<Tree, FsError> {
    let mut frozen = Tree::default();
    // Each writable directory was a mount of the sandbox that is gone, and only the engine holds it.
    let limits = Limits { hard_links: HardLinks::OwnMount, ..limits };
    for (name, root) in writable {
        let Ok(mount) = name.parse::<RelPath>() else { continue };
        let whole = paths.contains(&mount);
        let below: Vec<RelPath> = paths.iter().filter_map(|path| path.below(&mount)).collect();
        if !whole && below.is_empty() {
            continue;
        }
        let select = if whole { Select::Everything } else { Select::Paths(&below) };
        let tree = plimsoll_fs::freeze(root.as_fd(), select, &mut Keep(blobs), limits)?;
        if whole && tree.entries.is_empty() {
            // The directory was made for the step; that it is still there is no output.
            return Err(FsError::Refused(Code::OutMissing.reason().with("path", &mount)));
        }
        frozen.entries.extend(tree.entries.into_iter().map(|(path, entry)| (mount.join(&path), entry)));
    }
    Ok(frozen)
}

/// Keeps one file of a sandbox as a blob; none where there is no such file of at most [`REPORT_LIMIT`] bytes, or
/// something else in its place.
pub(crate) fn freeze_file(
    blobs: &dyn Blobs,
    writable: &BTreeMap<String, OwnedFd>,
    path: &RelPath,
) -> Result<Option<Digest>, FsError> {
    let default = Limits::default();
    let bytes = if removed!("report-file") { default.bytes } else { REPORT_LIMIT };
    let limits = Limits { bytes, ..default };
    let found = freeze_within(blobs, writable, std::slice::from_ref(path), limits);
    let tree = match found {
        Err(error) if matches!(error.code(), Some(Code::OutMissing | Code::OutKind | Code::OutLimit)) => {
            return Ok(None);
        }
        other => other?,
    };
    Ok(match tree.entries.get(path) {
        Some(Entry::File { digest, .. }) => Some(*digest),
        Some(Entry::Symlink { .. } | Entry::EmptyDirectory) | None => None,
    })
}

/// Stores the canonical JSON of a tree.
pub(crate) fn keep_tree(blobs: &dyn Blobs, tree: &Tree) -> Result<Digest, RunError> {
    let bytes = jcs::to_bytes(tree).map_err(|error| RunError::internal("write a tree", &error))?;
    Ok(blobs.put(&bytes)?)
}

/// Writes a tree of stored content below an empty directory.
pub(crate) fn unpack(
    blobs: &dyn Blobs,
    tree: &Tree,
    destination: BorrowedFd<'_>,
    mtime: i64,
) -> Result<(), FsError> {
    let contents = |digest: &Digest| -> Result<Box<dyn Read>, FsError> {
        Ok(Box::new(blobs.open(digest).map_err(from_store)?))
    };
    plimsoll_fs::write_tree(tree, &contents, destination, mtime)
}

/// Puts what the walker reads into the store.
pub(crate) struct Keep<'a>(pub(crate) &'a dyn Blobs);

impl Sink for Keep<'_> {
    fn store(&mut self, content: &mut dyn Read) -> Result<Digest, FsError> {
        let mut writer = self.0.writer().map_err(from_store)?;
        io::copy(content, &mut writer).map_err(|source| FsError::io("keep an output", source))?;
        writer.finish().map(|(digest, _)| digest).map_err(from_store)
    }
}

fn from_store(error: StoreError) -> FsError {
    match error {
        StoreError::Refused(reason) => FsError::Refused(reason),
        other => FsError::io("keep an output", io::Error::other(other)),
    }
}

/// Completes a refusal of the walker, which does not know whose output it looked at.
pub(crate) fn of_step(reason: Reason, step: &str, run: &str) -> Reason {
    reason.with("step", step).with("run", run)
}

//! From the client's cache to packages that a build can use: freeze the archives, hold them against the lock file, and
//! arrange what an unpacking sandbox made of them.

use super::{
    FetchError,
    lock::{Lock, LockedPackage, orphan},
};
use crate::ports::{Blobs, StoreError};
use plimsoll_fs::{FsError, Limits, Select, Sink};
use plimsoll_model::{Code, Digest, Entry, RelPath, Tree, record::Material};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write as _},
    os::fd::BorrowedFd,
    path::PathBuf,
};

/// Where the client keeps archives, below its home.
const CACHE: &str = "registry/cache";
const ARCHIVE: &str = ".crate";
/// What the client wants to find in a directory source beside the files of a package.
const CHECKSUMS: &str = ".cargo-checksum.json";

/// Archives as they lie in the store.
#[derive(Debug)]
pub(super) struct Archives {
    /// `<name>-<version>.crate` for each package.
    pub(super) tree: Tree,
    pub(super) materials: Vec<Material>,
}

/// Freezes the client's archives into the store and holds them against the lock file.
///
/// # Errors
/// `E-LOCK-HASH`, `E-LOCK-ORPHAN` and `E-LOCK-INCOMPLETE`, all that there are; what the walker refuses.
pub(super) fn freeze(home: BorrowedFd<'_>, lock: &Lock, blobs: &dyn Blobs) -> Result<Archives, FetchError> {
    let cached = cached(home, blobs)?;
    let mut wanted: BTreeMap<String, &LockedPackage> = BTreeMap::new();
    wanted.extend(lock.fetched().map(|package| (package.stem() + ARCHIVE, package)));
    let mut archives = Archives { tree: Tree::default(), materials: Vec::new() };
    let mut reasons = Vec::new();
    for (path, entry) in cached.entries {
        match (wanted.get(path.file_name()), &entry) {
            (Some(package), Entry::File { digest, .. }) => {
                archives.materials.push(Material { uri: package.uri(), digest: *digest });
                archives.tree.entries.insert(name(path.file_name())?, entry);
            }
            _ => reasons.push(orphan(path.file_name())),
        }
    }
    reasons.extend(lock.disagreements(&archives.materials));
    archives.materials.sort();
    if reasons.is_empty() { Ok(archives) } else { Err(FetchError::Refused(reasons)) }
}

/// The archives of a lock file, if the store has all of them: content that has the hash that the lock file names is the
/// content that a fetch would bring. None when one is missing.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn stored(lock: &Lock, blobs: &dyn Blobs) -> Result<Option<Archives>, FetchError> {
    let mut archives = Archives { tree: Tree::default(), materials: Vec::new() };
    for package in lock.fetched() {
        let Some(digest) = package.digest() else { return Ok(None) };
        let size = match blobs.open(&digest) {
            Ok(file) => file.metadata().map_err(|error| FetchError::io("look at an archive", error))?.len(),
            Err(StoreError::Missing(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        archives.materials.push(Material { uri: package.uri(), digest });
        let path = name(&(package.stem() + ARCHIVE))?;
        archives.tree.entries.insert(path, Entry::File { digest, size, executable: false });
    }
    archives.materials.sort();
    Ok(Some(archives))
}

fn cached(home: BorrowedFd<'_>, blobs: &dyn Blobs) -> Result<Tree, FetchError> {
    let cache = [name(CACHE)?];
    match plimsoll_fs::freeze(home, Select::Paths(&cache), &mut Keep(blobs), Limits::default()) {
        Err(error) if error.code() == Some(Code::OutMissing) => Ok(Tree::default()),
        Ok(mut tree) => {
            tree.entries.retain(|_, entry| *entry != Entry::EmptyDirectory);
            Ok(tree)
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts what the walker reads into the store.
struct Keep<'a>(&'a dyn Blobs);

impl Sink for Keep<'_> {
    fn store(&mut self, content: &mut dyn Read) -> Result<Digest, FsError> {
        let mut writer = self.0.writer().map_err(from_store)?;
        io::copy(content, &mut writer).map_err(|error| FsError::io("keep an archive", error))?;
        writer.finish().map(|(digest, _)| digest).map_err(from_store)
    }
}

/// Opens a blob for [`plimsoll_fs::write_tree`], which checks it.
pub(super) fn open(blobs: &dyn Blobs, digest: &Digest) -> Result<Box<dyn Read>, FsError> {
    Ok(Box::new(blobs.open(digest).map_err(from_store)?))
}

fn from_store(error: StoreError) -> FsError {
    match error {
        StoreError::Refused(reason) => reason.into(),
        other => FsError::io("keep an archive", io::Error::other(other)),
    }
}

/// Content of unpacked packages on its way to where builds see it. Nothing is made durable: it can always be unpacked
/// again.
pub(super) struct Loose {
    directory: PathBuf,
    next: u64,
}

impl Loose {
    /// Content in `directory`, which is empty.
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory, next: 0 }
    }

    fn open(&self, digest: &Digest) -> Result<Box<dyn Read>, FsError> {
        let file = File::open(self.directory.join(digest.hex()));
        Ok(Box::new(file.map_err(|error| FsError::io("read an unpacked file", error))?))
    }

    fn keep(&mut self, content: &mut dyn Read) -> io::Result<Digest> {
        self.next += 1;
        let place = self.directory.join(format!("part-{}", self.next));
        let mut file = File::create_new(&place)?;
        let mut hasher = plimsoll_model::Hasher::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match content.read(&mut buffer)? {
                0 => break,
                count => {
                    hasher.update(&buffer[..count]);
                    file.write_all(&buffer[..count])?;
                }
            }
        }
        let digest = hasher.finish();
        fs::rename(place, self.directory.join(digest.hex()))?;
        Ok(digest)
    }
}

impl Sink for Loose {
    fn store(&mut self, content: &mut dyn Read) -> Result<Digest, FsError> {
        self.keep(content).map_err(|error| FsError::io("keep an unpacked file", error))
    }
}

/// Takes what was unpacked, one directory for each archive, and writes the client's directory source from it.
///
/// # Errors
/// `E-FETCH-FAILED` when an archive holds files outside of its own directory, what the walker refuses, and failures to
/// write.
pub(super) fn arrange(
    unpacked: BorrowedFd<'_>,
    lock: &Lock,
    mut loose: Loose,
    vendor: BorrowedFd<'_>,
) -> Result<(), FetchError> {
    let limits = Limits { bytes: 16 << 30, entries: 2_000_000, ..Limits::default() };
    let found = plimsoll_fs::freeze(unpacked, Select::Everything, &mut loose, limits)?;
    let mut tree = Tree::default();
    for (path, entry) in found.entries {
        // <stem>/<stem>/<file>: the first is ours, the second is the archive's own.
        let (outer, inner) = path.as_str().split_once('/').unwrap_or_default();
        if inner.split_once('/').is_none_or(|(own, _)| own != outer) {
            return Err(FetchError::failed(format!(
                "the archive {outer} holds {inner}, outside of its own directory"
            )));
        }
        tree.entries.insert(name(inner)?, entry);
    }
    for package in lock.fetched() {
        let json = serde_json::json!({ "files": {}, "package": package.checksum }).to_string();
        let digest = loose.store(&mut json.as_bytes())?;
        let size = json.len() as u64;
        let path = name(&format!("{}/{CHECKSUMS}", package.stem()))?;
        tree.entries.insert(path, Entry::File { digest, size, executable: false });
    }
    Ok(plimsoll_fs::write_tree(&tree, &|digest| loose.open(digest), vendor, 0)?)
}

fn name(text: &str) -> Result<RelPath, FetchError> {
    text.parse().map_err(FetchError::failed)
}

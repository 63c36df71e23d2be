//! What the client sees of a project while it has a network: its manifests, its lock file, and every other file empty.
//! Client configuration and toolchain files of the project stay out, since they can name programs to run.

use super::{FetchError, lock::Lock};
use plimsoll_fs::{FsError, Opened};
use plimsoll_model::{Code, Digest, Entry, Reason, RelPath, Tree};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read as _,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

const MANIFEST: &str = "Cargo.toml";
const LOCK: &str = "Cargo.lock";
const MAX_MANIFEST: u64 = 4 << 20;
const MAX_LOCK: u64 = 16 << 20;

/// The files of a source tree that dependencies are about.
#[derive(Debug)]
pub(super) struct Manifests {
    root: OwnedFd,
    /// What the client sees.
    skeleton: Tree,
    manifests: BTreeMap<RelPath, Manifest>,
    lock: Option<Vec<u8>>,
}

#[derive(Debug, Default, Deserialize)]
struct Manifest {
    package: Option<Package>,
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: Option<toml::Value>,
}

impl Manifests {
    /// Reads the manifests and the lock file of an exported tree, which lies below `root`.
    ///
    /// # Errors
    /// `E-LOCK-STALE` for a manifest that is no TOML, and failures to read.
    pub(super) fn read(root: OwnedFd, tree: &Tree) -> Result<Self, FetchError> {
        let mut skeleton = Tree::default();
        let mut manifests = BTreeMap::new();
        let mut lock = None;
        for (path, entry) in tree.entries.iter().filter(|(path, _)| !is_configuration(path)) {
            let file = matches!(entry, Entry::File { .. });
            let seen = match path.as_str() {
                LOCK if file => {
                    lock = Some(content(root.as_fd(), path, MAX_LOCK)?);
                    entry.clone()
                }
                _ if file && path.file_name() == MANIFEST => {
                    manifests.insert(path.clone(), manifest(root.as_fd(), path)?);
                    entry.clone()
                }
                _ if file => Entry::File { digest: Digest::of(b""), size: 0, executable: false },
                _ => entry.clone(),
            };
            skeleton.entries.insert(path.clone(), seen);
        }
        Ok(Self { root, skeleton, manifests, lock })
    }

    /// The lock file.
    ///
    /// # Errors
    /// `E-LOCK-INCOMPLETE` when there is none or it cannot be read.
    pub(super) fn lock(&self) -> Result<Lock, Reason> {
        let missing = || super::lock::incomplete("any package", "there is no Cargo.lock in the commit");
        Lock::parse(self.lock.as_ref().ok_or_else(missing)?)
    }

    /// Names of the packages of the tree.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.packages().map(|(package, _)| package.name.clone()).collect()
    }

    /// Where the lock file visibly does not fit the manifests: `E-LOCK-STALE`. The client itself, which knows every
    /// rule of its format, has the last word.
    pub(super) fn stale(&self, lock: &Lock) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let root = self.manifests.iter().find(|(path, _)| path.as_str() == MANIFEST);
        let root = root.and_then(|(_, manifest)| manifest.package.as_ref());
        for (package, manifest) in self.packages() {
            let entry =
                lock.packages.iter().find(|entry| entry.source.is_none() && entry.name == package.name);
            let Some(entry) = entry else {
                if root.is_some_and(|root| root.name == package.name) {
                    reasons.push(stale(format!("{} is not in it", package.name)));
                }
                continue;
            };
            if let Some(version) = package.version.as_ref().and_then(toml::Value::as_str)
                && version != entry.version
            {
                reasons.push(stale(format!("it has {}, the manifest {version}", entry.label())));
            }
            let known: BTreeSet<&str> =
                entry.dependencies.iter().filter_map(|dependency| dependency.split(' ').next()).collect();
            let missing = manifest.required().filter(|name| !known.contains(name));
            reasons.extend(
                missing.map(|name| stale(format!("{} depends on {name}, which is not in it", package.name))),
            );
        }
        reasons
    }

    /// Writes what the client sees below an empty directory.
    pub(super) fn write(&self, destination: BorrowedFd<'_>) -> Result<(), FsError> {
        let kept: BTreeMap<Digest, &RelPath> = self
            .skeleton
            .entries
            .iter()
            .filter_map(|(path, entry)| match entry {
                Entry::File { digest, size: 1.., .. } => Some((*digest, path)),
                _ => None,
            })
            .collect();
        let contents = |digest: &Digest| -> Result<Box<dyn std::io::Read>, FsError> {
            match kept.get(digest) {
                Some(path) => Ok(Box::new(open(self.root.as_fd(), path)?)),
                None => Ok(Box::new(std::io::empty())),
            }
        };
        plimsoll_fs::write_tree(&self.skeleton, &contents, destination, 0)
    }

    fn packages(&self) -> impl Iterator<Item = (&Package, &Manifest)> {
        self.manifests.values().filter_map(|manifest| Some((manifest.package.as_ref()?, manifest)))
    }
}

impl Manifest {
    /// Names of the packages that this one needs on every platform and with every set of features.
    fn required(&self) -> impl Iterator<Item = &str> {
        self.dependencies.iter().filter_map(|(key, value)| {
            let optional = value.get("optional").and_then(toml::Value::as_bool).unwrap_or(false);
            // A workspace can rename and make optional what a member only mentions.
            let inherited = value.get("workspace").is_some();
            let name = value.get("package").and_then(toml::Value::as_str).unwrap_or(key);
            (!optional && !inherited).then_some(name)
        })
    }
}

/// Files that tell the client or its launcher what to run, wherever they lie.
fn is_configuration(path: &RelPath) -> bool {
    path.components().any(|name| matches!(name, ".cargo" | ".git"))
        || matches!(path.file_name(), "rust-toolchain" | "rust-toolchain.toml")
}

fn manifest(root: BorrowedFd<'_>, path: &RelPath) -> Result<Manifest, FetchError> {
    let bytes = content(root, path, MAX_MANIFEST)?;
    let text = str::from_utf8(&bytes).map_err(|_| stale(format!("{path} is not UTF-8")))?;
    let parsed = toml::from_str(text);
    parsed.map_err(|error| stale(format!("{path} cannot be read: {}", error.message())).into())
}

fn content(root: BorrowedFd<'_>, path: &RelPath, limit: u64) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    let read = open(root, path)?.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| FetchError::io(format!("read {path}"), error))?;
    if bytes.len() as u64 > limit {
        return Err(stale(format!("{path} has more than {limit} bytes")).into());
    }
    Ok(bytes)
}

fn open(root: BorrowedFd<'_>, path: &RelPath) -> Result<File, FsError> {
    plimsoll_fs::open_beneath(root, path, Opened::File).map(File::from)
}

pub(super) fn stale(problem: impl std::fmt::Display) -> Reason {
    Code::LockStale.reason().with("problem", problem)
}

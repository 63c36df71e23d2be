//! One digest over many files that seldom change. Content is hashed once and then recognized by device, inode, size,
//! modification and change time; the last cannot be set by programs, so an edited file is always hashed again.

use plimsoll_model::Digest;
use std::{
    collections::HashMap,
    fmt::Write as _,
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Read},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

/// First line of a cache file; a file with another is not read.
const CACHE_VERSION: &str = "plimsoll-toolchain-cache 1";

/// What a set of directories contained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolchainManifest {
    /// SHA-256 over the sorted entries: kind, permissions, path, and digest of the content or target of the link. Times
    /// and owners are not part of it, so the same packages give the same digest on another machine.
    pub digest: Digest,
    /// Number of regular files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// Files whose content had to be read, because the cache did not know them.
    pub hashed: u64,
}

/// What identifies an unchanged file.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
struct Key {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Key {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn line(&self, digest: &Digest) -> String {
        let Self { device, inode, size, modified, changed } = self;
        let times = format!("{} {} {} {}", modified.0, modified.1, changed.0, changed.1);
        format!("{device} {inode} {size} {times} {}\n", digest.hex())
    }

    fn parse(line: &str) -> Option<(Self, Digest)> {
        let mut fields = line.split(' ');
        let mut unsigned = || fields.next()?.parse().ok();
        let (device, inode, size) = (unsigned()?, unsigned()?, unsigned()?);
        let mut signed = || fields.next()?.parse().ok();
        let (modified, changed) = ((signed()?, signed()?), (signed()?, signed()?));
        let digest = Digest::from_hex(fields.next()?).ok()?;
        Some((Self { device, inode, size, modified, changed }, digest))
    }
}

/// The manifest of everything below `roots`; symbolic links are entries and are not followed.
pub(crate) fn of(roots: &[&Path], cache: &Path) -> io::Result<ToolchainManifest> {
    let mut walk =
        Walk { known: read_cache(cache), used: String::new(), lines: String::new(), ..Walk::default() };
    let mut roots = roots.to_vec();
    roots.sort_unstable();
    roots.dedup();
    for root in roots {
        walk.directory(&fs::canonicalize(root)?, root)?;
    }
    if walk.hashed > 0 || walk.known.len() as u64 != walk.files {
        write_cache(cache, &walk.used);
    }
    let digest = Digest::of(walk.lines.as_bytes());
    Ok(ToolchainManifest { digest, files: walk.files, bytes: walk.bytes, hashed: walk.hashed })
}

#[derive(Default)]
struct Walk {
    known: HashMap<Key, Digest>,
    used: String,
    lines: String,
    files: u64,
    bytes: u64,
    hashed: u64,
}

impl Walk {
    fn directory(&mut self, directory: &Path, shown: &Path) -> io::Result<()> {
        let mut entries = match fs::read_dir(directory) {
            Ok(entries) => entries.collect::<io::Result<Vec<_>>>()?,
            // The command, who is less than we are, cannot read it either.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return self.line("unreadable", 0, shown, "");
            }
            Err(error) => return Err(error),
        };
        entries.sort_unstable_by_key(fs::DirEntry::file_name);
        for entry in entries {
            self.entry(&entry, &shown.join(entry.file_name()))?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, shown: &Path) -> io::Result<()> {
        let metadata = entry.metadata()?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            self.line("directory", metadata.mode(), shown, "")?;
            return self.directory(&entry.path(), shown);
        }
        if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            return self.line("link", 0, shown, &escaped(&target));
        }
        if !kind.is_file() {
            return self.line("special", metadata.mode(), shown, "");
        }
        let Some(digest) = self.content(&entry.path(), &metadata)? else {
            return self.line("unreadable", metadata.mode(), shown, "");
        };
        self.files += 1;
        self.bytes += metadata.size();
        self.line("file", metadata.mode(), shown, &digest.hex())
    }

    fn content(&mut self, path: &Path, metadata: &Metadata) -> io::Result<Option<Digest>> {
        let key = Key::of(metadata);
        let digest = match self.known.get(&key) {
            Some(digest) => *digest,
            None => match hash(path) {
                Ok(digest) => {
                    self.hashed += 1;
                    digest
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        self.used.push_str(&key.line(&digest));
        Ok(Some(digest))
    }

    fn line(&mut self, kind: &str, mode: u32, path: &Path, content: &str) -> io::Result<()> {
        writeln!(self.lines, "{kind} {:o} {} {content}", mode & 0o7777, escaped(path))
            .map_err(io::Error::other)
    }
}

/// The path without anything that could be taken for a separator of the manifest.
fn escaped(path: &Path) -> String {
    path.as_os_str().as_bytes().escape_ascii().to_string().replace(' ', "\\x20")
}

fn hash(path: &Path) -> io::Result<Digest> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(Digest::of(&bytes))
}

/// A cache that is missing or damaged is an empty one: then everything is hashed again.
fn read_cache(path: &Path) -> HashMap<Key, Digest> {
    let text = fs::read_to_string(path).unwrap_or_default();
    match text.split_once('\n') {
        Some((CACHE_VERSION, lines)) => lines.lines().filter_map(Key::parse).collect(),
        _ => HashMap::new(),
    }
}

/// A cache that cannot be written costs the next run time and nothing else: no disk is too full for a manifest.
fn write_cache(path: &Path, lines: &str) {
    let temporary = PathBuf::from(format!("{}.{}", path.display(), std::process::id()));
    let written = fs::write(&temporary, format!("{CACHE_VERSION}\n{lines}"));
    if written.and_then(|()| fs::rename(&temporary, path)).is_err() {
        let _ = fs::remove_file(&temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            fs::create_dir_all(tree.root().join("lib")).unwrap();
            fs::write(tree.root().join("cc"), "compiler").unwrap();
            fs::write(tree.root().join("lib/c.so"), "library").unwrap();
            symlink("cc", tree.root().join("gcc")).unwrap();
            tree
        }

        fn root(&self) -> PathBuf {
            self.0.path().join("tools")
        }

        fn manifest(&self) -> ToolchainManifest {
            of(&[&self.root()], &self.0.path().join("cache")).unwrap()
        }
    }

    #[test]
    fn the_second_run_reads_no_content_and_gives_the_same_digest() {
        let tree = Tree::new();
        let (first, second) = (tree.manifest(), tree.manifest());
        assert_eq!((first.files, first.bytes, first.hashed), (2, 15, 2));
        assert_eq!(second, ToolchainManifest { hashed: 0, ..first });
    }

    #[test]
    fn every_change_that_a_build_could_notice_changes_the_digest() {
        type Change = fn(&Path);
        let changes: [(&str, Change); 6] = [
            ("content", |root| fs::write(root.join("cc"), "COMPILER").unwrap()),
            ("a new file", |root| fs::write(root.join("ld"), "").unwrap()),
            ("a missing file", |root| fs::remove_file(root.join("cc")).unwrap()),
            ("another name", |root| fs::rename(root.join("cc"), root.join("c++")).unwrap()),
            ("permissions", |root| {
                fs::set_permissions(root.join("cc"), fs::Permissions::from_mode(0o755)).unwrap();
            }),
            ("a link's target", |root| {
                fs::remove_file(root.join("gcc")).unwrap();
                symlink("lib/c.so", root.join("gcc")).unwrap();
            }),
        ];
        for (what, change) in changes {
            let tree = Tree::new();
            let before = tree.manifest().digest;
            change(&tree.root());
            assert_ne!(tree.manifest().digest, before, "{what}");
        }
    }

    #[test]
    fn content_that_keeps_its_size_and_modification_time_is_noticed() {
        let tree = Tree::new();
        let before = tree.manifest().digest;
        let file = tree.root().join("cc");
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, "COMPILER").unwrap();
        File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
        assert_ne!(tree.manifest().digest, before);
    }

    /// The same manifest, and nothing left behind where there is no room for more.
    #[test]
    fn a_cache_that_cannot_be_written_changes_nothing() {
        let tree = Tree::new();
        let expected = tree.manifest();
        let cache = tree.0.path().join("taken");
        fs::create_dir(&cache).unwrap();
        for cache in [cache, tree.0.path().join("no/such/directory")] {
            let manifest = of(&[&tree.root()], &cache).unwrap();
            assert_eq!((manifest.digest, manifest.files), (expected.digest, expected.files));
        }
        let left: Vec<_> =
            fs::read_dir(tree.0.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left.len(), 3, "the tree, the cache and the directory: {left:?}");
    }

    #[test]
    fn a_damaged_cache_is_not_believed() {
        let tree = Tree::new();
        let first = tree.manifest();
        for damage in ["", "plimsoll-toolchain-cache 9\n", "plimsoll-toolchain-cache 1\n1 2 x\n\n"] {
            fs::write(tree.0.path().join("cache"), damage).unwrap();
            assert_eq!(tree.manifest(), first, "{damage:?}");
        }
    }
}

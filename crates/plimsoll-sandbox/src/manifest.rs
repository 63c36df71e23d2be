//! One digest over many files that seldom change. Content is hashed once and then recognized by device, inode, size,
//! modification and change time; the last cannot be set by programs, so an edited file is always hashed again.

use plimsoll_model::Digest;
use std::{
    borrow::Cow,
    ffi::OsStr,
    fmt::Write as _,
    fs::{self, DirEntry, File, Metadata},
    io::{self, ErrorKind, Read},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    thread,
};

/// First line of a cache file; a file with another is not read.
const CACHE_VERSION: &[u8] = b"plimsoll-toolchain-cache 2\n";

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

/// What identifies an unchanged file: device, inode, size, and seconds and nanoseconds of its modification and change.
type Key = [u64; 7];

/// Bytes of a key and a digest in a cache file.
const RECORD: usize = 7 * 8 + 32;

fn key(metadata: &Metadata) -> Key {
    let times = [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()];
    let [modified, modified_nanoseconds, changed, changed_nanoseconds] = times.map(i64::cast_unsigned);
    let (device, inode, size) = (metadata.dev(), metadata.ino(), metadata.size());
    [device, inode, size, modified, modified_nanoseconds, changed, changed_nanoseconds]
}

/// What is known of files from before.
pub(crate) struct Known {
    cache: PathBuf,
    /// Sorted by key.
    digests: Vec<(Key, Digest)>,
}

/// What one root contained.
pub(crate) struct Part {
    root: PathBuf,
    used: Vec<(Key, Digest)>,
    lines: String,
    files: u64,
    bytes: u64,
    hashed: u64,
}

impl Known {
    /// What the file `cache` remembers.
    pub(crate) fn of(cache: &Path) -> Self {
        Self { cache: cache.to_owned(), digests: read_cache(cache) }
    }

    /// Everything below `roots`, but for the directories `without`; symbolic links are entries and are not followed. Each
    /// root is read in a thread of its own: there are some ten thousand files, and whoever asks waits for them.
    pub(crate) fn read(&self, roots: &[&Path], without: &[PathBuf]) -> io::Result<Vec<Part>> {
        let read = |root: &Path| {
            let mut walk = Walk { without, known: &self.digests, part: Part::of(root) };
            walk.directory(&fs::canonicalize(root)?, root)?;
            Ok(walk.part)
        };
        let read = &read;
        thread::scope(|scope| {
            let threads: Vec<_> = roots.iter().map(|root| scope.spawn(move || read(root))).collect();
            let broke_off = |_| Err(io::Error::other("reading a directory broke off"));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(broke_off)).collect()
        })
    }

    /// The manifest of all parts, each root once and in order. What is known from now on is kept.
    pub(crate) fn manifest(&self, mut parts: Vec<Part>) -> ToolchainManifest {
        parts.sort_unstable_by(|a, b| a.root.cmp(&b.root));
        parts.dedup_by(|a, b| a.root == b.root);
        let sum = |count: fn(&Part) -> u64| parts.iter().map(count).sum::<u64>();
        let (files, bytes, hashed) =
            (sum(|part| part.files), sum(|part| part.bytes), sum(|part| part.hashed));
        let lines: String = parts.iter().map(|part| part.lines.as_str()).collect();
        if hashed > 0 || self.digests.len() as u64 != files {
            write_cache(&self.cache, parts.into_iter().flat_map(|part| part.used).collect());
        }
        ToolchainManifest { digest: Digest::of(lines.as_bytes()), files, bytes, hashed }
    }
}

impl Part {
    fn of(root: &Path) -> Self {
        Self { root: root.to_owned(), used: Vec::new(), lines: String::new(), files: 0, bytes: 0, hashed: 0 }
    }
}

/// Each file costs one `statx` and a look into a sorted list.
struct Walk<'a> {
    without: &'a [PathBuf],
    known: &'a [(Key, Digest)],
    part: Part,
}

impl Walk<'_> {
    fn directory(&mut self, directory: &Path, shown: &Path) -> io::Result<()> {
        let mut entries = match fs::read_dir(directory) {
            Ok(entries) => entries
                .map(|entry| entry.map(|entry| (entry.file_name(), entry)))
                .collect::<io::Result<Vec<_>>>()?,
            // The command, who is less than we are, cannot read it either.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                self.line("unreadable", 0, &escaped(shown.as_os_str()), "");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let above = escaped(shown.as_os_str());
        for (name, entry) in entries {
            match self.entry(&entry, &format!("{above}/{}", escaped(&name)), || shown.join(&name)) {
                // Packages come and go while we look: what is gone by now is not there.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, text: &str, shown: impl Fn() -> PathBuf) -> io::Result<()> {
        if entry.file_type()?.is_symlink() {
            let target = fs::read_link(entry.path())?;
            self.line("link", 0, text, escaped(target.as_os_str()));
            return Ok(());
        }
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            let shown = shown();
            if !self.without.contains(&shown) {
                self.line("directory", metadata.mode(), text, "");
                self.directory(&entry.path(), &shown)?;
            }
        } else if !metadata.is_file() {
            self.line("special", metadata.mode(), text, "");
        } else if let Some(digest) = self.content(entry, &metadata)? {
            self.part.files += 1;
            self.part.bytes += metadata.size();
            self.line("file", metadata.mode(), text, digest.hex());
        } else {
            self.line("unreadable", metadata.mode(), text, "");
        }
        Ok(())
    }

    fn content(&mut self, entry: &DirEntry, metadata: &Metadata) -> io::Result<Option<Digest>> {
        let key = key(metadata);
        let digest = match self.known.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(at) => self.known[at].1,
            Err(_) => match hash(&entry.path()) {
                Ok(digest) => {
                    self.part.hashed += 1;
                    digest
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(None),
                Err(error) => return Err(error),
            },
        };
        self.part.used.push((key, digest));
        Ok(Some(digest))
    }

    fn line(&mut self, kind: &str, mode: u32, path: &str, content: impl std::fmt::Display) {
        // Text that is written to a string always fits.
        let _ = writeln!(self.part.lines, "{kind} {:o} {path} {content}", mode & 0o7777);
    }
}

/// The path without anything that could be taken for a separator of the manifest.
fn escaped(path: &OsStr) -> Cow<'_, str> {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\\'\"".contains(byte);
    match path.to_str() {
        Some(text) if text.bytes().all(|byte| plain(&byte)) => text.into(),
        _ => path.as_bytes().escape_ascii().to_string().replace(' ', "\\x20").into(),
    }
}

fn hash(path: &Path) -> io::Result<Digest> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(Digest::of(&bytes))
}

/// A cache that is missing or damaged is an empty one: then everything is hashed again.
fn read_cache(path: &Path) -> Vec<(Key, Digest)> {
    let bytes = fs::read(path).unwrap_or_default();
    let records = bytes.strip_prefix(CACHE_VERSION).unwrap_or_default().chunks_exact(RECORD);
    let mut known: Vec<_> = records.filter_map(parse).collect();
    if !known.is_sorted() {
        known.sort_unstable();
    }
    known
}

fn parse(record: &[u8]) -> Option<(Key, Digest)> {
    let (numbers, digest) = record.split_at_checked(RECORD - 32)?;
    let mut key = Key::default();
    for (number, bytes) in key.iter_mut().zip(numbers.chunks_exact(8)) {
        *number = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    Some((key, Digest::from_bytes(digest.try_into().ok()?)))
}

/// A cache that cannot be written costs the next run time and nothing else: no disk is too full for a manifest.
fn write_cache(path: &Path, mut used: Vec<(Key, Digest)>) {
    used.sort_unstable();
    let mut bytes = CACHE_VERSION.to_vec();
    for (key, digest) in used {
        bytes.extend(key.into_iter().flat_map(u64::to_le_bytes));
        bytes.extend_from_slice(digest.as_bytes());
    }
    let temporary = PathBuf::from(format!("{}.{}", path.display(), std::process::id()));
    let written = fs::write(&temporary, bytes);
    if written.and_then(|()| fs::rename(&temporary, path)).is_err() {
        let _ = fs::remove_file(&temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn manifest(roots: &[&Path], without: &[PathBuf], cache: &Path) -> ToolchainManifest {
        let known = Known::of(cache);
        known.manifest(known.read(roots, without).unwrap())
    }

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
            manifest(&[&self.root()], &[self.root().join("share/doc")], &self.0.path().join("cache"))
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
    fn roots_are_read_once_and_their_order_does_not_matter() {
        let (one, other) = (Tree::new(), Tree::new());
        let cache = one.0.path().join("cache");
        let (a, b) = (one.root(), other.root());
        let expected = manifest(&[&a, &b], &[], &cache);
        assert_eq!((expected.files, expected.hashed), (4, 4));
        for roots in [&[&*b, &*a][..], &[&a, &b, &a]] {
            let found = manifest(roots, &[], &cache);
            assert_eq!((found.digest, found.files, found.hashed), (expected.digest, 4, 0));
        }
        assert_ne!(manifest(&[&a], &[], &cache).digest, expected.digest);
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
            let manifest = manifest(&[&tree.root()], &[], &cache);
            assert_eq!((manifest.digest, manifest.files), (expected.digest, expected.files));
        }
        let left: Vec<_> =
            fs::read_dir(tree.0.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left.len(), 3, "the tree, the cache and the directory: {left:?}");
    }

    #[test]
    fn documentation_of_a_toolchain_decides_nothing() {
        let tree = Tree::new();
        let before = tree.manifest();
        fs::create_dir_all(tree.root().join("share/doc/html")).unwrap();
        fs::write(tree.root().join("share/doc/html/index.html"), "read me").unwrap();
        let after = tree.manifest();
        assert_eq!((after.files, after.hashed), (before.files, 0));
        fs::write(tree.root().join("share/data"), "of a program").unwrap();
        assert_ne!(tree.manifest().digest, after.digest);
    }

    #[test]
    fn names_cannot_be_taken_for_another_entry() {
        for (name, shown) in [
            ("libstdc++.so.6", "libstdc++.so.6"),
            ("a b", "a\\x20b"),
            ("a\nfile 644 x", "a\\nfile\\x20644\\x20x"),
            ("a\\x20b", "a\\\\x20b"),
            ("ü", "\\xc3\\xbc"),
        ] {
            assert_eq!(escaped(name.as_ref()), shown);
        }
    }

    #[test]
    fn a_damaged_cache_is_not_believed() {
        let tree = Tree::new();
        let first = tree.manifest();
        let good = fs::read(tree.0.path().join("cache")).unwrap();
        let short = &good[..good.len() - 1];
        for damage in [b"", &b"plimsoll-toolchain-cache 9\n"[..], &CACHE_VERSION[1..], short] {
            fs::write(tree.0.path().join("cache"), damage).unwrap();
            assert_eq!(tree.manifest().digest, first.digest, "{damage:?}");
            assert_eq!(tree.manifest().hashed, 0, "it was written again");
        }
    }
}

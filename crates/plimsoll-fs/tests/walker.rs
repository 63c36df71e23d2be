//! What the walker takes, what it refuses, and what stays out of its reach. Attacks stand beside their benign twins.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up its case fails")]

use plimsoll_fs::{
    FsError, Limits, Opened, Select, Sink, create_directory, freeze, hash_tree, open_and_hash, open_beneath,
    remove_tree, sealed_copy, settle, write_tree,
};
use plimsoll_model::{Code, Digest, Entry, RelPath, Tree};
use proptest::prelude::*;
use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    process::geteuid,
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read, Write},
    os::{
        fd::{AsFd, AsRawFd},
        unix::{ffi::OsStrExt, fs::MetadataExt, fs::PermissionsExt, fs::symlink},
    },
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};
use tempfile::TempDir;

/// Blobs in memory.
#[derive(Default)]
struct Memory(BTreeMap<Digest, Vec<u8>>);

impl Sink for Memory {
    fn store(&mut self, content: &mut dyn Read) -> Result<Digest, FsError> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|error| FsError::io("read", error))?;
        let digest = Digest::of(&bytes);
        self.0.insert(digest, bytes);
        Ok(digest)
    }
}

impl Memory {
    fn get(&self, digest: &Digest) -> Result<Box<dyn Read>, FsError> {
        let bytes = self.0.get(digest).cloned();
        bytes.map_or_else(
            || Err(FsError::io("find a blob", io::ErrorKind::NotFound)),
            |bytes| Ok(Box::new(io::Cursor::new(bytes)) as Box<dyn Read>),
        )
    }
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn path(text: &str) -> RelPath {
    text.parse().unwrap()
}

fn take(root: &Path) -> Result<Tree, FsError> {
    freeze(File::open(root).unwrap().as_fd(), Select::Everything, &mut Memory::default(), Limits::default())
}

fn take_paths(root: &Path, paths: &[&str]) -> Result<Tree, FsError> {
    let paths: Vec<_> = paths.iter().map(|text| path(text)).collect();
    let select = Select::Paths(&paths);
    freeze(File::open(root).unwrap().as_fd(), select, &mut Memory::default(), Limits::default())
}

fn file(content: &[u8], executable: bool) -> Entry {
    Entry::File { digest: Digest::of(content), size: content.len() as u64, executable }
}

/// The refusal as its code and its two facts, whichever it has.
fn refusal(result: Result<Tree, FsError>) -> String {
    match result {
        Err(FsError::Refused(reason)) => {
            let facts = ["path", "kind", "limit"].iter().filter_map(|name| reason.parameters.get(*name));
            let facts: Vec<_> = facts.map(String::as_str).collect();
            format!("{} {}", reason.code, facts.join(": "))
        }
        Err(error) => format!("{error:?}"),
        Ok(tree) => format!("taken: {:?}", tree.entries.keys()),
    }
}

/// What an attacker leaves in the output directory, and what comes of it.
#[test]
fn tricks_are_refused_by_name() {
    type Trick = fn(&Path);
    let tricks: &[(Trick, &str)] = &[
        (|d| fifo(&d.join("x")), "E-OUT-KIND x: a fifo"),
        (|d| socket(&d.join("x")), "E-OUT-KIND x: a socket"),
        (hard_link, "E-OUT-KIND a: a file with more than one link"),
        (
            |d| symlink("/etc/passwd", d.join("x")).unwrap(),
            "E-OUT-KIND x: a symbolic link that leads outside",
        ),
        (|d| symlink("..", d.join("x")).unwrap(), "E-OUT-KIND x: a symbolic link that leads outside"),
        (chain, "E-OUT-KIND d/two: a symbolic link that leads outside"),
        (|d| write(d, "a\nb"), "E-OUT-KIND a\u{fffd}b: named with a control character"),
        (|d| write(d, "a\u{1b}[2J"), "E-OUT-KIND a\u{fffd}[2J: named with a control character"),
        (not_utf8, "E-OUT-KIND d/\u{fffd}: named with bytes that are not UTF-8"),
        (sparse, "E-OUT-LIMIT 4294967296 bytes"),
        (
            |d| fs::create_dir_all(d.join(["d"; 65].join("/"))).unwrap(),
            "E-OUT-LIMIT 64 levels of directories",
        ),
    ];
    for (trick, expected) in tricks {
        let root = directory();
        trick(root.path());
        assert_eq!(refusal(take(root.path())), *expected);
    }
}

fn write(directory: &Path, name: &str) {
    fs::write(directory.join(name), name).unwrap();
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

fn socket(path: &Path) {
    drop(std::os::unix::net::UnixListener::bind(path).unwrap());
}

fn hard_link(directory: &Path) {
    write(directory, "a");
    fs::hard_link(directory.join("a"), directory.join("b")).unwrap();
}

/// Each link alone looks as if it stayed inside.
fn chain(directory: &Path) {
    fs::create_dir(directory.join("d")).unwrap();
    symlink("d", directory.join("one")).unwrap();
    symlink("../one/../..", directory.join("d/two")).unwrap();
}

fn not_utf8(directory: &Path) {
    fs::create_dir(directory.join("d")).unwrap();
    fs::write(directory.join("d").join(OsStr::from_bytes(b"\xff")), "").unwrap();
}

fn sparse(directory: &Path) {
    File::create(directory.join("giant")).unwrap().set_len(1 << 40).unwrap();
}

#[test]
fn an_honest_tree_is_taken_whole() {
    let root = directory();
    fs::create_dir_all(root.path().join("bin/deep")).unwrap();
    fs::create_dir(root.path().join("empty")).unwrap();
    fs::write(root.path().join("bin/shop"), "binary").unwrap();
    fs::set_permissions(root.path().join("bin/shop"), fs::Permissions::from_mode(0o711)).unwrap();
    fs::write(root.path().join("bin/deep/name with spaces ä"), "").unwrap();
    symlink("bin/shop", root.path().join("link")).unwrap();
    symlink("../shop", root.path().join("bin/deep/up")).unwrap();
    symlink("nowhere", root.path().join("dangling")).unwrap();
    let mut expected = Tree::default();
    for (name, entry) in [
        ("bin/shop", file(b"binary", true)),
        ("bin/deep/name with spaces ä", file(b"", false)),
        ("bin/deep/up", Entry::Symlink { target: "../shop".into() }),
        ("link", Entry::Symlink { target: "bin/shop".into() }),
        ("dangling", Entry::Symlink { target: "nowhere".into() }),
        ("empty", Entry::EmptyDirectory),
    ] {
        expected.entries.insert(path(name), entry);
    }
    assert_eq!(take(root.path()).unwrap(), expected);
    let again = hash_tree(File::open(root.path()).unwrap().as_fd(), Limits::default()).unwrap();
    assert_eq!(again, expected);
}

#[test]
fn a_device_is_refused_where_one_can_be_made() {
    let root = directory();
    let device = root.path().join("null");
    let made = mknodat(CWD, &device, FileType::CharacterDevice, Mode::RUSR, rustix::fs::makedev(1, 3));
    match made {
        Ok(()) => assert_eq!(refusal(take(root.path())), "E-OUT-KIND null: a device"),
        // The kernel keeps ordinary users from making one; the walker then meets the machine's own.
        Err(errno) => {
            assert!(!geteuid().is_root() || errno == rustix::io::Errno::PERM);
            let real = take_paths(Path::new("/dev"), &["null"]);
            assert_eq!(refusal(real), "E-OUT-KIND null: a device");
        }
    }
}

#[test]
fn another_mount_is_not_entered() {
    // `/proc` is a mount below `/` on every machine that runs Plimsoll.
    let refused = take_paths(Path::new("/"), &["proc/self/status"]);
    assert_eq!(refusal(refused), "E-OUT-KIND proc/self/status: on another file system");
    let same_mount = take_paths(Path::new("/proc/self/task"), &["nothing"]);
    assert_eq!(refusal(same_mount), "E-OUT-MISSING nothing");
}

#[test]
fn only_what_is_listed_is_taken_and_must_be_there() {
    let root = directory();
    fs::create_dir(root.path().join("out")).unwrap();
    write(root.path(), "out/a");
    write(root.path(), "left");
    let tree = take_paths(root.path(), &["out", "out/a"]).unwrap();
    assert_eq!(tree.entries.keys().map(RelPath::as_str).collect::<Vec<_>>(), ["out/a"]);
    assert_eq!(refusal(take_paths(root.path(), &["gone"])), "E-OUT-MISSING gone");
    assert_eq!(refusal(take_paths(root.path(), &["left/a"])), "E-OUT-MISSING left/a");
    symlink("out", root.path().join("link")).unwrap();
    assert_eq!(refusal(take_paths(root.path(), &["link/a"])), "E-OUT-KIND link/a: behind a symbolic link");
    assert!(take_paths(root.path(), &["link"]).is_ok(), "a link itself is data");
}

#[test]
fn limits_hold_at_their_border() {
    let root = directory();
    fs::create_dir(root.path().join("d")).unwrap();
    fs::write(root.path().join("d/a"), [0; 10]).unwrap();
    fs::write(root.path().join("d/b"), [0; 10]).unwrap();
    let limited = |bytes, entries, depth| {
        let limits = Limits { bytes, entries, depth, ..Limits::default() };
        refusal(hash_tree(File::open(root.path()).unwrap().as_fd(), limits))
    };
    assert!(limited(20, 3, 2).starts_with("taken"));
    assert_eq!(limited(19, 3, 2), "E-OUT-LIMIT 19 bytes");
    assert_eq!(limited(20, 2, 2), "E-OUT-LIMIT 2 entries");
    assert_eq!(limited(20, 3, 1), "E-OUT-LIMIT 1 levels of directories");
}

/// A sink during whose work somebody else writes.
struct Interrupted<F: FnMut()>(F);

impl<F: FnMut()> Sink for Interrupted<F> {
    fn store(&mut self, content: &mut dyn Read) -> Result<Digest, FsError> {
        (self.0)();
        Memory::default().store(content)
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
    let grow = |p: &Path| File::options().append(true).open(p).unwrap().write_all(b"more").unwrap();
    let shrink = |p: &Path| File::options().write(true).open(p).unwrap().set_len(1).unwrap();
    let link = |p: &Path| fs::hard_link(p, p.with_extension("second")).unwrap();
    let nothing = |_: &Path| ();
    type Change = fn(&Path);
    let changes: [(Change, bool); 4] = [(grow, true), (shrink, true), (link, true), (nothing, false)];
    for (change, refused) in changes {
        let root = directory();
        let target = root.path().join("a");
        fs::write(&target, "content").unwrap();
        let mut sink = Interrupted(|| change(&target));
        let root = File::open(root.path()).unwrap();
        let result = freeze(root.as_fd(), Select::Everything, &mut sink, Limits::default());
        let expected = if refused { "E-OUT-KIND a: changing while it is read" } else { "taken: [a]" };
        assert_eq!(refusal(result), expected);
    }
}

/// Somebody swaps a directory for a link to a secret as fast as they can; the secret never ends up in a tree.
#[test]
fn a_directory_swapped_for_a_link_gives_nothing_away() {
    let (root, outside) = (directory(), directory());
    fs::write(outside.path().join("secret"), "secret").unwrap();
    fs::create_dir(root.path().join("d")).unwrap();
    fs::write(root.path().join("d/secret"), "harmless").unwrap();
    symlink(outside.path(), root.path().join("link")).unwrap();
    let stop = AtomicBool::new(false);
    let (taken, refused) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                exchange(root.path(), "d", "link");
            }
        });
        let counts = race(root.path());
        stop.store(true, Ordering::Relaxed);
        counts
    });
    assert_eq!(taken + refused, 2000);
    assert!(refused > 0, "the race was never won, so this test showed nothing");
}

fn exchange(root: &Path, one: &str, other: &str) {
    let flags = rustix::fs::RenameFlags::EXCHANGE;
    rustix::fs::renameat_with(CWD, root.join(one), CWD, root.join(other), flags).unwrap();
}

fn race(root: &Path) -> (usize, usize) {
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..2000 {
        match take_paths(root, &["d/secret"]) {
            Ok(tree) => {
                assert_eq!(tree.entries[&path("d/secret")], file(b"harmless", false));
                taken += 1;
            }
            Err(error) => {
                assert!(matches!(error.code(), Some(Code::OutKind | Code::OutMissing)), "{error:?}");
                refused += 1;
            }
        }
    }
    (taken, refused)
}

#[test]
fn what_is_opened_lies_beneath() {
    let root = directory();
    fs::create_dir(root.path().join("d")).unwrap();
    write(root.path(), "d/a");
    symlink("d", root.path().join("link")).unwrap();
    fifo(&root.path().join("fifo"));
    let root = File::open(root.path()).unwrap();
    let opens = |name: &str, opened| open_beneath(root.as_fd(), &path(name), opened).is_ok();
    for (name, opened, expected) in [
        ("d/a", Opened::File, true),
        ("d", Opened::Directory, true),
        ("d", Opened::File, false),
        ("d/a", Opened::Directory, false),
        ("link/a", Opened::File, false),
        ("link", Opened::Directory, false),
        ("fifo", Opened::File, false),
    ] {
        assert_eq!(opens(name, opened), expected, "{name} as {opened:?}");
    }
    let fd = open_beneath(root.as_fd(), &path("d/a"), Opened::File).unwrap();
    assert_eq!(open_and_hash(fd.as_fd()).unwrap(), Digest::of(b"d/a"));
}

fn written(tree: &Tree, memory: &Memory) -> Result<TempDir, FsError> {
    let root = directory();
    write_tree(tree, &|digest| memory.get(digest), File::open(root.path()).unwrap().as_fd(), 86_400)?;
    Ok(root)
}

#[test]
fn a_written_tree_has_fixed_modes_and_times() {
    let mut memory = Memory::default();
    let mut tree = Tree::default();
    let digest = memory.store(&mut &b"#!/bin/sh\n"[..]).unwrap();
    tree.entries.insert(path("bin/run"), Entry::File { digest, size: 10, executable: true });
    tree.entries.insert(path("bin/text"), Entry::File { digest, size: 10, executable: false });
    tree.entries.insert(path("empty"), Entry::EmptyDirectory);
    tree.entries.insert(path("link"), Entry::Symlink { target: "bin/run".into() });
    let root = written(&tree, &memory).unwrap();
    for (name, mode) in
        [("bin/run", 0o100_555), ("bin/text", 0o100_444), ("bin", 0o40_755), ("empty", 0o40_755)]
    {
        let metadata = fs::symlink_metadata(root.path().join(name)).unwrap();
        assert_eq!((metadata.mode(), metadata.mtime()), (mode, 86_400), "{name}");
    }
    let link = fs::symlink_metadata(root.path().join("link")).unwrap();
    assert_eq!((link.file_type().is_symlink(), link.mtime()), (true, 86_400));
    assert_eq!(take(root.path()).unwrap(), tree);
}

#[test]
fn content_that_does_not_fit_its_name_is_not_written_silently() {
    let wrong = Digest::of(b"expected");
    for (content, size) in
        [(&b"tampered"[..], 8), (b"expected and more", 8), (b"expect", 8), (b"expected", 7)]
    {
        let mut memory = Memory::default();
        memory.0.insert(wrong, content.to_vec());
        let mut tree = Tree::default();
        tree.entries.insert(path("a"), Entry::File { digest: wrong, size, executable: false });
        let code = written(&tree, &memory).err().and_then(|error| error.code());
        assert_eq!(code, Some(Code::DigestMismatch), "{size} bytes of {}", String::from_utf8_lossy(content));
    }
}

#[test]
fn nothing_that_exists_is_reused_or_replaced() {
    let mut memory = Memory::default();
    let digest = memory.store(&mut &b"x"[..]).unwrap();
    let entry = Entry::File { digest, size: 1, executable: false };
    let tree = |name: &str| Tree { entries: [(path(name), entry.clone())].into() };
    type Obstacle = fn(&Path);
    let obstacles: &[(&str, Obstacle)] = &[
        ("a", |d| write(d, "a")),
        ("a", |d| symlink("/tmp", d.join("a")).unwrap()),
        ("a/b", |d| symlink("/tmp", d.join("a")).unwrap()),
        ("a/b", |d| fs::create_dir(d.join("a")).unwrap()),
    ];
    for (name, obstacle) in obstacles {
        let root = directory();
        obstacle(root.path());
        let fd = File::open(root.path()).unwrap();
        let result = write_tree(&tree(name), &|digest| memory.get(digest), fd.as_fd(), 0);
        assert!(
            matches!(result, Err(FsError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists)
        );
    }
    let root = written(&tree("a/b"), &memory).unwrap();
    assert_eq!(fs::read(root.path().join("a/b")).unwrap(), b"x");
}

#[test]
fn a_tree_cannot_write_a_link_that_leads_outside() {
    for (target, code) in [("/etc", Some(Code::OutKind)), ("../x", Some(Code::OutKind)), ("inside", None)] {
        let entry = Entry::Symlink { target: target.into() };
        let tree = Tree { entries: [(path("a"), entry)].into() };
        assert_eq!(written(&tree, &Memory::default()).err().and_then(|e| e.code()), code, "{target}");
    }
}

#[test]
fn a_sealed_copy_runs_and_cannot_be_changed() {
    let program = fs::read("/bin/true").unwrap();
    let digest = Digest::of(&program);
    let fd = sealed_copy(&mut &program[..], &digest, 1 << 26).unwrap();
    let status = Command::new(format!("/proc/self/fd/{}", fd.as_raw_fd())).status().unwrap();
    assert!(status.success());
    let mut file = File::from(fd);
    assert!(file.write_all(b"x").is_err());
    assert!(file.set_len(0).is_err());
    let reopened = File::options().append(true).open(format!("/proc/self/fd/{}", file.as_raw_fd()));
    assert!(reopened.and_then(|mut again| again.write_all(b"x")).is_err());
    assert_eq!(open_and_hash(file.as_fd()).unwrap(), digest);
}

#[test]
fn a_sealed_copy_of_something_else_is_refused() {
    let expected = Digest::of(b"expected");
    let code = |bytes: &[u8], limit| sealed_copy(&mut &*bytes, &expected, limit).err().map(|e| e.code());
    assert_eq!(code(b"expected", 8), None);
    assert_eq!(code(b"tampered", 8), Some(Some(Code::DigestMismatch)));
    assert_eq!(code(b"expected", 7), Some(None));
}

#[test]
fn removing_reaches_nothing_outside() {
    let (parent, outside) = (directory(), directory());
    write(outside.path(), "keep");
    let fd = File::open(parent.path()).unwrap();
    let run = create_directory(fd.as_fd(), &path("run")).unwrap();
    assert_eq!(File::from(run).metadata().unwrap().mode(), 0o40_700);
    let root = parent.path().join("run");
    symlink(outside.path(), root.join("link")).unwrap();
    fs::hard_link(outside.path().join("keep"), root.join("hard")).unwrap();
    fs::create_dir(root.join("locked")).unwrap();
    write(&root, "locked/a");
    fs::set_permissions(root.join("locked"), fs::Permissions::from_mode(0o000)).unwrap();
    fifo(&root.join("fifo"));
    remove_tree(fd.as_fd(), &path("run")).unwrap();
    assert!(!root.exists());
    assert_eq!(fs::read(outside.path().join("keep")).unwrap(), b"keep");
    remove_tree(fd.as_fd(), &path("run")).unwrap();
}

#[test]
fn a_link_in_place_of_the_run_directory_is_not_followed() {
    let (parent, outside) = (directory(), directory());
    write(outside.path(), "keep");
    symlink(outside.path(), parent.path().join("run")).unwrap();
    let fd = File::open(parent.path()).unwrap();
    assert!(remove_tree(fd.as_fd(), &path("run")).is_err());
    assert!(create_directory(fd.as_fd(), &path("run")).is_err());
    assert!(outside.path().join("keep").exists());
}

/// Deeper than any path can name, and with more levels than a process may have descriptors.
#[test]
fn endless_depth_is_removed_with_few_descriptors() {
    let parent = directory();
    let fd = File::open(parent.path()).unwrap();
    let mut current = create_directory(fd.as_fd(), &path("run")).unwrap();
    for _ in 0..3000 {
        current = create_directory(current.as_fd(), &path("some-directory")).unwrap();
    }
    drop(current);
    remove_tree(fd.as_fd(), &path("run")).unwrap();
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

prop_compose! {
    fn any_tree()(files in prop::collection::btree_map("[a-c]/[a-c]/[a-z ]{1,4}|[d-f]", (prop::collection::vec(any::<u8>(), 0..40), any::<bool>()), 0..8))
        -> (Tree, Vec<Vec<u8>>)
    {
        let contents = files.values().map(|(content, _)| content.clone()).collect();
        let entries = files.iter().map(|(name, (content, executable))| (path(name), file(content, *executable)));
        (Tree { entries: entries.collect() }, contents)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_frozen_as_the_same_tree((tree, contents) in any_tree()) {
        let memory = RefCell::new(Memory::default());
        for content in &contents {
            memory.borrow_mut().store(&mut &content[..]).unwrap();
        }
        let root = written(&tree, &memory.borrow()).unwrap();
        let frozen = take(root.path()).unwrap();
        prop_assert_eq!(frozen.digest().unwrap(), tree.digest().unwrap());
        prop_assert_eq!(frozen, tree);
    }
}

#[test]
fn what_is_settled_takes_nothing_more() {
    let mut memory = Memory::default();
    let digest = memory.store(&mut &b"x"[..]).unwrap();
    let mut tree = Tree::default();
    for name in ["a", "d/b", "d/e/c"] {
        tree.entries.insert(path(name), Entry::File { digest, size: 1, executable: false });
    }
    tree.entries.insert(path("empty"), Entry::EmptyDirectory);
    tree.entries.insert(path("link"), Entry::Symlink { target: "d/b".into() });
    let root = written(&tree, &memory).unwrap();
    settle(&tree, File::open(root.path()).unwrap().as_fd()).unwrap();
    for name in [".", "d", "d/e", "empty"] {
        assert_eq!(fs::metadata(root.path().join(name)).unwrap().mode() & 0o7777, 0o555, "{name}");
    }
    assert_eq!(take(root.path()).unwrap(), tree);
    // A file that is not there was not written.
    tree.entries.insert(path("d/more"), Entry::File { digest, size: 1, executable: false });
    assert!(settle(&tree, File::open(root.path()).unwrap().as_fd()).is_err());
    let parent = File::open(root.path().parent().unwrap()).unwrap();
    remove_tree(parent.as_fd(), &path(root.path().file_name().unwrap().to_str().unwrap())).unwrap();
}

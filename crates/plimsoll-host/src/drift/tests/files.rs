//! Unpacked files, changed in each way that matters.

use super::{super::files, *};
use plimsoll_fs::Limits;
use std::{
    fs::Permissions,
    os::unix::fs::{PermissionsExt as _, symlink},
};

/// Files as they are unpacked.
pub(super) fn unpack(root: &Path) -> Tree {
    for directory in [root.to_owned(), root.join("bin"), root.join("empty")] {
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    }
    for (name, content, mode) in [("bin/app", "machine code", 0o555), ("data", "data", 0o444)] {
        fs::write(root.join(name), content).unwrap();
        fs::set_permissions(root.join(name), Permissions::from_mode(mode)).unwrap();
    }
    symlink("bin/app", root.join("app")).unwrap();
    plimsoll_fs::hash_tree(File::open(root).unwrap().as_fd(), Limits::default()).unwrap()
}

/// Writes over a read-only file, in place and with its old times.
fn overwrite(path: &Path, content: &str) {
    let metadata = fs::metadata(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    let mut file = File::options().write(true).truncate(true).open(path).unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file.set_modified(metadata.modified().unwrap()).unwrap();
    file.set_permissions(metadata.permissions()).unwrap();
}

type Tampering = (&'static str, fn(&Path), &'static str);

const TAMPERINGS: &[Tampering] = &[
    (
        "another content of the same length",
        |root| overwrite(&root.join("data"), "DATA"),
        "data has another content",
    ),
    ("a longer file", |root| overwrite(&root.join("data"), "data and more"), "data has another content"),
    ("a new file", |root| fs::write(root.join("bin/extra"), "x").unwrap(), "bin/extra was added"),
    (
        "a new file in an empty directory",
        |root| fs::write(root.join("empty/x"), "").unwrap(),
        "empty is missing",
    ),
    ("a new directory", |root| fs::create_dir(root.join("new")).unwrap(), "new was added"),
    ("a file less", |root| fs::remove_file(root.join("data")).unwrap(), "data is missing"),
    (
        "an executable that is none any more",
        |root| chmod(&root.join("bin/app"), 0o444),
        "bin/app is executable",
    ),
    ("a file that others may write to", |root| chmod(&root.join("data"), 0o466), "data has mode 466"),
    ("a directory that others may write to", |root| chmod(&root.join("bin"), 0o777), "bin has mode 777"),
    ("a set-user-id file", |root| chmod(&root.join("bin/app"), 0o4555), "bin/app has mode 4555"),
    ("a link to elsewhere", |root| relink(root, "data"), "app points elsewhere"),
    ("a link to the outside", |root| relink(root, "/etc/passwd"), "leads outside"),
    (
        "a second name outside",
        |root| fs::hard_link(root.join("data"), root.with_extension("x")).unwrap(),
        "link",
    ),
    (
        "a name that clears the screen",
        |root| fs::write(root.join("a\u{1b}[2J"), "").unwrap(),
        "control character",
    ),
    ("a file for a directory", |root| exchange(&root.join("empty")), "empty is of another kind"),
    ("no files at all", |root| fs::rename(root, root.with_extension("x")).unwrap(), "no directory any more"),
];

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn relink(root: &Path, target: &str) {
    fs::remove_file(root.join("app")).unwrap();
    symlink(target, root.join("app")).unwrap();
}

fn exchange(directory: &Path) {
    fs::remove_dir(directory).unwrap();
    fs::write(directory, "").unwrap();
}

#[test]
fn each_change_of_unpacked_files_is_drift_at_the_next_look() {
    let (service, expected) = echo(path_only());
    for (what, tamper, cause) in TAMPERINGS {
        for (name, kind) in [("root", DriftKind::Files), ("config", DriftKind::Config)] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(name);
            let tree = Some((path.clone(), unpack(&path)));
            let mut expected = expected.clone();
            if kind == DriftKind::Files {
                expected.root = tree
            } else {
                expected.config = tree
            }
            let mut memory = Memory::default();
            assert_eq!(seen(&service, &expected, &mut memory), [], "{what}");
            assert_eq!(seen(&service, &expected, &mut memory), [], "{what}");
            tamper(&path);
            for _ in 0..2 {
                let found = seen(&service, &expected, &mut memory);
                assert_eq!(kinds(&found), [kind], "{what}");
                assert!(found[0].cause.contains(cause), "{what}: {found:?}");
                assert!(!found[0].cause.contains(char::is_control), "{what}");
            }
        }
    }
}

#[test]
fn files_that_were_only_looked_at_are_no_drift() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let tree = unpack(&root);
    let mut memory = None;
    for full in [true, false, true] {
        assert_eq!(fs::read(root.join("data")).unwrap(), b"data");
        assert_eq!(files::difference(&root, &tree, &mut memory, full).unwrap(), None);
    }
    // A touched file is read again, and found to be the same.
    File::options().read(true).open(root.join("data")).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(files::difference(&root, &tree, &mut memory, false).unwrap(), None);
}

#[test]
fn a_full_look_does_not_rely_on_stamps() {
    let directory = tempfile::tempdir().unwrap();
    let (good, bad) = (directory.path().join("good"), directory.path().join("bad"));
    let tree = unpack(&good);
    let other = unpack(&bad);
    overwrite(&bad.join("data"), "DATA");
    let tampered = plimsoll_fs::hash_tree(File::open(&bad).unwrap().as_fd(), Limits::default()).unwrap();
    assert_eq!(tree, other);
    // As if the change had left no trace in the stamps.
    let mut memory = None;
    assert_eq!(files::difference(&bad, &tampered, &mut memory, true).unwrap(), None);
    assert_eq!(files::difference(&bad, &tree, &mut memory, false).unwrap(), None);
    assert!(files::difference(&bad, &tree, &mut memory, true).unwrap().is_some());
}

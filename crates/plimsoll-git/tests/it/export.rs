//! What is exported is what git itself would archive, within limits, with nothing of the host in it.

use crate::support::{commit_of, export, open, path, raw_tree, refusal};
use plimsoll_engine::ports::{Source, SourceError};
use plimsoll_git::Limits;
use plimsoll_model::{Code, Digest, Entry};
use plimsoll_testkit::GitFixture;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::{
        fd::AsFd,
        unix::fs::{MetadataExt, PermissionsExt},
    },
    path::Path,
    process::Command,
};

/// Kind and mode, then content or target, of everything below a directory.
fn listing(root: &Path) -> BTreeMap<String, (char, Vec<u8>)> {
    let (mut found, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let described = if metadata.is_symlink() {
                ('l', fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes())
            } else if metadata.is_dir() {
                open.push(path.clone());
                ('d', Vec::new())
            } else {
                (if metadata.mode() & 0o100 == 0 { 'f' } else { 'x' }, fs::read(&path).unwrap())
            };
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), described);
        }
    }
    found
}

fn shapes() -> GitFixture {
    let fixture = GitFixture::new();
    fixture.write("README", "hello\n");
    fixture.write("empty", "");
    fixture.write("a/b/c/deep", "deep");
    fixture.write("a/b.c/dotted", "dotted");
    fixture.write("a-b", "sorts between");
    fixture.write("with space/and\"quote", "x");
    fixture.write("ünï/cödé ✓", "unicode");
    fixture.write("back\\slash", "x");
    fixture.write("crlf", "one\r\ntwo\r\n");
    fixture.write("binary", (0..=255).cycle().take(100_000).collect::<Vec<u8>>());
    fixture.write_executable("bin/run", "#!/bin/sh\n");
    fixture.symlink("bin/link", "../a/b/c/deep");
    fixture.symlink("dangling", "nowhere");
    fixture
}

#[test]
fn an_export_has_what_git_archive_has() {
    let fixture = shapes();
    let commit = fixture.commit("shapes");
    let peer = fixture.home().join("peer");
    fs::create_dir(&peer).unwrap();
    let tar = fixture.home().join("peer.tar");
    fixture.git(&["archive", "-o", tar.to_str().unwrap(), "HEAD"]);
    assert!(Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(&peer).status().unwrap().success());
    let source = open(&fixture);
    for packed in [false, true] {
        let (directory, tree) = export(&source, &commit, None);
        assert_eq!(listing(directory.path()), listing(&peer), "packed: {packed}");
        assert_eq!(tree, source.tree(&commit, None).unwrap());
        fixture.git(&["gc", "-q", "--aggressive", "--prune=now"]);
    }
}

#[test]
fn the_tree_lists_what_git_ls_tree_lists() {
    let fixture = shapes();
    let commit = fixture.commit("shapes");
    let listed = fixture.git(&["ls-tree", "-r", "-z", "HEAD"]);
    let tree = open(&fixture).tree(&commit, None).unwrap();
    let ours = tree.entries.iter().map(|(path, entry)| match entry {
        Entry::File { executable: false, .. } => format!("100644 {path}"),
        Entry::File { executable: true, .. } => format!("100755 {path}"),
        Entry::Symlink { .. } => format!("120000 {path}"),
        Entry::EmptyDirectory => panic!("an empty directory at {path}"),
    });
    let mut ours: Vec<_> = ours.collect();
    let theirs = listed.split_terminator('\0').map(|line| line.split_once('\t').unwrap());
    let mut theirs: Vec<_> = theirs.map(|(about, path)| format!("{} {path}", &about[..6])).collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
    let readme = Entry::File { digest: Digest::of(b"hello\n"), size: 6, executable: false };
    assert_eq!(tree.entries[&path("README")], readme);
}

#[test]
fn modes_and_times_are_the_same_everywhere() {
    let fixture = shapes();
    let commit = fixture.commit("shapes");
    let source = open(&fixture);
    let committed = source.commit(&commit, &[]).unwrap().committed.as_second();
    let (directory, _) = export(&source, &commit, None);
    for (name, mode) in [("README", 0o644), ("bin/run", 0o755), ("a", 0o755), ("a/b/c/deep", 0o644)] {
        let metadata = directory.path().join(name).metadata().unwrap();
        assert_eq!((metadata.mode() & 0o7777, metadata.mtime()), (mode, committed), "{name}");
    }
    assert_eq!(directory.path().join("bin/link").symlink_metadata().unwrap().mtime(), committed);
    assert_eq!(directory.path().metadata().unwrap().mtime(), committed);
}

#[test]
fn attributes_change_nothing() {
    let fixture = GitFixture::new();
    fixture.write(".gitattributes", "* text eol=crlf ident export-subst\nsecret export-ignore\n");
    fixture.write("file", "$Id$ $Format:%H$\n");
    fixture.write("secret", "kept");
    let (directory, _) = export(&open(&fixture), &fixture.commit("first"), None);
    assert_eq!(fs::read(directory.path().join("file")).unwrap(), b"$Id$ $Format:%H$\n");
    assert_eq!(fs::read(directory.path().join("secret")).unwrap(), b"kept");
}

#[test]
fn a_subdirectory_is_exported_as_a_root_of_its_own() {
    let fixture = shapes();
    let commit = fixture.commit("shapes");
    let source = open(&fixture);
    let (directory, tree) = export(&source, &commit, Some("a/b"));
    assert_eq!(listing(directory.path()).keys().collect::<Vec<_>>(), ["c", "c/deep"]);
    assert_eq!(tree.entries.keys().collect::<Vec<_>>(), [&path("c/deep")]);
    for missing in ["nowhere", "README", "bin/link", "README/below"] {
        assert_eq!(refusal(source.tree(&commit, Some(&path(missing)))), Code::FileMissing, "{missing}");
    }
    // Its link points out of it.
    assert_eq!(refusal(source.tree(&commit, Some(&path("bin")))), Code::SrcPath);
}

#[test]
fn an_empty_directory_is_kept() {
    let fixture = GitFixture::new();
    let empty = raw_tree(&fixture, &[]);
    let commit = commit_of(&fixture, &[("40000", b"empty", &empty)]);
    let (directory, tree) = export(&open(&fixture), &commit, None);
    assert_eq!(tree.entries[&path("empty")], Entry::EmptyDirectory);
    assert!(directory.path().join("empty").is_dir());
}

#[test]
fn nothing_is_written_over() {
    let fixture = shapes();
    let commit = fixture.commit("shapes");
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("already"), "there").unwrap();
    let opened = File::open(directory.path()).unwrap();
    assert!(matches!(open(&fixture).export(&commit, None, opened.as_fd()), Err(SourceError::Failed { .. })));
    assert_eq!(listing(directory.path()).len(), 1);
}

#[test]
fn one_file_is_read_within_its_limit() {
    let fixture = shapes();
    let commit = fixture.commit("shapes");
    let source = open(&fixture);
    let file = |name: &str, limit| source.file(&commit, &path(name), limit);
    assert_eq!(file("README", 6).unwrap().unwrap(), b"hello\n");
    assert_eq!(file("a/b/c/deep", 4).unwrap().unwrap(), b"deep");
    assert_eq!(refusal(file("README", 5)), Code::SrcObject);
    for missing in ["nowhere", "a", "a/b/c/deep/er", "bin/link", "dangling"] {
        assert_eq!(file(missing, 100).unwrap(), None, "{missing}");
    }
}

#[test]
fn what_goes_beyond_a_limit_is_refused() {
    let fixture = shapes();
    let commit = fixture.commit("shapes");
    let generous = Limits::default();
    for limits in [
        Limits { blob: 99_999, ..generous },
        Limits { structure: 100, ..generous },
        Limits { entries: 10, ..generous },
        Limits { depth: 2, ..generous },
        Limits { total: 100_000, ..generous },
    ] {
        let source = open(&fixture).with_limits(limits);
        assert_eq!(refusal(source.tree(&commit, None)), Code::SrcObject, "{limits:?}");
    }
    let enough = Limits { blob: 100_000, entries: 30, depth: 3, total: 101_000, ..generous };
    assert!(open(&fixture).with_limits(enough).tree(&commit, None).is_ok());
}

#[test]
fn a_tree_that_grows_without_end_is_refused() {
    let fixture = GitFixture::new();
    let mut tree = raw_tree(&fixture, &[]);
    for _ in 0..30 {
        tree = raw_tree(&fixture, &[("40000", b"a", &tree), ("40000", b"b", &tree)]);
    }
    let commit = crate::support::raw_commit(&fixture, &tree, "");
    let source = open(&fixture).with_limits(Limits { entries: 1000, ..Limits::default() });
    assert_eq!(refusal(source.tree(&commit, None)), Code::SrcObject);
}

#[test]
fn the_destination_may_be_a_descriptor_that_only_names_it() {
    let fixture = shapes();
    let commit = fixture.commit("shapes");
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY;
    let named = rustix::fs::open(directory.path(), flags, rustix::fs::Mode::empty()).unwrap();
    assert!(open(&fixture).export(&commit, None, named.as_fd()).is_ok());
}

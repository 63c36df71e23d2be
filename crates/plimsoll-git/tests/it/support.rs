//! What the scenarios share.

use plimsoll_engine::ports::{Source, SourceError};
use plimsoll_git::GitSource;
use plimsoll_model::{Code, CommitId, RelPath, Tree};
use plimsoll_testkit::GitFixture;
use std::{fs::File, os::fd::AsFd};
use tempfile::TempDir;

pub(crate) fn open(fixture: &GitFixture) -> GitSource {
    GitSource::open(&fixture.path()).unwrap()
}

/// The code of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, SourceError>) -> Code {
    match result {
        Err(SourceError::Refused(reason)) => {
            let explanation = reason.code.explanation();
            for named in [explanation.fact, explanation.next].iter().flat_map(|text| text.split('{').skip(1))
            {
                let name = named.split('}').next().unwrap();
                assert!(reason.parameters.contains_key(name), "{reason} does not say {name}");
            }
            reason.code
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

pub(crate) fn path(text: &str) -> RelPath {
    text.parse().unwrap()
}

pub(crate) fn export(source: &GitSource, commit: &CommitId, below: Option<&str>) -> (TempDir, Tree) {
    let directory = tempfile::tempdir().unwrap();
    let opened = File::open(directory.path()).unwrap();
    let tree = source.export(commit, below.map(path).as_ref(), opened.as_fd()).unwrap();
    (directory, tree)
}

/// The code with which both listing and exporting a commit are refused.
pub(crate) fn tree_refusal(source: &GitSource, commit: &CommitId) -> Code {
    let directory = tempfile::tempdir().unwrap();
    let opened = File::open(directory.path()).unwrap();
    let code = refusal(source.export(commit, None, opened.as_fd()));
    assert_eq!(refusal(source.tree(commit, None)), code);
    code
}

/// Stores a tree with exactly these entries (mode, name, id), in this order.
pub(crate) fn raw_tree(fixture: &GitFixture, entries: &[(&str, &[u8], &str)]) -> String {
    let mut content = Vec::new();
    for (mode, name, id) in entries {
        content.extend([mode.as_bytes(), b" ", name, b"\0"].concat());
        content.extend((0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
    }
    fixture.object("tree", content)
}

/// Stores a commit of `tree` with these header lines behind the committer.
pub(crate) fn raw_commit(fixture: &GitFixture, tree: &str, headers: &str) -> CommitId {
    let who = "Ada <ada@example.org> 1700000000 +0000";
    let content = format!("tree {tree}\nauthor {who}\ncommitter {who}\n{headers}\nraw\n");
    fixture.object("commit", content).parse().unwrap()
}

/// A commit whose root has exactly these entries.
pub(crate) fn commit_of(fixture: &GitFixture, entries: &[(&str, &[u8], &str)]) -> CommitId {
    raw_commit(fixture, &raw_tree(fixture, entries), "")
}

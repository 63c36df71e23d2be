//! Stored bytes that were changed, lost or swapped are refused, and no bytes make the reader panic.

use crate::support::{open, path, refusal, tree_refusal};
use plimsoll_engine::ports::{Source, SourceError};
use plimsoll_model::{Code, CommitId, Tree};
use plimsoll_testkit::GitFixture;
use proptest::prelude::*;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

fn loose(fixture: &GitFixture, id: &str) -> PathBuf {
    fixture.path().join(".git/objects").join(&id[..2]).join(&id[2..])
}

fn sample() -> (GitFixture, CommitId, String) {
    let fixture = GitFixture::new();
    fixture.write("a", "first");
    fixture.write("deep/b", (0..20_000_u32).flat_map(u32::to_be_bytes).collect::<Vec<_>>());
    fixture.commit("first");
    fixture.write("deep/b", (1..20_000_u32).flat_map(u32::to_be_bytes).collect::<Vec<_>>());
    let commit = fixture.commit("second");
    let blob = fixture.git(&["rev-parse", "HEAD:a"]);
    (fixture, commit, blob)
}

#[test]
fn an_object_with_the_content_of_another_is_refused() {
    let (fixture, commit, blob) = sample();
    let other = fixture.object("blob", "evil!");
    fs::remove_file(loose(&fixture, &blob)).unwrap();
    fs::copy(loose(&fixture, &other), loose(&fixture, &blob)).unwrap();
    assert_eq!(tree_refusal(&open(&fixture), &commit), Code::SrcObject);
    assert_eq!(refusal(open(&fixture).file(&commit, &path("a"), 100)), Code::SrcObject);
    let error = open(&fixture).tree(&commit, None).unwrap_err().to_string();
    assert!(error.contains(&blob) && error.contains(&other), "{error}");
}

#[test]
fn a_missing_object_is_refused() {
    let (fixture, commit, blob) = sample();
    fs::remove_file(loose(&fixture, &blob)).unwrap();
    assert_eq!(tree_refusal(&open(&fixture), &commit), Code::SrcObject);
    fs::remove_file(loose(&fixture, commit.as_str())).unwrap();
    assert_eq!(refusal(open(&fixture).resolve("main")), Code::SrcObject);
    assert_eq!(refusal(open(&fixture).commit(&commit, &[])), Code::SrcObject);
}

#[test]
fn an_object_of_another_kind_is_refused() {
    let (fixture, commit, blob) = sample();
    let source = open(&fixture);
    assert_eq!(refusal(source.commit(&blob.parse().unwrap(), &[])), Code::SrcObject);
    assert_eq!(refusal(source.tree(&blob.parse().unwrap(), None)), Code::SrcObject);
    assert_eq!(refusal(source.is_ancestor(&blob.parse().unwrap(), &commit)), Code::SrcObject);
    for (mode, id) in [("40000", blob.as_str()), ("100644", commit.as_str()), ("120000", commit.as_str())] {
        let confused = crate::support::commit_of(&fixture, &[(mode, b"x", id)]);
        assert_eq!(tree_refusal(&source, &confused), Code::SrcObject, "{mode}");
    }
}

#[test]
fn a_loose_object_that_unpacks_without_end_is_refused() {
    let (fixture, _, _) = sample();
    let bomb = fixture.object("blob", vec![0; 3 << 20]);
    let commit = crate::support::commit_of(&fixture, &[("100644", b"bomb", &bomb)]);
    let source = open(&fixture).with_limits(plimsoll_git::Limits { blob: 1 << 20, ..Default::default() });
    assert_eq!(refusal(source.tree(&commit, None)), Code::SrcObject);
    assert!(open(&fixture).tree(&commit, None).is_ok());
}

/// What the reader says about a repository, by every method that reads objects.
fn everything(fixture: &GitFixture, commit: &CommitId) -> Vec<Result<Option<Tree>, SourceError>> {
    let source = open(fixture);
    vec![
        source.resolve("main").map(|_| None),
        source.commit(commit, &[]).map(|_| None),
        source.is_ancestor(commit, commit).map(|_| None),
        source.file(commit, &path("deep/b"), 1 << 20).map(|_| None),
        source.tree(commit, None).map(Some),
    ]
}

/// A mutation of a file: at a place, so many bytes are replaced by others.
#[derive(Debug, Clone)]
struct Mutation {
    place: prop::sample::Index,
    removed: usize,
    inserted: Vec<u8>,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let inserted = prop::collection::vec(any::<u8>(), 0..12);
    (any::<prop::sample::Index>(), 0_usize..12, inserted).prop_map(|(place, removed, inserted)| Mutation {
        place,
        removed,
        inserted,
    })
}

fn mutate(file: &Path, mutation: &Mutation) {
    let mut content = fs::read(file).unwrap();
    let at = mutation.place.index(content.len());
    let end = (at + mutation.removed).min(content.len());
    content.splice(at..end, mutation.inserted.iter().copied());
    fs::remove_file(file).unwrap();
    fs::write(file, content).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
}

/// The files below `.git/objects` whose names end so.
fn files(fixture: &GitFixture, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in fs::read_dir(fixture.path().join(".git/objects")).unwrap() {
        for file in fs::read_dir(directory.unwrap().path()).unwrap() {
            found.extend(Some(file.unwrap().path()).filter(|file| file.to_str().unwrap().ends_with(suffix)));
        }
    }
    found.sort();
    found
}

/// Whatever is done to stored bytes: never a panic, and never another tree than the commit's.
fn survives(files: &[PathBuf], fixture: &GitFixture, commit: &CommitId, honest: &Tree, mutation: &Mutation) {
    let file = &files[mutation.place.index(files.len())];
    let original = fs::read(file).unwrap();
    mutate(file, mutation);
    for result in everything(fixture, commit) {
        if let Ok(Some(tree)) = result {
            assert_eq!(tree, *honest);
        }
    }
    fs::write(file, original).unwrap();
}

#[test]
fn mutated_loose_objects_never_pass_as_others() {
    let (fixture, commit, _) = sample();
    let honest = open(&fixture).tree(&commit, None).unwrap();
    let files = files(&fixture, "");
    proptest!(ProptestConfig::with_cases(150), |(mutation in mutation())| {
        survives(&files, &fixture, &commit, &honest, &mutation);
    });
}

#[test]
fn mutated_packs_and_indices_never_pass_as_others() {
    let (fixture, commit, _) = sample();
    let honest = open(&fixture).tree(&commit, None).unwrap();
    fixture.git(&["repack", "-q", "-a", "-d", "-f"]);
    fixture.git(&["prune-packed"]);
    for suffix in [".pack", ".idx"] {
        let files = files(&fixture, suffix);
        assert_eq!(files.len(), 1);
        fs::set_permissions(&files[0], fs::Permissions::from_mode(0o644)).unwrap();
        proptest!(ProptestConfig::with_cases(150), |(mutation in mutation())| {
            survives(&files, &fixture, &commit, &honest, &mutation);
        });
    }
    assert_eq!(open(&fixture).tree(&commit, None).unwrap(), honest);
}

#[test]
fn mutated_objects_under_their_own_id_never_panic() {
    let (fixture, commit, _) = sample();
    let raw = |kind: &str, id: &str| {
        let output = fixture.command(&fixture.path()).args(["cat-file", kind, id]).output().unwrap();
        output.stdout
    };
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]);
    let originals = [("commit", raw("commit", commit.as_str())), ("tree", raw("tree", &tree))];
    let runner = ProptestConfig::with_cases(100);
    proptest!(runner, |(which in 0_usize..2, mutation in mutation())| {
        let (kind, content) = &originals[which];
        let file = fixture.home().join("mutant");
        fs::write(&file, content).unwrap();
        mutate(&file, &mutation);
        let id = fixture.object(kind, fs::read(&file).unwrap());
        let mutant = match *kind {
            "commit" => id.parse().unwrap(),
            _ => crate::support::raw_commit(&fixture, &id, ""),
        };
        everything(&fixture, &mutant);
    });
}

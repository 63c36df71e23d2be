//! What a name stands for, also while somebody moves it.

use crate::support::{export, open, refusal};
use plimsoll_engine::ports::{Source, SourceError};
use plimsoll_model::Code;
use plimsoll_testkit::GitFixture;
use std::{
    fs,
    os::unix::fs::symlink,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

#[test]
fn names_stand_for_commits_in_a_fixed_order() {
    let fixture = GitFixture::new();
    let first = fixture.commit("first");
    fixture.tag("light");
    fixture.annotated_tag("v1");
    fixture.tag("both");
    fixture.git(&["tag", "-a", "-m", "of a tag", "nested", "v1"]);
    let second = fixture.commit("second");
    fixture.branch("both");
    fixture.branch("a/b");
    let source = open(&fixture);
    for packed in [false, true] {
        for (revision, commit, reference) in [
            ("HEAD", &second, Some("refs/heads/a/b")),
            ("main", &second, Some("refs/heads/main")),
            ("a/b", &second, Some("refs/heads/a/b")),
            ("both", &second, Some("refs/heads/both")),
            ("refs/tags/both", &first, Some("refs/tags/both")),
            ("light", &first, Some("refs/tags/light")),
            ("v1", &first, Some("refs/tags/v1")),
            ("nested", &first, Some("refs/tags/nested")),
            (first.as_str(), &first, None),
        ] {
            let resolved = source.resolve(revision).unwrap();
            assert_eq!(resolved.requested, revision);
            assert_eq!(
                (&resolved.commit, resolved.reference.as_deref()),
                (commit, reference),
                "{revision} {packed}"
            );
        }
        fixture.git(&["pack-refs", "--all"]);
    }
    fixture.checkout(first.as_str());
    let head = source.resolve("HEAD").unwrap();
    assert_eq!((head.commit, head.reference), (first, None));
}

#[test]
fn what_names_no_commit_is_refused() {
    let fixture = GitFixture::new();
    fixture.write("file", "content");
    let commit = fixture.commit("first");
    let blob = fixture.git(&["rev-parse", "HEAD:file"]);
    fixture.git(&["tag", "blob", &blob]);
    fixture.git(&["symbolic-ref", "refs/heads/dangling", "refs/heads/nowhere"]);
    let source = open(&fixture);
    let (absent, short) = ("f".repeat(40), &commit.as_str()[..12]);
    let upper = commit.as_str().to_uppercase();
    for revision in [
        "",
        "missing",
        "HEAD~0",
        "main^0",
        "@",
        "main@{0}",
        "refs/heads",
        "refs/heads/",
        "../config",
        "refs/../config",
        "config",
        "-main",
        "a b",
        "dangling",
        "blob",
        &blob,
        &absent,
        short,
        &upper,
        "main\n",
    ] {
        assert_eq!(refusal(source.resolve(revision)), Code::SrcRevision, "{revision:?}");
    }
    let error = source.resolve(short).unwrap_err().to_string();
    assert!(error.contains("an id must be given in full"), "{error}");
    assert_eq!(refusal(open(&GitFixture::new()).resolve("HEAD")), Code::SrcRevision);
}

#[test]
fn a_ref_is_read_only_from_a_regular_file_of_the_repository() {
    let fixture = GitFixture::new();
    fixture.commit("first");
    let heads = fixture.path().join(".git/refs/heads");
    fs::write(heads.join("garbage"), "not an id\n").unwrap();
    fs::write(heads.join("escape"), "ref: ../../config\n").unwrap();
    fs::write(heads.join("endless"), "ref: refs/heads/endless\n").unwrap();
    fs::write(fixture.home().join("elsewhere"), format!("{}\n", fixture.head())).unwrap();
    symlink(fixture.home().join("elsewhere"), heads.join("linked")).unwrap();
    symlink("/dev/zero", heads.join("zero")).unwrap();
    symlink(fixture.home(), heads.join("directory")).unwrap();
    let source = open(&fixture);
    for name in ["garbage", "escape", "endless", "linked", "zero", "directory/elsewhere"] {
        assert!(matches!(source.resolve(name), Err(SourceError::Failed { .. })), "{name}");
    }
}

/// ATTACKS A04: what was resolved is what is used, however often the branch moves meanwhile.
#[test]
fn a_branch_that_flips_never_mixes_two_trees() {
    let fixture = GitFixture::new();
    let commits = ["a", "b"].map(|name| {
        for file in ["one", "deep/two", "deep/er/three"] {
            fixture.write(file, name);
        }
        fixture.commit(name)
    });
    let source = open(&fixture);
    let trees = commits.each_ref().map(|commit| source.tree(commit, None).unwrap());
    let (branch, done) = (fixture.path().join(".git/refs/heads/main"), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            for commit in commits.iter().cycle().take(200) {
                // As git does it: another file takes the name.
                fs::write(branch.with_extension("lock"), format!("{commit}\n")).unwrap();
                fs::rename(branch.with_extension("lock"), &branch).unwrap();
                thread::yield_now();
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let commit = source.resolve("main").unwrap().commit;
            let index = commits.iter().position(|known| *known == commit).unwrap();
            let (directory, tree) = export(&source, &commit, None);
            assert_eq!(tree, trees[index]);
            assert_eq!(fs::read(directory.path().join("deep/er/three")).unwrap(), [b"a", b"b"][index]);
        }
    });
}

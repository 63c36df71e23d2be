//! Which repository a path stands for, and which ones are not read at all.

use crate::support::{open, path, refusal};
use plimsoll_engine::ports::{Source, SourceError};
use plimsoll_git::GitSource;
use plimsoll_model::Code;
use plimsoll_testkit::GitFixture;
use std::{fs, os::unix::fs::symlink, path::Path};

#[test]
fn a_repository_is_found_from_any_directory_of_its_work_tree() {
    let fixture = GitFixture::new();
    fixture.write("services/shop/plimsoll.yaml", "version: 1\n");
    let commit = fixture.commit("first");
    let root = fs::canonicalize(fixture.path()).unwrap();
    for (below, prefix) in
        [("", None), ("services", Some("services")), ("services/shop", Some("services/shop"))]
    {
        let source = GitSource::open(&fixture.path().join(below)).unwrap();
        assert_eq!(source.work_tree(), Some(root.as_path()));
        assert_eq!(source.prefix().cloned(), prefix.map(path));
        assert_eq!(source.resolve("HEAD").unwrap().commit, commit);
    }
    let source = GitSource::open(&fixture.path().join(".git")).unwrap();
    assert_eq!((source.work_tree(), source.prefix()), (Some(root.as_path()), None));
}

#[test]
fn a_folder_that_is_no_repository_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(refusal(GitSource::open(directory.path())), Code::SrcNoRepository);
    assert_eq!(refusal(GitSource::open(&directory.path().join("missing"))), Code::SrcNoRepository);
    fs::create_dir(directory.path().join(".git")).unwrap();
    assert_eq!(refusal(GitSource::open(directory.path())), Code::SrcNoRepository);
}

#[test]
fn a_bare_repository_has_no_work_tree() {
    let fixture = GitFixture::new();
    fixture.write("file", "content");
    let commit = fixture.commit("first");
    let bare = fixture.home().join("bare.git");
    fixture.git(&["clone", "-q", "--bare", "--no-hardlinks", ".", bare.to_str().unwrap()]);
    let source = GitSource::open(&bare).unwrap();
    assert_eq!(source.work_tree(), None);
    assert_eq!(source.resolve("main").unwrap().commit, commit);
    assert!(source.uncommitted().unwrap().is_empty());
}

#[test]
fn a_bare_repository_inside_a_work_tree_does_not_replace_the_one_around_it() {
    let (outer, inner) = (GitFixture::new(), GitFixture::new());
    inner.commit("inner");
    let embedded = outer.path().join("vendor");
    inner.git(&["clone", "-q", "--bare", ".", embedded.to_str().unwrap()]);
    fs::create_dir(embedded.join("src")).unwrap();
    let commit = outer.commit("outer");
    let source = GitSource::open(&embedded.join("src")).unwrap();
    assert_eq!(source.resolve("HEAD").unwrap().commit, commit);
    assert!(matches!(GitSource::open(&embedded), Err(SourceError::Failed { .. })));
}

#[test]
fn a_linked_work_tree_has_its_own_head_and_shares_the_rest() {
    let fixture = GitFixture::new();
    let first = fixture.commit("first");
    fixture.tag("v1");
    let linked = fixture.home().join("linked");
    fixture.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    let second = fixture.commit("second");
    let source = GitSource::open(&linked).unwrap();
    assert_eq!(source.work_tree(), Some(fs::canonicalize(&linked).unwrap().as_path()));
    let head = source.resolve("HEAD").unwrap();
    assert_eq!((head.commit, head.reference.as_deref()), (first.clone(), Some("refs/heads/side")));
    assert_eq!(source.resolve("main").unwrap().commit, second);
    assert_eq!(source.resolve("v1").unwrap().commit, first);
    fs::write(linked.join("new"), "").unwrap();
    assert_eq!(source.uncommitted().unwrap().keys().collect::<Vec<_>>(), ["new"]);
}

#[test]
fn a_shallow_clone_is_refused_whenever_it_becomes_one() {
    let fixture = GitFixture::new();
    fixture.commit("first");
    let commit = fixture.commit("second");
    let url = format!("file://{}", fixture.path().display());
    let clones = ["shallow", "full"].map(|name| fixture.home().join(name));
    fixture.git(&["clone", "-q", "--depth", "1", &url, clones[0].to_str().unwrap()]);
    fixture.git(&["clone", "-q", &url, clones[1].to_str().unwrap()]);
    assert_eq!(refusal(GitSource::open(&clones[0])), Code::SrcShallow);

    let source = GitSource::open(&clones[1]).unwrap();
    assert_eq!(source.resolve("HEAD").unwrap().commit, commit);
    fs::write(clones[1].join(".git/shallow"), format!("{commit}\n")).unwrap();
    assert_eq!(refusal(source.resolve("HEAD")), Code::SrcShallow);
    assert_eq!(refusal(source.is_ancestor(&commit, &commit)), Code::SrcShallow);
}

#[test]
fn borrowed_objects_are_refused_whenever_they_appear() {
    let fixture = GitFixture::new();
    let commit = fixture.commit("first");
    let borrower = fixture.home().join("borrower");
    fixture.git(&["clone", "-q", "--shared", ".", borrower.to_str().unwrap()]);
    assert_eq!(refusal(GitSource::open(&borrower)), Code::SrcAlternates);

    let source = open(&fixture);
    fs::write(fixture.path().join(".git/objects/info/alternates"), "\n").unwrap();
    assert!(source.tree(&commit, None).is_ok());
    fs::write(fixture.path().join(".git/objects/info/alternates"), "/somewhere/objects\n").unwrap();
    assert_eq!(refusal(source.tree(&commit, None)), Code::SrcAlternates);
}

#[test]
fn a_partial_clone_misses_objects_and_fetches_none() {
    let fixture = GitFixture::new();
    fixture.write("file", "content");
    let commit = fixture.commit("first");
    fixture.git(&["config", "uploadpack.allowFilter", "true"]);
    let (url, partial) = (format!("file://{}", fixture.path().display()), fixture.home().join("partial"));
    fixture.git(&["clone", "-q", "--no-checkout", "--filter=blob:none", &url, partial.to_str().unwrap()]);
    let source = GitSource::open(&partial).unwrap();
    for _ in 0..2 {
        assert_eq!(source.resolve("HEAD").unwrap().commit, commit);
        assert_eq!(refusal(source.tree(&commit, None)), Code::SrcObject);
        source.uncommitted().unwrap();
    }
}

#[test]
fn the_reftable_format_is_named_in_the_error() {
    let fixture = GitFixture::new();
    fixture.commit("first");
    fs::create_dir(fixture.path().join(".git/reftable")).unwrap();
    let error = open(&fixture).resolve("HEAD").unwrap_err();
    assert!(matches!(error, SourceError::Failed { .. }) && error.to_string().contains("reftable"), "{error}");
}

#[test]
fn sha256_repositories_are_read_like_others() {
    let fixture = GitFixture::with_init(&["--object-format=sha256"]);
    fixture.write("file", "content");
    let commit = fixture.commit("first");
    assert_eq!(commit.as_str().len(), 64);
    let source = open(&fixture);
    assert_eq!(source.resolve("main").unwrap().commit, commit);
    assert_eq!(source.tree(&commit, None).unwrap().size(), 7);
    fixture.write("file", "changed");
    assert_eq!(source.uncommitted().unwrap().get("file").map(String::as_str), Some(" M"));
    let short = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
    assert_eq!(refusal(source.is_ancestor(&short, &commit)), Code::SrcRevision);
}

#[test]
fn a_repository_is_at_its_own_place_and_nowhere_else() {
    let (fixture, other) = (GitFixture::new(), GitFixture::new());
    fixture.write("below/file", "");
    fixture.commit("first");
    let (linked, bare) = (fixture.home().join("linked"), fixture.home().join("bare.git"));
    fixture.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
    fixture.git(&["clone", "-q", "--bare", "--no-hardlinks", ".", bare.to_str().unwrap()]);
    symlink(fixture.path(), fixture.home().join("name")).unwrap();
    // What the other repository says of itself does not count.
    other.git(&["config", "remote.origin.url", fixture.path().to_str().unwrap()]);

    let at = |source: &GitSource, location: &Path| source.is_at(location.to_str().unwrap());
    let source = GitSource::open(&fixture.path().join("below")).unwrap();
    for same in [fixture.path(), fixture.path().join(".git"), linked.clone(), fixture.home().join("name")] {
        assert!(at(&source, &same), "{}", same.display());
    }
    for different in
        [fixture.path().join("below"), bare.clone(), other.path(), fixture.home(), "relative".into()]
    {
        assert!(!at(&source, &different), "{}", different.display());
    }
    assert!(
        at(&GitSource::open(&bare).unwrap(), &bare)
            && at(&GitSource::open(&linked).unwrap(), &fixture.path())
    );
    assert!(!at(&open(&other), &fixture.path()));
    assert!(!source.is_at("") && !source.is_at("https://example.org/shop.git"));
}

#[test]
fn the_uri_is_the_origin_without_credentials_or_the_path() {
    let fixture = GitFixture::new();
    let source = open(&fixture);
    let path = format!("file:{}", fs::canonicalize(fixture.path()).unwrap().display());
    assert_eq!(source.uri(), path);
    let mark = fixture.home().join("included");
    fs::write(&mark, "[remote \"origin\"]\n\turl = https://example.org/included\n").unwrap();
    fixture.git(&["config", "include.path", mark.to_str().unwrap()]);
    assert_eq!(source.uri(), path);
    fixture.git(&["config", "remote.origin.url", "https://ada:secret@example.org/shop.git"]);
    assert_eq!(source.uri(), "https://example.org/shop.git");
    fixture.git(&["config", "remote.origin.url", "ext::sh -c id"]);
    assert_eq!(source.uri(), path);
}

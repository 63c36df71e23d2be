//! What the next commit would change, in repositories of every kind.

use plimsoll_git::staged;
use plimsoll_testkit::GitFixture;
use std::path::Path;

/// Path, content and what was there before of each.
fn changes(path: &Path, index: Option<&Path>) -> Vec<(String, String, Option<String>)> {
    let mut found = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    staged(path, index, &mut |file| {
        let content = file.content.map_or_else(|problem| format!("! {problem}"), text);
        found.push((file.path.to_owned(), content, file.before.map(text)));
    })
    .unwrap();
    found
}

fn entry(path: &str, content: &str, before: Option<&str>) -> (String, String, Option<String>) {
    (path.into(), content.into(), before.map(str::to_owned))
}

#[test]
fn the_index_counts_and_not_the_work_tree() {
    let repository = GitFixture::new();
    repository.write("first", "1");
    repository.git(&["add", "first"]);
    assert_eq!(changes(&repository.path(), None), [entry("first", "1", None)], "before the first commit");
    repository.write("gone", "x");
    repository.commit("one");
    assert_eq!(changes(&repository.path(), None), []);
    repository.write("dir/new", "2");
    repository.write("first", "1 staged");
    repository.remove("gone");
    repository.symlink("link", "first");
    repository.git(&["add", "-A"]);
    repository.write("first", "1 not staged");
    repository.write("untracked", "3");
    let expected = [entry("dir/new", "2", None), entry("first", "1 staged", Some("1"))];
    assert_eq!(changes(&repository.path().join("dir"), None), expected);
}

#[test]
fn what_was_only_moved_brings_nothing() {
    let repository = GitFixture::new();
    repository.write("old", "content");
    repository.commit("one");
    repository.git(&["mv", "old", "new"]);
    assert_eq!(changes(&repository.path(), None), []);
    repository.write("new", "other content");
    repository.git(&["add", "-A"]);
    assert_eq!(changes(&repository.path(), None), [entry("new", "other content", None)]);
}

#[test]
fn another_index_can_be_asked_for() {
    let repository = GitFixture::new();
    repository.write("a", "1");
    repository.commit("one");
    let own = repository.path().join(".git/index");
    let other = repository.home().join("index");
    std::fs::copy(&own, &other).unwrap();
    repository.write("a", "2");
    repository.git(&["add", "a"]);
    assert_eq!(changes(&repository.path(), Some(&other)), []);
    assert_eq!(changes(&repository.path(), Some(&own)), [entry("a", "2", Some("1"))]);
}

#[test]
fn a_shallow_clone_and_configuration_are_no_hindrance() {
    let repository = GitFixture::new();
    repository.write("a", "1");
    repository.commit("one");
    repository.write("a", "2");
    repository.commit("two");
    let clone = repository.home().join("clone");
    let url = format!("file://{}", repository.path().display());
    repository.git(&["clone", "-q", "--depth=1", &url, clone.to_str().unwrap()]);
    std::fs::write(clone.join("a"), "3").unwrap();
    let marker = repository.home().join("marker");
    let run =
        |arguments: &[&str]| assert!(repository.command(&clone).args(arguments).status().unwrap().success());
    run(&["add", "a"]);
    run(&["config", "diff.external", &format!("touch {}", marker.display())]);
    run(&["config", "core.fsmonitor", &format!("touch {}", marker.display())]);
    assert_eq!(changes(&clone, None), [entry("a", "3", Some("2"))]);
    assert!(!marker.exists());
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let repository = GitFixture::new();
    repository.write("a", "1");
    repository.git(&["add", "a"]);
    let id = repository.git(&["rev-parse", ":a"]);
    std::fs::remove_file(repository.path().join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
    let found = changes(&repository.path(), None);
    assert!(found.len() == 1 && found[0].1.starts_with("! "), "{found:?}");
}

//! What the work tree has and the commit has not.

use crate::support::{open, refusal};
use plimsoll_engine::ports::Source;
use plimsoll_model::Code;
use plimsoll_testkit::GitFixture;
use std::fs;

#[test]
fn changes_have_the_letters_of_git_status() {
    let fixture = GitFixture::new();
    for name in ["same", "modified", "deleted", "staged", "renamed file"] {
        fixture.write(name, format!("content of {name}"));
    }
    fixture.write(".gitignore", "ignored\n");
    fixture.commit("first");
    assert!(open(&fixture).uncommitted().unwrap().is_empty());

    fixture.write("modified", "changed");
    fixture.remove("deleted");
    fixture.write("staged", "changed");
    fixture.git(&["add", "staged"]);
    fixture.git(&["mv", "renamed file", "new näme"]);
    fixture.write("untracked/a", "");
    fixture.write("ignored", "");
    fs::write(fixture.path().join(".git/info/exclude"), "excluded\n").unwrap();
    fixture.write("excluded", "");
    let changes = open(&fixture).uncommitted().unwrap();
    let expect = [
        ("deleted", " D"),
        ("modified", " M"),
        ("new näme", "A "),
        ("renamed file", "D "),
        ("staged", "M "),
        ("untracked/", "??"),
    ];
    let changes: Vec<_> = changes.iter().map(|(path, letters)| (path.as_str(), letters.as_str())).collect();
    assert_eq!(changes, expect);
}

#[test]
fn before_the_first_commit_everything_is_a_change() {
    let fixture = GitFixture::new();
    fixture.write("file", "");
    fixture.write("added", "");
    fixture.git(&["add", "added"]);
    let changes = open(&fixture).uncommitted().unwrap();
    assert_eq!((changes["file"].as_str(), changes["added"].as_str()), ("??", "A "));
}

#[test]
fn asking_changes_nothing_in_the_repository() {
    let fixture = GitFixture::new();
    fixture.write("file", "content");
    fixture.commit("first");
    let index = fixture.path().join(".git/index");
    let before = fs::read(&index).unwrap();
    // A new time for the same content would make git refresh its index.
    fixture.write("file", "content");
    assert!(open(&fixture).uncommitted().unwrap().is_empty());
    assert_eq!(fs::read(&index).unwrap(), before);
}

#[test]
fn a_broken_head_is_an_error_and_not_a_clean_tree() {
    let fixture = GitFixture::new();
    fixture.commit("first");
    fs::write(fixture.path().join(".git/refs/heads/main"), format!("{}\n", "f".repeat(40))).unwrap();
    assert_eq!(refusal(open(&fixture).uncommitted()), Code::SrcObject);
}

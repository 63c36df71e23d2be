//! What commits say, and how they descend from each other.

use crate::support::{open, raw_commit, raw_tree, refusal};
use plimsoll_engine::ports::{CommitSignature, Source};
use plimsoll_git::Limits;
use plimsoll_model::Code;
use plimsoll_testkit::GitFixture;

#[test]
fn ancestors_are_found_through_every_parent() {
    let fixture = GitFixture::new();
    let root = fixture.commit("root");
    fixture.branch("side");
    let side = fixture.commit("side");
    fixture.checkout("main");
    let main = fixture.commit("main");
    let merge = fixture.merge("side");
    let source = open(&fixture);
    for (ancestor, commit, expect) in [
        (&root, &merge, true),
        (&side, &merge, true),
        (&main, &merge, true),
        (&merge, &merge, true),
        (&merge, &root, false),
        (&side, &main, false),
    ] {
        assert_eq!(source.is_ancestor(ancestor, commit).unwrap(), expect);
    }
    assert_eq!(source.commit(&merge, &[]).unwrap().parents, [main, side]);
    let short = open(&fixture).with_limits(Limits { history: 2, ..Limits::default() });
    assert_eq!(refusal(short.is_ancestor(&root, &merge)), Code::SrcObject);
}

#[test]
fn an_unknown_ancestor_is_an_error_and_not_a_no() {
    let fixture = GitFixture::new();
    let commit = fixture.commit("first");
    let absent = "f".repeat(40).parse().unwrap();
    assert_eq!(refusal(open(&fixture).is_ancestor(&absent, &commit)), Code::SrcObject);
}

#[test]
fn a_commit_says_who_when_and_what() {
    let fixture = GitFixture::new();
    let commit = fixture.commit("the summary\n\nand more");
    let facts = open(&fixture).commit(&commit, &[]).unwrap();
    assert_eq!((facts.commit, facts.parents.len()), (commit.clone(), 0));
    assert_eq!((facts.author.name.as_str(), facts.author.email.as_str()), ("Ada Author", "ada@example.org"));
    assert_eq!(
        (facts.committer.name.as_str(), facts.committer.email.as_str()),
        ("Carl Committer", "carl@example.org")
    );
    let seconds = fixture.git(&["show", "-s", "--format=%ct", commit.as_str()]);
    assert_eq!(facts.committed.as_second().to_string(), seconds);
    assert_eq!(facts.summary, "the summary");
    assert_eq!(facts.signature, CommitSignature::Unsigned);
}

#[test]
fn foreign_text_is_disarmed() {
    let fixture = GitFixture::new();
    let tree = raw_tree(&fixture, &[]);
    let who = "A\u{1b}[2Jda\u{202e} <a\u{7}@example.org> 1700000000 +0000";
    let raw = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nsum\u{1b}mary {}\n", "x".repeat(5000));
    let facts = open(&fixture).commit(&fixture.object("commit", raw).parse().unwrap(), &[]).unwrap();
    assert_eq!(facts.author.name, "A\u{fffd}[2Jda\u{fffd}");
    assert_eq!(facts.author.email, "a\u{fffd}@example.org");
    assert!(facts.summary.starts_with("sum\u{fffd}mary") && facts.summary.chars().count() <= 201);
}

#[test]
fn malformed_commits_are_refused() {
    let fixture = GitFixture::new();
    let tree = raw_tree(&fixture, &[]);
    let who = "Ada <ada@example.org> 1700000000 +0000";
    for raw in [
        String::new(),
        "tree\n".to_owned(),
        format!("tree {tree}\n\nno names\n"),
        format!("author {who}\ntree {tree}\ncommitter {who}\n\nturned round\n"),
        format!("tree {}\nauthor {who}\ncommitter {who}\n\nshort id\n", &tree[..20]),
        format!("tree {tree}\nauthor {who}\ncommitter nobody\n\nno address\n"),
        format!("tree {tree}\nauthor {who}\ncommitter A <a> never +0000\n\nno time\n"),
        format!("tree {tree}\nauthor {who}\ncommitter A <a> 99999999999999999 +0000\n\nthe end of time\n"),
        format!("tree {tree}\nauthor {who}\ncommitter A <a> 9999999999999999999999 +0000\n\nbeyond\n"),
    ] {
        let commit = fixture.object("commit", &raw).parse().unwrap();
        assert_eq!(refusal(open(&fixture).commit(&commit, &[])), Code::SrcObject, "{raw}");
    }
    assert!(open(&fixture).commit(&raw_commit(&fixture, &tree, ""), &[]).is_ok());
}

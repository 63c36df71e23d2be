//! What lies between two commits, which paths a commit changed, and since when a path is what it is.

use crate::support::{commit_of, open, path, raw_tree, refusal};
use plimsoll_engine::ports::{CommitSignature, Range, Source, SourceError};
use plimsoll_git::Limits;
use plimsoll_model::{Code, CommitId};
use plimsoll_testkit::{GitFixture, SshKey};
use std::collections::BTreeSet;

fn ids(details: &[plimsoll_engine::ports::CommitDetail]) -> Vec<CommitId> {
    details.iter().map(|detail| detail.facts.commit.clone()).collect()
}

fn range(fixture: &GitFixture, base: &CommitId, head: &CommitId) -> Range {
    open(fixture).range(Some(base), head, &[], 100).unwrap()
}

/// A commit object with these parents and the files of `HEAD`, by the real `git commit-tree`.
fn commit_tree(fixture: &GitFixture, parents: &[&CommitId], message: &str) -> CommitId {
    let mut arguments = vec!["commit-tree", "HEAD^{tree}", "-m", message];
    arguments.extend(parents.iter().flat_map(|parent| ["-p", parent.as_str()]));
    fixture.git(&arguments).parse().unwrap()
}

#[test]
fn a_range_has_the_whole_message_and_judged_signatures() {
    let (fixture, key) = (GitFixture::new(), SshKey::generate());
    let base = fixture.commit("base");
    let message = "summary\n\nbody \u{1b}[31m\n\nCo-authored-by: Eve <eve@example.org>\nSigned-off-by: x";
    let head = fixture.commit_signed(message, &key);
    let found = open(&fixture).range(Some(&base), &head, &[key.public_line()], 1).unwrap();
    assert!(found.base_is_ancestor && found.dropped.is_empty());
    assert_eq!(ids(&found.commits), [head]);
    assert_eq!(found.commits[0].message, message.replace('\u{1b}', "\u{fffd}"));
    assert_eq!(found.commits[0].facts.summary, "summary");
    let fingerprint = key.fingerprint();
    assert_eq!(found.commits[0].facts.signature, CommitSignature::Good { fingerprint });
}

#[test]
fn without_a_base_the_range_is_the_head_and_with_the_head_as_base_nothing() {
    let fixture = GitFixture::new();
    fixture.commit("first");
    let head = fixture.commit("second");
    let found = open(&fixture).range(None, &head, &[], 1).unwrap();
    assert_eq!(
        (ids(&found.commits), found.dropped.len(), found.base_is_ancestor),
        (vec![head.clone()], 0, true)
    );
    let none = range(&fixture, &head, &head);
    assert_eq!((none.commits.len(), none.dropped.len(), none.base_is_ancestor), (0, 0, true));
}

/// The merge's author is a maintainer; what it brings was written by somebody else, long ago by its date, off the line
/// of first parents.
#[test]
fn a_merge_hides_no_author() {
    let fixture = GitFixture::new();
    let root = fixture.commit("root");
    let base = fixture.commit("base");
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]);
    let eve = "Eve <eve@example.org> 1 +0000";
    let raw = format!("tree {tree}\nparent {root}\nauthor {eve}\ncommitter {eve}\n\nhidden\n");
    let hidden: CommitId = fixture.object("commit", raw).parse().unwrap();
    let merge = commit_tree(&fixture, &[&base, &hidden], "merge");
    let found = range(&fixture, &base, &merge);
    assert!(found.base_is_ancestor);
    assert_eq!(ids(&found.commits), [merge, hidden]);
    assert_eq!(found.commits[1].facts.author.email, "eve@example.org");
}

#[test]
fn all_parents_of_an_octopus_are_followed_and_shared_history_is_not_listed() {
    let fixture = GitFixture::new();
    let root = fixture.commit("root");
    let base = fixture.commit("base");
    let arms: Vec<_> = ["a", "b", "c"].map(|name| commit_tree(&fixture, &[&root], name)).into();
    let deep = commit_tree(&fixture, &[&arms[2]], "on c");
    let octopus = commit_tree(&fixture, &[&base, &arms[0], &arms[1], &deep], "octopus");
    let found = range(&fixture, &base, &octopus);
    let listed: BTreeSet<_> = ids(&found.commits).into_iter().collect();
    let expect = [octopus.clone(), arms[0].clone(), arms[1].clone(), arms[2].clone(), deep.clone()];
    assert_eq!(listed, expect.into());
    assert_eq!(ids(&found.commits)[0], octopus);
    let position = |id: &CommitId| ids(&found.commits).iter().position(|other| other == id).unwrap();
    assert!(position(&deep) < position(&arms[2]));
}

#[test]
fn what_a_rewrite_dropped_is_listed() {
    let fixture = GitFixture::new();
    let root = fixture.commit("root");
    let lost = fixture.commit("lost");
    let base = fixture.commit("base");
    let head = commit_tree(&fixture, &[&root], "rewritten");
    let found = range(&fixture, &base, &head);
    assert!(!found.base_is_ancestor);
    assert_eq!((ids(&found.commits), ids(&found.dropped)), (vec![head], vec![base.clone(), lost]));
    // A plain rollback: the head is behind the base.
    let back = range(&fixture, &base, &root);
    assert_eq!((back.commits.len(), back.dropped.len(), back.base_is_ancestor), (0, 2, false));
    // Unrelated histories share nothing.
    let other = commit_tree(&fixture, &[], "unrelated");
    let apart = range(&fixture, &base, &other);
    assert_eq!((apart.commits.len(), apart.dropped.len(), apart.base_is_ancestor), (1, 3, false));
}

/// Every pair of commits of a tangled history, against `git rev-list`.
#[test]
fn ranges_are_those_of_git() {
    let fixture = GitFixture::new();
    let mut commits = vec![fixture.commit("0")];
    for number in 1_usize..14 {
        let picked = [number - 1, number * 7 % number, number * 5 / 3 % number];
        let parents: BTreeSet<_> = picked[..1 + number % 3].iter().map(|at| &commits[*at]).collect();
        let parents: Vec<_> = if number == 6 { vec![] } else { parents.into_iter().collect() };
        let commit = commit_tree(&fixture, &parents, &number.to_string());
        commits.push(commit);
    }
    let listed = |from: &CommitId, to: &CommitId| -> BTreeSet<CommitId> {
        let lines = fixture.git(&["rev-list", to.as_str(), &format!("^{from}")]);
        lines.lines().map(|line| line.parse().unwrap()).collect()
    };
    for (base, head) in (0..14).flat_map(|a| [3, 7, 11, 13].map(|b| (a, b))) {
        let (base, head) = (&commits[base], &commits[head]);
        let found = range(&fixture, base, head);
        assert_eq!(ids(&found.commits).into_iter().collect::<BTreeSet<_>>(), listed(base, head));
        assert_eq!(ids(&found.dropped).into_iter().collect::<BTreeSet<_>>(), listed(head, base));
        assert_eq!(found.base_is_ancestor, found.dropped.is_empty());
        for detail in &found.commits {
            let place = |id| ids(&found.commits).iter().position(|other| other == id);
            let later = |parent| place(parent).is_none_or(|at| at > place(&detail.facts.commit).unwrap());
            assert!(detail.facts.parents.iter().all(later));
        }
    }
}

#[test]
fn a_range_is_never_cut() {
    let fixture = GitFixture::new();
    let base = fixture.commit("base");
    fixture.commit("one");
    let head = fixture.commit("two");
    for (base, head) in [(&base, &head), (&head, &base)] {
        assert!(open(&fixture).range(Some(base), head, &[], 2).is_ok());
        let Err(SourceError::Failed { problem, .. }) = open(&fixture).range(Some(base), head, &[], 1) else {
            panic!("more than the limit was listed")
        };
        assert!(problem.contains("more than 1"), "{problem}");
    }
    let short = open(&fixture).with_limits(Limits { history: 2, ..Limits::default() });
    assert_eq!(refusal(short.range(Some(&head), &base, &[], 100)), Code::SrcObject);
    let tree = raw_tree(&fixture, &[]);
    let who = "Ada <ada@example.org> 1700000000 +0000";
    let long = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\n{}\n", "x\n".repeat(600_000));
    let long = fixture.object("commit", long).parse().unwrap();
    assert_eq!(refusal(open(&fixture).range(None, &long, &[], 1)), Code::SrcObject);
}

#[test]
fn a_missing_commit_behind_either_end_is_refused() {
    let fixture = GitFixture::new();
    let head = fixture.commit("first");
    let absent = "f".repeat(40).parse().unwrap();
    assert_eq!(refusal(open(&fixture).range(Some(&absent), &head, &[], 9)), Code::SrcObject);
    assert_eq!(refusal(open(&fixture).range(Some(&head), &absent, &[], 9)), Code::SrcObject);
    let other_hash = "f".repeat(64).parse().unwrap();
    assert_eq!(refusal(open(&fixture).range(Some(&other_hash), &head, &[], 9)), Code::SrcRevision);
}

fn changed(fixture: &GitFixture, commit: &CommitId, parent: Option<&CommitId>) -> Vec<String> {
    open(fixture).changed_paths(commit, parent).unwrap().into_iter().collect()
}

#[test]
fn changed_paths_are_those_that_differ_in_content_kind_or_mode() {
    let fixture = GitFixture::new();
    for name in ["same", "deep/same", "content", "gone", "deep/gone", "mode", "kind", "becomes-directory"] {
        fixture.write(name, name);
    }
    let first = fixture.commit("first");
    let all = changed(&fixture, &first, None);
    assert_eq!(all.len(), 8);
    for gone in ["gone", "deep/gone", "kind", "mode", "becomes-directory"] {
        fixture.remove(gone);
    }
    fixture.write("content", "other");
    fixture.write_executable("mode", "mode");
    fixture.symlink("kind", "same");
    fixture.write("becomes-directory/file", "");
    fixture.write("new/deep/file", "");
    let second = fixture.commit("second");
    let expect = [
        "becomes-directory",
        "becomes-directory/file",
        "content",
        "deep/gone",
        "gone",
        "kind",
        "mode",
        "new/deep/file",
    ];
    assert_eq!(changed(&fixture, &second, None), expect);
    assert_eq!(changed(&fixture, &first, Some(&second)), expect);
    assert!(changed(&fixture, &second, Some(&second)).is_empty());
}

#[test]
fn a_merge_changed_what_differs_from_any_parent() {
    let fixture = GitFixture::new();
    fixture.commit("root");
    fixture.branch("side");
    fixture.write("theirs", "");
    let side = fixture.commit("side");
    fixture.checkout("main");
    fixture.write("ours", "");
    let main = fixture.commit("main");
    fixture.git(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
    fixture.write("evil", "in neither");
    let merge = fixture.commit("merge");
    assert_eq!(changed(&fixture, &merge, None), ["evil", "ours", "theirs"]);
    assert_eq!(changed(&fixture, &merge, Some(&main)), ["evil", "theirs"]);
    assert_eq!(changed(&fixture, &merge, Some(&side)), ["evil", "ours"]);
}

/// What could be read as a permitted path, or as no change at all.
#[test]
fn tricks_with_names_are_refused_or_seen() {
    let fixture = GitFixture::new();
    let base = fixture.commit("base");
    let blob = fixture.object("blob", "content");
    let empty = raw_tree(&fixture, &[]);
    for name in [&b"environments/staging/shop/release.json"[..], b"..", b".", b"", b"/"] {
        let commit = commit_of(&fixture, &[("100644", name, &blob)]);
        assert_eq!(refusal(open(&fixture).changed_paths(&commit, Some(&base))), Code::SrcObject, "{name:?}");
    }
    let twice = commit_of(&fixture, &[("100644", b"\xff", &blob), ("100644", b"\xfe", &blob)]);
    assert_eq!(refusal(open(&fixture).changed_paths(&twice, Some(&base))), Code::SrcObject);
    let hidden = commit_of(&fixture, &[("40000", b"empty", &empty), ("160000", b"module", base.as_str())]);
    assert_eq!(changed(&fixture, &hidden, Some(&base)), ["empty/", "module"]);
    let nested = commit_of(&fixture, &[("40000", b"empty", &raw_tree(&fixture, &[("40000", b"e", &empty)]))]);
    assert_eq!(changed(&fixture, &nested, Some(&base)), ["empty/e/"]);
    let strange = commit_of(&fixture, &[("100644", b"a\nb\x1b", &blob)]);
    assert_eq!(changed(&fixture, &strange, Some(&base)), ["a\u{fffd}b\u{fffd}"]);
}

#[test]
fn a_comparison_is_bounded() {
    let fixture = GitFixture::new();
    let base = fixture.commit("base");
    for number in 0..20 {
        fixture.write(&format!("a/b/c/{number}"), "");
    }
    let commit = fixture.commit("many");
    for limits in [Limits { entries: 10, ..Limits::default() }, Limits { depth: 2, ..Limits::default() }] {
        let source = open(&fixture).with_limits(limits);
        assert_eq!(refusal(source.changed_paths(&commit, Some(&base))), Code::SrcObject);
    }
    assert_eq!(changed(&fixture, &commit, Some(&base)).len(), 20);
}

#[test]
fn the_last_change_is_found_on_the_first_line() {
    let fixture = GitFixture::new();
    fixture.write("deep/file", "one");
    let first = fixture.commit("one");
    fixture.write("deep/file", "two");
    let second = fixture.commit("two");
    fixture.write("other", "");
    let other = fixture.commit("other");
    let last = |head: &CommitId, name: &str| open(&fixture).last_change(head, &path(name)).unwrap();
    assert_eq!(last(&other, "deep/file"), Some(second.clone()));
    assert_eq!(last(&other, "deep"), Some(second.clone()));
    assert_eq!(last(&other, "other"), Some(other.clone()));
    assert_eq!(last(&first, "deep/file"), Some(first.clone()));
    assert_eq!(last(&other, "absent"), None);
    assert_eq!(last(&other, "deep/file/below"), None);
    // Back to the first content: that is a change of its own.
    fixture.write("deep/file", "one");
    let back = fixture.commit("back");
    assert_eq!(last(&back, "deep/file"), Some(back.clone()));
    // On a side branch, it arrives with the merge.
    fixture.branch("side");
    fixture.write("deep/file", "three");
    fixture.commit("three");
    fixture.checkout("main");
    fixture.commit("nothing");
    let merge = fixture.merge("side");
    assert_eq!(last(&merge, "deep/file"), Some(merge.clone()));
}

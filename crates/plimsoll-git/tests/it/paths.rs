//! Names, links and modes that no file system should be given.

use crate::support::{commit_of, export, open, path, raw_tree, refusal, tree_refusal};
use plimsoll_engine::ports::Source;
use plimsoll_model::{Code, Entry};
use plimsoll_testkit::GitFixture;

#[test]
fn names_that_no_file_system_should_be_given_are_refused() {
    let fixture = GitFixture::new();
    let blob = fixture.object("blob", "content");
    let bad: &[&[u8]] = &[
        b"..",
        b".",
        b"",
        b"a/b",
        b"/etc",
        b".git",
        b".GIT",
        b".gIt",
        b"git~1",
        b".git ",
        b".git.",
        b".git::$DATA",
        ".g\u{200c}it".as_bytes(),
        b"a\\..\\.git",
        b"a\nb",
        b"\x1b[2J",
        b"\xff\xfe",
    ];
    for name in bad {
        let commit = commit_of(&fixture, &[("100644", name, &blob)]);
        assert_eq!(tree_refusal(&open(&fixture), &commit), Code::SrcPath, "{}", name.escape_ascii());
    }
    let long = "x".repeat(256);
    let commit = commit_of(&fixture, &[("100644", long.as_bytes(), &blob)]);
    assert_eq!(tree_refusal(&open(&fixture), &commit), Code::SrcPath);
}

#[test]
fn a_directory_named_like_git_is_refused_at_any_depth() {
    let fixture = GitFixture::new();
    let blob = fixture.object("blob", "content");
    let hooks = raw_tree(&fixture, &[("100755", b"post-checkout", &blob)]);
    let inner = raw_tree(&fixture, &[("40000", b".Git", &hooks)]);
    let commit = commit_of(&fixture, &[("40000", b"sub", &inner)]);
    assert_eq!(tree_refusal(&open(&fixture), &commit), Code::SrcPath);
}

#[test]
fn ordinary_names_near_the_rule_pass() {
    let fixture = GitFixture::new();
    for name in [".gitignore", ".github/workflows/x.yml", "git", "a..b", "..a", "con", "x:y", "~", "*", "-rf"]
    {
        fixture.write(name, "");
    }
    let commit = fixture.commit("names");
    assert_eq!(export(&open(&fixture), &commit, None).1.entries.len(), 10);
}

#[test]
fn links_that_leave_the_tree_are_refused() {
    let fixture = GitFixture::new();
    for target in ["/etc/passwd", "..", "../x", "a/../../x", "", "a/..", "x\ny"] {
        let blob = fixture.object("blob", target);
        let commit = commit_of(&fixture, &[("120000", b"link", &blob)]);
        assert_eq!(tree_refusal(&open(&fixture), &commit), Code::SrcPath, "{target:?}");
    }
    let blob = fixture.object("blob", "file");
    let commit = commit_of(&fixture, &[("120000", b"link", &blob)]);
    let (_, tree) = export(&open(&fixture), &commit, None);
    assert_eq!(tree.entries[&path("link")], Entry::Symlink { target: "file".to_owned() });
}

#[test]
fn one_name_twice_is_refused() {
    let fixture = GitFixture::new();
    let blob = fixture.object("blob", "content");
    let link = fixture.object("blob", "elsewhere");
    let directory = raw_tree(&fixture, &[("100644", b"file", &blob)]);
    // A link and a directory of one name: writing "below the directory" would follow the link.
    for twice in [[("120000", &link), ("40000", &directory)], [("100644", &blob), ("100755", &blob)]] {
        let entries = twice.map(|(mode, id)| (mode, b"a".as_slice(), id.as_str()));
        let commit = commit_of(&fixture, &entries);
        assert_eq!(tree_refusal(&open(&fixture), &commit), Code::SrcObject);
        assert_eq!(refusal(open(&fixture).file(&commit, &path("a"), 100)), Code::SrcObject);
    }
}

#[test]
fn submodules_are_refused() {
    let fixture = GitFixture::new();
    let other = fixture.commit("other");
    let commit = commit_of(&fixture, &[("160000", b"vendor", other.as_str())]);
    let source = open(&fixture);
    assert_eq!(tree_refusal(&source, &commit), Code::SrcSubmodule);
    assert_eq!(refusal(source.tree(&commit, Some(&path("vendor")))), Code::SrcSubmodule);
    assert_eq!(source.file(&commit, &path("vendor"), 100).unwrap(), None);
}

#[test]
fn lfs_pointers_are_refused() {
    let fixture = GitFixture::new();
    fixture.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    fixture.write(
        "docs/lfs.md",
        "The first line of a pointer is\nversion https://git-lfs.github.com/spec/v1\noid …\n",
    );
    let benign = fixture.commit("benign");
    let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    fixture.write(
        "big.bin",
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n"),
    );
    let pointer = fixture.commit("pointer");
    assert_eq!(tree_refusal(&open(&fixture), &pointer), Code::SrcLfs);
    assert!(open(&fixture).tree(&benign, None).is_ok());
}

#[test]
fn old_group_writable_files_are_plain_files_and_unknown_modes_are_refused() {
    let fixture = GitFixture::new();
    let blob = fixture.object("blob", "content");
    let commit = commit_of(&fixture, &[("100664", b"old", &blob)]);
    let (_, tree) = export(&open(&fixture), &commit, None);
    assert!(matches!(tree.entries[&path("old")], Entry::File { executable: false, .. }));
    for mode in ["0", "10644", "60000", "20000", "777777", "1006440", "abc", "140000"] {
        let commit = commit_of(&fixture, &[(mode, b"device", &blob)]);
        assert_eq!(tree_refusal(&open(&fixture), &commit), Code::SrcObject, "{mode}");
    }
}

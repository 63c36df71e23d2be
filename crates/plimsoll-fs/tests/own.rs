//! Directories that people name: what of others' hands is refused, beside its benign twin.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up its case fails")]

use plimsoll_fs::{make_own, open_own, open_own_beneath};
use plimsoll_model::Code;
use rustix::process::geteuid;
use std::{
    fs,
    os::{
        fd::AsFd,
        unix::fs::{PermissionsExt, chown, symlink},
    },
    path::Path,
};

/// What is in the way of a directory of one's own; each is below a directory that only this user can change.
#[test]
fn a_directory_of_one_s_own_is_nobody_else_s_all_the_way() {
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let check = |name: &str, prepare: &dyn Fn(&Path), expect: Result<bool, Code>| {
        let base = tempfile::tempdir().unwrap();
        prepare(base.path());
        let opened = open_own(&base.path().join("a/b"));
        let seen = opened.as_ref().map(Option::is_some).map_err(|error| error.code());
        assert_eq!(seen, expect.map_err(Some), "{name}: {opened:?}");
        if let Err(code) = expect {
            assert_eq!(make_own(&base.path().join("a/b")).unwrap_err().code(), Some(code), "{name}");
        }
    };
    let refused = Err(Code::TargetPath);
    let both = |base: &Path| fs::create_dir_all(base.join("a/b")).unwrap();
    let one = |base: &Path| fs::create_dir(base.join("a")).unwrap();
    check("both are there", &both, Ok(true));
    check("the last is missing", &one, Ok(false));
    check("both are missing", &|_| (), refused);
    check(
        "others may write",
        &|base| {
            both(base);
            mode(&base.join("a/b"), 0o757)
        },
        refused,
    );
    check(
        "the group may write",
        &|base| {
            both(base);
            mode(&base.join("a/b"), 0o775)
        },
        refused,
    );
    check(
        "all may write, sticky",
        &|base| {
            both(base);
            mode(&base.join("a/b"), 0o1777)
        },
        refused,
    );
    check(
        "all may write above",
        &|base| {
            both(base);
            mode(&base.join("a"), 0o777)
        },
        refused,
    );
    check(
        "all may write above, sticky",
        &|base| {
            both(base);
            mode(&base.join("a"), 0o1777)
        },
        Ok(true),
    );
    check(
        "a link",
        &|base| {
            one(base);
            symlink("/usr", base.join("a/b")).unwrap()
        },
        refused,
    );
    check("a link above", &|base| symlink("/usr", base.join("a")).unwrap(), refused);
    check(
        "a file",
        &|base| {
            one(base);
            fs::write(base.join("a/b"), "x").unwrap()
        },
        refused,
    );
    for path in ["", "/", "a/b", "/a/../b"] {
        assert_eq!(open_own(Path::new(path)).unwrap_err().code(), Some(Code::TargetPath), "{path}");
    }
    if geteuid().is_root() {
        let foreign = |base: &Path| {
            both(base);
            chown(base.join("a"), Some(65_534), None).unwrap();
        };
        check("somebody else's above", &foreign, refused);
    }
}

#[test]
fn a_directory_of_one_s_own_is_made_where_it_is_missing() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("own");
    let made = make_own(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o022, 0);
    fs::create_dir(path.join("in")).unwrap();
    open_own_beneath(&path, made.as_fd(), "in").unwrap();
    symlink("in", path.join("link")).unwrap();
    let refused = open_own_beneath(&path, made.as_fd(), "link").unwrap_err();
    assert_eq!(refused.code(), Some(Code::TargetPath));
    assert_eq!(open_own_beneath(&path, made.as_fd(), "none").unwrap_err().code(), None);
    make_own(&path).unwrap();
}

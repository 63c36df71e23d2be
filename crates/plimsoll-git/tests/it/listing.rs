//! Which files a work tree has, whatever the repository's own configuration would like to run or hide.

use plimsoll_git::listed;
use plimsoll_testkit::GitFixture;
use std::path::{Path, PathBuf};

fn check(path: &Path, expect: &[&str]) {
    let paths: Vec<PathBuf> = expect.iter().map(PathBuf::from).collect();
    assert_eq!(listed(path).unwrap(), Some(paths), "{}", path.display());
}

#[test]
fn what_is_tracked_or_not_ignored_is_listed() {
    let repository = GitFixture::new();
    for file in ["tracked", "a/ignored.log", "a/b/kept", "forced.log"] {
        repository.write(file, file);
    }
    repository.write(".gitignore", "*.log\n");
    check(&repository.path(), &[".gitignore", "a/b/kept", "tracked"]);
    repository.git(&["add", "-f", "tracked", "forced.log"]);
    check(&repository.path(), &[".gitignore", "a/b/kept", "forced.log", "tracked"]);
    check(&repository.path().join("a"), &["b/kept"]);
    repository.commit("all");
    check(&repository.path(), &[".gitignore", "a/b/kept", "forced.log", "tracked"]);
    assert_eq!(listed(repository.home().as_path()).unwrap(), None);
}

#[test]
fn a_directory_that_looks_like_a_pattern_is_one_directory() {
    let repository = GitFixture::new();
    repository.write("[ab]/one", "");
    repository.write("a/two", "");
    check(&repository.path().join("[ab]"), &["one"]);
}

#[test]
fn the_repositorys_configuration_runs_nothing() {
    let repository = GitFixture::new();
    repository.write("file", "");
    let marker = repository.home().join("marker");
    let command = format!("touch {}", marker.display());
    repository.git(&["config", "core.fsmonitor", &command]);
    repository.git(&["config", "filter.x.clean", &command]);
    repository.git(&["config", "core.excludesFile", "/dev/zero"]);
    repository.write(".gitattributes", "* filter=x\n");
    check(&repository.path(), &[".gitattributes", "file"]);
    assert!(!marker.exists());
}

#[test]
fn a_sha256_repository_is_listed_as_well() {
    let repository = GitFixture::with_init(&["--object-format=sha256"]);
    repository.write("file", "");
    repository.commit("one");
    check(&repository.path(), &["file"]);
}

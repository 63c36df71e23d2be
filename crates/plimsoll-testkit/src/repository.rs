//! A git repository in a temporary directory, driven by the real `git` under a fixed identity and a clock of its own.

use crate::{
    SshKey,
    command::{isolated, output},
};
use plimsoll_model::CommitId;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicI64, Ordering},
};
use tempfile::TempDir;

/// When the first command of every fixture runs, in seconds since 1970; each further one is a minute later.
const FIRST_COMMAND: i64 = 1_700_000_000;

/// A repository with one branch, `main`, and at first no commit. It is removed with the value. No configuration or
/// environment variable of the host has any influence, and equal histories of unsigned commits have equal ids.
#[derive(Debug)]
pub struct GitFixture {
    directory: TempDir,
    clock: AtomicI64,
}

impl Default for GitFixture {
    fn default() -> Self {
        Self::new()
    }
}

impl GitFixture {
    /// An empty repository with SHA-1 ids.
    ///
    /// # Panics
    /// When `git` fails, as in every other method.
    #[must_use]
    pub fn new() -> Self {
        Self::with_init(&[])
    }

    /// An empty repository made by `git init` with more `options`, as in `--object-format=sha256`.
    #[must_use]
    pub fn with_init(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let fixture = Self { directory, clock: AtomicI64::new(FIRST_COMMAND) };
        for path in [fixture.path(), fixture.home()] {
            fs::create_dir(path).expect("a directory");
        }
        fixture.git(&[&["init", "-q", "-b", "main"], options].concat());
        fixture
    }

    /// The work tree.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("repository")
    }

    /// A directory beside the work tree that the fixture's `git` has as `HOME`.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.directory.path().join("home")
    }

    /// Writes a file of the work tree, with the directories above it.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        fs::write(self.prepared(path), content).expect("a file");
    }

    /// Writes a file of the work tree that its owner may execute.
    pub fn write_executable(&self, path: &str, content: impl AsRef<[u8]>) {
        self.write(path, content);
        fs::set_permissions(self.path().join(path), fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    /// Makes a symbolic link in the work tree.
    pub fn symlink(&self, path: &str, target: &str) {
        symlink(target, self.prepared(path)).expect("a symbolic link");
    }

    /// Removes a file of the work tree.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).expect("a file to remove");
    }

    /// Commits the whole work tree, also when nothing changed, and gives the new commit.
    pub fn commit(&self, message: &str) -> CommitId {
        self.commit_with(message, &[])
    }

    /// Like [`GitFixture::commit`], signed with `key` in the way of `gpg.format=ssh`.
    pub fn commit_signed(&self, message: &str, key: &SshKey) -> CommitId {
        let key = format!("user.signingkey={}", key.private_path().display());
        self.commit_with(message, &["-c", "gpg.format=ssh", "-c", &key, "-c", "commit.gpgsign=true"])
    }

    fn commit_with(&self, message: &str, options: &[&str]) -> CommitId {
        self.git(&["add", "-A"]);
        self.git(&[options, &["commit", "-q", "--allow-empty", "-m", message]].concat());
        self.head()
    }

    /// Makes `name` a branch of the current commit and checks it out.
    pub fn branch(&self, name: &str) {
        self.git(&["checkout", "-q", "-b", name]);
    }

    /// Checks out an existing branch or commit.
    pub fn checkout(&self, revision: &str) {
        self.git(&["checkout", "-q", revision, "--"]);
    }

    /// Makes a lightweight tag of the current commit.
    pub fn tag(&self, name: &str) {
        self.git(&["tag", name]);
    }

    /// Makes an annotated tag of the current commit.
    pub fn annotated_tag(&self, name: &str) {
        self.git(&["tag", "-a", "-m", name, name]);
    }

    /// Merges a branch into the current one, always with a merge commit.
    pub fn merge(&self, branch: &str) -> CommitId {
        self.git(&["merge", "-q", "--no-ff", "-m", &format!("merge {branch}"), branch]);
        self.head()
    }

    /// The current commit.
    #[must_use]
    pub fn head(&self) -> CommitId {
        self.git(&["rev-parse", "HEAD"]).parse().expect("a commit id")
    }

    /// Runs `git` in the work tree and gives what it wrote, without the last line end.
    pub fn git(&self, arguments: &[&str]) -> String {
        let written = output(self.command(&self.path()).args(arguments));
        String::from_utf8(written).expect("text from git").trim_end_matches('\n').to_owned()
    }

    /// Stores an object of the given type byte for byte, without any check, and gives its id.
    pub fn object(&self, kind: &str, content: impl AsRef<[u8]>) -> String {
        let file = self.home().join("object");
        fs::write(&file, content).expect("a file");
        let file = file.to_string_lossy();
        self.git(&["hash-object", "-t", kind, "-w", "--literally", "--no-filters", &file])
    }

    /// A `git` command in `directory` that sees nothing of the host's configuration. Each has a later time than the one
    /// before.
    #[must_use]
    pub fn command(&self, directory: &Path) -> Command {
        let now = format!("{} +0000", self.clock.fetch_add(60, Ordering::Relaxed));
        let mut command = isolated("git", &self.home());
        command
            .current_dir(directory)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Ada Author")
            .env("GIT_AUTHOR_EMAIL", "ada@example.org")
            .env("GIT_AUTHOR_DATE", &now)
            .env("GIT_COMMITTER_NAME", "Carl Committer")
            .env("GIT_COMMITTER_EMAIL", "carl@example.org")
            .env("GIT_COMMITTER_DATE", &now);
        command
    }

    fn prepared(&self, path: &str) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_histories_have_equal_ids() {
        let ids = [GitFixture::new(), GitFixture::new()].map(|fixture| {
            fixture.write("a/b", "content");
            fixture.commit("first")
        });
        assert_eq!(ids[0], ids[1]);
    }

    #[test]
    fn signed_commits_are_good_for_git_itself() {
        let (fixture, key) = (GitFixture::new(), SshKey::generate());
        let commit = fixture.commit_signed("signed", &key);
        let allowed = fixture.home().join("allowed");
        fs::write(&allowed, format!("* {}\n", key.public_line())).unwrap();
        let allowed = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
        fixture.git(&["-c", &allowed, "verify-commit", commit.as_str()]);
    }
}

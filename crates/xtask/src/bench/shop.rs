//! A small project of its own, with the state directory and the delivery repository that a person would have, and the
//! optimised program at work in them. It goes when the run ends.

use super::{
    Bench,
    case::{say, succeed},
};
use crate::project::Result;
use plimsoll_testkit::{GitFixture, SshKey};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Three steps that do nothing, and a test.
const PIPELINE: &str = "\
version: 1
project: shop
build:
  steps:
    - {name: first, run: [/bin/true]}
    - {name: second, run: [/bin/true]}
    - {name: third, run: 'echo shop > out/shop', out: [out]}
  artifact: {files: [out/shop]}
evidence:
  - {test: unit, on: source, run: [/bin/true]}
";

/// See the module.
pub(super) struct Shop {
    program: PathBuf,
    scratch: PathBuf,
    pub(super) repository: GitFixture,
    /// Who the delivery repository knows, and who signed the commit.
    person: SshKey,
}

impl Shop {
    /// With one commit, which the delivery repository approves, and nothing run.
    pub(super) fn open(bench: &Bench<'_>) -> Result<Self> {
        Self::of(bench, &[], |repository| repository.write("plimsoll.yaml", PIPELINE))
    }

    /// The same with the files that `write` writes, and with more `options` for `plimsoll init`.
    pub(super) fn of(bench: &Bench<'_>, options: &[&str], write: impl FnOnce(&GitFixture)) -> Result<Self> {
        let shop = Self {
            program: bench.project.built("release", "plimsoll"),
            scratch: bench.scratch.clone(),
            repository: GitFixture::new(),
            person: SshKey::generate(),
        };
        let identity = "[user]\n\tname = Carl Committer\n\temail = carl@example.org\n";
        std::fs::write(shop.repository.home().join(".gitconfig"), identity)?;
        write(&shop.repository);
        shop.commit("a pipeline");
        let key = shop.person.private_path();
        let mut init = shop.plimsoll(&["--quiet", "init", "--delivery"]);
        say(init.arg(shop.delivery()).arg("--key").arg(key.with_extension("pub")).args(options))?;
        Ok(shop)
    }

    /// Commits the work tree in the name of whom the delivery repository knows.
    pub(super) fn commit(&self, message: &str) {
        self.repository.commit_signed(message, &self.person);
    }

    /// The delivery repository.
    pub(super) fn delivery(&self) -> PathBuf {
        self.scratch.join("delivery")
    }

    /// Commits the work tree of the delivery repository.
    pub(super) fn commit_delivery(&self, message: &str) -> Result<()> {
        for words in [&["add", "-A"][..], &["commit", "-qm", message]] {
            succeed(self.repository.command(&self.delivery()).args(words))?;
        }
        Ok(())
    }

    /// A command of the person about the delivery repository, as in `policy sign`.
    pub(super) fn as_person(&self, words: &[&str]) -> Result<()> {
        let mut command = self.plimsoll(words);
        command.arg("-C").arg(self.delivery()).arg("--key").arg(self.person.private_path());
        succeed(&mut command)
    }

    /// The program with a state directory and a home of its own: another machine.
    pub(super) fn elsewhere(&self, home: &Path, arguments: &[&str]) -> Command {
        let mut command = self.program_at(&home.join("state"), arguments);
        command.env("HOME", home).current_dir(home);
        command
    }

    /// The state directory.
    pub(super) fn state(&self) -> PathBuf {
        self.scratch.join("state")
    }

    /// The program in the repository, with nothing of the caller's environment, and without a compiler to look at.
    pub(super) fn plimsoll(&self, arguments: &[&str]) -> Command {
        let mut command = self.program_at(&self.state(), arguments);
        command.env("HOME", self.repository.home()).current_dir(self.repository.path());
        command
    }

    fn program_at(&self, state: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--state").arg(state).args(arguments);
        command.env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin").stdin(Stdio::null());
        command
    }

    /// Runs the newest commit and exports what that left. Gives the folder.
    pub(super) fn exported(&self) -> Result<PathBuf> {
        let record: serde_json::Value = serde_json::from_str(&say(&mut self.plimsoll(&["--json", "run"]))?)?;
        let run = record["run"].as_str().ok_or("the record of the run has no run")?;
        let folder = self.scratch.join("exported");
        say(self.plimsoll(&["export", run, "--to"]).arg(&folder))?;
        Ok(folder)
    }

    /// The public key of a role, as a file.
    pub(super) fn key(&self, role: &str) -> Result<PathBuf> {
        let file = self.scratch.join(role).with_extension("pub");
        std::fs::write(&file, say(&mut self.plimsoll(&["trust", "key", role]))?)?;
        Ok(file)
    }

    pub(super) fn program(&self) -> &Path {
        &self.program
    }
}

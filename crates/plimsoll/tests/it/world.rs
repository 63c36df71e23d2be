//! One test's world: a repository, a state directory, a delivery repository, a home, and the binary at work in them.

use plimsoll_testkit::{GitFixture, SshKey};
use serde_json::Value;
use std::{
    fs,
    os::unix::{fs::DirBuilderExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::LazyLock,
};
use tempfile::TempDir;

/// Programs of the system, and no Rust: most pipelines of these tests are shell.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// A pipeline of one step that runs `script`, which must leave `out/x`.
pub(crate) fn pipeline(script: &str) -> String {
    pipeline_with(script, "out: [out]", "")
}

/// The same with other keys of the step, and with what follows the build.
pub(crate) fn pipeline_with(script: &str, keys: &str, rest: &str) -> String {
    let script = script.replace('\n', "\n        ");
    format!(
        "version: 1\nproject: shop\nbuild:\n  steps:\n    - name: make\n      run: |\n        {script}\n      {keys}\n  artifact:\n    files: [out/x]\n{rest}"
    )
}

/// What a first run by this user leaves that does not depend on a project: the hashes of the machine's toolchain, which
/// take seconds to make.
struct Seed {
    format: Vec<u8>,
    cache: Vec<u8>,
}

static SEED: LazyLock<Seed> = LazyLock::new(|| {
    let world = World::unseeded();
    world.commit_pipeline(&pipeline("echo x > out/x"));
    world.plimsoll(&["run"]).ok();
    let read = |name| fs::read(world.state().join(name)).expect("a file of the state directory");
    Seed { format: read("format.json"), cache: read("toolchain.cache") }
});

/// See the module. Dropping it stops what it started.
pub(crate) struct World {
    base: TempDir,
    pub(crate) repository: GitFixture,
    pub(crate) person: SshKey,
}

impl World {
    /// A repository with one commit: a plimsoll.yaml with this content.
    pub(crate) fn new(pipeline: &str) -> Self {
        let world = Self::empty();
        world.commit_pipeline(pipeline);
        world
    }

    /// A repository without a commit.
    pub(crate) fn empty() -> Self {
        let world = Self::unseeded();
        let state = world.state();
        fs::DirBuilder::new().mode(0o700).create(&state).expect("a state directory");
        fs::write(state.join("format.json"), &SEED.format).expect("a format");
        fs::write(state.join("toolchain.cache"), &SEED.cache).expect("a cache");
        world
    }

    fn unseeded() -> Self {
        let base = tempfile::tempdir().expect("a temporary directory");
        let world = Self { base, repository: GitFixture::new(), person: SshKey::generate() };
        fs::create_dir(world.home()).expect("a home");
        let identity = "[user]\n\tname = Carl Committer\n\temail = carl@example.org\n";
        fs::write(world.home().join(".gitconfig"), identity).expect("git's configuration");
        world
    }

    pub(crate) fn commit_pipeline(&self, pipeline: &str) {
        self.repository.write("plimsoll.yaml", pipeline);
        self.repository.commit("a pipeline");
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.base.path().join("home")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.base.path().join("state")
    }

    pub(crate) fn delivery(&self) -> PathBuf {
        self.base.path().join("delivery")
    }

    /// A file of this world that belongs to none of the others.
    pub(crate) fn scratch(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.base.path().join(name);
        fs::write(&path, content).expect("a file");
        path
    }

    /// The binary in the repository, with nothing of the caller's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.prefixed(&[], arguments)
    }

    /// The binary, started by other programs, as in `["faketime", "-1d"]`.
    pub(crate) fn prefixed(&self, prefix: &[&str], arguments: &[&str]) -> Command {
        let words: Vec<&str> = [prefix, &[env!("CARGO_BIN_EXE_plimsoll")]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("--state").arg(self.state()).args(arguments);
        command.env_clear().env("PATH", PATH).env("HOME", self.home()).env("LC_ALL", "C.UTF-8");
        command.current_dir(self.repository.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn plimsoll(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// The same with `--json`, which must give exactly one document.
    pub(crate) fn json(&self, arguments: &[&str]) -> Ran {
        let ran = self.plimsoll(&[&["--json"], arguments].concat());
        ran.value();
        ran
    }

    /// Starts the binary in a process group of its own and does not wait for it.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> std::process::Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command.spawn().expect("a started binary")
    }

    /// The content of a blob of the store.
    pub(crate) fn blob(&self, digest: &Value) -> PathBuf {
        let hex = text(digest).trim_start_matches("sha256:").to_owned();
        self.state().join("layout/blobs/sha256").join(hex)
    }

    /// Changes a file of the delivery repository and commits it.
    pub(crate) fn change_delivery(&self, path: &str, change: impl FnOnce(String) -> String) {
        let file = self.delivery().join(path);
        let old = fs::read_to_string(&file).expect("a file of the delivery repository");
        let new = change(old.clone());
        assert_ne!(old, new, "the change of {path} changes nothing");
        fs::write(&file, new).expect("a file");
        let status = self.repository.command(&self.delivery()).args(["commit", "-qam", "change"]).status();
        assert!(status.expect("git").success());
        if plimsoll_policy::repository::is_policy_file(path) {
            self.sign_policy();
        }
    }

    /// Adds to a file of the delivery repository as if the newest commit had done so.
    pub(crate) fn change_delivery_by_amending(&self, path: &str, more: &str) {
        let file = self.delivery().join(path);
        let text = fs::read_to_string(&file).expect("a file of the delivery repository");
        fs::write(&file, text + more).expect("a file");
        let amend = ["commit", "-q", "--amend", "--no-edit", "-a"];
        let status = self.repository.command(&self.delivery()).args(amend).status();
        assert!(status.expect("git").success());
    }

    /// Puts the rules of the delivery repository into force as they are.
    pub(crate) fn sign_policy(&self) {
        let (delivery, key) = (self.delivery(), self.person.private_path());
        let [delivery, key] = [&delivery, &key].map(|path| path.to_str().expect("a path"));
        self.plimsoll(&["policy", "sign", "-C", delivery, "--key", key]).ok();
    }

    /// What a killed engine or step could have left: its work directories.
    pub(crate) fn left_in_work(&self) -> Vec<PathBuf> {
        entries(&self.state().join("work"))
    }

    /// A word of every command line that belongs to this world.
    pub(crate) fn mark(&self) -> String {
        self.base.path().display().to_string()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for service in entries(&self.state().join("services")) {
            let unit = service.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let _ = self.command(&["stop", &unit]).output();
        }
    }
}

pub(crate) fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// A JSON string.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text"))
}

/// How a command ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        command.output().map(Self::from).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// It did what it was asked.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{self:#?}");
        self
    }

    /// It ended with this status.
    pub(crate) fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// It gave exactly these reasons, each at least once, in its JSON document.
    pub(crate) fn refused(self, codes: &[&str]) -> Self {
        let mut expected = codes.to_vec();
        expected.sort_unstable();
        let mut actual = self.codes();
        actual.sort_unstable();
        actual.dedup();
        assert_eq!(actual, expected, "{self:#?}");
        self
    }

    /// The one document of `--json`.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("not one document: {error}: {self:#?}"))
    }

    /// The codes of the document's reasons, in its order.
    pub(crate) fn codes(&self) -> Vec<String> {
        let value = self.value();
        let reasons = value["reasons"].as_array().unwrap_or_else(|| panic!("no reasons: {self:#?}"));
        reasons.iter().map(|reason| text(&reason["code"]).to_owned()).collect()
    }

    /// A parameter of the only reason with this code.
    pub(crate) fn parameter(&self, code: &str, name: &str) -> String {
        let value = self.value();
        let reasons = value["reasons"].as_array().expect("reasons");
        let reason = reasons.iter().find(|reason| reason["code"] == code);
        text(&reason.unwrap_or_else(|| panic!("no {code}: {self:#?}"))["parameters"][name]).to_owned()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let status = output.status.code().unwrap_or_else(|| -output.status.signal().unwrap_or_default());
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self { status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

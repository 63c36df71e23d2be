//! Where `plimsoll scan secrets` gets its bytes from (the attacks are in `attacks/a20.rs`). What is a secret is tested beside
//! the engine; here each is a private key that `ssh-keygen` made a moment ago.

use crate::{
    packed::{gzip, tar},
    world::{Ran, text},
};
use plimsoll_testkit::{GitFixture, SshKey};
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// A repository, a state directory that is not there yet, and a secret.
pub(crate) struct Place {
    base: TempDir,
    pub(crate) repository: GitFixture,
    pub(crate) secret: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let key = SshKey::generate();
        let secret = fs::read_to_string(key.private_path()).unwrap();
        Self { base: tempfile::tempdir().unwrap(), repository: GitFixture::new(), secret }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.base.path().join(name)
    }

    pub(crate) fn command(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.arg("--state").arg(self.path("state")).args(arguments).current_dir(directory);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", self.base.path());
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn plimsoll(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(&self.repository.path(), arguments))
    }

    /// The report of `plimsoll scan secrets`, which must end with `status`.
    pub(crate) fn scan(&self, status: i32, arguments: &[&str]) -> Value {
        let ran = self.plimsoll(&[&["--json", "scan", "secrets"], arguments].concat()).ended(status);
        assert!(!ran.stdout.contains(self.body()), "the report holds the secret");
        ran.value()["reports"][0].clone()
    }

    /// A line of the secret that appears nowhere else.
    pub(crate) fn body(&self) -> &str {
        self.secret.lines().nth(2).unwrap()
    }
}

/// Path and line of each finding.
pub(crate) fn places(report: &Value) -> Vec<(String, u64)> {
    let findings = report["findings"].as_array().unwrap();
    let place = |finding: &Value| {
        let location = &finding["location"];
        (text(&location["path"]).to_owned(), location["line"].as_u64().unwrap())
    };
    findings.iter().map(place).collect()
}

pub(crate) fn at(path: &str, line: u64) -> (String, u64) {
    (path.to_owned(), line)
}

#[test]
fn a_range_of_history_leaves_out_what_was_there_before() {
    let place = Place::new();
    let repository = &place.repository;
    repository.write("old.pem", &place.secret);
    let old = repository.commit("old");
    repository.write("new", "nothing\n");
    let new = repository.commit("new");
    assert_eq!(place.scan(0, &["--history", "--since", old.as_str()])["coverage"]["files"], 1);
    let range = format!("{old}..{new}");
    assert_eq!(place.scan(0, &["--history", "--since", &range])["coverage"]["files"], 1);
    assert_eq!(places(&place.scan(1, &["--history"])), [at("old.pem", 1)]);
    place.plimsoll(&["scan", "secrets", "--since", old.as_str()]).ended(2);
    place.plimsoll(&["scan", "secrets", "--history", "--since", "nowhere"]).ended(2);
}

#[test]
fn a_tree_is_what_belongs_to_the_project() {
    let place = Place::new();
    let repository = &place.repository;
    repository.write(".gitignore", "local/\n");
    for file in ["local/ignored.pem", "src/untracked.pem", "src/clean"] {
        let content = if file.ends_with("pem") { place.secret.as_str() } else { "nothing\n" };
        repository.write(file, content);
    }
    let utf16: Vec<u8> =
        format!("\u{feff}\n\n{}", place.secret).encode_utf16().flat_map(u16::to_le_bytes).collect();
    repository.write("wide.pem", utf16);
    repository.write("binary", [b"\0\x01\x02", place.secret.as_bytes()].concat());
    repository.symlink("link.pem", "src/untracked.pem");
    let report = place.scan(1, &[]);
    let found: Vec<_> = places(&report).into_iter().map(|(path, _)| path).collect();
    assert_eq!(found, ["binary", "src/untracked.pem", "wide.pem"]);
    // What is named is looked at, whatever git says of it.
    assert_eq!(places(&place.scan(1, &["local"])), [at("ignored.pem", 1)]);
    assert_eq!(places(&place.scan(1, &["src/untracked.pem"])), [at("untracked.pem", 1)]);
    assert_eq!(places(&place.scan(0, &["src/clean"])), []);
    place.plimsoll(&["scan", "secrets", "nowhere"]).ended(2);
}

#[test]
fn a_large_file_is_looked_at_in_parts_and_to_its_end() {
    let place = Place::new();
    let line = format!("{}\n", "x".repeat(99));
    for before in [100_000_usize, 83_880] {
        let content = format!("{}{}{}", line.repeat(before), place.secret, line.repeat(120_000));
        place.repository.write("large.txt", content);
        let report = place.scan(1, &[]);
        assert_eq!(places(&report), [at("large.txt", before as u64 + 1)]);
        assert_eq!(report["coverage"]["files"], 1);
    }
}

#[test]
fn what_cannot_be_read_makes_the_answer_partial() {
    let place = Place::new();
    place.repository.write("clean", "nothing\n");
    let sparse = fs::File::create(place.repository.path().join("huge")).unwrap();
    sparse.set_len(10 << 30).unwrap();
    for arguments in [&[][..], &["--image"]] {
        let report = place.scan(3, arguments);
        assert!(text(&report["coverage"]["gaps"][0]["problem"]).contains("are not read"), "{report}");
        assert_eq!(
            (&report["coverage"]["gaps"][0]["path"], text(&report["verdict"])),
            (&"huge".into(), "partial")
        );
    }
}

#[test]
fn standard_input_is_one_file() {
    let place = Place::new();
    let check = |input: &str, status: i32| {
        let mut command = place.command(place.base.path(), &["scan", "secrets", "-"]);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::from(child.wait_with_output().unwrap()).ended(status).stdout
    };
    let shown = check(&format!("a\nb\n{}", place.secret), 1);
    assert!(shown.contains("-:3:") && !shown.contains(place.body()), "{shown}");
    check("nothing\n", 0);
}

fn zstd(content: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn a_layer_that_is_compressed_with_zstd_is_looked_into() {
    let place = Place::new();
    let check = |name: &str, content: &[u8], status| {
        let file = place.path(name);
        fs::write(&file, zstd(&tar(&[("etc/app.env", content)]))).unwrap();
        place.scan(status, &["--image", file.to_str().unwrap()])
    };
    let report = check("layer.tar.zst", format!("first\n{}\n", place.secret).as_bytes(), 1);
    let location = &report["findings"][0]["location"];
    assert!(text(&location["path"]).ends_with("layer.tar.zst!/etc/app.env"), "{location}");
    assert_eq!(location["line"], 2);
    check("clean.tar.zst", b"first\nsecond\n", 0);
}

#[test]
fn an_archive_that_cannot_be_read_whole_is_a_gap() {
    let place = Place::new();
    let whole = gzip(&tar(&[("a", b"nothing\n")]));
    let mut nested = tar(&[("a", b"nothing\n")]);
    for _ in 0..5 {
        nested = gzip(&nested);
    }
    for (name, content, problem) in [
        ("cut.tgz", &whole[..whole.len() - 12], ""),
        ("cut.zst", &zstd(&tar(&[("a", b"nothing\n")]))[..40], ""),
        ("more.zst", &[zstd(b"nothing\n"), b"more".to_vec()].concat(), "after its end"),
        ("xz", b"\xfd7zXZ\0rest", "xz"),
        ("deep.gz", &nested, "packed more than"),
        ("more.tar", &[tar(&[("a", b"1")]), b"more".to_vec()].concat(), "after its end"),
        ("damaged.tar", &[&tar(&[("a", b"1")])[..300], &[b'9'; 900]].concat(), "checksum"),
    ] {
        let file = place.path(name);
        fs::write(&file, content).unwrap();
        let report = place.scan(3, &["--image", file.to_str().unwrap()]);
        let gap = &report["coverage"]["gaps"][0];
        assert!(text(&gap["problem"]).contains(problem), "{name}: {gap}");
    }
}

#[test]
fn a_damaged_history_is_never_clean() {
    let place = Place::new();
    let repository = &place.repository;
    for version in 0..20 {
        repository.write("file", format!("{version}\n{}", "some content\n".repeat(200)));
        repository.commit("a change");
    }
    repository.git(&["repack", "-adq"]);
    place.scan(0, &["--history"]);
    let packs = fs::read_dir(repository.path().join(".git/objects/pack")).unwrap();
    let mut packs = packs.map(|pack| pack.unwrap().path());
    let pack = packs.find(|path| path.extension().is_some_and(|extension| extension == "pack")).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].fill(0x55);
    fs::set_permissions(&pack, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&pack, bytes).unwrap();
    let report = place.scan(3, &["--history"]);
    assert_eq!(text(&report["verdict"]), "partial");
}

#[test]
fn a_shallow_history_is_refused_with_what_to_do() {
    let place = Place::new();
    place.repository.write("a", "1");
    place.repository.commit("one");
    place.repository.write("a", "2");
    place.repository.commit("two");
    let clone = place.path("clone");
    let url = format!("file://{}", place.repository.path().display());
    place.repository.git(&["clone", "-q", "--depth=1", &url, clone.to_str().unwrap()]);
    Ran::of(&mut place.command(&clone, &["--json", "scan", "secrets", "--history"]))
        .refused(&["E-SRC-SHALLOW"]);
    assert_eq!(Ran::of(&mut place.command(&clone, &["scan", "secrets"])).status, 0, "the tree is all there");
}

#[test]
fn fingerprints_stay_with_their_key_and_the_key_with_its_user() {
    let place = Place::new();
    place.repository.write("a.pem", &place.secret);
    place.repository.commit("one");
    let fingerprint = |report: Value| text(&report["findings"][0]["fingerprint"]).to_owned();
    let first = fingerprint(place.scan(1, &[]));
    place.repository.write("a.pem", format!("moved\ndown\n{}", place.secret));
    assert_eq!(fingerprint(place.scan(1, &[])), first);
    assert_eq!(fingerprint(place.scan(1, &["--history"])), first);
    let key = place.path("state/scan/fingerprint.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::remove_file(&key).unwrap();
    assert_ne!(fingerprint(place.scan(1, &[])), first);
    fs::write(&key, "damaged").unwrap();
    place.plimsoll(&["scan", "secrets"]).ended(3);
}

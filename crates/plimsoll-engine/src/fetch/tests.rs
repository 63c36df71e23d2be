//! The pure parts by table, and the orchestration over an in-memory sandbox that leaves what a client would leave.

use super::{BuiltIn, ClientConfig, Lock, Registries, manifests::Manifests};
use crate::ports::{AllowedHost, Host};
use plimsoll_model::{Code, Digest, Entry, Reason, Tree, record::Material};
use plimsoll_pipeline::{Ecosystem, Registry};
use std::{collections::BTreeSet, fs, path::Path};

mod scenario;

const DEFAULT: &str = "registry+https://git.example/index";
const CORP: &str = "sparse+https://corp.example/index/";

fn sum(text: &str) -> String {
    Digest::of(text.as_bytes()).hex()
}

fn built_in() -> BuiltIn {
    BuiltIn { identity: DEFAULT.into(), domain: "registry.example".parse().unwrap() }
}

fn client() -> ClientConfig {
    ClientConfig::parse("[registries.corp]\nindex = 'sparse+https://corp.example/index/'").unwrap()
}

fn registries() -> Registries {
    Registries::new(built_in(), client(), &[]).unwrap()
}

/// An entry of a lock file: name and version, source, checksum, dependencies.
type Line<'a> = (&'a str, Option<&'a str>, Option<&'a str>, &'a [&'a str]);

fn lock_file(version: &str, entries: &[Line<'_>]) -> String {
    let mut text = format!("version = {version}\n");
    for (label, source, checksum, dependencies) in entries {
        let (name, version) = label.split_once(' ').unwrap();
        text.push_str(&format!("[[package]]\nname = {name:?}\nversion = {version:?}\n"));
        source.iter().for_each(|source| text.push_str(&format!("source = {source:?}\n")));
        checksum.iter().for_each(|checksum| text.push_str(&format!("checksum = {checksum:?}\n")));
        text.push_str(&format!("dependencies = {dependencies:?}\n"));
    }
    text
}

fn judge(text: &str) -> Vec<(Code, String)> {
    let local = BTreeSet::from(["app".to_owned(), "part".to_owned()]);
    let reasons = match Lock::parse(text.as_bytes()) {
        Ok(lock) => lock.judge(&registries(), &local),
        Err(reason) => vec![reason],
    };
    reasons.iter().map(|reason| (reason.code, reason.parameters["package"].clone())).collect()
}

#[test]
fn a_lock_file_chooses_among_known_registries_and_pins_everything() {
    let good = sum("itoa");
    let good = Some(good.as_str());
    for version in ["3", "4"] {
        let text = lock_file(
            version,
            &[
                (
                    "app 0.1.0",
                    None,
                    None,
                    &["part", "itoa", "tool 1.0.0", "tool 2.0.0 (registry+https://git.example/index)"],
                ),
                ("part 0.1.0", None, None, &["inner"]),
                ("itoa 1.0.0", Some(DEFAULT), good, &[]),
                ("inner 1.0.0-rc.1+build", Some(CORP), good, &[]),
                ("tool 1.0.0", Some(DEFAULT), good, &[]),
                ("tool 2.0.0", Some(DEFAULT), good, &["itoa"]),
            ],
        );
        assert_eq!(judge(&text), [], "format {version}");
    }
}

#[test]
fn a_poisoned_lock_file_is_refused_with_every_reason() {
    let good = sum("itoa");
    let good = Some(good.as_str());
    let commit = "git+https://forge.example/itoa#0123456789abcdef0123456789abcdef01234567";
    let itoa = || "itoa 1.0.0".to_owned();
    for (what, source, checksum, expected) in [
        ("another host", "registry+https://127.0.0.1:8080/index", good, vec![Code::LockSource]),
        ("another path", "registry+https://git.example/index2", good, vec![Code::LockSource]),
        ("another case", "registry+https://GIT.example/index", good, vec![Code::LockSource]),
        ("a look-alike", "registry+https://git.example.evil.example/index", good, vec![Code::LockSource]),
        ("plain http", "registry+http://git.example/index", good, vec![Code::LockSource]),
        ("another protocol", "sparse+https://git.example/index", good, vec![Code::LockSource]),
        ("git", commit, None, vec![Code::LockSource]),
        (
            "git without commit",
            "git+https://forge.example/itoa?branch=main",
            None,
            vec![Code::LockSource, Code::LockIncomplete],
        ),
        (
            "git with half a commit",
            "git+https://forge.example/itoa#0123",
            None,
            vec![Code::LockSource, Code::LockIncomplete],
        ),
        ("no checksum", DEFAULT, None, vec![Code::LockIncomplete]),
        ("a checksum that is none", DEFAULT, Some("00"), vec![Code::LockIncomplete]),
        ("both", "registry+https://evil.example/", None, vec![Code::LockSource, Code::LockIncomplete]),
    ] {
        let text = lock_file(
            "4",
            &[("app 0.1.0", None, None, &["itoa"]), ("itoa 1.0.0", Some(source), checksum, &[])],
        );
        let expected: Vec<_> = expected.into_iter().map(|code| (code, itoa())).collect();
        assert_eq!(judge(&text), expected, "{what}");
    }
}

#[test]
fn entries_that_do_not_fit_together_are_refused() {
    let good = sum("itoa");
    let good = Some(good.as_str());
    let app = |dependencies: &'static [&'static str]| ("app 0.1.0", None, None, dependencies);
    let itoa: Line<'_> = ("itoa 1.0.0", Some(DEFAULT), good, &[]);
    let cases: Vec<(&str, Vec<Line<'_>>, (Code, &str))> = vec![
        ("nothing leads to it", vec![app(&[]), itoa], (Code::LockOrphan, "itoa 1.0.0")),
        (
            "a ring of its own",
            vec![app(&[]), ("itoa 1.0.0", Some(DEFAULT), good, &["itoa"])],
            (Code::LockOrphan, "itoa 1.0.0"),
        ),
        ("no entry", vec![app(&["itoa"])], (Code::LockIncomplete, "itoa")),
        ("no such version", vec![app(&["itoa", "itoa 2.0.0"]), itoa], (Code::LockIncomplete, "itoa 2.0.0")),
        (
            "twice",
            vec![
                app(&[
                    "itoa 1.0.0 (registry+https://git.example/index)",
                    "itoa 1.0.0 (sparse+https://corp.example/index/)",
                ]),
                itoa,
                ("itoa 1.0.0", Some(CORP), good, &[]),
            ],
            (Code::LockIncomplete, "itoa 1.0.0"),
        ),
        (
            "a path outside",
            vec![app(&["elsewhere"]), ("elsewhere 0.1.0", None, None, &[])],
            (Code::LockSource, "elsewhere 0.1.0"),
        ),
        (
            "a name with a path",
            vec![app(&["../../etc/x"]), ("../../etc/x 1.0.0", Some(DEFAULT), good, &[])],
            (Code::LockIncomplete, "../../etc/x 1.0.0"),
        ),
        (
            "a name that is an option",
            vec![app(&["--checkpoint"]), ("--checkpoint 1.0.0", Some(DEFAULT), good, &[])],
            (Code::LockIncomplete, "--checkpoint 1.0.0"),
        ),
        (
            "a version with a command",
            vec![app(&["x"]), ("x 1;reboot", Some(DEFAULT), good, &[])],
            (Code::LockIncomplete, "x 1;reboot"),
        ),
    ];
    for (what, entries, expected) in cases {
        assert_eq!(judge(&lock_file("4", &entries)), [(expected.0, expected.1.to_owned())], "{what}");
    }
}

#[test]
fn only_lock_files_of_known_formats_are_read() {
    let package = "[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
    for (text, problem) in [
        (format!("version = 2\n{package}"), "its format is 2"),
        (format!("version = 5\n{package}"), "its format is 5"),
        (package.to_owned(), "no format version"),
        ("version = 4\n[[package]]\nname = 1".to_owned(), "invalid type"),
        ("<<<<<<< HEAD".to_owned(), "cannot be used"),
        ("a".repeat(17 << 20), "more than"),
    ] {
        let reason = Lock::parse(text.as_bytes()).unwrap_err();
        assert_eq!(reason.code, Code::LockIncomplete);
        assert!(reason.sentence().contains(problem), "{reason}");
    }
    assert!(Lock::parse(b"version = 4\n\xff").is_err());
}

#[test]
fn what_was_fetched_is_exactly_what_was_locked() {
    let text = lock_file(
        "4",
        &[
            ("app 0.1.0", None, None, &["itoa", "ryu"]),
            ("itoa 1.0.0", Some(DEFAULT), Some(&sum("itoa")), &[]),
            ("ryu 1.0.0+b", Some(DEFAULT), Some(&sum("ryu")), &[]),
        ],
    );
    let lock = Lock::parse(text.as_bytes()).unwrap();
    let material =
        |uri: &str, content: &str| Material { uri: uri.into(), digest: Digest::of(content.as_bytes()) };
    let (itoa, ryu) = (material("pkg:cargo/itoa@1.0.0", "itoa"), material("pkg:cargo/ryu@1.0.0%2Bb", "ryu"));
    let swapped = material("pkg:cargo/ryu@1.0.0%2Bb", "evil");
    let extra = material("pkg:cargo/evil@1.0.0", "evil");
    for (fetched, expected) in [
        (vec![itoa.clone(), ryu.clone()], vec![]),
        (vec![itoa.clone(), ryu.clone(), ryu.clone()], vec![]),
        (vec![itoa.clone()], vec![Code::LockIncomplete]),
        (vec![itoa.clone(), swapped.clone()], vec![Code::LockHash]),
        (vec![itoa.clone(), ryu.clone(), swapped], vec![Code::LockHash]),
        (vec![itoa, ryu, extra.clone()], vec![Code::LockOrphan]),
        (vec![extra], vec![Code::LockIncomplete, Code::LockIncomplete, Code::LockOrphan]),
    ] {
        let codes: Vec<Code> = lock.disagreements(&fetched).iter().map(|reason| reason.code).collect();
        assert_eq!(codes, expected, "{fetched:?}");
    }
}

#[test]
fn the_lock_file_of_this_workspace_passes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    let lock = Lock::parse(&fs::read(path).unwrap()).unwrap();
    let local = lock.packages.iter().filter(|package| package.source.is_none());
    let local = local.map(|package| package.name.clone()).collect();
    let identity = lock.fetched().next().and_then(|package| package.source.clone()).unwrap();
    let registries =
        Registries::new(BuiltIn { identity, ..built_in() }, ClientConfig::default(), &[]).unwrap();
    assert_eq!(lock.judge(&registries, &local), []);
    assert!(lock.fetched().count() > 50);
}

fn operator(index: &str, host: &str, private: bool) -> Registry {
    Registry { ecosystem: Ecosystem::Cargo, index: index.into(), host: host.into(), port: 443, private }
}

fn shown(hosts: &[AllowedHost]) -> Vec<String> {
    let show = |host: &AllowedHost| {
        let below = if host.subdomains { "*." } else { "" };
        let private = if host.private { " private" } else { "" };
        format!("{below}{}:{}{private}", host.host, host.port)
    };
    hosts.iter().map(show).collect()
}

#[test]
fn hosts_follow_the_clients_own_configuration() {
    let mirror = "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\nregistry = 'sparse+https://mirror.corp.example:8443/i/'\n";
    let chain = "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nreplace-with = 'b'\n[source.b]\nregistry = 'https://mirror.corp.example/git'\n";
    let by_name = "[source.crates-io]\nreplace-with = 'corp'\n[registries.corp]\nindex = 'sparse+https://corp.example/index/'\n";
    let secrets = "[registries.corp]\nindex = 'sparse+https://corp.example/index/'\ntoken = 'secret'\n[build]\nrustc = '/tmp/evil'\n[net]\noffline = true";
    for (config, operator, source, expected) in [
        ("", vec![], DEFAULT, vec!["*.registry.example:443"]),
        (mirror, vec![], DEFAULT, vec!["mirror.corp.example:8443"]),
        (chain, vec![], DEFAULT, vec!["mirror.corp.example:443"]),
        (
            chain,
            vec![operator("https://mirror.corp.example/git", "mirror.corp.example", true)],
            DEFAULT,
            vec!["mirror.corp.example:443", "mirror.corp.example:443 private"],
        ),
        (by_name, vec![], DEFAULT, vec!["corp.example:443"]),
        (secrets, vec![], CORP, vec!["corp.example:443"]),
        ("", vec![], CORP, vec![]),
        ("", vec![operator(CORP, "corp.example", false)], CORP, vec!["corp.example:443"]),
        ("", vec![operator(CORP, "corp.example", true)], DEFAULT, vec!["*.registry.example:443"]),
        (
            "[registries.ssh]\nindex = 'ssh://git@corp.example/index'",
            vec![],
            DEFAULT,
            vec!["*.registry.example:443"],
        ),
    ] {
        let client = ClientConfig::parse(config).unwrap();
        let registries = Registries::new(built_in(), client, &operator).unwrap();
        assert_eq!(shown(&registries.hosts([source].into_iter())), expected, "{config}");
        let emitted = registries.fetch_config().unwrap();
        for forbidden in ["secret", "token", "rustc", "offline", "ssh"] {
            assert!(!emitted.contains(forbidden), "{emitted}");
        }
    }
}

#[test]
fn configurations_without_a_usable_address_are_refused() {
    for config in [
        "[source.crates-io]\nreplace-with = 'local'\n[source.local]\ndirectory = '/somewhere'",
        "[source.crates-io]\nreplace-with = 'missing'",
        "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nreplace-with = 'crates-io'",
        "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nregistry = 'http://mirror.example/'",
        "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nregistry = 'https://user:secret@mirror.example/'",
    ] {
        let client = ClientConfig::parse(config).unwrap();
        assert!(Registries::new(built_in(), client, &[]).is_err(), "{config}");
    }
    assert!(ClientConfig::parse("[source").is_err());
}

#[test]
fn a_build_takes_every_source_of_the_lock_file_from_the_directory() {
    let config = registries().build_config([DEFAULT, CORP, DEFAULT].into_iter(), "/vendor").unwrap();
    assert_eq!(
        config,
        "[registries.corp]\nindex = \"sparse+https://corp.example/index/\"\n\n\
         [source.crates-io]\nreplace-with = \"plimsoll-vendored\"\n\n\
         [source.plimsoll-1]\nregistry = \"sparse+https://corp.example/index/\"\nreplace-with = \"plimsoll-vendored\"\n\n\
         [source.plimsoll-vendored]\ndirectory = \"/vendor\"\n"
    );
}

#[test]
fn the_client_names_its_built_in_registry() {
    let metadata =
        format!(r#"{{"packages":[{{"name":"q","dependencies":[{{"name":"d","source":"{DEFAULT}"}}]}}]}}"#);
    let complaint = "error: no matching package named `d` found\nlocation searched: registry.example index\nrequired by q";
    assert_eq!(BuiltIn::from_answers(metadata.as_bytes(), complaint), Some(built_in()));
    for (metadata, complaint) in [
        ("", complaint),
        ("{}", complaint),
        (r#"{"packages":[{"dependencies":[{"source":"registry+ssh://git.example"}]}]}"#, complaint),
        (metadata.as_str(), ""),
        (metadata.as_str(), "location searched: `https://registry.example` index"),
        (metadata.as_str(), "location searched: example index"),
        (metadata.as_str(), "location searched: 127.0.0.1 index"),
    ] {
        assert_eq!(BuiltIn::from_answers(metadata.as_bytes(), complaint), None, "{metadata} {complaint}");
    }
    assert!(matches!(built_in().domain, Host::Name(_)));
}

/// Writes files and gives the tree that an export of them would have.
fn exported(root: &Path, files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, content) in files {
        let place = root.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, content).unwrap();
        let entry = Entry::File {
            digest: Digest::of(content.as_bytes()),
            size: content.len() as u64,
            executable: false,
        };
        tree.entries.insert(path.parse().unwrap(), entry);
    }
    tree
}

#[test]
fn the_client_sees_manifests_and_lock_and_nothing_that_could_run() {
    let from = tempfile::tempdir().unwrap();
    let to = tempfile::tempdir().unwrap();
    let manifest = "[package]\nname = 'app'\nversion = '0.1.0'\n";
    let tree = exported(
        from.path(),
        &[
            ("Cargo.toml", manifest),
            ("Cargo.lock", "version = 4"),
            ("src/main.rs", "fn main() { evil() }"),
            ("build.rs", "fn main() { evil() }"),
            (".cargo/config.toml", "[build]\nrustc = './evil'"),
            ("member/.cargo/config", "[build]\nrustc = './evil'"),
            ("rust-toolchain.toml", "[toolchain]\npath = './evil'"),
            ("member/rust-toolchain", "evil"),
            ("member/Cargo.toml", "[package]\nname = 'part'"),
        ],
    );
    let manifests = Manifests::read(fs::File::open(from.path()).unwrap().into(), &tree).unwrap();
    manifests.write(std::os::fd::AsFd::as_fd(&fs::File::open(to.path()).unwrap())).unwrap();
    let read = |path: &str| fs::read_to_string(to.path().join(path)).ok();
    assert_eq!(read("Cargo.toml").as_deref(), Some(manifest));
    assert_eq!(read("Cargo.lock").as_deref(), Some("version = 4"));
    assert_eq!(read("member/Cargo.toml").as_deref(), Some("[package]\nname = 'part'"));
    assert_eq!(read("src/main.rs").as_deref(), Some(""));
    assert_eq!(read("build.rs").as_deref(), Some(""));
    for absent in [".cargo", "member/.cargo", "rust-toolchain.toml", "member/rust-toolchain"] {
        assert!(!to.path().join(absent).exists(), "{absent}");
    }
    assert_eq!(manifests.names(), BTreeSet::from(["app".to_owned(), "part".to_owned()]));
}

fn stale(manifest: &str, lock: &str) -> Vec<Reason> {
    let from = tempfile::tempdir().unwrap();
    let tree = exported(from.path(), &[("Cargo.toml", manifest), ("Cargo.lock", lock)]);
    let manifests = Manifests::read(fs::File::open(from.path()).unwrap().into(), &tree).unwrap();
    manifests.stale(&manifests.lock().unwrap())
}

#[test]
fn a_lock_file_that_visibly_lags_behind_is_stale() {
    let package = "[package]\nname = 'app'\nversion = '0.1.0'\n";
    let lock = lock_file("4", &[("app 0.1.0", None, None, &["itoa"])]);
    for (manifest, count) in [
        (format!("{package}[dependencies]\nitoa = '1'"), 0),
        (format!("{package}[dependencies]\nnumbers = {{version = '1', package = 'itoa'}}"), 0),
        (format!("{package}[dependencies]\nitoa = '1'\nryu = {{version = '1', optional = true}}"), 0),
        (format!("{package}[dependencies]\nitoa = '1'\nryu = '1'"), 1),
        ("[package]\nname = 'app'\nversion = '0.2.0'\n[dependencies]\nryu = '1'".to_owned(), 2),
        ("[package]\nname = 'other'\nversion = '0.1.0'".to_owned(), 1),
        ("[package]\nname = 'app'\nversion.workspace = true".to_owned(), 0),
        ("[workspace]\nmembers = []".to_owned(), 0),
    ] {
        let reasons = stale(&manifest, &lock);
        assert_eq!(reasons.len(), count, "{manifest}: {reasons:?}");
        assert!(reasons.iter().all(|reason| reason.code == Code::LockStale));
    }
}

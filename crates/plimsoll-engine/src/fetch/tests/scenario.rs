//! Whole fetches over a sandbox in memory. Its client leaves what the scenario says; its unpacker is the real script.

use super::{DEFAULT, exported, lock_file};
use crate::{
    fetch::{CargoFetch, ClientConfig, FetchError, Fetched},
    ports::{
        BlobWriter, Blobs, Connector, Egress, EgressRecord, EgressRules, EgressSession, Exit, Finished,
        Mount, Network, Running, Sandbox, SandboxError, SandboxPlan, Stopper, StoreError, Stream,
        UNREACHABLE,
    },
};
use plimsoll_model::{
    Code, Digest,
    record::{IsolationRecord, Material, NetworkEvent, NetworkMode},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    net::{TcpListener, TcpStream},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, atomic::AtomicBool},
};

/// What the client does when it is let loose.
#[derive(Default)]
struct Client {
    /// Archives that it leaves in its cache, by file name.
    leaves: Vec<(String, Vec<u8>)>,
    /// What it prints as errors; it fails if there is anything.
    says: &'static str,
    /// What the gateway refuses it.
    refused: Option<(&'static str, String)>,
}

struct World {
    root: tempfile::TempDir,
    client: Client,
    started: Mutex<Vec<SandboxPlan>>,
}

impl Sandbox for World {
    fn probe(&self) -> Result<IsolationRecord, crate::ports::IsolationUnavailable> {
        Ok(record())
    }

    fn start(&self, plan: &SandboxPlan, _: Option<OwnedFd>) -> Result<Box<dyn Running>, SandboxError> {
        let mut started = self.started.lock().unwrap();
        started.push(plan.clone());
        let here = tempfile::tempdir_in(self.root.path()).unwrap().keep();
        Ok(Box::new(match (plan.argv[0].as_str(), plan.network) {
            ("/bin/sh", _) if plan.argv[3].contains("tar") => unpack(plan, &here),
            ("/bin/sh", _) => answer(),
            _ => self.fetch(&here),
        }))
    }
}

impl World {
    fn fetch(&self, here: &Path) -> Ran {
        for (name, content) in &self.client.leaves {
            let cache = here.join("registry/cache/registry.example-0123");
            fs::create_dir_all(&cache).unwrap();
            fs::write(cache.join(name), content).unwrap();
        }
        let status = if self.client.says.is_empty() { 0 } else { 101 };
        let writable = ("client", here.to_owned());
        Ran { status, stdout: String::new(), stderr: self.client.says.into(), writable: Some(writable) }
    }
}

/// Runs the unpacking script on the host, with the sandbox's directories where they are here.
fn unpack(plan: &SandboxPlan, here: &Path) -> Ran {
    let archives = plan.mounts.iter().find_map(|mount| match mount {
        Mount::ReadOnly { source, target } if target == "/archives" => source.to_str(),
        _ => None,
    });
    let script =
        plan.argv[3].replace("/archives", archives.unwrap()).replace("/unpacked", here.to_str().unwrap());
    let output = Command::new("/bin/sh").args(["-eu", "-c", &script]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let writable = Some(("unpacked", here.to_owned()));
    Ran { status: output.status.code().unwrap(), stdout: String::new(), stderr, writable }
}

fn answer() -> Ran {
    Ran {
        status: 0,
        stdout: format!(r#"{{"packages":[{{"dependencies":[{{"source":"{DEFAULT}"}}]}}]}}"#),
        stderr: "location searched: registry.example index\n".into(),
        writable: None,
    }
}

struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
    writable: Option<(&'static str, PathBuf)>,
}

impl Running for Ran {
    fn pid(&self) -> u32 {
        1
    }

    fn take_gateway(&mut self) -> Option<TcpListener> {
        TcpListener::bind("127.0.0.1:0").ok()
    }

    fn stopper(&self) -> Box<dyn Stopper> {
        Box::new(Nobody)
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::new(Nobody)
    }

    fn wait(self: Box<Self>, output: &mut dyn FnMut(Stream, &[u8])) -> Result<Finished, SandboxError> {
        output(Stream::Out, self.stdout.as_bytes());
        output(Stream::Err, self.stderr.as_bytes());
        let open = |(name, path): (&str, PathBuf)| (name.to_owned(), File::open(path).unwrap().into());
        let writable = self.writable.into_iter().map(open).collect();
        Ok(Finished { exit: Exit::Status(self.status), record: record(), writable })
    }
}

struct Nobody;

impl Stopper for Nobody {
    fn terminate(&self) {}
    fn kill(&self) {}
}

impl Connector for Nobody {
    fn connect(&self, _: u16) -> io::Result<TcpStream> {
        Err(io::ErrorKind::NotFound.into())
    }
}

impl Egress for World {
    fn serve(&self, _: TcpListener, rules: EgressRules) -> io::Result<Box<dyn EgressSession>> {
        assert_eq!(super::shown(&rules.hosts), ["*.registry.example:443"]);
        let event = |(host, refused): &(&str, String)| NetworkEvent {
            host: (*host).into(),
            port: 443,
            address: None,
            refused: Some(refused.clone()),
            sent: 0,
            received: 0,
        };
        Ok(Box::new(Session(EgressRecord {
            events: self.client.refused.iter().map(event).collect(),
            unrecorded: 0,
        })))
    }
}

struct Session(EgressRecord);

impl EgressSession for Session {
    fn finish(self: Box<Self>) -> EgressRecord {
        self.0
    }
}

fn record() -> IsolationRecord {
    IsolationRecord {
        backend: "memory".into(),
        namespaces: vec![],
        landlock_abi: 0,
        seccomp: None,
        unprivileged: true,
        own_uid: true,
        limits: BTreeMap::new(),
        network_attempts: None,
    }
}

/// Blobs in a directory.
struct Store(PathBuf);

struct Writer<'a>(&'a Store, Vec<u8>);

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for Writer<'_> {
    fn finish(self: Box<Self>) -> Result<(Digest, u64), StoreError> {
        let digest = Digest::of(&self.1);
        fs::write(self.0.0.join(digest.hex()), &self.1).unwrap();
        Ok((digest, self.1.len() as u64))
    }
}

impl Blobs for Store {
    fn writer(&self) -> Result<Box<dyn BlobWriter + '_>, StoreError> {
        Ok(Box::new(Writer(self, Vec::new())))
    }

    fn open(&self, digest: &Digest) -> Result<File, StoreError> {
        File::open(self.0.join(digest.hex())).map_err(|_| StoreError::Missing(*digest))
    }
}

/// An archive with these files, made by the real tool.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let place = root.path().join("in").join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        match content.strip_prefix("-> ") {
            Some(target) => std::os::unix::fs::symlink(target, place).unwrap(),
            None => fs::write(place, content).unwrap(),
        }
    }
    let packed = root.path().join("out.tar.gz");
    let status =
        Command::new("tar").arg("-czf").arg(&packed).arg("-C").arg(root.path().join("in")).arg(".").status();
    assert!(status.unwrap().success());
    fs::read(packed).unwrap()
}

fn itoa() -> Vec<u8> {
    archive(&[("itoa-1.0.0/Cargo.toml", "[package]\nname = 'itoa'"), ("itoa-1.0.0/src/lib.rs", "")])
}

const MANIFEST: &str = "[package]\nname = 'app'\nversion = '0.1.0'\n[dependencies]\nitoa = '1'";

fn lock(source: &str, archive: &[u8]) -> String {
    let checksum = Digest::of(archive).hex();
    let itoa = ("itoa 1.0.0", Some(source), Some(checksum.as_str()), &[][..]);
    lock_file("4", &[("app 0.1.0", None, None, &["itoa"]), itoa])
}

fn world(client: Client) -> World {
    World { root: tempfile::tempdir().unwrap(), client, started: Mutex::default() }
}

/// Runs a fetch and gives what came of it, and the world.
fn fetch(manifest: &str, lock: &str, client: Client) -> (Result<Fetched, FetchError>, World) {
    let world = world(client);
    (fetch_in(&world, manifest, lock, false), world)
}

fn fetch_in(world: &World, manifest: &str, lock: &str, interrupted: bool) -> Result<Fetched, FetchError> {
    let place = |name: &str| {
        let path = world.root.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    };
    let work = tempfile::tempdir_in(world.root.path()).unwrap().keep();
    let source = place("source");
    let evil = (".cargo/config.toml", "[build]\nrustc = './evil'");
    let tree = exported(&source, &[("Cargo.toml", manifest), ("Cargo.lock", lock), evil]);
    let request = CargoFetch {
        sandbox: world,
        egress: world,
        blobs: &Store(place("blobs")),
        toolchain: &[],
        path: "/usr/bin",
        cargo: "/toolchain/bin/cargo",
        certificates: None,
        client: &ClientConfig::default(),
        registries: &[],
        source: &source,
        tree: &tree,
        work: &work,
        vendor: "/vendor",
        interrupted: &AtomicBool::new(interrupted),
    };
    request.run(&mut |_, _| {})
}

fn leaves(archives: &[(&str, Vec<u8>)]) -> Client {
    Client {
        leaves: archives.iter().map(|(name, bytes)| ((*name).into(), bytes.clone())).collect(),
        ..Client::default()
    }
}

#[test]
fn what_is_locked_is_fetched_and_becomes_material() {
    let archive = itoa();
    let (fetched, world) =
        fetch(MANIFEST, &lock(DEFAULT, &archive), leaves(&[("itoa-1.0.0.crate", archive.clone())]));
    let fetched = fetched.unwrap();
    assert_eq!(fetched.network, NetworkMode::Locked);
    assert_eq!(
        fetched.materials,
        [Material { uri: "pkg:cargo/itoa@1.0.0".into(), digest: Digest::of(&archive) }]
    );
    let (vendor, config) = fetched.vendor.unwrap();
    let read = |path: &str| fs::read_to_string(vendor.join(path)).unwrap();
    assert_eq!(read("itoa-1.0.0/Cargo.toml"), "[package]\nname = 'itoa'");
    let checksums = format!(r#"{{"files":{{}},"package":"{}"}}"#, Digest::of(&archive).hex());
    assert_eq!(read("itoa-1.0.0/.cargo-checksum.json"), checksums);
    assert!(config.contains("directory = \"/vendor\""), "{config}");
    assert!(
        world.root.path().join("blobs").join(Digest::of(&archive).hex()).is_file(),
        "the archive is kept"
    );
}

#[test]
fn only_the_client_has_a_network_and_it_sees_no_project_code_or_configuration() {
    let archive = itoa();
    let (_, world) = fetch(MANIFEST, &lock(DEFAULT, &archive), leaves(&[("itoa-1.0.0.crate", archive)]));
    let started = world.started.into_inner().unwrap();
    let networks: Vec<Network> = started.iter().map(|plan| plan.network).collect();
    assert_eq!(networks, [Network::None, Network::Gateway, Network::None]);
    let client = &started[1];
    assert_eq!(
        client.argv,
        ["/toolchain/bin/cargo", "fetch", "--locked", "--manifest-path", "/src/Cargo.toml"]
    );
    assert!(!client.cwd.starts_with("/src"));
    let source = world.root.path().join("source");
    for plan in &started {
        let mounted = plan
            .mounts
            .iter()
            .any(|mount| matches!(mount, Mount::ReadOnly { source: from, .. } if *from == source));
        assert!(!mounted, "the project itself appears in {:?}", plan.argv);
    }
}

#[test]
fn without_foreign_packages_nothing_is_started() {
    let text = lock_file("4", &[("app 0.1.0", None, None, &[])]);
    let (fetched, world) = fetch("[package]\nname = 'app'\nversion = '0.1.0'", &text, Client::default());
    let fetched = fetched.unwrap();
    assert_eq!((fetched.network, fetched.vendor, fetched.materials), (NetworkMode::None, None, vec![]));
    assert!(world.started.into_inner().unwrap().is_empty());
}

#[test]
fn every_attack_on_a_fetch_is_refused_with_its_code() {
    let good = itoa();
    let locked = lock(DEFAULT, &good);
    let named = |bytes: &[u8]| ("itoa-1.0.0.crate", bytes.to_vec());
    let evil = archive(&[("itoa-1.0.0/Cargo.toml", "evil")]);
    let stray = archive(&[("itoa-1.0.0/Cargo.toml", ""), ("serde-1.0.0/build.rs", "evil")]);
    let link = archive(&[("itoa-1.0.0/Cargo.toml", ""), ("itoa-1.0.0/src", "-> /etc")]);
    let says = |says| Client { says, ..leaves(&[named(&good)]) };
    let refused =
        |says, host, problem: String| Client { says, refused: Some((host, problem)), ..Client::default() };
    for (what, manifest, lock, client, expected) in [
        (
            "A09a: another registry with a fitting hash",
            MANIFEST,
            lock("registry+https://127.0.0.1:9/i", &evil),
            leaves(&[named(&evil)]),
            Code::LockSource,
        ),
        (
            "A09b: other bytes under the lock",
            MANIFEST,
            locked.clone(),
            leaves(&[named(&evil)]),
            Code::LockHash,
        ),
        (
            "A09b: the client sees it itself",
            MANIFEST,
            locked.clone(),
            says("error: failed to verify the checksum of `itoa v1.0.0`"),
            Code::LockHash,
        ),
        (
            "A09b: the index says otherwise",
            MANIFEST,
            locked.clone(),
            says("error: checksum for `itoa v1.0.0` changed between lock files"),
            Code::LockHash,
        ),
        (
            "A09c: an archive that nothing asks for",
            MANIFEST,
            locked.clone(),
            leaves(&[named(&good), ("evil-1.0.0.crate", evil.clone())]),
            Code::LockOrphan,
        ),
        (
            "A09d: git without a commit",
            MANIFEST,
            lock("git+https://forge.example/itoa", &good),
            Client::default(),
            Code::LockIncomplete,
        ),
        ("a part of what is locked", MANIFEST, locked.clone(), Client::default(), Code::LockIncomplete),
        (
            "no lock file of a known form",
            MANIFEST,
            "version = 1".into(),
            Client::default(),
            Code::LockIncomplete,
        ),
        (
            "a manifest that went on",
            "[package]\nname = 'app'\nversion = '0.2.0'",
            locked.clone(),
            Client::default(),
            Code::LockStale,
        ),
        (
            "a lock file that the client would change",
            MANIFEST,
            locked.clone(),
            says(
                "error: cannot update the lock file /src/Cargo.lock because --locked was passed to prevent this",
            ),
            Code::LockStale,
        ),
        (
            "A21: a host that no rule names",
            MANIFEST,
            locked.clone(),
            refused("error: 403", "evil.example", "it is not a host that this fetch may reach".into()),
            Code::NetDenied,
        ),
        (
            "A26: a registry that does not answer",
            MANIFEST,
            locked.clone(),
            refused("error: 502", "registry.example", format!("{UNREACHABLE}timed out")),
            Code::FetchFailed,
        ),
        (
            "A26: a certificate that does not fit",
            MANIFEST,
            locked.clone(),
            says("error: SSL certificate problem"),
            Code::FetchFailed,
        ),
        (
            "an archive that writes beside itself",
            MANIFEST,
            lock_for(&stray),
            leaves(&[named(&stray)]),
            Code::FetchFailed,
        ),
        (
            "an archive with a link out of it",
            MANIFEST,
            lock_for(&link),
            leaves(&[named(&link)]),
            Code::OutKind,
        ),
        ("an archive that is none", MANIFEST, lock_for(b"no"), leaves(&[named(b"no")]), Code::FetchFailed),
    ] {
        let (result, world) = fetch(manifest, &lock, client);
        match result {
            Err(FetchError::Refused(reasons)) => {
                assert!(reasons.iter().any(|reason| reason.code == expected), "{what}: {reasons:?}");
            }
            other => panic!("{what}: {other:?}"),
        }
        let judged_first = matches!(expected, Code::LockSource);
        let networked =
            world.started.into_inner().unwrap().iter().any(|plan| plan.network == Network::Gateway);
        assert!(!(judged_first && networked), "{what}: the client met a network");
    }
}

fn lock_for(archive: &[u8]) -> String {
    lock(DEFAULT, archive)
}

#[test]
fn a_fetch_whose_archives_are_kept_is_replayed_without_a_network() {
    let archive = itoa();
    let locked = lock(DEFAULT, &archive);
    let (first, mut world) = fetch(MANIFEST, &locked, leaves(&[("itoa-1.0.0.crate", archive.clone())]));
    world.started.get_mut().unwrap().clear();
    let again = fetch_in(&world, MANIFEST, &locked, false).unwrap();
    assert_eq!((again.materials, again.network), (first.unwrap().materials, NetworkMode::Locked));
    let started = world.started.into_inner().unwrap();
    assert!(started.iter().all(|plan| plan.network == Network::None));
    let confirm = &started.last().unwrap().argv;
    assert_eq!(confirm[1..4], ["fetch", "--locked", "--offline"]);
}

#[test]
fn a_replay_believes_neither_the_store_nor_the_lock_file() {
    let archive = itoa();
    let digest = Digest::of(&archive).hex();
    let stale =
        "error: cannot update the lock file /src/Cargo.lock because --locked was passed to prevent this";
    for (what, kept, says, expected) in [
        ("changed content in the store", b"evil".to_vec(), "", Code::DigestMismatch),
        ("a lock file that the client would change", archive.clone(), stale, Code::LockStale),
    ] {
        let world = world(Client { says, ..Client::default() });
        let blobs = world.root.path().join("blobs");
        fs::create_dir(&blobs).unwrap();
        fs::write(blobs.join(&digest), kept).unwrap();
        match fetch_in(&world, MANIFEST, &lock(DEFAULT, &archive), false) {
            Err(FetchError::Refused(reasons)) => assert_eq!(reasons[0].code, expected, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_failed_fetch_says_which_host_did_not_answer() {
    let problem = format!("{UNREACHABLE}timed out");
    let client =
        Client { says: "error: 502", refused: Some(("registry.example", problem)), ..Client::default() };
    let Err(FetchError::Refused(reasons)) = fetch(MANIFEST, &lock(DEFAULT, &itoa()), client).0 else {
        panic!()
    };
    let expected = "registry.example:443 is unreachable: timed out; the client ended with status 101";
    assert_eq!(reasons[0].parameters["problem"], expected);
}

#[test]
fn a_fetch_can_be_interrupted() {
    let result = fetch_in(&world(Client::default()), MANIFEST, &lock(DEFAULT, &itoa()), true);
    assert!(matches!(result, Err(FetchError::Interrupted)));
}

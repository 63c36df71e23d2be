//! A real process, and the directory of a service whose supervisor is this test.

use super::*;
use crate::record::{ServiceRecord, Standby};
use plimsoll_model::Digest;
use std::{
    collections::BTreeMap,
    fs,
    os::{fd::AsFd as _, unix::process::CommandExt as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

struct World {
    base: tempfile::TempDir,
    child: Child,
}

impl World {
    /// A process that waits, with a directory of unpacked files.
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("root")).unwrap();
        fs::write(base.path().join("root/app"), "app").unwrap();
        let mut command = Command::new("cat");
        command.arg0("app").env_clear().stdin(Stdio::piped()).stdout(Stdio::null());
        let world = Self { base, child: command.spawn().unwrap() };
        world.has_traffic(std::process::id(), world.child.id());
        world
    }

    fn root(&self) -> PathBuf {
        self.base.path().join("root")
    }

    fn directory(&self) -> ServiceDirectory {
        ServiceDirectory::open(self.base.path().join("shop@local")).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.base.path().join("shop@local/drift.json")
    }

    /// Whose record it is.
    fn has_traffic(&self, supervisor: u32, process: u32) {
        let digest = Digest::of(b"");
        let record = ServiceRecord {
            version: 2,
            state: ServiceState::Serving,
            decision: digest,
            release: digest,
            executable: digest,
            supervisor,
            process,
            listen: "127.0.0.1:1".into(),
            started: Timestamp::UNIX_EPOCH,
            restarts: 0,
            since: Timestamp::UNIX_EPOCH,
            standby: None::<Standby>,
            confirm: None,
        };
        self.directory().write(&record).unwrap();
    }

    fn watch(&self) -> Watch {
        let root = fs::File::open(self.root()).unwrap();
        let tree = plimsoll_fs::hash_tree(root.as_fd(), plimsoll_fs::Limits::default());
        let executable = fs::read(format!("/proc/{}/exe", self.child.id())).unwrap();
        let expected = Expected {
            executable: Digest::of(&executable),
            argv: vec!["app".into()],
            env: BTreeMap::new(),
            code: vec!["/".into()],
            root: Some((self.root(), tree.unwrap())),
            config: None,
            mounts: MountSet::default(),
        };
        Watch::new(self.directory(), expected, self.child.id(), || Timestamp::UNIX_EPOCH)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory().log()).unwrap_or_default()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kinds(world: &World) -> Vec<DriftKind> {
    world.directory().look().unwrap().drift.iter().map(|drift| drift.what).collect()
}

#[test]
fn what_is_in_order_is_said_once_and_drift_when_it_appears_and_ends() {
    let world = World::new();
    let mut watch = world.watch();
    assert_eq!(world.directory().look(), None, "nobody has looked");
    watch.look();
    let look = world.directory().look().unwrap();
    assert!(look.is_in_order());
    assert_eq!((look.version, look.process), (1, world.child.id()));
    let written = || fs::metadata(world.file()).unwrap().modified().unwrap();
    let first = written();
    watch.look();
    assert_eq!(written(), first, "nothing has changed");

    fs::write(world.root().join("extra"), "x").unwrap();
    for _ in 0..3 {
        watch.look();
        assert_eq!(kinds(&world), [DriftKind::Files]);
    }
    assert!(world.directory().look().unwrap().drift[0].cause.contains("extra was added"));
    fs::remove_file(world.root().join("extra")).unwrap();
    for _ in 0..3 {
        watch.look();
        assert!(world.directory().look().unwrap().is_in_order());
    }
    assert_eq!(
        world.log(),
        "plimsoll: drift: files: extra was added\nplimsoll: drift has ended: files\n",
        "a line each"
    );
}

/// A supervisor that handed the traffic over writes nothing, and says what it sees once it has it again.
#[test]
fn only_who_has_the_traffic_writes() {
    let world = World::new();
    let mut watch = world.watch();
    let (own, process) = (std::process::id(), world.child.id());
    world.has_traffic(own + 1, process);
    watch.look();
    fs::write(world.root().join("app"), "changed").unwrap();
    watch.look();
    world.has_traffic(own, process + 1);
    watch.look();
    assert!(!world.file().exists());
    world.has_traffic(own, process);
    watch.look();
    assert_eq!(kinds(&world), [DriftKind::Files]);
}

#[test]
fn what_was_seen_of_another_process_or_cannot_be_read_is_nothing() {
    let world = World::new();
    let mut watch = world.watch();
    watch.look();
    let text = fs::read_to_string(world.file()).unwrap();
    world.has_traffic(std::process::id(), world.child.id() + 1);
    assert_eq!(world.directory().look(), None);
    world.has_traffic(std::process::id(), world.child.id());
    assert!(world.directory().look().is_some());
    for damaged in ["", "{}", &text.replace("\"version\": 1", "\"version\": 2"), &text[..text.len() / 2]] {
        fs::write(world.file(), damaged).unwrap();
        assert_eq!(world.directory().look(), None, "{damaged}");
    }
    // Who looks mends it.
    watch.look();
    assert_eq!(fs::read_to_string(world.file()).unwrap(), text);
}

#[test]
fn a_look_that_cannot_be_made_is_a_problem_and_does_not_end_drift() {
    let world = World::new();
    let mut watch = world.watch();
    watch.take(Ok(vec![]));
    let unreadable = |what: &str| {
        let source = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        Err(DriftError::Unreadable { what: what.into(), source })
    };
    fs::write(world.root().join("extra"), "x").unwrap();
    watch.look();
    for what in ["maps of the process", "mountinfo of the process"] {
        watch.take(unreadable(what));
        watch.keep();
        watch.note();
        let look = world.directory().look().unwrap();
        assert!(look.problem.as_ref().is_some_and(|problem| problem.contains(what)), "{look:?}");
        assert!(!look.is_in_order());
        assert_eq!(kinds(&world), [DriftKind::Files]);
    }
    watch.look();
    assert_eq!(world.directory().look().unwrap().problem, None);
    let log = world.log();
    assert_eq!(log.matches("cannot be looked at").count(), 1, "{log}");
    assert!(log.ends_with("plimsoll: the service can be looked at again\n"), "{log}");
}

/// The end of a process is no drift. A process that seems to be gone while its sandbox lives is a problem.
#[test]
fn a_process_that_is_gone_is_told_to_its_supervisor_first() {
    let mut world = World::new();
    let mut watch = world.watch();
    watch.look();
    world.child.kill().unwrap();
    world.child.wait().unwrap();
    watch.look();
    assert!(world.directory().look().unwrap().is_in_order());
    watch.look();
    let look = world.directory().look().unwrap();
    assert_eq!(look.drift, []);
    assert!(look.problem.is_some());
}

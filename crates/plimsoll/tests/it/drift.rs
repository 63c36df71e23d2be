//! What a supervisor sees of its own service when somebody changes it while it runs, and that it sees nothing in what
//! services do by themselves.

use crate::{
    processes,
    service::{Shop, answer_about},
    world::text,
};
use plimsoll_host::{Look, ServiceDirectory, drift::DriftKind};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
};

impl Shop {
    fn service(&self) -> ServiceDirectory {
        ServiceDirectory::open(self.world.state().join("services/shop@local")).unwrap()
    }

    /// Waits until its supervisor sees exactly these kinds; what it saw then.
    pub(crate) fn seen(&self, kinds: &[DriftKind]) -> Look {
        let service = self.service();
        let seen = || {
            service.look().filter(|look| look.drift.iter().map(|drift| drift.what).eq(kinds.iter().copied()))
        };
        processes::until(&format!("{kinds:?} is seen"), || seen().is_some());
        let look = seen().expect("what was just seen");
        assert_eq!(look.problem, None);
        look
    }

    /// Waits until its supervisor has looked this often, and says what it wrote each time.
    pub(crate) fn looks(&self, count: usize) -> Vec<Look> {
        let (service, file) = (self.service(), self.world.state().join("services/shop@local/drift.json"));
        let look = |_| {
            let _ = fs::remove_file(&file);
            processes::until("it looks again", || service.look().is_some());
            service.look().expect("what was just seen")
        };
        (0..count).map(look).collect()
    }

    fn process(&self) -> u32 {
        self.service().read().expect("a record").process
    }

    /// A file that the running release was unpacked to.
    fn unpacked(&self, path: &str) -> PathBuf {
        let supervisor = self.service().read().expect("a record").supervisor;
        self.world.state().join(format!("services/shop@local/release-{supervisor}")).join(path)
    }
}

/// Writes over a read-only file, as its owner can.
fn overwrite(file: &PathBuf, content: &[u8]) {
    let mode = fs::metadata(file).unwrap().permissions();
    fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
    fs::write(file, content).unwrap();
    fs::set_permissions(file, mode).unwrap();
}

#[test]
fn a_service_that_starts_programs_and_writes_scratch_files_is_in_order() {
    let shop = Shop::new();
    shop.deliver("busy");
    for look in shop.looks(4) {
        assert!(look.is_in_order(), "{look:?}");
        assert_eq!(look.process, shop.process());
        assert_eq!(shop.answer().as_deref(), Some("busy"));
    }
    let trace = shop.world.plimsoll(&["trace", "shop@local"]).ok().stdout;
    assert!(trace.contains("as decided") && !trace.contains("NOT"), "{trace}");
}

#[test]
fn changed_files_of_the_artifact_are_seen_and_so_is_that_they_are_right_again() {
    let shop = Shop::new();
    shop.deliver("v1");
    shop.seen(&[]);
    let file = shop.unpacked("root/service");
    let content = fs::read(&file).unwrap();
    overwrite(&file, &[&content[..], b"more"].concat());
    let look = shop.seen(&[DriftKind::Files]);
    assert_eq!(look.drift[0].cause, "service has another content");
    // What runs is a sealed copy.
    assert_eq!(shop.answer().as_deref(), Some("v1"));

    let trace = shop.world.plimsoll(&["trace", "shop@local"]).ok().stdout;
    assert!(trace.contains("NOT AS DECIDED: files: service has another content"), "{trace}");
    let trace = shop.world.json(&["trace", "shop@local"]).ok().value();
    assert_eq!(trace[0]["processes"][0]["look"]["drift"][0]["what"], "files");

    // A supervisor that starts the service again still sees it.
    let first = shop.process();
    processes::kill(first);
    processes::until("it is started again", || shop.process() != first && shop.state() == "serving");
    assert_eq!(shop.seen(&[DriftKind::Files]).process, shop.process());

    overwrite(&file, &content);
    shop.seen(&[]);
    let log = shop.world.plimsoll(&["logs", "shop@local"]).ok().stdout;
    assert_eq!(log.matches("plimsoll: drift: files: service has another content\n").count(), 2, "{log}");
    assert_eq!(log.matches("plimsoll: drift has ended: files\n").count(), 1, "{log}");
}

#[test]
fn a_changed_configuration_is_seen_and_the_next_release_is_in_order() {
    let shop = Shop::new();
    let delivery = shop.world.delivery();
    fs::create_dir_all(delivery.join("environments/local/shop/config")).unwrap();
    fs::write(delivery.join("environments/local/shop/config/app.toml"), "colour = 1\n").unwrap();
    for arguments in [&["add", "-A"][..], &["commit", "-qm", "configuration"]] {
        assert!(shop.world.repository.command(&delivery).args(arguments).status().unwrap().success());
    }
    shop.deliver("v1");
    shop.seen(&[]);
    let file = shop.unpacked("config/app.toml");
    overwrite(&file, b"colour = 2\n");
    let look = shop.seen(&[DriftKind::Config]);
    assert_eq!(look.drift[0].cause, "app.toml has another content");
    assert!(look.drift[0].repairable);
    shop.deliver("v2");
    shop.seen(&[]);
}

/// By the program itself, as one does that was taken over.
#[test]
fn another_program_in_the_place_of_the_service_is_seen() {
    let shop = Shop::new();
    shop.deliver("becomes");
    shop.seen(&[]);
    assert_eq!(shop.answer().as_deref(), Some("becomes"));
    assert_eq!(answer_about(shop.port, "/become"), None);
    let look = shop.seen(&[DriftKind::Executable, DriftKind::Arguments]);
    assert!(look.drift[0].cause.contains("is executed, with digest"), "{look:?}");
    assert!(look.drift.iter().all(|drift| drift.repairable));
    let trace = shop.world.json(&["trace", "shop@local"]).ok().value();
    let process = &trace[0]["processes"][0];
    assert_ne!(text(&process["actual"]), text(&process["service"]["executable"]));
}

/// From outside, as the administrator of the machine can, and whoever started the service.
#[test]
fn something_that_is_mounted_into_a_running_service_is_seen() {
    let shop = Shop::new();
    shop.deliver("v1");
    shop.seen(&[]);
    enter_and_mount(shop.process());
    let look = shop.seen(&[DriftKind::Mounts]);
    assert!(look.drift[0].cause.starts_with("/tmp is mounted over by none (tmpfs)"), "{look:?}");
}

/// Enters the mount namespace of a process (`setns(2)`) and mounts something on its `/tmp`. A program with one thread has
/// to do it, and one that executes nothing in between: who is not root is somebody only until then.
fn enter_and_mount(process: u32) {
    let (setns, mount) = if cfg!(target_arch = "aarch64") { ("268", "40") } else { ("308", "165") };
    let script = r#"
        my ($setns, $mount, $process, @names) = @ARGV;
        my @files = map { open(my $file, "<", "/proc/$process/ns/$_") or die "$_: $!"; $file } @names;
        for my $file (@files) { syscall($setns + 0, fileno($file), 0) == 0 or die "setns: $!"; }
        my ($none, $target, $kind) = ("none", "/tmp", "tmpfs");
        syscall($mount + 0, $none, $target, $kind, 0, 0) == 0 or die "mount: $!";
    "#;
    let names: &[&str] = if rustix::process::geteuid().is_root() { &["mnt"] } else { &["user", "mnt"] };
    let mut perl = Command::new("perl");
    let entered = perl.args(["-e", script, setns, mount, &process.to_string()]).args(names).status();
    assert!(entered.expect("perl").success());
}

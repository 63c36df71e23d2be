//! Directories that stay: what a service writes is there again, nothing in them is code, and they lead nowhere else.

use crate::backend::{Backend, PROBE, own, run, shell};
use libtest_mimic::Trial;
use plimsoll_engine::ports::{Exit, Mount, Sandbox as _, SandboxPlan};
use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::PathBuf,
};

pub(crate) fn trials() -> Vec<Trial> {
    let table: &[(&str, fn())] = &[
        ("what is written is there at the next start, for its owner alone", kept),
        ("nothing in it can be executed, mapped as code or gain rights", no_code),
        ("a file in it may be larger than a scratch directory", large),
        ("a link in it leads nowhere outside", links),
        ("it is not taken from behind a link, from a file or from nothing", sources),
    ];
    table
        .iter()
        .map(|(name, test)| {
            let test = *test;
            Trial::test(format!("persistent::{name}"), move || {
                test();
                Ok(())
            })
        })
        .collect()
}

/// A directory of the user that commands are on the host, and what else there is around it.
struct Data {
    base: tempfile::TempDir,
}

impl Data {
    fn new(backend: Backend) -> Self {
        let data = Self { base: tempfile::tempdir().expect("directory") };
        fs::create_dir(data.path()).expect("directory");
        fs::set_permissions(data.path(), Permissions::from_mode(0o700)).expect("permissions");
        if backend == Backend::Own && rustix::process::geteuid().is_root() {
            let id = plimsoll_sandbox::RESERVED_ID;
            std::os::unix::fs::chown(data.path(), Some(id), Some(id)).expect("owner");
        }
        data
    }

    fn path(&self) -> PathBuf {
        self.base.path().join("data")
    }

    fn plan(&self, script: &str) -> SandboxPlan {
        let mut plan = shell(script);
        plan.mounts.push(Mount::Persistent { source: self.path(), target: "/data".into() });
        plan
    }

    fn run(&self, script: &str) -> (Exit, String) {
        run(Backend::Own, &self.plan(script))
    }
}

const BOTH: [Backend; 2] = [Backend::Own, Backend::Bubblewrap];

fn kept() {
    for backend in BOTH {
        let data = Data::new(backend);
        let write = "mkdir /data/d && echo kept > /data/d/new && mv /data/d/new /data/d/file && echo gone > /tmp/file";
        assert_eq!(run(backend, &data.plan(write)), (Exit::Status(0), String::new()), "{backend:?}");
        let read = "cat /data/d/file && ! test -e /tmp/file && rm -r /data/d";
        assert_eq!(run(backend, &data.plan(read)), (Exit::Status(0), "kept\n".into()), "{backend:?}");
        assert!(!data.path().join("d").exists());
        let metadata = fs::metadata(data.path()).expect("metadata");
        assert_eq!(metadata.mode() & 0o7777, 0o700);
    }
}

/// Bubblewrap, which knows no such rule, executes the copy: the attack is real.
fn no_code() {
    let program = "cp /bin/true /data/program && chmod 4755 /data/program && /data/program";
    let data = Data::new(Backend::Bubblewrap);
    assert_eq!(run(Backend::Bubblewrap, &data.plan(program)), (Exit::Status(0), String::new()));
    let data = Data::new(Backend::Own);
    let (exit, text) = data.run(program);
    assert_eq!(exit, Exit::Status(126), "{text}");
    assert!(text.contains("Permission denied"), "{text}");
    // The loader maps what it is given.
    let (exit, text) = data.run("cp $(grep -o '/[^ ]*libc.so[^ ]*' /proc/self/maps | head -n 1) /data/library.so && LD_PRELOAD=/data/library.so cat /dev/null");
    assert!(text.contains("library.so"), "it was not mapped, and said so: {exit:?} {text}");
    let (exit, text) = data.run(
        "grep -q ' /data .*noexec' /proc/self/mountinfo && grep ' /data .*nosuid,nodev' /proc/self/mountinfo",
    );
    assert_eq!(exit, Exit::Status(0), "{text}");
    // The benign twin: elsewhere the same program runs.
    assert_eq!(data.run("cp /bin/true /tmp/program && /tmp/program").0, Exit::Status(0));
}

/// [`shell`] allows 16 MiB.
fn large() {
    let data = Data::new(Backend::Own);
    assert_eq!(data.run("head -c 20000000 /dev/zero > /data/large").0, Exit::Status(0));
    assert_eq!(fs::metadata(data.path().join("large")).expect("metadata").len(), 20_000_000);
    assert_ne!(data.run("head -c 20000000 /dev/zero > /tmp/large").0, Exit::Status(0));
}

/// Links are followed as whoever follows them sees the world.
fn links() {
    for backend in BOTH {
        let data = Data::new(backend);
        fs::write(data.base.path().join("secret"), "secret").expect("write");
        symlink("../secret", data.path().join("up")).expect("link");
        symlink(data.base.path().join("secret"), data.path().join("straight")).expect("link");
        symlink("inner", data.path().join("twin")).expect("link");
        fs::write(data.path().join("inner"), "inner").expect("write");
        fs::set_permissions(data.path().join("inner"), Permissions::from_mode(0o644)).expect("permissions");
        for name in ["up", "straight", "../secret", "../data/../secret"] {
            let (exit, text) =
                run(backend, &data.plan(&format!("cat /data/{name}; echo bad > /data/{name}")));
            assert!(exit != Exit::Status(0) && !text.contains("secret\n"), "{name}: {text}");
            assert_eq!(fs::read_to_string(data.base.path().join("secret")).expect("read"), "secret");
        }
        assert_eq!(run(backend, &data.plan("cat /data/twin")), (Exit::Status(0), "inner".into()));
    }
}

fn sources() {
    let data = Data::new(Backend::Own);
    symlink(data.path(), data.base.path().join("link")).expect("link");
    fs::write(data.base.path().join("file"), "").expect("write");
    for name in ["link", "file", "nothing"] {
        let mut plan = data.plan("true");
        let source = data.base.path().join(name);
        plan.mounts.push(Mount::Persistent { source, target: "/other".into() });
        let text = own().start(&plan, None).map(drop).expect_err(name).to_string();
        assert!(text.contains("cannot be opened"), "{name}: {text}");
    }
    let mut plan = data.plan("true");
    let source = data.path();
    plan.mounts.push(Mount::Persistent { source, target: format!("{PROBE}/below") });
    let text = own().start(&plan, None).map(drop).expect_err("below a file").to_string();
    assert!(text.contains("cannot be made"), "{text}");
}

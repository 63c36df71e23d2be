//! Two ways to run the same plan.

use plimsoll_engine::ports::{Exit, Limits, Mount, Network, Sandbox, SandboxPlan};
use plimsoll_sandbox::{LinuxSandbox, Options, toolchain::toolchain_mounts};
use std::{
    collections::BTreeMap,
    io::Write,
    os::{fd::AsRawFd, unix::process::ExitStatusExt},
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

/// Where the probe program is inside.
pub(crate) const PROBE: &str = "/probe";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Own,
    Bubblewrap,
}

pub(crate) fn own() -> &'static LinuxSandbox {
    static SANDBOX: OnceLock<LinuxSandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| LinuxSandbox::new(Options::default()).expect("prepare sandboxes"))
}

/// A plan that runs the probe with these arguments in toolchain mode, with small limits.
pub(crate) fn plan(arguments: &[&str]) -> SandboxPlan {
    let exe = std::env::current_exe().expect("own path");
    let mut mounts = toolchain_mounts(&[], None).expect("toolchain");
    mounts.push(Mount::ReadOnly { source: exe, target: PROBE.into() });
    mounts.push(Mount::Writable { name: "out".into(), target: "/out".into() });
    mounts.push(Mount::Scratch { target: "/tmp".into() });
    SandboxPlan {
        argv: [PROBE, "probe"].iter().chain(arguments).map(|part| (*part).to_owned()).collect(),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        cwd: "/tmp".into(),
        mounts,
        network: Network::None,
        limits: Limits {
            wall: Some(Duration::from_secs(60)),
            memory: 96 << 20,
            processes: 64,
            log: 1 << 20,
            output: 16 << 20,
            output_entries: 500,
        },
    }
}

/// The plan for a shell script.
pub(crate) fn shell(script: &str) -> SandboxPlan {
    SandboxPlan { argv: ["/bin/sh", "-c", script].map(str::to_owned).into(), ..plan(&[]) }
}

/// Runs a plan to its end; how it ended, and everything that it printed.
pub(crate) fn run(backend: Backend, plan: &SandboxPlan) -> (Exit, String) {
    match backend {
        Backend::Own => run_own(plan),
        Backend::Bubblewrap => run_bubblewrap(plan),
    }
}

fn run_own(plan: &SandboxPlan) -> (Exit, String) {
    let mut text = Vec::new();
    let running = own().start(plan, None).expect("start");
    let finished = running.wait(&mut |_, bytes| text.extend_from_slice(bytes)).expect("wait");
    (finished.exit, String::from_utf8_lossy(&text).into_owned())
}

/// Bubblewrap has no limits, no filter, no gateway and hands nothing out: only what its options can say is the same.
fn run_bubblewrap(plan: &SandboxPlan) -> (Exit, String) {
    let mut command = Command::new("bwrap");
    command.args([
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "1000",
        "--gid",
        "1000",
        "--hostname",
        "sandbox",
    ]);
    command.args(["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]);
    for (name, value) in &plan.env {
        command.args(["--setenv", name, value]);
    }
    command.args(["--proc", "/proc", "--dev", "/dev"]);
    let mut contents = Vec::new();
    for mount in &plan.mounts {
        add(&mut command, mount, plan.limits.output, &mut contents);
    }
    command.args(["--remount-ro", "/", "--chdir", &plan.cwd, "--"]).args(&plan.argv);
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| {
        panic!("bubblewrap is needed to compare with ({error}): sudo apt-get install -y bubblewrap")
    });
    let text = [output.stdout, output.stderr].concat();
    let exit = match (output.status.code(), output.status.signal()) {
        (Some(status), _) => Exit::Status(status),
        (None, signal) => Exit::Signal(signal.unwrap_or(0)),
    };
    (exit, String::from_utf8_lossy(&text).into_owned())
}

fn add(command: &mut Command, mount: &Mount, size: u64, contents: &mut Vec<std::fs::File>) {
    let bind = |command: &mut Command, source: &Path, target: &str| {
        command.arg("--ro-bind").arg(source).arg(target);
    };
    match mount {
        Mount::ReadOnly { source, target } => bind(command, source, target),
        Mount::Persistent { source, target } => {
            command.arg("--bind").arg(source).arg(target);
        }
        Mount::Writable { target, .. } | Mount::Scratch { target } => {
            command.args(["--size", &size.to_string(), "--tmpfs", target]);
        }
        Mount::Symlink { target, to } => {
            command.args(["--symlink", to, target]);
        }
        Mount::File { target, content } => {
            let mut file = tempfile::NamedTempFile::new().expect("temporary file");
            file.write_all(content.as_bytes()).expect("write");
            let file = file.reopen().expect("open again");
            // Descriptors are closed by exec unless made again without that flag.
            let inherited = rustix::io::fcntl_getfd(&file).expect("flags");
            rustix::io::fcntl_setfd(&file, inherited - rustix::io::FdFlags::CLOEXEC).expect("flags");
            command.args(["--ro-bind-data", &file.as_raw_fd().to_string(), target]);
            contents.push(file);
        }
    }
}

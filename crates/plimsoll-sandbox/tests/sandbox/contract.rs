//! The contract of the engine's port, kept by the real thing.

use crate::backend::{own, plan, shell};
use libtest_mimic::{Failed, Trial};
use plimsoll_engine::ports::{
    Connector, Exit, Finished, Limits, Mount, Network, Running, Sandbox, SandboxError, SandboxPlan, Stream,
};
use plimsoll_model::record::Enforcement;
use rustix::fs::{Mode, OFlags};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::fd::OwnedFd,
    os::unix::fs::PermissionsExt,
    thread,
    time::{Duration, Instant},
};

pub(crate) fn trials() -> Vec<Trial> {
    let table: &[(&str, fn())] = &[
        ("a probe tells what is in force", a_probe_tells_what_is_in_force),
        ("the ways in which a command ends are told apart", endings),
        ("who asks for another machine is counted", network_attempts),
        ("streams are told apart and complete", streams),
        ("what was written is there when the sandbox is gone", writable_stays),
        ("a read-only mount inside a writable one is neither lost nor writable", nested_mounts),
        ("a mount inside a read-only source needs a place that is there", no_place),
        ("a target that leads through a link is refused", linked_target),
        ("plans that cannot be carried out say why", impossible_plans),
        ("a program that is not there ends as in a shell", programs_that_are_not_there),
        ("a command that ignores SIGTERM is killed", ignores_terminate),
        ("a command that listens to SIGTERM may finish", listens_to_terminate),
        ("dropping a running sandbox kills all of it", dropping_kills),
        ("too much output ends the command at the limit", log_limit),
        ("time runs out", time_limit),
        ("the gateway listens inside and is served outside", gateway),
        ("a connector reaches ports inside", connector),
        ("an open executable is what runs", open_executable),
        ("the first process reaps orphans", orphans_are_reaped),
        ("the environment and the streams are as planned", environment),
        ("a private directory of the engine can be a source", private_source),
        ("control groups are gone afterwards", control_groups_are_gone),
        ("a killed engine takes its sandboxes along", killed_engine),
    ];
    table
        .iter()
        .map(|(name, test)| {
            Trial::test(format!("contract::{name}"), move || -> Result<(), Failed> {
                test();
                Ok(())
            })
        })
        .collect()
}

fn start(plan: &SandboxPlan) -> Box<dyn Running> {
    own().start(plan, None).expect("start")
}

fn finish(running: Box<dyn Running>) -> (Finished, String) {
    let mut text = Vec::new();
    let finished = running.wait(&mut |_, bytes| text.extend_from_slice(bytes)).expect("wait");
    (finished, String::from_utf8_lossy(&text).into_owned())
}

fn run(plan: &SandboxPlan) -> (Exit, String) {
    let (finished, text) = finish(start(plan));
    (finished.exit, text)
}

fn refusal(plan: &SandboxPlan) -> String {
    match own().start(plan, None) {
        Err(SandboxError::Plan(text)) => text,
        Err(other) => panic!("another error: {other:?}"),
        Ok(_) => panic!("it started"),
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn a_probe_tells_what_is_in_force() {
    let record = own().probe().expect("probe");
    assert_eq!(record.backend, "plimsoll");
    assert_eq!(record.namespaces, ["cgroup", "ipc", "mount", "net", "pid", "user", "uts"]);
    assert_eq!(record.seccomp, Some(own().filter_digest()));
    assert!(record.unprivileged);
    assert_eq!(record.own_uid, is_root());
    let names: Vec<&str> = record.limits.keys().map(String::as_str).collect();
    assert_eq!(names, ["log", "memory", "output", "output-entries", "processes", "wall-time"]);
    assert!(record.limits.values().all(|limit| limit.enforced != Enforcement::NotEnforced));
}

fn endings() {
    assert_eq!(run(&shell("exit 0")).0, Exit::Status(0));
    assert_eq!(run(&shell("exit 7")).0, Exit::Status(7));
    assert_eq!(run(&shell("kill -SEGV $$")).0, Exit::Signal(11));
}

/// What stays on its own loopback is no attempt; each kind of socket that wants to leave is one.
fn network_attempts() {
    let attempts = |script: &str| finish(start(&shell(script))).0.record.network_attempts;
    let ask = |what: &str| format!("bash -c 'exec 3<>/dev/{what} && echo x >&3' || true");
    for (what, expect) in
        [("tcp/127.0.0.1/9", 0), ("tcp/192.0.2.1/80", 1), ("udp/192.0.2.1/53", 1), ("tcp/2001:db8::1/80", 1)]
    {
        assert_eq!(attempts(&ask(what)), Some(expect), "{what}");
    }
    assert_eq!(attempts(&ask("udp/127.0.0.1/53")), Some(1), "a look for a name server");
    assert_eq!(attempts("getent hosts example.org localhost; true"), Some(0), "names are looked up in files");
    let child = format!("({}) & wait", ask("tcp/192.0.2.1/80"));
    assert_eq!(attempts(&child), Some(1), "whoever of them asks");
    assert_eq!(
        finish(start(&shell("yes"))).0.record.network_attempts,
        None,
        "nobody counted for who was killed"
    );
}

fn streams() {
    let script = "echo out; echo err >&2; i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done";
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let finished = start(&shell(script)).wait(&mut |stream, bytes| match stream {
        Stream::Out => out.extend_from_slice(bytes),
        Stream::Err => err.extend_from_slice(bytes),
    });
    assert_eq!(finished.expect("wait").exit, Exit::Status(0));
    assert!(out.starts_with(b"out\n") && out.ends_with(b"line 1999\n"));
    assert_eq!(err, b"err\n");
}

fn content(root: &OwnedFd, path: &str) -> std::io::Result<String> {
    let file = rustix::fs::openat(root, path, OFlags::RDONLY, Mode::empty())?;
    let mut text = String::new();
    fs::File::from(file).read_to_string(&mut text)?;
    Ok(text)
}

fn writable_stays() {
    let script = "mkdir -m 700 /out/d; umask 077; echo kept > /out/d/file; echo gone > /tmp/file";
    let (finished, text) = finish(start(&shell(script)));
    assert_eq!(finished.exit, Exit::Status(0), "{text}");
    assert_eq!(finished.writable.len(), 1);
    let root = &finished.writable["out"];
    assert_eq!(content(root, "d/file").expect("read"), "kept\n");
    let up = content(root, "../etc/passwd").expect_err("nothing is above");
    assert_eq!(up.kind(), std::io::ErrorKind::NotFound);
}

fn nested_mounts() {
    let source = tempfile::tempdir().expect("directory");
    fs::set_permissions(source.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
    fs::write(source.path().join("tool"), "trusted").expect("write");
    let mut plan = shell(
        "cat /out/release/x/tool /out/cfg; ! rm -rf /out/release/x/tool 2>/dev/null; ! echo bad 2>/dev/null > /out/cfg; \
         echo fine > /out/release/own",
    );
    let target = "/out/release/x".to_owned();
    plan.mounts.push(Mount::ReadOnly { source: source.path().into(), target });
    plan.mounts.push(Mount::File { target: "/out/cfg".into(), content: "settings".into() });
    let (finished, text) = finish(start(&plan));
    assert_eq!((finished.exit, text.as_str()), (Exit::Status(0), "trustedsettings"));
    assert_eq!(content(&finished.writable["out"], "release/own").expect("read"), "fine\n");
    assert_eq!(fs::read_to_string(source.path().join("tool")).expect("read"), "trusted");
}

/// A readable directory of the host with `inner` in it.
fn source_with(inner: &str) -> tempfile::TempDir {
    let source = tempfile::tempdir().expect("directory");
    fs::create_dir(source.path().join(inner)).expect("directory");
    fs::set_permissions(source.path(), fs::Permissions::from_mode(0o755)).expect("permissions");
    source
}

fn no_place() {
    let source = source_with("target");
    let mut plan = shell("echo made > /src/target/file");
    plan.mounts.push(Mount::ReadOnly { source: source.path().into(), target: "/src".into() });
    plan.mounts.push(Mount::Scratch { target: "/src/target".into() });
    assert_eq!(run(&plan), (Exit::Status(0), String::new()));
    plan.mounts.push(Mount::Scratch { target: "/src/elsewhere/deep".into() });
    let text = refusal(&plan);
    assert!(text.contains("/src/elsewhere/deep") && text.contains("read-only"), "{text}");
    assert!(!source.path().join("target/file").exists());
}

fn linked_target() {
    let source = source_with("real");
    std::os::unix::fs::symlink("/usr", source.path().join("link")).expect("link");
    let mut plan = shell("true");
    plan.mounts.push(Mount::ReadOnly { source: source.path().into(), target: "/src".into() });
    plan.mounts.push(Mount::Scratch { target: "/src/link".into() });
    let text = refusal(&plan);
    assert!(text.contains("symbolic link"), "{text}");
}

fn impossible_plans() {
    let with = |mount: Mount| {
        let mut plan = shell("true");
        plan.mounts.push(mount);
        plan
    };
    let missing = Mount::ReadOnly { source: "/nowhere/at/all".into(), target: "/x".into() };
    let twice = Mount::Symlink { target: "/usr".into(), to: "x".into() };
    let file = Mount::ReadOnly { source: "/etc/hosts".into(), target: "/tmp".into() };
    for (plan, expect) in [
        (with(missing), "the source /nowhere/at/all cannot be opened"),
        (with(twice), "something is there already"),
        (with(file), "a file where a directory is mounted"),
        (
            SandboxPlan { cwd: "/nowhere".into(), ..shell("true") },
            "the working directory /nowhere cannot be entered",
        ),
    ] {
        let text = refusal(&plan);
        assert!(text.contains(expect), "{text}");
    }
}

/// As in a shell, so that whoever named the program wrongly reads it in the command's own log.
fn programs_that_are_not_there() {
    let command = |name: &str| run(&SandboxPlan { argv: vec![name.into()], ..shell("") });
    assert_eq!(command("true"), (Exit::Status(0), String::new()));
    for (name, status, expect) in [
        ("/no/such/program", 127, "the command /no/such/program cannot be executed: No such file"),
        ("no-such-program", 127, "the command no-such-program cannot be executed: No such file"),
        ("/etc/passwd", 126, "the command /etc/passwd cannot be executed: Permission denied"),
        ("/etc", 126, "the command /etc cannot be executed: Permission denied"),
    ] {
        let (exit, text) = command(name);
        assert_eq!(exit, Exit::Status(status), "{text}");
        assert!(text.contains(expect), "{text}");
    }
}

/// Starts a script and reads until it has said that it is ready.
fn started(script: &str) -> (Box<dyn Running>, Box<dyn Connector>) {
    let running = start(&shell(script));
    let connector = running.connector();
    (running, connector)
}

fn ignores_terminate() {
    let (running, _) = started("trap 'echo ignored' TERM; echo ready; while :; do sleep 0.05; done");
    let stopper = running.stopper();
    let mut text = String::new();
    let (mut asked, start) = (false, Instant::now());
    let finished = running.wait(&mut |_, bytes| {
        text.push_str(&String::from_utf8_lossy(bytes));
        if text.contains("ignored") {
            stopper.kill();
        } else if text.contains("ready") && !asked {
            asked = true;
            stopper.terminate();
        }
    });
    assert_eq!(finished.expect("wait").exit, Exit::Cancelled);
    assert!(text.contains("ignored") && start.elapsed() < Duration::from_secs(30), "{text}");
}

fn listens_to_terminate() {
    let (running, _) = started("trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
    let stopper = running.stopper();
    let mut text = String::new();
    let finished = running.wait(&mut |_, bytes| {
        text.push_str(&String::from_utf8_lossy(bytes));
        stopper.terminate();
    });
    assert_eq!(finished.expect("wait").exit, Exit::Status(3), "{text}");
    assert!(text.contains("bye"));
}

fn alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn dropping_kills() {
    let running = start(&shell("sleep 100"));
    let pid = running.pid();
    assert!(alive(pid));
    let uid =
        fs::metadata(format!("/proc/{pid}")).map(|m| std::os::unix::fs::MetadataExt::uid(&m)).expect("owner");
    let expected =
        if is_root() { plimsoll_sandbox::RESERVED_ID } else { rustix::process::geteuid().as_raw() };
    assert_eq!(uid, expected);
    drop(running);
    assert!(!alive(pid));
}

fn log_limit() {
    let limits = Limits { log: 1000, ..plan(&[]).limits };
    let (exit, text) = run(&SandboxPlan { limits, ..shell("while :; do echo 0123456789; done") });
    assert_eq!((exit, text.len()), (Exit::LogLimit, 1000));
    let (exit, text) = run(&SandboxPlan { limits, ..shell("head -c 1000 /dev/zero") });
    assert_eq!((exit, text.len()), (Exit::Status(0), 1000));
    let (exit, text) = run(&SandboxPlan { limits, ..shell("head -c 1001 /dev/zero") });
    assert_eq!((exit, text.len()), (Exit::LogLimit, 1000));
}

fn time_limit() {
    let limits = Limits { wall: Some(Duration::from_secs(3)), ..plan(&[]).limits };
    let (exit, text) =
        run(&SandboxPlan { limits, ..shell("echo begun; (trap '' TERM; sleep 100) & sleep 100") });
    assert_eq!((exit, text.as_str()), (Exit::TimedOut, "begun\n"));
}

fn gateway() {
    let client = "exec 3<>/dev/tcp/127.0.0.1/3128; echo hello >&3; cat <&3";
    let mut plan = shell("");
    plan.argv = ["/bin/bash", "-c", client].map(str::to_owned).into();
    plan.network = Network::Gateway;
    let mut running = start(&plan);
    let listener = running.take_gateway().expect("a listener");
    assert!(running.take_gateway().is_none());
    let server = thread::spawn(move || {
        let (mut stream, peer) = listener.accept().expect("accept");
        assert!(peer.ip().is_loopback());
        let mut line = [0; 6];
        stream.read_exact(&mut line).expect("read");
        stream.write_all(b"from outside: ").expect("write");
        stream.write_all(&line).expect("write");
    });
    let (finished, text) = finish(running);
    server.join().expect("server");
    assert_eq!((finished.exit, text.as_str()), (Exit::Status(0), "from outside: hello\n"));
    assert!(start(&shell("true")).take_gateway().is_none());
}

fn connect_when_ready(connector: &dyn Connector, port: u16) -> TcpStream {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match connector.connect(port) {
            Ok(stream) => return stream,
            Err(error) if Instant::now() > end => panic!("{error}"),
            Err(_) => thread::yield_now(),
        }
    }
}

fn connector() {
    let server = "use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 8080, \
                  Listen => 5) or die; my $c = $s->accept; print $c 'served inside'; close $c;";
    let mut plan = shell("");
    plan.argv = ["/usr/bin/perl", "-e", server].map(str::to_owned).into();
    let running = start(&plan);
    let connector = running.connector();
    assert!(connector.connect(9).is_err());
    let mut text = String::new();
    connect_when_ready(connector.as_ref(), 8080).read_to_string(&mut text).expect("read");
    assert_eq!(text, "served inside");
    assert_eq!(finish(running).0.exit, Exit::Status(0));
    assert!(connector.connect(8080).is_err());
}

fn open_executable() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("program");
    fs::copy("/bin/echo", &path).expect("copy");
    let file = fs::File::open(&path).expect("open");
    fs::remove_file(&path).expect("remove");
    let bytes = fs::read("/bin/echo").expect("read");
    let sealing = rustix::fs::MemfdFlags::ALLOW_SEALING | rustix::fs::MemfdFlags::CLOEXEC;
    let mut memory = fs::File::from(rustix::fs::memfd_create("program", sealing).expect("memory file"));
    memory.write_all(&bytes).expect("write");
    rustix::fs::fcntl_add_seals(&memory, rustix::fs::SealFlags::WRITE).expect("seal");
    for file in [file, memory] {
        let argv = ["not-there", "by descriptor"].map(str::to_owned).into();
        let running = own().start(&SandboxPlan { argv, ..shell("") }, Some(file.into())).expect("start");
        let (finished, text) = finish(running);
        assert_eq!((finished.exit, text.as_str()), (Exit::Status(0), "by descriptor\n"));
    }
}

fn orphans_are_reaped() {
    let script =
        "i=0; while [ $i -lt 100 ]; do (sleep 0 & ); i=$((i+1)); done; sleep 0.2; ls -d /proc/[0-9]* | wc -l";
    let (exit, text) = run(&shell(script));
    assert_eq!(exit, Exit::Status(0));
    assert!(text.trim().parse::<u32>().is_ok_and(|count| count < 20), "{text}");
}

fn environment() {
    let mut plan = shell(
        "env; cat; umask; readlink /proc/self/fd/0; hostname 2>/dev/null || cat /proc/sys/kernel/hostname",
    );
    plan.env = [("PATH", "/usr/bin:/bin"), ("NAME", "a b=c")].map(|(n, v)| (n.into(), v.into())).into();
    let (exit, text) = run(&plan);
    assert_eq!(exit, Exit::Status(0));
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("PWD=") && !line.starts_with("_=")).collect();
    let mut lines = lines;
    lines.sort_unstable();
    assert_eq!(lines, ["/dev/null", "0022", "NAME=a b=c", "PATH=/usr/bin:/bin", "sandbox"]);
}

/// Nobody but the engine's user can go through the outer directory; the inner one is readable to all.
fn private_source() {
    let outer = source_with("inner");
    let inner = outer.path().join("inner");
    fs::write(inner.join("file"), "reached").expect("write");
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).expect("permissions");
    fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).expect("permissions");
    let mut plan = shell("cat /src/file");
    plan.mounts.push(Mount::ReadOnly { source: inner, target: "/src".into() });
    assert_eq!(run(&plan), (Exit::Status(0), "reached".to_owned()));
    if is_root() {
        rustix::fs::chown(outer.path(), Some(rustix::fs::Uid::from_raw(4242)), None).expect("chown");
        assert_eq!(run(&plan), (Exit::Status(0), "reached".to_owned()));
    }
}

/// Control groups with this process's name.
fn groups() -> usize {
    let prefix = format!("plimsoll-{}-", std::process::id());
    let mut open = vec![std::path::PathBuf::from("/sys/fs/cgroup")];
    let mut count = 0;
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                count += usize::from(entry.file_name().to_string_lossy().starts_with(&prefix));
                open.push(entry.path());
            }
        }
    }
    count
}

/// Other tests have groups at the same time; so it is waited until there are none.
fn control_groups_are_gone() {
    let held = own().probe().expect("probe").limits["memory"].enforced;
    let running = start(&shell("sleep 100"));
    if matches!(held, Enforcement::CgroupV1 | Enforcement::CgroupV2) {
        assert!(groups() > 0);
    }
    let name = fs::read_to_string(format!("/proc/{}/cgroup", running.pid())).expect("groups");
    let mine: Vec<&str> =
        name.lines().filter_map(|line| line.rsplit_once('/')).map(|(_, last)| last).collect();
    drop(running);
    for group in mine.into_iter().filter(|name| name.starts_with("plimsoll-")) {
        for parent in ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"] {
            assert!(!std::path::Path::new(parent).join(group).exists(), "{group}");
        }
    }
}

/// A second engine, which is this program in the role of a probe, is killed without warning.
fn killed_engine() {
    let exe = std::env::current_exe().expect("own path");
    let mut engine = std::process::Command::new(exe)
        .args(["probe", "engine"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("engine");
    let mut line = String::new();
    let mut output = std::io::BufReader::new(engine.stdout.take().expect("pipe"));
    std::io::BufRead::read_line(&mut output, &mut line).expect("read");
    let pid: u32 = line.trim().parse().expect("a process id");
    assert!(alive(pid));
    engine.kill().expect("kill");
    engine.wait().expect("wait");
    let end = Instant::now() + Duration::from_secs(30);
    while alive(pid) {
        assert!(Instant::now() < end, "the command outlived its engine");
        thread::yield_now();
    }
}

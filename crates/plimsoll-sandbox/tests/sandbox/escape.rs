//! The escape suite: what hostile code tries, who stops it, and a benign twin that shows that the probe works.

use crate::{
    backend::{Backend, plan, run},
    probe::{REFUSED, running},
};
use libtest_mimic::{Failed, Trial};
use plimsoll_engine::ports::{Exit, Limits};
use std::{
    io::Write,
    net::{TcpListener, UdpSocket},
    os::{
        linux::net::SocketAddrExt,
        unix::{
            fs::PermissionsExt,
            net::{SocketAddr, UnixListener},
            process::ExitStatusExt,
        },
    },
    process::{Child, Command, Stdio},
    sync::LazyLock,
    time::Instant,
};

/// Who stops an attack.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stopped {
    /// Both backends.
    Both,
    /// Only ours; on bubblewrap the attack must succeed, which shows that it is real.
    OwnOnly,
    /// Ours on every machine; elsewhere it depends on the host's settings.
    OwnOrHost,
}

/// What shows that the probe works when nothing stops it.
enum Twin {
    /// The same probe succeeds on the host.
    Outside,
    /// This probe succeeds inside.
    Inside(&'static [&'static str]),
}

use Stopped::{Both, OwnOnly, OwnOrHost};
use Twin::{Inside, Outside};

const WORK: &[&str] = &["work"];

struct Case(&'static str, &'static [&'static str], Stopped, Twin);

/// `HOST-…` words are replaced by what the host really has; see [`Host`].
const CASES: &[Case] = &[
    Case("read a file of the host", &["read", "HOST-FILE"], Both, Outside),
    Case("write to a read-only path", &["write", "/usr/escaped"], Both, Inside(&["write", "/out/file"])),
    Case("write to the root", &["write", "/escaped"], Both, Inside(&["write", "/tmp/file"])),
    Case("replace a synthetic file", &["write", "/etc/passwd"], Both, Inside(&["read", "/etc/passwd"])),
    Case("become root", &["set-uid", "0"], Both, Inside(&["set-uid", "1000"])),
    Case("trace a process", &["ptrace"], OwnOnly, Outside),
    Case("read another process's memory", &["read-process"], OwnOnly, Outside),
    Case("mount", &["mount"], Both, Inside(WORK)),
    Case("make a namespace and mount in it", &["namespace-and-mount"], OwnOnly, Outside),
    Case("make a namespace by unshare", &["namespace"], OwnOnly, Outside),
    Case("make a namespace by clone", &["clone-namespace"], OwnOnly, Outside),
    Case("make anything by clone3", &["clone3"], OwnOnly, Outside),
    Case("use the kernel's keyring", &["add-key"], OwnOrHost, Outside),
    Case("load a kernel program", &["bpf"], OwnOrHost, Inside(WORK)),
    Case("count the machine's events", &["perf"], OwnOrHost, Inside(WORK)),
    Case("handle page faults", &["userfaultfd"], OwnOrHost, Inside(WORK)),
    Case("use io_uring", &["io-uring"], OwnOrHost, Inside(WORK)),
    Case("name a file by handle", &["handle", "/usr"], OwnOrHost, Inside(WORK)),
    Case("change the personality", &["personality"], OwnOnly, Outside),
    Case("reach an abstract socket of the host", &["abstract", "HOST-ABSTRACT"], Both, Outside),
    Case("reach the host's loopback", &["connect", "HOST-TCP"], Both, Outside),
    Case("reach a name server", &["dns", "HOST-UDP"], Both, Outside),
    Case("reach a public name server", &["dns", "192.0.2.53:53"], Both, Inside(&["own-loopback"])),
    Case("reach the metadata address", &["connect", "169.254.169.254:80"], Both, Inside(&["own-loopback"])),
    // Families and kinds by number: 2 is IPv4 and 3 raw; 16 is netlink; 17 is packet; 38 is the kernel's cryptography.
    Case("send raw IP packets", &["socket", "2", "3"], Both, Inside(&["socket", "2", "1"])),
    Case("open a netlink socket", &["socket", "16", "3"], OwnOnly, Outside),
    Case("open a packet socket", &["socket", "17", "3"], Both, Inside(&["socket", "10", "1"])),
    Case("use the kernel's cryptography", &["socket", "38", "5"], OwnOrHost, Inside(&["socket", "1", "1"])),
    Case("find another process's environment", &["find-environment", "HOST-MARK"], Both, Outside),
    Case("inherit a variable", &["variable", "PLIMSOLL_TEST_LEAK"], Both, Inside(&["variable", "PATH"])),
    Case("inherit a descriptor", &["descriptors"], OwnOnly, Outside),
    Case("fork without end", &["forks", "200"], OwnOnly, Inside(&["forks", "10"])),
    Case("fill the disk", &["fill", "/out", "33554432"], Both, Inside(&["fill", "/out", "1048576"])),
    Case(
        "fill a scratch directory",
        &["fill", "/tmp", "33554432"],
        Both,
        Inside(&["fill", "/tmp", "1048576"]),
    ),
    Case(
        "make entries without end",
        &["entries", "/out", "1000"],
        OwnOnly,
        Inside(&["entries", "/out", "100"]),
    ),
    Case("type into the terminal", &["terminal"], Both, Inside(WORK)),
    Case("kill the first process", &["kill-first"], Both, Inside(WORK)),
    Case(
        "look into the first process",
        &["look-into-first"],
        OwnOrHost,
        Inside(&["read", "/proc/self/environ"]),
    ),
    Case(
        "change the kernel's settings",
        &["write-sysctl"],
        OwnOrHost,
        Inside(&["read", "/proc/sys/kernel/domainname"]),
    ),
    Case("make a sandbox inside", &["isolate"], OwnOrHost, Outside),
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for Case(claim, attack, stopped, twin) in CASES {
        trials.push(trial("own", claim, move || refused(Backend::Own, attack)));
        trials.push(trial("twin", claim, move || match twin {
            Outside => succeeds_outside(attack),
            Inside(probe) => succeeds(Backend::Own, probe),
        }));
        match stopped {
            Both => trials.push(trial("bubblewrap", claim, move || refused(Backend::Bubblewrap, attack))),
            OwnOnly => {
                trials
                    .push(trial("bubblewrap without", claim, move || succeeds(Backend::Bubblewrap, attack)));
            }
            OwnOrHost => {}
        }
    }
    trials.push(trial("own", "call the x32 way", x32_is_death));
    trials.push(trial("own", "use memory without end", memory_is_bounded));
    for backend in [Backend::Own, Backend::Bubblewrap] {
        trials
            .push(trial(&format!("{backend:?}"), "leave a daemon behind", move || no_daemon_stays(backend)));
    }
    trials
}

fn trial(side: &str, claim: &str, test: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(format!("escape::{claim} ({side})"), test)
}

/// What there is to attack on the host, alive while the tests run.
struct Host {
    file: tempfile::NamedTempFile,
    tcp: TcpListener,
    udp: UdpSocket,
    abstract_name: String,
    _abstract: UnixListener,
    mark: String,
    _marked: Child,
}

/// A process with this in its environment, that ends with this one because then its input ends.
fn marked(value: &str) -> Child {
    let mut command = Command::new("/bin/cat");
    command.env("MARK", value).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("cat")
}

static HOST: LazyLock<Host> = LazyLock::new(Host::new);

impl Host {
    fn new() -> Self {
        let mut file = tempfile::NamedTempFile::new().expect("temporary file");
        file.write_all(b"secret").expect("write");
        let everybody = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(everybody).expect("permissions");
        let udp = UdpSocket::bind("127.0.0.1:0").expect("bind");
        let answering = udp.try_clone().expect("clone");
        std::thread::spawn(move || {
            while let Ok((_, from)) = answering.recv_from(&mut [0; 64]) {
                let _ = answering.send_to(b"answer", from);
            }
        });
        let id = std::process::id();
        let (abstract_name, mark) = (format!("plimsoll-test-{id}"), format!("MARK=plimsoll-{id}"));
        let address = SocketAddr::from_abstract_name(&abstract_name).expect("name");
        let marked = marked(&mark[5..]);
        Self {
            file,
            tcp: TcpListener::bind("127.0.0.1:0").expect("bind"),
            udp,
            _abstract: UnixListener::bind_addr(&address).expect("bind"),
            abstract_name,
            mark,
            _marked: marked,
        }
    }

    fn word(&self, word: &str) -> String {
        match word {
            "HOST-FILE" => self.file.path().display().to_string(),
            "HOST-TCP" => self.tcp.local_addr().expect("address").to_string(),
            "HOST-UDP" => self.udp.local_addr().expect("address").to_string(),
            "HOST-ABSTRACT" => self.abstract_name.clone(),
            "HOST-MARK" => self.mark.clone(),
            other => other.to_owned(),
        }
    }
}

fn ends(backend: Backend, probe: &[&str]) -> (Exit, String) {
    let words: Vec<String> = probe.iter().map(|word| HOST.word(word)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // Something to inherit: a descriptor without close-on-exec.
    let file = std::fs::File::open("/").expect("open");
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).expect("flags");
    run(backend, &plan(&words))
}

fn expect(ended: (Exit, String), status: i32) -> Result<(), Failed> {
    let (exit, text) = ended;
    if exit == Exit::Status(status) { Ok(()) } else { Err(format!("ended with {exit:?}: {text}").into()) }
}

fn refused(backend: Backend, attack: &[&str]) -> Result<(), Failed> {
    expect(ends(backend, attack), REFUSED)
}

fn succeeds(backend: Backend, probe: &[&str]) -> Result<(), Failed> {
    expect(ends(backend, probe), 0)
}

fn outside(probe: &[&str]) -> (Exit, String) {
    let words = probe.iter().map(|word| HOST.word(word));
    let file = std::fs::File::open("/").expect("open");
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).expect("flags");
    let exe = std::env::current_exe().expect("own path");
    let output = Command::new(exe).arg("probe").args(words).output().expect("probe");
    let exit = output.status.code().map_or(Exit::Signal(output.status.signal().unwrap_or(0)), Exit::Status);
    (exit, String::from_utf8_lossy(&output.stdout).into_owned())
}

fn succeeds_outside(probe: &[&str]) -> Result<(), Failed> {
    expect(outside(probe), 0)
}

/// The filter answers another calling convention with death; elsewhere the kernel answers it.
fn x32_is_death() -> Result<(), Failed> {
    if cfg!(not(target_arch = "x86_64")) {
        return Ok(());
    }
    succeeds_outside(&["x32"])?;
    match ends(Backend::Own, &["x32"]).0 {
        Exit::Signal(libc::SIGSYS) => Ok(()),
        exit => Err(format!("ended with {exit:?}").into()),
    }
}

/// Killed by the control group where there is one; refused the memory by a resource limit elsewhere.
fn memory_is_bounded() -> Result<(), Failed> {
    succeeds(Backend::Own, &["memory", "8388608"])?;
    match ends(Backend::Own, &["memory", "268435456"]).0 {
        Exit::OutOfMemory | Exit::Status(REFUSED) => Ok(()),
        exit => Err(format!("ended with {exit:?}").into()),
    }
}

fn no_daemon_stays(backend: Backend) -> Result<(), Failed> {
    let name = format!("left-{}", std::process::id() % 100_000 * 2 + u32::from(backend == Backend::Own));
    let start = Instant::now();
    let mut plan = plan(&["daemon", &name]);
    plan.limits = Limits { wall: plan.limits.wall, ..plan.limits };
    let (exit, text) = run(backend, &plan);
    if exit != Exit::Status(0) || text.trim() != "1" {
        return Err(format!("no daemon was made: {exit:?} {text}").into());
    }
    // Bubblewrap does not wait for the kernel to have killed everybody; ours does.
    while backend == Backend::Bubblewrap && running(&name) != 0 && start.elapsed().as_secs() < 60 {
        std::thread::yield_now();
    }
    if running(&name) != 0 || start.elapsed().as_secs() >= 60 {
        return Err("the daemon outlived its sandbox".into());
    }
    Ok(())
}

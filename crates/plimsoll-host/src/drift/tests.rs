//! Real processes, and each thing about them changed for real. Where a change would need a debugger, the text of `/proc`
//! that it leads to is judged instead.

mod files;

use super::{code::Mapping, *};
use files::unpack;
use proptest::prelude::*;
use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A process that echoes lines, so that it can be asked whether it has come so far.
struct Service {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Service {
    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    /// Runs the open file.
    fn run(executable: &OwnedFd, argv: &[String], env: &BTreeMap<String, String>) -> Self {
        let mut command = Command::new(format!("/proc/self/fd/{}", executable.as_raw_fd()));
        Self::spawn(command.arg0(&argv[0]).args(&argv[1..]).env_clear().envs(env))
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self) {
        self.tell("ready?");
        assert_eq!(self.hear(), "ready?");
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn find(program: &str) -> PathBuf {
    PATH.split(':').map(|directory| Path::new(directory).join(program)).find(|path| path.exists()).unwrap()
}

fn sealed(path: &Path) -> (OwnedFd, Digest) {
    let digest = Digest::of(&fs::read(path).unwrap());
    (plimsoll_fs::sealed_copy(&mut File::open(path).unwrap(), &digest, 1 << 30).unwrap(), digest)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn path_only() -> BTreeMap<String, String> {
    [("PATH".to_owned(), PATH.to_owned())].into()
}

/// Files that a process has mapped as code, without those that only have a name.
fn code_files(pid: u32) -> Vec<PathBuf> {
    let maps = fs::read(format!("/proc/{pid}/maps")).unwrap();
    let mappings = maps.split(|byte| *byte == b'\n').filter_map(code::parse);
    let code = mappings.filter(|mapping| mapping.executable && mapping.inode != 0);
    code.map(|mapping| PathBuf::from(String::from_utf8_lossy(mapping.path).into_owned()))
        .filter(|path| path.exists())
        .collect()
}

/// Directories of this machine's libraries.
fn libraries(pid: u32) -> Vec<String> {
    let directories = code_files(pid).into_iter().map(|path| path.parent().unwrap().display().to_string());
    directories.collect::<BTreeSet<_>>().into_iter().collect()
}

/// `cat`, run from a sealed copy, and what is expected of it.
fn echo(env: BTreeMap<String, String>) -> (Service, Expected) {
    let (executable, digest) = sealed(&find("cat"));
    let argv = texts(&["cat", "-"]);
    let mut service = Service::run(&executable, &argv, &env);
    service.ask();
    let code = libraries(service.pid());
    let mounts = MountSet::of(service.pid()).unwrap();
    (service, Expected { executable: digest, argv, env, code, root: None, config: None, mounts })
}

fn kinds(found: &[Drift]) -> Vec<DriftKind> {
    found.iter().map(|drift| drift.what).collect()
}

fn seen(service: &Service, expected: &Expected, memory: &mut Memory) -> Vec<Drift> {
    inspect(service.pid(), expected, memory).unwrap()
}

#[test]
fn an_untouched_process_has_no_drift_ten_times() {
    let (service, mut expected) = echo(path_only());
    let unpacked = tempfile::tempdir().unwrap();
    expected.root = Some((unpacked.path().join("root"), unpack(&unpacked.path().join("root"))));
    expected.config = Some((unpacked.path().join("config"), unpack(&unpacked.path().join("config"))));
    let mut memory = Memory::default();
    for _ in 0..10 {
        assert_eq!(seen(&service, &expected, &mut memory), []);
        assert_eq!(seen(&service, &expected, &mut Memory::default()), []);
    }
}

#[test]
fn a_process_that_was_started_by_path_has_no_drift_either() {
    let argv = texts(&["cat"]);
    let mut service = Service::spawn(Command::new(find("cat")).arg0("cat").env_clear());
    service.ask();
    let expected = Expected {
        executable: Digest::of(&fs::read(find("cat")).unwrap()),
        argv,
        env: BTreeMap::new(),
        code: libraries(service.pid()),
        root: None,
        config: None,
        mounts: MountSet::of(service.pid()).unwrap(),
    };
    assert_eq!(seen(&service, &expected, &mut Memory::default()), []);
}

#[test]
fn other_processes_of_a_service_are_no_drift() {
    let script = "cat & cat; wait";
    let (mut service, expected) = shell(script);
    service.tell("one");
    assert_eq!(service.hear(), "one");
    assert_eq!(seen(&service, &expected, &mut Memory::default()), []);
}

/// A shell with this script, run from a sealed copy.
fn shell(script: &str) -> (Service, Expected) {
    let (executable, digest) = sealed(&find("sh"));
    let argv = texts(&["sh", "-c", script]);
    let service = Service::run(&executable, &argv, &path_only());
    let (echo, expected) = echo(path_only());
    let mut code = expected.code;
    code.extend(libraries(service.pid()));
    drop(echo);
    (service, Expected { executable: digest, argv, code, ..expected })
}

#[test]
fn another_program_in_the_same_process_is_drift() {
    let (mut service, expected) = shell("read line; exec cat");
    let mut memory = Memory::default();
    assert_eq!(seen(&service, &expected, &mut memory), []);
    service.tell("go");
    service.ask();
    let found = seen(&service, &expected, &mut memory);
    // Some shells also add variables of their own.
    assert_eq!(kinds(&found)[..2], [DriftKind::Executable, DriftKind::Arguments]);
    assert!(found.iter().all(|drift| drift.repairable));
    assert!(found[0].cause.contains("cat"), "{found:?}");
    let reason = found[0].reason("shop@production");
    assert_eq!(reason.code, Code::Drift);
    assert!(!reason.sentence().contains('{'), "{}", reason.sentence());
}

#[test]
fn the_same_program_with_other_arguments_is_drift() {
    let own = "exec /proc/self/exe -c 'read line; echo; cat'";
    let (mut service, expected) = shell(&format!("read line; {own}"));
    let mut memory = Memory::default();
    assert_eq!(seen(&service, &expected, &mut memory), []);
    service.tell("go");
    service.tell("on");
    assert_eq!(service.hear(), "");
    let found = seen(&service, &expected, &mut memory);
    assert_eq!(kinds(&found)[0], DriftKind::Arguments);
    assert!(found[0].repairable);
}

#[test]
fn a_title_that_a_program_writes_over_its_arguments_is_no_drift() {
    let (service, expected) = echo(path_only());
    let mut memory = Memory::default();
    assert_eq!(seen(&service, &expected, &mut memory), []);
    let titled = Expected { argv: texts(&["cat", "+"]), ..expected };
    assert_eq!(seen(&service, &titled, &mut memory), []);
    // Who never saw the right arguments cannot tell a title from other arguments, and does not restart for it.
    let found = seen(&service, &titled, &mut Memory::default());
    assert_eq!(kinds(&found), [DriftKind::Arguments]);
    assert!(!found[0].repairable);
}

#[test]
fn a_foreign_variable_is_drift_and_its_value_is_not_told() {
    let mut env = path_only();
    env.insert("TOKEN".into(), "hunter2".into());
    let (service, mut expected) = echo(env);
    assert_eq!(seen(&service, &expected, &mut Memory::default()), []);
    for value in [None, Some("hunter3")] {
        expected.env = path_only();
        expected.env.extend(value.map(|value| ("TOKEN".to_owned(), value.to_owned())));
        let found = seen(&service, &expected, &mut Memory::default());
        assert_eq!(kinds(&found), [DriftKind::Environment]);
        assert!(found[0].cause.contains("TOKEN") && !found[0].cause.contains("hunter"), "{found:?}");
    }
    expected.env.insert("TOKEN".into(), "hunter2".into());
    expected.env.insert("MISSING".into(), String::new());
    assert_eq!(kinds(&seen(&service, &expected, &mut Memory::default())), [DriftKind::Environment]);
}

/// A copy of the C library that `cat` uses, which the loader takes in its place.
fn own_library(directory: &Path) -> PathBuf {
    let (service, _) = echo(path_only());
    let files = code_files(service.pid());
    let library = files.iter().find(|path| path.to_string_lossy().contains("libc.so")).unwrap();
    let copy = directory.join("libown.so");
    fs::copy(library, &copy).unwrap();
    copy
}

fn preloading(library: impl fmt::Display) -> BTreeMap<String, String> {
    [("LD_PRELOAD".to_owned(), library.to_string())].into()
}

#[test]
fn code_from_a_foreign_file_is_drift() {
    let directory = tempfile::tempdir().unwrap();
    let library = own_library(directory.path());
    let (service, mut expected) = echo(preloading(library.display()));
    expected.code.retain(|place| Path::new(place) != directory.path());
    let found = seen(&service, &expected, &mut Memory::default());
    assert_eq!(kinds(&found), [DriftKind::Code]);
    assert!(found[0].cause.contains("libown.so"), "{found:?}");
    expected.code.push(directory.path().display().to_string());
    assert_eq!(seen(&service, &expected, &mut Memory::default()), []);
}

#[test]
fn code_from_a_file_that_was_exchanged_behind_its_name_is_drift() {
    let directory = tempfile::tempdir().unwrap();
    let library = own_library(directory.path());
    let (service, expected) = echo(preloading(library.display()));
    assert_eq!(seen(&service, &expected, &mut Memory::default()), []);
    let other = directory.path().join("other.so");
    fs::copy(&library, &other).unwrap();
    fs::rename(&other, &library).unwrap();
    assert_eq!(kinds(&seen(&service, &expected, &mut Memory::default())), [DriftKind::Code]);
}

#[test]
fn code_from_memory_with_a_name_is_drift() {
    let directory = tempfile::tempdir().unwrap();
    let library = own_library(directory.path());
    let memory = rustix::fs::memfd_create("plimsoll", rustix::fs::MemfdFlags::empty()).unwrap();
    let mut memory = File::from(memory);
    memory.write_all(&fs::read(&library).unwrap()).unwrap();
    let (service, mut expected) = echo(preloading(format!("/proc/self/fd/{}", memory.as_raw_fd())));
    expected.code.push("/".into());
    let found = seen(&service, &expected, &mut Memory::default());
    assert_eq!(kinds(&found), [DriftKind::Code]);
    assert!(found[0].cause.contains("memfd:plimsoll"), "{found:?}");
}

#[test]
fn code_is_judged_by_what_backs_it() {
    let known = |mapping: &Mapping<'_>| mapping.path == b"/usr/lib/libc.so.6";
    let judge = |text: &str| code::judge(text.as_bytes(), known).map(|found| kinds(&found));
    for (line, expect) in [
        ("7f00-7f01 r-xp 00000000 fe:00 42                         /usr/lib/libc.so.6", vec![]),
        ("7f00-7f01 r--p 00000000 fe:00 43                         /tmp/data", vec![]),
        ("7f00-7f01 rw-p 00000000 00:00 0 ", vec![]),
        ("7f00-7f01 r-xp 00000000 00:00 0                          [vdso]", vec![]),
        ("ff00-ff01 --xp 00000000 00:00 0                          [vsyscall]", vec![]),
        ("7f00-7f01 rwxp 00000000 00:00 0 ", vec![DriftKind::GeneratedCode]),
        ("7f00-7f01 rwxp 00000000 00:00 0                          [stack]", vec![DriftKind::GeneratedCode]),
        ("7f00-7f01 r-xp 00000000 00:00 0        [anon:[vdso]]", vec![DriftKind::GeneratedCode]),
        ("7f00-7f01 r-xp 00000000 fe:00 44                         [vdso]", vec![DriftKind::Code]),
        ("7f00-7f01 r-xs 00000000 00:01 45                    /dev/zero (deleted)", vec![DriftKind::Code]),
        ("7f00-7f01 r-xp 00000000 fe:00 46     /usr/lib/libc.so.6 (deleted)", vec![DriftKind::Code]),
    ] {
        assert_eq!(judge(line), Some(expect), "{line}");
    }
    for broken in ["x", "7f00-7f01 r-x 0 fe:00 1 /a", "7f00 r-xp 0 fe:00 1 /a", "7f00-7f01 r-xp 0 fe 1 /a"] {
        assert_eq!(judge(broken), None, "{broken}");
    }
}

#[test]
fn one_look_in_thirty_two_is_a_full_one() {
    let looks = |memory: &mut Memory| {
        memory.looks += 1;
        memory.is_full_look()
    };
    let mut memory = Memory::default();
    let full: Vec<usize> = (0..100).filter(|_| looks(&mut memory)).collect();
    assert_eq!(full, [0, 32, 64, 96]);
}

#[test]
fn a_mount_over_something_is_drift() {
    let directory = tempfile::tempdir().unwrap();
    let script = format!(
        "echo here; read line; mount -t tmpfs none {}; echo done; read line; umount {0}; echo gone; cat",
        directory.path().display()
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]).env_clear().env("PATH", PATH);
    let mut service = Service::spawn(&mut command);
    assert_eq!(service.hear(), "here");
    let mounts = MountSet::of(service.pid()).unwrap();
    let expected = Expected {
        executable: Digest::of(&fs::read(find("sh")).unwrap()),
        argv: texts(&["sh", "-c", &script]),
        env: path_only(),
        code: libraries(service.pid()),
        root: None,
        config: None,
        mounts,
    };
    let mut memory = Memory::default();
    assert_eq!(seen(&service, &expected, &mut memory), []);
    service.tell("mount");
    assert_eq!(service.hear(), "done");
    let found = seen(&service, &expected, &mut memory);
    assert_eq!(kinds(&found), [DriftKind::Mounts]);
    let place = directory.path().display().to_string();
    assert!(found[0].cause.contains(&place) && found[0].cause.contains("tmpfs"), "{found:?}");
    service.tell("unmount");
    assert_eq!(service.hear(), "gone");
    assert_eq!(seen(&service, &expected, &mut memory), []);
}

const MOUNTS: &str = "\
22 1 0:21 / / ro,relatime - tmpfs none rw,size=1024k
23 22 fe:00 /usr /usr ro,nosuid,nodev shared:1 master:2 - ext4 /dev/vda rw
24 22 fe:00 /state/root-1 /artifact ro,nosuid,nodev - ext4 /dev/vda rw
";

#[test]
fn mounts_are_compared_by_what_a_service_could_notice() {
    let before = MountSet::parse(MOUNTS.as_bytes()).unwrap();
    for (from, to, expect) in [
        ("", "", None),
        ("size=1024k", "size=2048k", None),
        ("shared:1 master:2 ", "", None),
        (
            "/artifact ro,",
            "/artifact rw,",
            Some("/artifact is mounted with rw,nosuid,nodev instead of ro,nosuid,nodev"),
        ),
        ("/usr /usr", "/usr//deleted /usr", None),
        ("/state/root-1", "/state/root-2", Some("/artifact shows /state/root-2")),
        (
            "24 22 fe:00 /state/root-1 /artifact ro,nosuid,nodev - ext4 /dev/vda rw\n",
            "",
            Some("/artifact is not mounted"),
        ),
        ("24 22", "25 22", Some("/artifact is mounted over by /dev/vda (ext4), and 1 more")),
    ] {
        let after = MountSet::parse(MOUNTS.replacen(from, to, 1).as_bytes()).unwrap();
        let found = after.difference(&before);
        match expect {
            None => assert_eq!(found, None, "{from} -> {to}"),
            Some(text) => {
                assert!(found.as_ref().is_some_and(|found| found.contains(text)), "{to}: {found:?}")
            }
        }
    }
    for broken in ["x", "22 1 0:21 / / ro", "22 1 0:21 / / ro - tmpfs", "a 1 0:21 / / ro - tmpfs none rw"] {
        assert_eq!(MountSet::parse(broken.as_bytes()), None, "{broken}");
    }
}

#[test]
fn mounts_can_be_kept_in_a_file() {
    let set = MountSet::of(std::process::id()).unwrap();
    let text = serde_json::to_string(&set).unwrap();
    assert_eq!(serde_json::from_str::<MountSet>(&text).unwrap(), set);
}

#[test]
fn a_process_that_has_ended_is_gone_before_and_after_it_is_reaped() {
    let (mut service, mut expected) = echo(path_only());
    expected.argv = texts(&["another"]);
    let mut memory = Memory::default();
    assert!(!seen(&service, &expected, &mut memory).is_empty());
    service.child.kill().unwrap();
    // Its output ends with it, and nobody has waited for it yet.
    assert_eq!(service.hear(), "");
    while !matches!(inspect(service.pid(), &expected, &mut memory), Err(DriftError::Gone)) {
        std::thread::yield_now();
    }
    service.child.wait().unwrap();
    assert!(matches!(inspect(service.pid(), &expected, &mut memory), Err(DriftError::Gone)));
    assert!(matches!(MountSet::of(0), Err(DriftError::Gone)));
}

#[test]
fn a_stranger_under_the_same_id_is_not_taken_for_the_service() {
    let (service, expected) = echo(path_only());
    let mut memory = Memory::default();
    assert_eq!(seen(&service, &expected, &mut memory), []);
    memory.process = memory.process.map(|(pid, started)| (pid, started - 1));
    assert!(matches!(inspect(service.pid(), &expected, &mut memory), Err(DriftError::Gone)));
    // Another id is another instance, of which nothing is known yet.
    memory.process = memory.process.map(|(pid, started)| (pid + 1, started));
    memory.looks = 7;
    assert_eq!(seen(&service, &expected, &mut memory), []);
    assert_eq!(memory.looks, 1);
}

#[test]
fn a_program_cannot_forge_its_state_by_its_name() {
    let tail = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
    for name in ["app", "a b", ") Z 1 (", "))", ""] {
        let text = format!("77 ({name}) {tail}\n");
        assert_eq!(process::state_and_start(text.as_bytes()), Some((b'S', 4242)), "{name}");
    }
    for broken in ["", "77 (app", "77 (app) S 1 2", "77 (app)"] {
        assert_eq!(process::state_and_start(broken.as_bytes()), None, "{broken}");
    }
}

#[test]
fn what_follows_from_a_plan_is_expected() {
    let plan = SandboxPlan {
        argv: texts(&["/app", "-v"]),
        env: path_only(),
        cwd: "/".into(),
        mounts: vec![
            Mount::ReadOnly { source: "/state/root".into(), target: "/artifact".into() },
            Mount::Scratch { target: "/tmp".into() },
            Mount::Persistent { source: "/state/data".into(), target: "/data".into() },
        ],
        network: plimsoll_engine::ports::Network::None,
        limits: plimsoll_engine::ports::Limits::default(),
    };
    let expected = Expected::of(&plan, Digest::of(b"app"), MountSet::default());
    assert_eq!((expected.argv, expected.env), (plan.argv, plan.env));
    assert_eq!(expected.code, ["/artifact"]);
}

/// Lines of the right form with something in the wrong place.
fn damaged(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let edits = proptest::collection::vec((0..text.len(), any::<u8>()), 0..8);
    (edits, 0..=text.len()).prop_map(move |(edits, length)| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte) in edits {
            bytes[at] = byte;
        }
        bytes.truncate(length);
        bytes
    })
}

proptest! {
    #[test]
    fn damaged_text_of_the_kernel_never_panics(
        mounts in damaged(MOUNTS),
        maps in damaged("7f00-7f01 r-xp 00000000 fe:00 42      /usr/lib/libc.so.6\n8f00-8f01 rwxp 0 00:00 0 \n"),
        stat in damaged("77 (app) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20\n"),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        for text in [&mounts, &maps, &stat, &noise] {
            let _ = MountSet::parse(text);
            let _ = code::judge(text, |_| false);
            let _ = process::state_and_start(text);
            let _ = arguments(text, &texts(&["a"]));
            let _ = environment(text, &path_only());
        }
    }
}

//! Starting: from a plan to a command that runs.

use crate::{
    cgroup::{ControlGroups, Group},
    channel, diagnose,
    inside::{INIT_ARGUMENT, landlock_in_force},
    running::{Handle, LinuxRunning, Outer, Setup},
    seccomp::Filter,
    wire::{Begin, Event, Failure, Order, Task},
};
use plimsoll_engine::ports::{
    Exit, IsolationUnavailable, Limits, Mount, Network, Running, Sandbox, SandboxError, SandboxPlan,
};
use plimsoll_model::{
    Digest,
    record::{Enforcement, IsolationRecord, LimitRecord},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fs::{MemfdFlags, SealFlags},
    pipe::PipeFlags,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, ErrorKind, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::{Component, Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// The host's user and group that commands are when the engine is root: reserved, so that limits per user count only
/// sandboxes and no file belongs to it. Below 65534 (`nobody`, who owns things on some machines), outside the ranges that
/// distributions hand out, and inside the range that rootless containers map.
pub const RESERVED_ID: u32 = 64_085;

/// How long setting up may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// How to start sandboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The program that is started to set up a sandbox; its `main` must begin with [`crate::init_if_asked`].
    pub executable: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self { executable: "/proc/self/exe".into() }
    }
}

/// Isolation by namespaces, Landlock, seccomp and control groups, without any helper program.
#[derive(Debug)]
pub struct LinuxSandbox {
    options: Options,
    filter: OwnedFd,
    filter_digest: Digest,
    control_groups: ControlGroups,
}

impl LinuxSandbox {
    /// Prepares what all sandboxes share: compiles the filter, looks for control groups, and removes those that engines
    /// which are gone left behind.
    ///
    /// # Errors
    /// When there is no filter for this architecture, or no memory file can be made.
    pub fn new(options: Options) -> Result<Self, SandboxError> {
        let filter = Filter::compile().map_err(|error| IsolationUnavailable {
            problem: format!("no system call filter can be made for it: {error}"),
            remedy: vec![],
        })?;
        Ok(Self {
            options,
            filter: sealed(&filter.to_bytes()).map_err(doing("make a memory file"))?,
            filter_digest: filter.digest(),
            control_groups: ControlGroups::detect(),
        })
    }

    /// The digest of the system call filter that every sandbox gets.
    #[must_use]
    pub const fn filter_digest(&self) -> Digest {
        self.filter_digest
    }

    fn launch(
        &self,
        plan: &SandboxPlan,
        executable: Option<OwnedFd>,
        task: Task,
    ) -> Result<LinuxRunning, SandboxError> {
        check(plan)?;
        let group = self.control_groups.create(&plan.limits).map_err(doing("make a control group"))?;
        let order = self.order(plan, &group, task);
        let order =
            serde_json::to_vec(&order).map_err(|error| doing("write the sandbox's order")(error.into()))?;
        let order = sealed(&order).map_err(doing("make a memory file"))?;
        let launch = Launch::spawn(&self.options.executable, group)?;
        let descriptors: Vec<_> =
            [&order, &self.filter].into_iter().chain(&executable).map(AsFd::as_fd).collect();
        channel::send(launch.control.as_fd(), &Begin, &descriptors)
            .map_err(doing("send the sandbox's order"))?;
        let (handle, gateway, writable) = launch.follow(plan)?;
        let record = self.record(&plan.limits);
        launch.into_running(plan, handle, Setup { gateway, writable, record })
    }

    fn order(&self, plan: &SandboxPlan, group: &Group, task: Task) -> Order {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        let root = uid.is_root();
        Order {
            plan: plan.clone(),
            host_uid: if root { RESERVED_ID } else { uid.as_raw() },
            host_gid: if root { RESERVED_ID } else { gid.as_raw() },
            control_groups: group.entrances(),
            limit_memory: self.control_groups.enforcement().0 == Enforcement::Rlimit,
            task,
        }
    }

    fn record(&self, limits: &Limits) -> IsolationRecord {
        let (memory, processes) = self.control_groups.enforcement();
        let wall = limits.wall.map(|wall| {
            ("wall-time", u64::try_from(wall.as_millis()).unwrap_or(u64::MAX), Enforcement::Engine)
        });
        let limits = [
            ("memory", limits.memory, memory),
            ("processes", limits.processes, processes),
            ("log", limits.log, Enforcement::Engine),
            ("output", limits.output, Enforcement::Tmpfs),
            ("output-entries", limits.output_entries, Enforcement::Tmpfs),
        ];
        let named =
            |(name, value, enforced): (&str, _, _)| (name.to_owned(), LimitRecord { value, enforced });
        let namespaces = ["cgroup", "ipc", "mount", "net", "pid", "user", "uts"];
        IsolationRecord {
            backend: "plimsoll".into(),
            namespaces: namespaces.map(str::to_owned).into(),
            landlock_abi: landlock_in_force(),
            seccomp: Some(self.filter_digest),
            unprivileged: true,
            own_uid: rustix::process::geteuid().is_root(),
            limits: limits.into_iter().chain(wall).map(named).collect(),
            network_attempts: None,
        }
    }
}

impl Sandbox for LinuxSandbox {
    fn probe(&self) -> Result<IsolationRecord, IsolationUnavailable> {
        let unavailable = |error: SandboxError| match error {
            SandboxError::Unavailable(unavailable) => unavailable,
            other => IsolationUnavailable { problem: full_text(&other), remedy: vec![] },
        };
        let running = self.launch(&trivial_plan(), None, Task::Probe).map_err(unavailable)?;
        let finished = Box::new(running).wait(&mut |_, _| {}).map_err(unavailable)?;
        match finished.exit {
            Exit::Status(0) => Ok(finished.record),
            exit => {
                Err(IsolationUnavailable { problem: format!("a trial ended with {exit:?}"), remedy: vec![] })
            }
        }
    }

    fn start(
        &self,
        plan: &SandboxPlan,
        executable: Option<OwnedFd>,
    ) -> Result<Box<dyn Running>, SandboxError> {
        Ok(Box::new(self.launch(plan, executable, Task::Command)?))
    }
}

fn trivial_plan() -> SandboxPlan {
    let second = Duration::from_secs(30);
    let small = Limits { wall: Some(second), output: 1 << 20, output_entries: 100, ..Limits::default() };
    SandboxPlan {
        argv: vec!["probe".into()],
        env: BTreeMap::new(),
        cwd: "/tmp".into(),
        mounts: vec![Mount::Scratch { target: "/tmp".into() }],
        network: Network::None,
        limits: small,
    }
}

fn full_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        text = format!("{text}: {error}");
        inner = error.source();
    }
    text
}

/// A sandbox that is being set up; dropping it ends it. The group is last, because it can be removed only when empty.
struct Launch {
    control: OwnedFd,
    outer: Outer,
    pipes: [OwnedFd; 2],
    group: Group,
}

type Prepared = (Handle, Option<OwnedFd>, BTreeMap<String, OwnedFd>);

impl Launch {
    fn spawn(executable: &Path, group: Group) -> Result<Self, SandboxError> {
        let (control, theirs) = channel::pair().map_err(doing("make a socket pair"))?;
        rustix::net::sockopt::set_socket_passcred(&control, true)
            .map_err(|error| doing("ask for process ids")(error.into()))?;
        let pipe = || rustix::pipe::pipe_with(PipeFlags::CLOEXEC);
        let (output, output_end) = pipe().map_err(|error| doing("make a pipe")(error.into()))?;
        let (errors, errors_end) = pipe().map_err(|error| doing("make a pipe")(error.into()))?;
        let outer = Command::new(executable)
            .arg0("plimsoll")
            .arg(INIT_ARGUMENT)
            .env_clear()
            .stdin(theirs)
            .stdout(Stdio::from(output_end))
            .stderr(Stdio::from(errors_end))
            .spawn()
            .map_err(doing("start the sandbox's process"))?;
        Ok(Self { control, outer: Outer(outer), pipes: [output, errors], group })
    }

    /// Follows the reports until the command runs.
    fn follow(&self, plan: &SandboxPlan) -> Result<Prepared, SandboxError> {
        let (mut pidfd, mut pid, mut prepared) = (None, None, None);
        let end = Instant::now() + PATIENCE;
        loop {
            let message = self.next_report(end)?;
            match message.value {
                Event::Supervised => pidfd = message.descriptors.into_iter().next(),
                Event::Prepared { writable } => prepared = Some((writable, message.descriptors)),
                Event::Here => pid = message.sender,
                Event::Failed(failure) => return Err(refused(failure)),
                Event::Ended { .. } => return Err(unexpected("start the command")),
                Event::Started => break,
            }
        }
        let (Some(pidfd), Some(pid), Some((names, descriptors))) = (pidfd, pid, prepared) else {
            return Err(unexpected("follow the sandbox's start"));
        };
        let mut descriptors = descriptors.into_iter();
        let gateway = if plan.network == Network::Gateway { descriptors.next() } else { None };
        let control = self.control.try_clone().map_err(doing("keep the control socket"))?;
        Ok((Handle::new(control, pidfd, pid), gateway, names.into_iter().zip(descriptors).collect()))
    }

    fn next_report(&self, end: Instant) -> Result<channel::Message<Event>, SandboxError> {
        let left = Timespec::try_from(end.saturating_duration_since(Instant::now())).ok();
        let mut ready = [PollFd::new(&self.control, PollFlags::IN)];
        let count = rustix::event::poll(&mut ready, left.as_ref())
            .map_err(|error| doing("wait for the sandbox")(error.into()))?;
        if count == 0 {
            return Err(doing("set up the sandbox in time")(ErrorKind::TimedOut.into()));
        }
        let message = channel::receive(self.control.as_fd()).map_err(doing("hear from the sandbox"))?;
        message.ok_or_else(|| unexpected("hear from the sandbox before it ended"))
    }

    fn into_running(
        self,
        plan: &SandboxPlan,
        handle: Handle,
        setup: Setup,
    ) -> Result<LinuxRunning, SandboxError> {
        LinuxRunning::new(Arc::new(handle), self.outer, self.pipes, self.group, &plan.limits, setup)
    }
}

fn refused(failure: Failure) -> SandboxError {
    match failure {
        Failure::Plan(text) => SandboxError::Plan(text),
        Failure::Isolation(action, errno) => diagnose::unavailable(&action, errno).into(),
        Failure::System(action, errno) => {
            SandboxError::Io { action, source: io::Error::from_raw_os_error(errno) }
        }
    }
}

fn unexpected(action: &str) -> SandboxError {
    doing(action)(ErrorKind::UnexpectedEof.into())
}

/// For `map_err`.
pub(crate) fn doing(action: &str) -> impl FnOnce(io::Error) -> SandboxError + '_ {
    move |source| SandboxError::Io { action: action.to_owned(), source }
}

/// A memory file with this content that nobody can change.
fn sealed(content: &[u8]) -> io::Result<OwnedFd> {
    let file = rustix::fs::memfd_create("plimsoll", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = File::from(file);
    file.write_all(content)?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file.into())
}

/// What can be said against a plan without looking at the machine.
fn check(plan: &SandboxPlan) -> Result<(), SandboxError> {
    let wrong = |text: String| Err(SandboxError::Plan(text));
    if plan.argv.first().is_none_or(String::is_empty) {
        return wrong("there is no command".into());
    }
    if plan.env.keys().any(|name| name.is_empty() || name.contains('=')) {
        return wrong("a variable has a name that is empty or contains `=`".into());
    }
    if !is_plain(&plan.cwd) {
        return wrong(format!("the working directory {} is not a plain absolute path", plan.cwd));
    }
    let mut names = BTreeSet::new();
    for mount in &plan.mounts {
        let target = target(mount);
        let system = ["/proc", "/dev"].iter().any(|path| Path::new(target).starts_with(path));
        if !is_plain(target) || target == "/" || system {
            return wrong(format!(
                "the mount target {target} is not a plain absolute path outside /proc and /dev"
            ));
        }
        match mount {
            Mount::ReadOnly { source, .. } | Mount::Persistent { source, .. } if !source.is_absolute() => {
                return wrong(format!("the source {} is not an absolute path", source.display()));
            }
            Mount::Writable { name, .. } if !names.insert(name) => {
                return wrong(format!("two writable mounts are called {name}"));
            }
            _ => {}
        }
    }
    if names.len() >= channel::MOST_DESCRIPTORS {
        return wrong("there are too many writable mounts".into());
    }
    Ok(())
}

fn target(mount: &Mount) -> &str {
    match mount {
        Mount::ReadOnly { target, .. }
        | Mount::Persistent { target, .. }
        | Mount::Writable { target, .. }
        | Mount::Scratch { target }
        | Mount::File { target, .. }
        | Mount::Symlink { target, .. } => target,
    }
}

/// Absolute, without `.`, `..`, empty parts, a final slash or a zero byte.
fn is_plain(path: &str) -> bool {
    let usual =
        Path::new(path).components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let doubled = path.contains("//") || path.contains("/./") || path.ends_with("/.");
    let ends = path.len() > 1 && path.ends_with('/');
    path.starts_with('/') && usual && !doubled && !ends && !path.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_or_the_plan_is_refused() {
        for (path, expect) in [
            ("/", true),
            ("/src", true),
            ("/src/a b/.git", true),
            ("", false),
            ("src", false),
            ("/src/", false),
            ("//src", false),
            ("/src/../etc", false),
            ("/src/./x", false),
            ("/src/.", false),
            ("/a\0b", false),
        ] {
            assert_eq!(is_plain(path), expect, "{path:?}");
        }
    }

    #[test]
    fn plans_that_cannot_be_meant_are_refused_with_a_sentence() {
        let scratch = |target: &str| Mount::Scratch { target: target.into() };
        let writable = |target: &str| Mount::Writable { name: "out".into(), target: target.into() };
        let relative = Mount::ReadOnly { source: "usr".into(), target: "/usr".into() };
        let data = Mount::Persistent { source: "data".into(), target: "/data".into() };
        let root = Mount::Persistent { source: "/srv".into(), target: "/".into() };
        for (mounts, expect) in [
            (vec![scratch("tmp")], "the mount target tmp is not"),
            (vec![scratch("/")], "the mount target / is not"),
            (vec![scratch("/proc/self")], "outside /proc and /dev"),
            (vec![scratch("/dev/shm")], "outside /proc and /dev"),
            (vec![writable("/a"), writable("/b")], "two writable mounts are called out"),
            (vec![relative], "the source usr is not an absolute path"),
            (vec![data], "the source data is not an absolute path"),
            (vec![root], "the mount target / is not"),
        ] {
            let error = check(&SandboxPlan { mounts, ..trivial_plan() }).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        }
        assert!(check(&trivial_plan()).is_ok());
        assert!(check(&SandboxPlan { argv: vec![], ..trivial_plan() }).is_err());
        assert!(check(&SandboxPlan { cwd: "src".into(), ..trivial_plan() }).is_err());
        let env = BTreeMap::from([("A=B".to_owned(), String::new())]);
        assert!(check(&SandboxPlan { env, ..trivial_plan() }).is_err());
    }
}

//! Control groups, as far as this machine lets us: version 2 where memory and pids can be delegated, version 1 where its
//! hierarchies can be written, none otherwise. What is found is used and recorded; nothing is assumed.

use plimsoll_engine::ports::Limits;
use plimsoll_model::record::Enforcement;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

/// How often, and after which pause each, a group is tried to be removed whose last process is just gone.
const REMOVAL: (u32, Duration) = (1000, Duration::from_millis(5));

/// Where groups can be made on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ControlGroups {
    /// One directory of the unified hierarchy, with memory and pids for its children.
    V2 {
        /// Where groups are made.
        parent: PathBuf,
    },
    /// Separate hierarchies, each where it can be written.
    V1 {
        /// Where memory groups are made.
        memory: Option<PathBuf>,
        /// Where pids groups are made.
        pids: Option<PathBuf>,
    },
    /// Nowhere.
    None,
}

/// A mounted hierarchy and the part of it that this process is in.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    mount: PathBuf,
    own: PathBuf,
}

impl Hierarchy {
    /// Directories in which a child could be made: the process's own group, and those above it.
    fn candidates(&self) -> impl Iterator<Item = &Path> {
        self.own.ancestors().take_while(|path| path.starts_with(&self.mount))
    }
}

impl ControlGroups {
    /// Looks where this process may make groups, and removes groups that engines which are gone left behind.
    pub(crate) fn detect() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let place = |controller: &str, files: &[&str]| {
            let hierarchy = hierarchy(&groups, &mounts, controller)?;
            hierarchy.candidates().find(|parent| offers(parent, files)).map(Path::to_path_buf)
        };
        let found = match place("", &["memory.max", "pids.max"]) {
            Some(parent) => Self::V2 { parent },
            None => match (place("memory", &["memory.limit_in_bytes"]), place("pids", &["pids.max"])) {
                (None, None) => Self::None,
                (memory, pids) => Self::V1 { memory, pids },
            },
        };
        found.parents().into_iter().for_each(remove_abandoned);
        found
    }

    fn parents(&self) -> Vec<&Path> {
        match self {
            Self::V2 { parent } => vec![parent],
            Self::V1 { memory, pids } => memory.iter().chain(pids).map(PathBuf::as_path).collect(),
            Self::None => vec![],
        }
    }

    /// Who holds memory, and who processes, for sandboxes with a group.
    pub(crate) fn enforcement(&self) -> (Enforcement, Enforcement) {
        let v1 = |held: bool| if held { Enforcement::CgroupV1 } else { Enforcement::Rlimit };
        match self {
            Self::V2 { .. } => (Enforcement::CgroupV2, Enforcement::CgroupV2),
            Self::V1 { memory, pids } => (v1(memory.is_some()), v1(pids.is_some())),
            Self::None => (Enforcement::Rlimit, Enforcement::Rlimit),
        }
    }

    const fn entrance(&self) -> &'static str {
        match self {
            Self::V2 { .. } => "cgroup.procs",
            Self::V1 { .. } | Self::None => "tasks",
        }
    }

    /// Makes the group of one sandbox.
    pub(crate) fn create(&self, limits: &Limits) -> std::io::Result<Group> {
        let name = fresh_name();
        let mut group = Group { directories: Vec::new(), entrance: self.entrance(), events: None };
        // The sandbox's first process counts too.
        let processes = limits.processes.saturating_add(1);
        match self {
            Self::V2 { parent } => {
                let directory = group.make(parent, &name)?;
                write(&directory, "memory.max", limits.memory)?;
                // Absent without swap accounting, or on older kernels.
                let _ = write(&directory, "memory.swap.max", 0);
                let _ = write(&directory, "memory.oom.group", 1);
                write(&directory, "pids.max", processes)?;
                group.events = Some(directory.join("memory.events"));
            }
            Self::V1 { memory, pids } => {
                if let Some(parent) = memory {
                    let directory = group.make(parent, &name)?;
                    write(&directory, "memory.limit_in_bytes", limits.memory)?;
                    let _ = write(&directory, "memory.memsw.limit_in_bytes", limits.memory);
                    group.events = Some(directory.join("memory.oom_control"));
                }
                if let Some(parent) = pids {
                    let directory = group.make(parent, &name)?;
                    write(&directory, "pids.max", processes)?;
                }
            }
            Self::None => {}
        }
        Ok(group)
    }
}

/// The control group of one sandbox; removed when dropped, which must be after its last process is gone.
#[derive(Debug)]
pub(crate) struct Group {
    directories: Vec<PathBuf>,
    entrance: &'static str,
    events: Option<PathBuf>,
}

impl Group {
    fn make(&mut self, parent: &Path, name: &str) -> std::io::Result<PathBuf> {
        let directory = parent.join(name);
        fs::create_dir(&directory)?;
        self.directories.push(directory.clone());
        Ok(directory)
    }

    /// Files that a process with one thread writes `0` to, to enter the group.
    pub(crate) fn entrances(&self) -> Vec<PathBuf> {
        self.directories.iter().map(|directory| directory.join(self.entrance)).collect()
    }

    /// Whether the kernel killed a process of the group for want of memory.
    pub(crate) fn out_of_memory(&self) -> bool {
        let text = self.events.as_ref().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        kills(&text) > 0
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for directory in &self.directories {
            for _ in 0..REMOVAL.0 {
                match fs::remove_dir(directory) {
                    Err(error) if error.kind() == ErrorKind::ResourceBusy => thread::sleep(REMOVAL.1),
                    _ => break,
                }
            }
        }
    }
}

/// The counter of kills in `memory.events` (version 2) or `memory.oom_control` (version 1).
fn kills(text: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

fn write(directory: &Path, file: &str, value: u64) -> std::io::Result<()> {
    fs::write(directory.join(file), value.to_string())
}

/// Whether a child of `parent` can be made and has these files. On version 2 the controllers are first enabled for
/// children, which the kernel allows in groups that have no process of their own.
fn offers(parent: &Path, files: &[&str]) -> bool {
    let trial = parent.join(fresh_name());
    if fs::create_dir(&trial).is_err() {
        return false;
    }
    let complete = || files.iter().all(|file| trial.join(file).exists());
    let offered = complete()
        || (fs::write(parent.join("cgroup.subtree_control"), "+memory +pids").is_ok() && complete());
    let _ = fs::remove_dir(&trial);
    offered
}

/// The mounted hierarchy of a version 1 controller, or of version 2 for the empty name.
fn hierarchy(groups: &str, mounts: &str, controller: &str) -> Option<Hierarchy> {
    let group = groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let names = fields.next()?;
        names.split(',').any(|name| name == controller).then(|| fields.next())?
    })?;
    let (mount, root) = mounts.lines().find_map(|line| mount_of(line, controller))?;
    let below = Path::new(group).strip_prefix(root).ok()?;
    let own = if below.as_os_str().is_empty() { PathBuf::from(mount) } else { Path::new(mount).join(below) };
    Some(Hierarchy { mount: mount.into(), own })
}

/// Mount point and root of a line of `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`), if it is the hierarchy's.
fn mount_of<'a>(line: &'a str, controller: &str) -> Option<(&'a str, &'a str)> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, mount) = (left.next()?, left.next()?);
    let mut right = right.split(' ');
    let (kind, options) = (right.next()?, right.nth(1)?);
    let ours = match kind {
        "cgroup2" => controller.is_empty(),
        "cgroup" => !controller.is_empty() && options.split(',').any(|option| option == controller),
        _ => false,
    };
    ours.then_some((mount, root))
}

/// `plimsoll-<process>-<start of the process>-<number>`: names its maker, so that an abandoned group is recognized.
fn fresh_name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let process = std::process::id();
    let start = start_of(process).unwrap_or(0);
    format!("plimsoll-{process}-{start}-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// When a process started, in clock ticks since the machine did (`proc_pid_stat(5)`, field 22).
fn start_of(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    text.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()
}

/// Removes groups whose engine is gone. One that still has processes cannot be removed, and stays.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().is_some_and(|name| abandoned(name, start_of)) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

fn abandoned(name: &str, start_of: impl Fn(u32) -> Option<u64>) -> bool {
    let Some(rest) = name.strip_prefix("plimsoll-") else { return false };
    let numbers: Option<Vec<u64>> = rest.split('-').map(|part| part.parse().ok()).collect();
    let Some([process, start, _]) = numbers.as_deref() else { return false };
    u32::try_from(*process).is_ok_and(|process| start_of(process) != Some(*start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 25 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
31 25 0:27 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
32 25 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";

    #[test]
    fn hierarchies_are_found_where_they_are_mounted() {
        let check = |groups: &str, mounts: &str, controller: &str, expect: Option<(&str, &str)>| {
            let expect = expect.map(|(mount, own)| Hierarchy { mount: mount.into(), own: own.into() });
            assert_eq!(hierarchy(groups, mounts, controller), expect, "{groups} {controller}");
        };
        let hybrid = "4:memory:/job/7\n3:cpu,pids:/\n0::/";
        check(hybrid, HYBRID, "memory", Some(("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/job/7")));
        check(hybrid, HYBRID, "pids", Some(("/sys/fs/cgroup/pids", "/sys/fs/cgroup/pids")));
        check(hybrid, HYBRID, "", Some(("/sys/fs/cgroup/unified", "/sys/fs/cgroup/unified")));
        check(hybrid, "", "memory", None);
        let container = "32 25 0:28 /box /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
        check("0::/box/leaf", container, "", Some(("/sys/fs/cgroup", "/sys/fs/cgroup/leaf")));
        check("0::/elsewhere", container, "", None);
    }

    #[test]
    fn a_group_is_abandoned_when_its_maker_is_gone_or_another_process_has_its_number() {
        let start_of = |process| (process == 5).then_some(100);
        for (name, expect) in [
            ("plimsoll-5-100-0", false),
            ("plimsoll-5-99-0", true),
            ("plimsoll-6-100-0", true),
            ("plimsoll-5-100", false),
            ("plimsoll-x-100-0", false),
            ("somebody-6-100-0", false),
        ] {
            assert_eq!(abandoned(name, start_of), expect, "{name}");
        }
    }

    #[test]
    fn kills_are_read_from_both_versions() {
        assert_eq!(kills("low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 1\n"), 2);
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"), 4);
        assert_eq!(kills("oom_kill_disable 0\nunder_oom 0\n"), 0);
    }
}

//! Looks at processes from outside, and ends them without asking.

use crate::world::World;
use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Waits until something holds. Machines that do much else are slow, so only what never comes true takes this long.
///
/// # Panics
/// When it does not hold after two minutes.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "waited for: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal by its name to one process.
pub(crate) fn signal(pid: u32, name: &str) {
    let _ = Command::new("/bin/kill").args(["-s", name, &pid.to_string()]).output().expect("kill");
}

pub(crate) fn kill(pid: u32) {
    signal(pid, "KILL");
}

/// Whether there is such a process that is not only waiting to be collected.
pub(crate) fn exists(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Processes whose command line holds `mark`.
pub(crate) fn with(mark: &str) -> Vec<u32> {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let marked = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(mark)
    };
    pids.filter(marked).collect()
}

/// Processes below another one whose command line holds `mark`.
pub(crate) fn below(ancestor: u32, mark: &str) -> Vec<u32> {
    let parent = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok()
    };
    let is_below =
        |pid: &u32| std::iter::successors(Some(*pid), |pid| parent(*pid)).any(|pid| pid == ancestor);
    with(mark).into_iter().filter(is_below).collect()
}

/// Waits until no process of a mark is left.
pub(crate) fn until_gone(mark: &str) {
    until(&format!("no process of {mark} is left: {:?}", with(mark)), || with(mark).is_empty());
}

/// Waits until no control group of an engine or supervisor that was killed is left. Nobody but the next one who makes a
/// sandbox here removes them, once what was in them is gone.
pub(crate) fn until_no_groups(world: &World, of: u32) {
    until(&format!("no control group of {of} is left: {:?}", groups_of(of)), || {
        groups_of(of).is_empty() || {
            world.plimsoll(&["doctor"]);
            false
        }
    });
}

/// Control groups that an engine made for its steps.
pub(crate) fn groups_of(engine: u32) -> Vec<PathBuf> {
    let (name, mut found) = (format!("plimsoll-{engine}-"), vec![]);
    let mut directories = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&name) {
                found.push(entry.path());
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                directories.push(entry.path());
            }
        }
    }
    found
}

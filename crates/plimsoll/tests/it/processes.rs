//! Looks at processes from outside, and ends them without asking.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// Waits until something holds.
///
/// # Panics
/// When it does not hold after half a minute.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "waited for: {what}");
        thread::sleep(Duration::from_millis(10));
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

/// Waits until no process of a mark is left.
pub(crate) fn until_gone(mark: &str) {
    until(&format!("no process of {mark} is left: {:?}", with(mark)), || with(mark).is_empty());
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

//! Where numbers were taken.

use crate::project::{Project, Result};
use serde::{Deserialize, Serialize};
use std::{env::var_os, fmt, path::PathBuf, process::Command};

/// What a reader needs to compare machines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) memory_gib: u64,
    pub(super) kernel: String,
    pub(super) system: String,
    /// `root` or `user`: sandboxes are started differently.
    pub(super) started_by: String,
    pub(super) rust: String,
    pub(super) commit: String,
    pub(super) date: String,
}

impl Machine {
    pub(super) fn here(project: &Project) -> Self {
        let commit =
            said(Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).current_dir(project.root()));
        let kilobytes: u64 = field("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0);
        Self {
            processor: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_gib: kilobytes.div_ceil(1 << 20),
            kernel: file("/proc/sys/kernel/osrelease"),
            system: field("/etc/os-release", "PRETTY_NAME").trim_matches('"').to_owned(),
            started_by: if said(Command::new("id").arg("-u")) == "0" { "root" } else { "user" }.to_owned(),
            rust: said(Command::new("rustc").arg("--version")),
            commit,
            date: said(Command::new("date").args(["-u", "+%Y-%m-%d"])),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, memory_gib, system, kernel, rust, started_by, .. } = self;
        write!(
            f,
            "{processor}, {cores} cores, {memory_gib} GiB, {system}, Linux {kernel}, {rust}; started by {started_by}."
        )
    }
}

/// The first line that a command prints, or `unknown`.
pub(super) fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&output);
    text.lines().next().map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}

/// A path in the cache of `dev/install.sh`, which says where that is.
pub(super) fn cached(path: &str) -> Result<PathBuf> {
    let cache = var_os("PLIMSOLL_DEV").ok_or("there is no PLIMSOLL_DEV: make bench, or source dev/env.sh")?;
    Ok(PathBuf::from(cache).join(path))
}

/// The version of a peer: what installed it noted that, since not every build knows its own; else what it says.
pub(super) fn noted(name: &str) -> Result<String> {
    let text = std::fs::read_to_string(cached(&format!("{name}.version"))?);
    let own = || said(Command::new(name).arg("--version")).replace(&format!("{name} "), "");
    Ok(text.map_or_else(|_| own(), |text| text.trim().to_owned()))
}

fn file(path: &str) -> String {
    std::fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// The value behind `name` in a file of `name: value` or `name=value` lines.
fn field(path: &str, name: &str) -> String {
    let text = file(path);
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix([':', '=']));
    value.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
}

//! What a process gives up before foreign code runs: capabilities, new privileges, system calls, resources and, where
//! the kernel has Landlock, every path that the plan does not name.

use super::first;
use crate::{
    seccomp::Filter,
    sys,
    wire::{Failure, Order, isolation},
};
use landlock::{
    ABI, Access, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, Scope,
};
use plimsoll_engine::ports::{Limits, Mount, SandboxPlan};
use rustix::{
    fd::OwnedFd,
    fs::SealFlags,
    process::{Resource, Rlimit},
    thread::{CapabilitiesSecureBits, CapabilitySet, CapabilitySets},
};

/// Newest Landlock that this code knows rules for.
pub(crate) const LANDLOCK_KNOWN: u32 = 7;

/// Oldest Landlock that lets a build move files between directories.
const LANDLOCK_USEFUL: u32 = 2;

/// Open files per process: what programs get, and what they may raise it to.
const OPEN_FILES: (u64, u64) = (4096, 65536);

/// The Landlock version whose rules are in force on this machine; 0 for none.
pub(crate) fn landlock_in_force() -> u32 {
    match sys::landlock_version().min(LANDLOCK_KNOWN) {
        version if version < LANDLOCK_USEFUL => 0,
        version => version,
    }
}

/// Drops all capabilities for good, and installs the filter. Holds for every process that this one starts.
pub(super) fn give_up_privileges(filter: &Filter) -> Result<(), Failure> {
    let what = "drop all capabilities";
    let locked = CapabilitiesSecureBits::NO_ROOT
        | CapabilitiesSecureBits::NO_ROOT_LOCKED
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED;
    rustix::thread::set_capabilities_secure_bits(locked).map_err(isolation(what))?;
    sys::drop_bounding_set().map_err(isolation(what))?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets).map_err(isolation(what))?;
    rustix::thread::set_no_new_privs(true).map_err(isolation("set no_new_privs"))?;
    first::hide()?;
    filter.install().map_err(|_| Failure::Isolation("install the system call filter".into(), libc::ENOSYS))
}

/// Sets the limits of each process.
pub(super) fn limit_resources(order: &Order) -> Result<(), Failure> {
    let Limits { memory, processes, output, .. } = order.plan.limits;
    // The first process is of the same user and counts.
    limit(Resource::Nproc, processes.saturating_add(1))?;
    limit(Resource::Core, 0)?;
    // Larger than any file can become: a full file system tells the command more than SIGXFSZ does.
    if !order.plan.mounts.iter().any(|mount| matches!(mount, Mount::Persistent { .. })) {
        limit(Resource::Fsize, output.saturating_add(1 << 20))?;
    }
    limit(Resource::Rtprio, 0)?;
    if order.limit_memory {
        limit(Resource::Data, memory)?;
    }
    let hard = rustix::process::getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX).min(OPEN_FILES.1);
    set(Resource::Nofile, OPEN_FILES.0.min(hard), hard)
}

fn limit(resource: Resource, value: u64) -> Result<(), Failure> {
    let hard = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX).min(value);
    set(resource, hard, hard)
}

fn set(resource: Resource, current: u64, maximum: u64) -> Result<(), Failure> {
    let limit = Rlimit { current: Some(current), maximum: Some(maximum) };
    rustix::process::setrlimit(resource, limit).map_err(isolation("limit resources"))
}

/// Restricts this process to the plan's paths, as far as the kernel's Landlock goes.
///
/// An executable that is given by descriptor may be executed although no path of the plan leads to it.
pub(super) fn restrict_paths(plan: &SandboxPlan, executable: Option<&OwnedFd>) -> Result<(), Failure> {
    let version = landlock_in_force();
    if version == 0 {
        return Ok(());
    }
    restrict(plan, executable, ABI::from(version.cast_signed()))
        .map_err(|_| Failure::Isolation("apply the Landlock rules".into(), libc::EPERM))
}

fn restrict(
    plan: &SandboxPlan,
    executable: Option<&OwnedFd>,
    abi: ABI,
) -> Result<(), landlock::RulesetError> {
    let all = AccessFs::from_all(abi);
    let read = AccessFs::from_read(abi);
    let device = read | AccessFs::WriteFile | (all & AccessFs::IoctlDev) | (all & AccessFs::Truncate);
    let mut rules = Ruleset::default().handle_access(all)?.scope(Scope::from_all(abi))?.create()?;
    rules = allow(rules, "/", AccessFs::ReadDir.into())?;
    rules = allow(rules, "/proc", read | AccessFs::WriteFile)?;
    rules = allow(rules, "/dev", device)?;
    rules = allow(rules, "/dev/shm", all)?;
    for mount in &plan.mounts {
        rules = match mount {
            Mount::ReadOnly { target, .. } | Mount::File { target, .. } => allow(rules, target, read)?,
            Mount::Writable { target, .. } | Mount::Scratch { target } => allow(rules, target, all)?,
            Mount::Persistent { target, .. } => allow(rules, target, all & !AccessFs::Execute)?,
            Mount::Symlink { .. } => rules,
        };
    }
    if let Some(file) = executable {
        rules = allow_open(rules, file, AccessFs::Execute | AccessFs::ReadFile)?;
    }
    rules.restrict_self()?;
    Ok(())
}

fn allow(
    rules: RulesetCreated,
    path: &str,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    match PathFd::new(path) {
        Ok(path) => rules.add_rule(PathBeneath::new(path, access)),
        // A later mount covers it: then nothing below it can be reached, and there is nothing to allow.
        Err(_) => Ok(rules),
    }
}

/// A memory file has no place in any hierarchy: the kernel takes no rule for it, and needs none.
fn allow_open(
    rules: RulesetCreated,
    file: &OwnedFd,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    let memory = rustix::fs::fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SealFlags::WRITE));
    if memory { Ok(rules) } else { rules.add_rule(PathBeneath::new(file, access)) }
}

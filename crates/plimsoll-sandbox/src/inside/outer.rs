//! The outer process: still on the host, it opens what only the engine's user can reach, makes the namespaces, says who
//! the command's user is, and waits until the last process inside is gone. When it dies the sandbox dies.

use super::{first, mounts};
use crate::{
    channel, sys,
    wire::{Begin, Event, Failure, Order, isolation, system},
};
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    process::{Pid, PidfdFlags, WaitOptions},
};
use std::{
    fs::{self, File},
    io::Read,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// Every namespace that `clone(2)` makes. The cgroup namespace is made by the first process, once it is in its control
/// groups, which are then the root of what it sees.
const NAMESPACES: libc::c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS;

/// User and group inside.
pub(super) const INSIDE: u32 = 1000;

/// Bytes of the longest order that is read.
const LONGEST_ORDER: u64 = 64 << 20;

/// Runs the outer process; returns its exit status.
pub(super) fn main() -> i32 {
    let Ok(control) = std::io::stdin().as_fd().try_clone_to_owned() else { return 2 };
    match run(control.as_fd()) {
        Ok(first) => {
            drop(control);
            wait_for(first)
        }
        Err(failure) => {
            let told = channel::send(control.as_fd(), &Event::Failed(failure), &[]);
            i32::from(told.is_err()) + 1
        }
    }
}

/// What the first message brought.
pub(super) struct Commission {
    pub(super) order: Order,
    pub(super) filter: Vec<u8>,
    pub(super) executable: Option<OwnedFd>,
}

fn run(control: BorrowedFd<'_>) -> Result<Pid, Failure> {
    let commission = commission(control)?;
    let privileged = rustix::process::geteuid().is_root();
    if privileged {
        rustix::thread::set_thread_groups(&[]).map_err(isolation("drop the engine's groups"))?;
    }
    // What root can reach, the command's user perhaps cannot; an ordinary user may open mounts only inside.
    let sources = if privileged { mounts::open_sources(&commission.order.plan).map(Some)? } else { None };
    let entrances = open_entrances(&commission.order)?;
    let (ready, go) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(system("make a pipe to the sandbox"))?;
    match sys::clone_process(NAMESPACES).map_err(isolation("make the namespaces"))? {
        sys::Side::Child => {
            drop(go);
            std::process::exit(first::main(control, ready, commission, Brought { sources, entrances }));
        }
        sys::Side::Parent(first) => {
            drop(ready);
            release(control, first, &commission.order, go).inspect_err(|_| {
                let _ = rustix::process::kill_process(first, rustix::process::Signal::KILL);
            })?;
            Ok(first)
        }
    }
}

fn commission(control: BorrowedFd<'_>) -> Result<Commission, Failure> {
    let lost = || Failure::System("read the sandbox's order".into(), Errno::PROTO.raw_os_error());
    let begin = channel::receive::<Begin>(control).ok().flatten().ok_or_else(lost)?;
    let mut descriptors = begin.descriptors.into_iter();
    let order = read_all(&descriptors.next().ok_or_else(lost)?).ok_or_else(lost)?;
    let filter = read_all(&descriptors.next().ok_or_else(lost)?).ok_or_else(lost)?;
    let order = serde_json::from_slice(&order).map_err(|_| lost())?;
    Ok(Commission { order, filter, executable: descriptors.next() })
}

/// The whole content of a memory file, whose position is shared with the engine and therefore not used.
fn read_all(file: &OwnedFd) -> Option<Vec<u8>> {
    let file = File::from(file.try_clone().ok()?);
    let length = file.metadata().ok()?.len();
    if length > LONGEST_ORDER {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    std::os::unix::fs::FileExt::read_exact_at(&file, &mut bytes, 0).ok()?;
    Some(bytes)
}

/// What only the outer process could open, for the first process.
pub(super) struct Brought {
    /// The plan's sources; none where the first process has to open them itself.
    pub(super) sources: Option<mounts::Sources>,
    /// Files that a process writes `0` to, to enter its control groups.
    pub(super) entrances: Vec<OwnedFd>,
}

fn open_entrances(order: &Order) -> Result<Vec<OwnedFd>, Failure> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    let open = |path| rustix::fs::open(path, flags, Mode::empty()).map_err(system("open a control group"));
    order.control_groups.iter().map(open).collect()
}

/// Names the first process's user, tells the engine and lets it go on.
fn release(control: BorrowedFd<'_>, first: Pid, order: &Order, go: OwnedFd) -> Result<(), Failure> {
    let proc = |file: &str| format!("/proc/{}/{file}", first.as_raw_nonzero());
    let write = |path: &str, text: String| {
        fs::write(path, text).map_err(|error| {
            Failure::Isolation(format!("write {path}"), error.raw_os_error().unwrap_or(libc::EIO))
        })
    };
    write(&proc("setgroups"), "deny".into())?;
    write(&proc("gid_map"), format!("{INSIDE} {} 1", order.host_gid))?;
    write(&proc("uid_map"), format!("{INSIDE} {} 1", order.host_uid))?;
    let pidfd = rustix::process::pidfd_open(first, PidfdFlags::empty())
        .map_err(isolation("open the sandbox's first process"))?;
    channel::send(control, &Event::Supervised, &[pidfd.as_fd()]).map_err(|error| {
        Failure::System("report to the engine".into(), error.raw_os_error().unwrap_or(libc::EIO))
    })?;
    rustix::io::write(&go, b"g").map_err(system("release the sandbox's first process"))?;
    Ok(())
}

/// Keeps nothing open and returns when the first process, and therefore every process inside, is gone.
fn wait_for(first: Pid) -> i32 {
    if sys::close_from(0).is_err() {
        let _ = rustix::process::kill_process(first, rustix::process::Signal::KILL);
    }
    loop {
        match rustix::process::waitpid(Some(first), WaitOptions::empty()) {
            Ok(Some(_)) => return 0,
            Err(Errno::INTR) | Ok(None) => {}
            Err(_) => return 1,
        }
    }
}

/// Blocks until the outer process has written one byte; an end of file means that it is gone.
pub(super) fn wait_for_release(ready: OwnedFd) -> Option<()> {
    let mut byte = [0];
    File::from(ready).read_exact(&mut byte).ok()
}

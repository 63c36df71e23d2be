//! The first process inside. It builds the root, starts the command, reaps whatever is orphaned and answers the engine;
//! when it ends, the kernel kills every other process of the sandbox. It ends with the command, with the outer process,
//! and with the engine.

use super::{
    command, confine, mounts,
    network::Counters,
    outer::{self, Brought, Commission, INSIDE},
};
use crate::{
    channel,
    seccomp::Filter,
    sys,
    wire::{Ending, Event, Failure, Request, SocketMade, errno, isolation, system},
};
use plimsoll_engine::ports::Network;
use rustix::{
    event::{PollFd, PollFlags},
    fd::OwnedFd,
    io::Errno,
    net::{AddressFamily, SocketAddrV4, SocketFlags, SocketType},
    process::{DumpableBehavior, Pid, Signal, WaitOptions, WaitStatus},
    thread::UnshareFlags,
};
use std::{
    net::Ipv4Addr,
    os::fd::{AsFd, BorrowedFd},
};

/// Where the gateway listens inside.
const GATEWAY_PORT: u16 = 3128;

/// Runs the first process; returns its exit status.
pub(super) fn main(control: BorrowedFd<'_>, ready: OwnedFd, commission: Commission, brought: Brought) -> i32 {
    match run(control, ready, commission, brought) {
        Ok(()) => 0,
        Err(failure) => {
            let _ = channel::send(control, &Event::Failed(failure), &[]);
            1
        }
    }
}

fn run(
    control: BorrowedFd<'_>,
    ready: OwnedFd,
    commission: Commission,
    brought: Brought,
) -> Result<(), Failure> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(isolation("die with the engine"))?;
    outer::wait_for_release(ready)
        .ok_or_else(|| Failure::System("wait for the outer process".into(), libc::EPIPE))?;
    // Entering by itself, a process with one thread spares the kernel a lock over all processes, which costs milliseconds.
    for entrance in brought.entrances {
        rustix::io::write(&entrance, b"0").map_err(system("enter a control group"))?;
    }
    let plan = &commission.order.plan;
    let sources = match brought.sources {
        Some(sources) => sources,
        None => mounts::open_sources(plan)?,
    };
    become_inside_user()?;
    let gateway = enter_namespaces(plan.network)?;
    let counters = Counters::open();
    let writable = mounts::build(plan, sources)?;
    report_prepared(control, gateway, writable)?;
    let filter = Filter::from_bytes(&commission.filter)
        .ok_or_else(|| Failure::System("read the filter".into(), libc::EINVAL))?;
    confine::give_up_privileges(&filter)?;
    let signals = sys::child_signals().map_err(system("watch for ended processes"))?;
    let command = command::start(control, &commission)?;
    drop(commission);
    silence_standard_streams().map_err(system("let go of the command's output"))?;
    channel::send(control, &Event::Started, &[]).map_err(|e| system("report to the engine")(errno(&e)))?;
    let ending = serve(control, &signals, command)?;
    if let Some(ending) = ending {
        let network_attempts = counters.and_then(Counters::attempts);
        let _ = channel::send(control, &Event::Ended { ending, network_attempts }, &[]);
    }
    Ok(())
}

/// Changes to the mapped user while keeping every capability of the new user namespace: no id of it is 0, so there is
/// nothing that the kernel would take away (`capabilities(7)`, "Effect of user ID changes").
fn become_inside_user() -> Result<(), Failure> {
    let (uid, gid) = (rustix::process::Uid::from_raw(INSIDE), rustix::process::Gid::from_raw(INSIDE));
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(isolation("become the sandbox's group"))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(isolation("become the sandbox's user"))?;
    // A change of user clears this.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(isolation("die with the engine"))
}

/// Finishes the namespaces that have no files, and opens the gateway's listener.
fn enter_namespaces(network: Network) -> Result<Option<OwnedFd>, Failure> {
    // SAFETY: this process has one thread, and a fresh cgroup namespace invalidates no descriptor and no memory.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWCGROUP) }
        .map_err(isolation("make the cgroup namespace"))?;
    rustix::system::sethostname(b"sandbox").map_err(isolation("name the sandbox's host"))?;
    rustix::system::setdomainname(b"(none)").map_err(isolation("name the sandbox's domain"))?;
    let socket = tcp_socket().map_err(isolation("make a socket"))?;
    sys::loopback_up(socket.as_fd()).map_err(isolation("bring up the loopback interface"))?;
    if network == Network::None {
        return Ok(None);
    }
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, GATEWAY_PORT);
    rustix::net::bind(&socket, &address).map_err(isolation("bind the gateway's port"))?;
    rustix::net::listen(&socket, 128).map_err(isolation("listen on the gateway's port"))?;
    Ok(Some(socket))
}

fn tcp_socket() -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

fn report_prepared(
    control: BorrowedFd<'_>,
    gateway: Option<OwnedFd>,
    writable: Vec<(String, OwnedFd)>,
) -> Result<(), Failure> {
    let descriptors: Vec<_> =
        gateway.iter().chain(writable.iter().map(|(_, root)| root)).map(AsFd::as_fd).collect();
    let names = writable.iter().map(|(name, _)| name.clone()).collect();
    channel::send(control, &Event::Prepared { writable: names }, &descriptors)
        .map_err(|error| system("hand out the writable mounts")(errno(&error)))
}

/// Nobody but the command and its children may hold the pipes, so that their end is seen.
fn silence_standard_streams() -> Result<(), Errno> {
    let null = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)
}

/// Reaps and answers until the command has ended or the engine is gone; tells how the command ended.
fn serve(control: BorrowedFd<'_>, signals: &OwnedFd, command: Pid) -> Result<Option<Ending>, Failure> {
    loop {
        if let Some(ending) = reap(command) {
            return Ok(Some(ending));
        }
        let mut ready = [PollFd::new(&control, PollFlags::IN), PollFd::new(signals, PollFlags::IN)];
        match rustix::event::poll(&mut ready, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(system("wait for the command")(error)),
        }
        let (asked, ended) = (!ready[0].revents().is_empty(), !ready[1].revents().is_empty());
        if ended {
            let _ = rustix::io::read(signals, &mut [0; 128]);
        }
        if asked && !answer(control, command) {
            return Ok(None);
        }
    }
}

/// Reaps every process that has ended; tells when the command is among them.
fn reap(command: Pid) -> Option<Ending> {
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid == command {
            return Some(ending(status));
        }
    }
    None
}

fn ending(status: WaitStatus) -> Ending {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => Ending::Status(status),
        (None, Some(signal)) => Ending::Signal(signal),
        (None, None) => Ending::Signal(libc::SIGKILL),
    }
}

/// Answers one request; false when the engine is gone.
fn answer(control: BorrowedFd<'_>, command: Pid) -> bool {
    let Ok(Some(message)) = channel::receive::<Request>(control) else { return false };
    match message.value {
        Request::Terminate => {
            let _ = rustix::process::kill_process_group(command, Signal::TERM);
        }
        Request::Socket => {
            if let (Some(reply), Ok(socket)) = (message.descriptors.first(), tcp_socket()) {
                let _ = channel::send(reply.as_fd(), &SocketMade, &[socket.as_fd()]);
            }
        }
    }
    true
}

/// Hides this process from others of the same user (`prctl(2)`, `PR_SET_DUMPABLE`).
pub(super) fn hide() -> Result<(), Failure> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(isolation("hide the sandbox's first process"))
}

//! A command that runs: passing on its output, counting, killing, and telling how it ended.

use crate::{
    cgroup::Group,
    channel,
    linux::doing,
    wire::{Ending, Event, Request, SocketMade},
};
use plimsoll_engine::ports::{Connector, Exit, Finished, Limits, Running, SandboxError, Stopper, Stream};
use plimsoll_model::{record::IsolationRecord, removed};
use rustix::{
    event::{PollFd, PollFlags, Timespec},
    io::{Errno, ioctl_fionbio},
    net::SocketAddrV4,
    process::{Pid, Signal},
};
use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::fd::{AsFd, OwnedFd},
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a connection into a sandbox may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// What threads share of a running sandbox.
#[derive(Debug)]
pub(crate) struct Handle {
    control: OwnedFd,
    /// The sandbox's first process.
    first: OwnedFd,
    /// The command, as a process of the host.
    command: Pid,
    cancelled: AtomicBool,
}

impl Handle {
    pub(crate) fn new(control: OwnedFd, first: OwnedFd, command: Pid) -> Self {
        Self { control, first, command, cancelled: AtomicBool::new(false) }
    }

    /// Kills the first process and with it all others. By descriptor, so it cannot hit a stranger.
    fn kill_all(&self) {
        let _ = rustix::process::pidfd_send_signal(&self.first, Signal::KILL);
    }
}

/// Stops one command.
struct LinuxStopper(Arc<Handle>);

impl Stopper for LinuxStopper {
    fn terminate(&self) {
        let _ = channel::send(self.0.control.as_fd(), &Request::Terminate, &[]);
    }

    fn kill(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        self.0.kill_all();
    }
}

/// Connects into one sandbox.
struct LinuxConnector(Arc<Handle>);

impl Connector for LinuxConnector {
    /// The first process only makes the socket: it belongs to the network namespace of its maker for good, so connecting
    /// it is left to this thread, and a slow server cannot hold up the first process.
    fn connect(&self, port: u16) -> io::Result<TcpStream> {
        let gone = || io::Error::from(ErrorKind::NotConnected);
        let (mine, theirs) = channel::pair()?;
        channel::send(self.0.control.as_fd(), &Request::Socket, &[theirs.as_fd()])?;
        drop(theirs);
        wait_for(&mine, PollFlags::IN)?;
        let answer = channel::receive::<SocketMade>(mine.as_fd())?.ok_or_else(gone)?;
        let socket = answer.descriptors.into_iter().next().ok_or_else(gone)?;
        ioctl_fionbio(&socket, true)?;
        match rustix::net::connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)) {
            Ok(()) => {}
            Err(Errno::INPROGRESS) => {
                wait_for(&socket, PollFlags::OUT)?;
                rustix::net::sockopt::socket_error(&socket)??;
            }
            Err(error) => return Err(error.into()),
        }
        ioctl_fionbio(&socket, false)?;
        Ok(TcpStream::from(socket))
    }
}

fn wait_for(fd: &OwnedFd, what: PollFlags) -> io::Result<()> {
    let time = Timespec::try_from(CONNECT_TIME).ok();
    let count = rustix::event::poll(&mut [PollFd::new(fd, what)], time.as_ref())?;
    if count == 0 { Err(ErrorKind::TimedOut.into()) } else { Ok(()) }
}

/// What setting up brought.
pub(crate) struct Setup {
    pub(crate) gateway: Option<OwnedFd>,
    pub(crate) writable: BTreeMap<String, OwnedFd>,
    pub(crate) record: IsolationRecord,
}

/// The outer process; its death is the sandbox's death.
pub(crate) struct Outer(pub(crate) Child);

impl Drop for Outer {
    fn drop(&mut self) {
        // Both are without effect when it has been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command in its sandbox.
pub(crate) struct LinuxRunning {
    handle: Arc<Handle>,
    outer: Outer,
    pipes: [OwnedFd; 2],
    // Dropped after `drop` has waited for the last process.
    group: Group,
    deadline: Option<Instant>,
    log: u64,
    setup: Setup,
}

impl LinuxRunning {
    pub(crate) fn new(
        handle: Arc<Handle>,
        outer: Outer,
        pipes: [OwnedFd; 2],
        group: Group,
        limits: &Limits,
        setup: Setup,
    ) -> Result<Self, SandboxError> {
        for pipe in &pipes {
            ioctl_fionbio(pipe, true).map_err(|error| doing("set up a pipe")(error.into()))?;
        }
        let wall = limits.wall.filter(|_| !removed!("wall-time-limit"));
        let deadline = wall.and_then(|wall| Instant::now().checked_add(wall));
        let log = if removed!("output-limit") { u64::MAX } else { limits.log };
        Ok(Self { handle, outer, pipes, group, deadline, log, setup })
    }

    /// How the command ended, and how often another machine was asked for.
    fn finish(&mut self, output: &mut dyn FnMut(Stream, &[u8])) -> Result<(Exit, Option<u64>), SandboxError> {
        let mut log = Log { left: self.log, output };
        let mut verdict = Verdict::default();
        while !self.turn(&mut log, &mut verdict)? {}
        self.outer.0.wait().map_err(doing("wait for the sandbox's last process"))?;
        for (pipe, stream) in self.pipes.iter().zip(STREAMS) {
            if !log.drain(pipe, stream)? {
                verdict.killed_for(Exit::LogLimit);
            }
        }
        let attempts = verdict.network_attempts;
        Ok((self.judge(verdict)?, attempts))
    }

    /// Waits for the next thing to happen; true when the first process has let go of the control socket.
    fn turn(&self, log: &mut Log<'_>, verdict: &mut Verdict) -> Result<bool, SandboxError> {
        let [out, err] = self.events(verdict)?;
        for (ready, index) in [(out, 0), (err, 1)] {
            if !ready || verdict.silent[index] {
                continue;
            }
            match log.read(&self.pipes[index], STREAMS[index])? {
                Piece::Some | Piece::NotYet => {}
                Piece::End => verdict.silent[index] = true,
                Piece::TooMuch => self.kill_for(Exit::LogLimit, verdict),
            }
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.kill_for(Exit::TimedOut, verdict);
        }
        Ok(verdict.gone)
    }

    fn kill_for(&self, exit: Exit, verdict: &mut Verdict) {
        verdict.killed_for(exit);
        self.handle.kill_all();
        // What is still in the pipes is read when nobody writes any more.
        verdict.silent = [true, true];
    }

    /// Polls pipes and control socket, and takes one report in; says which pipe can be read.
    fn events(&self, verdict: &mut Verdict) -> Result<[bool; 2], SandboxError> {
        // A pipe that has ended would report it again and again.
        let open: Vec<usize> = (0..2).filter(|index| !verdict.silent[*index]).collect();
        let mut watched: Vec<_> = vec![PollFd::new(&self.handle.control, PollFlags::IN)];
        watched.extend(open.iter().map(|index| PollFd::new(&self.pipes[*index], PollFlags::IN)));
        match rustix::event::poll(&mut watched, self.time_left(verdict).as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok([false; 2]),
            Err(error) => return Err(doing("wait for the sandbox")(error.into())),
        }
        let woken: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
        if woken[0] {
            match channel::receive(self.handle.control.as_fd()).map_err(doing("hear from the sandbox"))? {
                Some(message) => verdict.take(message.value),
                None => verdict.gone = true,
            }
        }
        let readable = |index| open.iter().zip(&woken[1..]).any(|(pipe, ready)| *pipe == index && *ready);
        Ok([readable(0), readable(1)])
    }

    fn time_left(&self, verdict: &Verdict) -> Option<Timespec> {
        let deadline = self.deadline.filter(|_| verdict.killed.is_none())?;
        Timespec::try_from(deadline.saturating_duration_since(Instant::now())).ok()
    }

    fn judge(&self, verdict: Verdict) -> Result<Exit, SandboxError> {
        let cancelled = self.handle.cancelled.load(Ordering::SeqCst);
        let short_of_memory = self.group.out_of_memory();
        let exit = match (verdict.ended, verdict.killed) {
            (Some(Ending::Status(0)), None) => Exit::Status(0),
            (_, Some(killed)) => killed,
            (Some(_), None) | (None, None) if short_of_memory => Exit::OutOfMemory,
            (Some(Ending::Status(status)), None) => Exit::Status(status),
            (Some(Ending::Signal(signal)), None) => Exit::Signal(signal),
            (None, None) if cancelled => Exit::Cancelled,
            (None, None) => {
                return Err(doing("keep the sandbox's first process alive")(ErrorKind::UnexpectedEof.into()));
            }
        };
        Ok(exit)
    }
}

const STREAMS: [Stream; 2] = [Stream::Out, Stream::Err];

/// What is known of the end.
#[derive(Default)]
struct Verdict {
    ended: Option<Ending>,
    network_attempts: Option<u64>,
    killed: Option<Exit>,
    silent: [bool; 2],
    gone: bool,
}

impl Verdict {
    /// The first cause counts, and none after the command's own end.
    fn killed_for(&mut self, exit: Exit) {
        if self.ended.is_none() || exit == Exit::LogLimit {
            self.killed.get_or_insert(exit);
        }
    }

    fn take(&mut self, event: Event) {
        if let Event::Ended { ending, network_attempts } = event
            && self.killed.is_none()
        {
            (self.ended, self.network_attempts) = (Some(ending), network_attempts);
        }
    }
}

/// Output on its way to the caller, counted.
struct Log<'a> {
    left: u64,
    output: &'a mut dyn FnMut(Stream, &[u8]),
}

/// What a pipe had.
enum Piece {
    Some,
    NotYet,
    End,
    TooMuch,
}

impl Log<'_> {
    fn read(&mut self, pipe: &OwnedFd, stream: Stream) -> Result<Piece, SandboxError> {
        let mut buffer = [0; 64 << 10];
        let count = match rustix::io::read(pipe, &mut buffer) {
            Ok(0) => return Ok(Piece::End),
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Piece::NotYet),
            Err(error) => return Err(doing("read the command's output")(error.into())),
        };
        let passed = count.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= passed as u64;
        if passed > 0 {
            (self.output)(stream, &buffer[..passed]);
        }
        Ok(if passed < count { Piece::TooMuch } else { Piece::Some })
    }

    /// Passes on what is left in a pipe that nobody writes to any more; false when it was too much.
    fn drain(&mut self, pipe: &OwnedFd, stream: Stream) -> Result<bool, SandboxError> {
        loop {
            match self.read(pipe, stream)? {
                Piece::Some => {}
                Piece::NotYet | Piece::End => return Ok(true),
                Piece::TooMuch => return Ok(false),
            }
        }
    }
}

impl Running for LinuxRunning {
    fn pid(&self) -> u32 {
        self.handle.command.as_raw_nonzero().get().unsigned_abs()
    }

    fn take_gateway(&mut self) -> Option<TcpListener> {
        self.setup.gateway.take().map(TcpListener::from)
    }

    fn stopper(&self) -> Box<dyn Stopper> {
        Box::new(LinuxStopper(Arc::clone(&self.handle)))
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::new(LinuxConnector(Arc::clone(&self.handle)))
    }

    fn wait(mut self: Box<Self>, output: &mut dyn FnMut(Stream, &[u8])) -> Result<Finished, SandboxError> {
        let (exit, network_attempts) = self.finish(output)?;
        let record = IsolationRecord { network_attempts, ..self.setup.record.clone() };
        Ok(Finished { exit, record, writable: std::mem::take(&mut self.setup.writable) })
    }
}

impl Drop for LinuxRunning {
    fn drop(&mut self) {
        self.handle.kill_all();
        // The outer process ends when the last process inside is gone.
        let _ = self.outer.0.wait();
    }
}

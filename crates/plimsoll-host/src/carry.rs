//! Carries one connection: copies bytes between two sockets, both ways, from one thread. A peer that is gone or says
//! nothing for long does not hold its place for ever.

use rustix::{
    event::{PollFd, PollFlags, Timespec},
    net::sockopt,
};
use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    os::fd::AsFd as _,
    time::Duration,
};

/// Bytes of each direction's buffer.
const BUFFER: usize = 32 << 10;
/// How long a connection may be without a first byte.
const FIRST: Duration = Duration::from_secs(30);
/// How long a connection may be without a further byte.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// When a silent peer is asked by TCP itself whether it is there, how often again, and how many times (RFC 9293,
/// section 3.8.4).
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(10), 6);

/// Copies until both ends have said everything, one of them is gone, or nobody says anything.
///
/// # Errors
/// When a connection breaks, or is silent for too long.
pub(crate) fn carry(outside: &TcpStream, service: &TcpStream) -> io::Result<()> {
    for stream in [outside, service] {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
    }
    sockopt::set_socket_keepalive(outside, true)?;
    sockopt::set_tcp_keepidle(outside, KEEPALIVE.0)?;
    sockopt::set_tcp_keepintvl(outside, KEEPALIVE.1)?;
    sockopt::set_tcp_keepcnt(outside, KEEPALIVE.2)?;
    let (mut forth, mut back) = (Flow::new(), Flow::new());
    let mut patience = FIRST;
    loop {
        let moved = [forth.turn(outside, service)?, back.turn(service, outside)?];
        if moved.contains(&true) {
            patience = IDLE;
        }
        if forth.done && back.done {
            return Ok(());
        }
        wait([(outside, forth.reads(), back.writes()), (service, back.reads(), forth.writes())], patience)?;
    }
}

/// Waits until one of the sockets can do what it is waited for.
fn wait(sockets: [(&TcpStream, bool, bool); 2], patience: Duration) -> io::Result<()> {
    let mut watched = Vec::with_capacity(2);
    for (stream, reads, writes) in sockets {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, reads);
        flags.set(PollFlags::OUT, writes);
        // A socket without a wish would report its end again and again.
        if !flags.is_empty() {
            watched.push(PollFd::from_borrowed_fd(stream.as_fd(), flags));
        }
    }
    let time = Timespec::try_from(patience).ok();
    match rustix::event::poll(&mut watched, time.as_ref()) {
        Ok(0) => Err(io::ErrorKind::TimedOut.into()),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// One direction.
struct Flow {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    ended: bool,
    done: bool,
}

impl Flow {
    fn new() -> Self {
        Self { buffer: vec![0; BUFFER].into(), start: 0, end: 0, ended: false, done: false }
    }

    fn reads(&self) -> bool {
        self.start == self.end && !self.ended
    }

    fn writes(&self) -> bool {
        self.start < self.end
    }

    /// Copies what can be copied without waiting; true when something moved. Passes the end on, too.
    fn turn(&mut self, mut from: &TcpStream, mut to: &TcpStream) -> io::Result<bool> {
        let mut moved = false;
        loop {
            if self.reads() {
                let Some(length) = unless_blocked(from.read(&mut self.buffer))? else { return Ok(moved) };
                (self.start, self.end, self.ended) = (0, length, length == 0);
            }
            if self.writes() {
                let written = unless_blocked(to.write(&self.buffer[self.start..self.end]))?;
                let Some(length) = written else { return Ok(moved) };
                self.start += length;
                moved = true;
            } else if self.ended {
                if !self.done {
                    self.done = true;
                    // The reader may be gone; then the other direction ends by itself.
                    let _ = to.shutdown(Shutdown::Write);
                }
                return Ok(moved);
            }
        }
    }
}

/// None when nothing can be done now.
fn unless_blocked(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(length) => Ok(Some(length)),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

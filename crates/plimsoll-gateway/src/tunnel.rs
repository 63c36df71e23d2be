//! Moves bytes between a client and a host until both are done or a limit is reached. One thread, two sockets, one
//! buffer for each direction: memory does not grow with what passes through.

use crate::wait::{Ended, Stopped, is_temporary};
use rustix::event::PollFlags;
use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// What one tunnel may use up.
pub(crate) struct Budget<'a> {
    pub(crate) bytes: u64,
    pub(crate) total: u64,
    /// Bytes that all tunnels moved so far.
    pub(crate) used: &'a AtomicU64,
    pub(crate) idle: Duration,
    pub(crate) deadline: Instant,
}

/// Why a tunnel was cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    #[error("cut off after {0} bytes, the limit of one connection")]
    Bytes(u64),
    #[error("cut off: all connections together moved more than {0} bytes")]
    Total(u64),
    #[error("cut off after {} seconds of silence", .0.as_secs())]
    Idle(Duration),
    #[error("cut off at the end of its time")]
    Time,
    #[error("cut off when the client's sandbox ended")]
    Stopped,
}

/// Bytes moved, whatever the end was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

/// Moves bytes both ways, beginning with `greeting` from the client, which has been read already. A connection that
/// one side resets is over; that is no failure.
pub(crate) fn run(
    client: &TcpStream,
    host: &TcpStream,
    greeting: Vec<u8>,
    budget: &Budget<'_>,
    stopped: &Stopped,
) -> (Moved, Option<Cut>) {
    let mut tunnel = Tunnel { out: Direction::new(greeting), back: Direction::new(Vec::new()) };
    budget.used.fetch_add(tunnel.out.moved, Ordering::Relaxed);
    let ended = tunnel.run(client, host, budget, stopped);
    (Moved { sent: tunnel.out.moved, received: tunnel.back.moved }, ended.unwrap_or(None))
}

struct Tunnel {
    out: Direction,
    back: Direction,
}

impl Tunnel {
    fn run(
        &mut self,
        client: &TcpStream,
        host: &TcpStream,
        budget: &Budget<'_>,
        stopped: &Stopped,
    ) -> io::Result<Option<Cut>> {
        while !(self.out.is_over() && self.back.is_over()) {
            let wanted = [
                (client as &dyn std::os::fd::AsFd, self.out.wants_from() | self.back.wants_to()),
                (host, self.back.wants_from() | self.out.wants_to()),
            ];
            let silence = Instant::now() + budget.idle;
            match stopped.wait(wanted, silence.min(budget.deadline))? {
                Err(Ended::Stopped) => return Ok(Some(Cut::Stopped)),
                Err(Ended::Deadline) if silence < budget.deadline => return Ok(Some(Cut::Idle(budget.idle))),
                Err(Ended::Deadline) => return Ok(Some(Cut::Time)),
                Ok([at_client, at_host]) => {
                    let moved = self.out.advance((client, at_client), (host, at_host))?
                        + self.back.advance((host, at_host), (client, at_client))?;
                    if let Some(cut) = self.account(moved, budget) {
                        return Ok(Some(cut));
                    }
                }
            }
        }
        Ok(None)
    }

    fn account(&self, moved: u64, budget: &Budget<'_>) -> Option<Cut> {
        let total = budget.used.fetch_add(moved, Ordering::Relaxed).saturating_add(moved);
        if self.out.moved + self.back.moved > budget.bytes {
            Some(Cut::Bytes(budget.bytes))
        } else if total > budget.total {
            Some(Cut::Total(budget.total))
        } else if Instant::now() >= budget.deadline {
            Some(Cut::Time)
        } else {
            None
        }
    }
}

const BUFFER: usize = 64 << 10;

struct Direction {
    buffer: Vec<u8>,
    /// The part of the buffer that still has to be written.
    pending: std::ops::Range<usize>,
    source_ended: bool,
    sink_ended: bool,
    moved: u64,
}

impl Direction {
    fn new(greeting: Vec<u8>) -> Self {
        let length = greeting.len();
        let mut buffer = greeting;
        buffer.resize(BUFFER.max(length), 0);
        Self { buffer, pending: 0..length, source_ended: false, sink_ended: false, moved: length as u64 }
    }

    const fn is_over(&self) -> bool {
        self.sink_ended
    }

    fn wants_from(&self) -> PollFlags {
        let wants = self.pending.is_empty() && !self.source_ended;
        if wants { PollFlags::IN } else { PollFlags::empty() }
    }

    fn wants_to(&self) -> PollFlags {
        if self.pending.is_empty() { PollFlags::empty() } else { PollFlags::OUT }
    }

    /// Reads or writes once, as the sockets are ready for it. Gives the number of bytes read.
    fn advance(&mut self, from: (&TcpStream, PollFlags), to: (&TcpStream, PollFlags)) -> io::Result<u64> {
        let broken = PollFlags::HUP | PollFlags::ERR;
        let mut read = 0;
        if !self.wants_from().is_empty() && from.1.intersects(PollFlags::IN | broken) {
            read = self.read(from.0)?;
        }
        if !self.pending.is_empty() && (read > 0 || to.1.intersects(PollFlags::OUT | broken)) {
            self.write(to.0)?;
        }
        if self.source_ended && self.pending.is_empty() && !self.sink_ended {
            self.sink_ended = true;
            to.0.shutdown(Shutdown::Write)?;
        }
        Ok(read)
    }

    fn read(&mut self, mut from: &TcpStream) -> io::Result<u64> {
        match from.read(&mut self.buffer) {
            Ok(0) => self.source_ended = true,
            Ok(count) => {
                self.pending = 0..count;
                self.moved += count as u64;
                return Ok(count as u64);
            }
            Err(error) if is_temporary(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(0)
    }

    fn write(&mut self, mut to: &TcpStream) -> io::Result<()> {
        match to.write(&self.buffer[self.pending.clone()]) {
            Ok(count) => self.pending.start += count,
            Err(error) if is_temporary(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

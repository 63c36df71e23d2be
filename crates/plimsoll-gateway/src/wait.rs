//! Waiting for a socket, a deadline or the end of the gateway, whichever comes first.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

/// What ended a wait without anything having arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The deadline passed.
    Deadline,
    /// The gateway is ending.
    Stopped,
}

/// Ends every wait that holds its other side, when it is dropped.
pub(crate) struct Stop(UnixStream);

/// The side that waits.
pub(crate) struct Stopped(UnixStream);

pub(crate) fn stop() -> io::Result<(Stop, Stopped)> {
    let (ours, theirs) = UnixStream::pair()?;
    Ok((Stop(ours), Stopped(theirs)))
}

impl Stop {
    pub(crate) fn now(&self) {
        // The peer is a descriptor of this process: it is there, and if not, nobody waits.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Stopped {
    /// Waits until one of `sockets` is ready for what it asks, and tells for each what it is ready for.
    pub(crate) fn wait<const N: usize>(
        &self,
        sockets: [(&dyn AsFd, PollFlags); N],
        deadline: Instant,
    ) -> io::Result<Result<[PollFlags; N], Ended>> {
        let mut polled: Vec<PollFd<'_>> =
            sockets.iter().map(|(socket, flags)| PollFd::from_borrowed_fd(socket.as_fd(), *flags)).collect();
        polled.push(PollFd::new(&self.0, PollFlags::IN));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match poll(&mut polled, Some(&timespec(left))) {
                Ok(0) if left.is_zero() => return Ok(Err(Ended::Deadline)),
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(errno) => return Err(errno.into()),
            }
            return Ok(match polled.split_last() {
                Some((stop, ready)) if stop.revents().is_empty() => {
                    Ok(std::array::from_fn(|at| ready[at].revents()))
                }
                _ => Err(Ended::Stopped),
            });
        }
    }

    /// Reads what is there from a non-blocking stream, waiting for it; 0 at its end.
    pub(crate) fn read(
        &self,
        stream: &mut TcpStream,
        buffer: &mut [u8],
        deadline: Instant,
    ) -> io::Result<Result<usize, Ended>> {
        loop {
            if let Err(ended) = self.wait([(&*stream, PollFlags::IN)], deadline)? {
                return Ok(Err(ended));
            }
            match io::Read::read(stream, buffer) {
                Ok(count) => return Ok(Ok(count)),
                Err(error) if is_temporary(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether the same call can succeed later.
pub(crate) fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// At least a millisecond, so that a rest below the clock's grain does not spin.
fn timespec(duration: Duration) -> Timespec {
    let duration = if duration.is_zero() { duration } else { duration.max(Duration::from_millis(1)) };
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

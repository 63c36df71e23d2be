//! Lets connections in: each one that arrives on the host is connected to the service inside its sandbox, and bytes
//! are copied both ways. The listening socket outlives the one who accepts from it, so a connection that nobody has
//! accepted yet waits in the kernel for whoever is next.

use crate::carry::carry;
use plimsoll_engine::ports::Connector;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd};
use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Connections at one time. Further ones wait in the kernel's queue.
const CONNECTION_LIMIT: usize = 1024;
/// Pause before a full house, or a system without free descriptors, is looked at again.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a connection waits for an instance that takes it.
const HOLD: Duration = Duration::from_secs(5);
/// Pause before an instance that took no connection is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(200);
/// Bytes of the stack of a thread that carries a connection.
const STACK: usize = 128 << 10;

/// The way into the running instance; replaced when it is restarted. Connections that find none wait for a while.
#[derive(Clone, Default)]
pub(crate) struct Inside(Arc<(Mutex<Option<Arc<dyn Connector>>>, Condvar)>);

impl Inside {
    /// From now on connections go this way.
    pub(crate) fn set(&self, connector: Option<Arc<dyn Connector>>) {
        *lock(&self.0.0) = connector;
        self.0.1.notify_all();
    }

    /// Connects to the instance, or to the next one.
    fn connect(&self, port: u16) -> io::Result<TcpStream> {
        let until = Instant::now() + HOLD;
        loop {
            let connector = lock(&self.0.0).clone();
            let problem = match connector.map(|connector| connector.connect(port)) {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => error,
                None => io::ErrorKind::ConnectionRefused.into(),
            };
            if Instant::now() >= until {
                return Err(problem);
            }
            drop(self.0.1.wait_timeout(lock(&self.0.0), TRY_AGAIN));
        }
    }
}

/// The way to whoever accepts at an address of this host.
pub(crate) struct Front(pub(crate) SocketAddr);

impl Connector for Front {
    fn connect(&self, _: u16) -> io::Result<TcpStream> {
        TcpStream::connect_timeout(&self.0, HOLD)
    }
}

/// Connections that are being carried.
#[derive(Clone, Default)]
pub(crate) struct Connections(Arc<(Mutex<usize>, Condvar)>);

impl Connections {
    /// Waits until none is left, or the time is over.
    pub(crate) fn drain(&self, time: Duration) {
        drop(self.0.1.wait_timeout_while(lock(&self.0.0), time, |open| *open > 0));
    }

    fn full(&self) -> bool {
        *lock(&self.0.0) >= CONNECTION_LIMIT
    }

    fn enter(&self) -> Connection {
        *lock(&self.0.0) += 1;
        Connection(self.clone())
    }
}

/// One connection, for as long as it is carried.
struct Connection(Connections);

impl Drop for Connection {
    fn drop(&mut self) {
        *lock(&self.0.0.0) -= 1;
        self.0.0.1.notify_all();
    }
}

/// What is behind these locks is whole at any moment, whatever became of a thread that held one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that accepts connections.
pub(crate) struct Door {
    close: OwnedFd,
    thread: JoinHandle<()>,
}

impl Door {
    /// Accepts connections to `listener` and carries them to `port` of the instance.
    ///
    /// # Errors
    /// When the listener cannot be shared with a thread.
    pub(crate) fn open(
        listener: &TcpListener,
        port: u16,
        inside: &Inside,
        connections: &Connections,
    ) -> io::Result<Self> {
        let listener = listener.try_clone()?;
        // The next one who has this socket expects the same.
        listener.set_nonblocking(true)?;
        let close = eventfd(0, EventfdFlags::CLOEXEC)?;
        let closing = close.try_clone()?;
        let (inside, connections) = (inside.clone(), connections.clone());
        let accept = move || {
            while let Some(outside) = next(&listener, &closing, &connections) {
                let (inside, connection) = (inside.clone(), connections.enter());
                let job = move || {
                    let _connection = connection;
                    // A connection that breaks is the client's to see; there is nobody else to tell.
                    let _ = inside.connect(port).and_then(|service| carry(&outside, &service));
                };
                // Without a thread the connection is closed.
                drop(thread::Builder::new().stack_size(STACK).spawn(job));
            }
        };
        Ok(Self { close, thread: thread::Builder::new().spawn(accept)? })
    }

    /// Accepts nothing more. Connections that were accepted are carried to their end.
    pub(crate) fn close(self) {
        // Eight bytes always fit into the counter of an event descriptor that is written once.
        let _ = rustix::io::write(&self.close, &1_u64.to_ne_bytes());
        // The thread does not panic.
        let _ = self.thread.join();
    }
}

/// The next connection; none when the door is closed.
fn next(listener: &TcpListener, closing: &OwnedFd, connections: &Connections) -> Option<TcpStream> {
    let mut wait = connections.full();
    loop {
        let mut watched = vec![PollFd::new(closing, PollFlags::IN)];
        if !wait {
            watched.push(PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN));
        }
        let pause = Timespec::try_from(PAUSE).ok().filter(|_| wait);
        let polled = rustix::event::poll(&mut watched, pause.as_ref());
        if watched.first().is_some_and(|closing| !closing.revents().is_empty()) {
            return None;
        }
        wait = connections.full() || polled.is_err_and(|error| error != rustix::io::Errno::INTR);
        if wait {
            continue;
        }
        match listener.accept() {
            Ok((outside, _)) => return Some(outside),
            Err(error) => {
                wait = !matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted
                )
            }
        }
    }
}

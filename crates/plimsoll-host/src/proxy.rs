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
pub(crate) struct Inside(Arc<(Mutex<Way>, Condvar)>);

/// None while no instance lives.
type Way = Option<Arc<dyn Connector>>;

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
#[derive(Clone)]
pub(crate) struct Connections {
    limit: usize,
    open: Arc<(Mutex<usize>, Condvar)>,
}

impl Default for Connections {
    fn default() -> Self {
        Self::limited(CONNECTION_LIMIT)
    }
}

impl Connections {
    /// None yet, and at most `limit` at one time.
    fn limited(limit: usize) -> Self {
        Self { limit, open: Arc::default() }
    }

    /// Waits until none is left, or the time is over.
    pub(crate) fn drain(&self, time: Duration) {
        drop(self.open.1.wait_timeout_while(lock(&self.open.0), time, |open| *open > 0));
    }

    fn full(&self) -> bool {
        *lock(&self.open.0) >= self.limit
    }

    fn enter(&self) -> Connection {
        *lock(&self.open.0) += 1;
        Connection(self.clone())
    }
}

/// One connection, for as long as it is carried.
struct Connection(Connections);

impl Drop for Connection {
    fn drop(&mut self) {
        *lock(&self.0.open.0) -= 1;
        self.0.open.1.notify_all();
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read as _, Write as _},
        net::Shutdown,
    };

    struct Loopback(u16);

    impl Connector for Loopback {
        fn connect(&self, _: u16) -> io::Result<TcpStream> {
            TcpStream::connect(("127.0.0.1", self.0))
        }
    }

    /// A service that sends everything back once it has heard everything.
    fn echo() -> Arc<dyn Connector> {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = service.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in service.incoming() {
                thread::spawn(move || {
                    let (mut stream, mut all) = (stream.unwrap(), Vec::new());
                    if stream.read_to_end(&mut all).is_ok() {
                        let _ = stream.write_all(&all);
                    }
                });
            }
        });
        Arc::new(Loopback(port))
    }

    fn front(inside: &Inside, connections: &Connections) -> (TcpListener, Door) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let door = Door::open(&listener, 1, inside, connections).unwrap();
        (listener, door)
    }

    fn connect(listener: &TcpListener) -> TcpStream {
        TcpStream::connect(listener.local_addr().unwrap()).unwrap()
    }

    fn answer(mut client: TcpStream, request: &[u8]) -> Vec<u8> {
        let mut writer = client.try_clone().unwrap();
        let request = request.to_vec();
        let writes = thread::spawn(move || {
            writer.write_all(&request).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        writes.join().unwrap();
        all
    }

    #[test]
    fn bytes_pass_both_ways_and_ends_are_passed_on() {
        let (inside, connections) = (Inside::default(), Connections::default());
        inside.set(Some(echo()));
        let (listener, _door) = front(&inside, &connections);
        assert_eq!(answer(connect(&listener), b"ahoy"), b"ahoy");
        assert_eq!(answer(connect(&listener), b""), b"");
        let long: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8).collect();
        assert!(answer(connect(&listener), &long) == long);
    }

    #[test]
    fn a_connection_waits_for_the_next_instance() {
        let (inside, connections) = (Inside::default(), Connections::default());
        let (listener, _door) = front(&inside, &connections);
        let mut client = connect(&listener);
        client.write_all(b"ahoy").unwrap();
        inside.set(Some(echo()));
        assert_eq!(answer(client, b" there"), b"ahoy there");
    }

    #[test]
    fn without_any_instance_it_closes_after_a_while() {
        let (inside, connections) = (Inside::default(), Connections::default());
        let (listener, _door) = front(&inside, &connections);
        assert_eq!(connect(&listener).read_to_end(&mut Vec::new()).unwrap_or(0), 0);
    }

    #[test]
    fn what_was_accepted_before_the_door_closed_is_carried_and_what_was_not_waits_for_the_next() {
        let (inside, connections) = (Inside::default(), Connections::default());
        inside.set(Some(echo()));
        let (listener, door) = front(&inside, &connections);
        let before = connect(&listener);
        while *lock(&connections.open.0) == 0 {
            thread::yield_now();
        }
        door.close();
        let after = connect(&listener);
        assert_eq!(answer(before, b"before"), b"before");
        connections.drain(Duration::from_secs(10));
        assert_eq!(*lock(&connections.open.0), 0);
        let _door = Door::open(&listener, 1, &inside, &connections).unwrap();
        assert_eq!(answer(after, b"after"), b"after");
    }

    #[test]
    fn a_full_house_lets_nobody_in_until_somebody_leaves_and_still_closes() {
        let (inside, connections) = (Inside::default(), Connections::limited(2));
        inside.set(Some(echo()));
        let (listener, door) = front(&inside, &connections);
        let silent = [connect(&listener), connect(&listener)];
        let mut third = connect(&listener);
        third.write_all(b"third").unwrap();
        while !connections.full() {
            thread::yield_now();
        }
        third.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        third.shutdown(Shutdown::Write).unwrap();
        assert!(third.read(&mut [0; 8]).is_err(), "nobody answers");
        drop(silent);
        third.set_read_timeout(None).unwrap();
        let mut answer = String::new();
        third.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "third");
        door.close();
    }

    #[test]
    fn clients_that_vanish_leave_their_place() {
        let (inside, connections) = (Inside::default(), Connections::default());
        inside.set(Some(echo()));
        let (listener, _door) = front(&inside, &connections);
        for part in [&b""[..], b"half a requ"] {
            connect(&listener).write_all(part).unwrap();
        }
        assert_eq!(answer(connect(&listener), b"last"), b"last");
        connections.drain(Duration::from_secs(10));
        assert_eq!(*lock(&connections.open.0), 0);
    }
}

//! A service beside the scanner that looks at it. Each has a sandbox of its own; the engine carries what the scanner sends to
//! the one address that it reaches into the service's network, and back. So the service cannot touch the scanner or its
//! report, and neither reaches anything else.

use super::{RunError, job::ServiceJob, units::Floor};
use crate::ports::{Connector, Finished, Stopper};
use std::{
    collections::BTreeMap,
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a service may take until it accepts a connection.
const START: Duration = Duration::from_secs(30);
/// How often it is tried until then.
const PULSE: Duration = Duration::from_millis(20);
/// Connections of the scanner at a time; others are closed.
const CONNECTIONS: usize = 256;
/// Bytes of what the service printed that are kept.
const PRINTED: usize = 64 << 10;

/// What became of a service.
pub(super) struct Served<T> {
    /// What its scanner left; none if the service never answered, and then the scanner did not start.
    pub(super) looked: Option<T>,
    /// What is wrong with what the scanner saw; a report is nothing then.
    pub(super) problem: Option<String>,
    /// The last of what the service printed.
    pub(super) printed: Vec<u8>,
    /// Its sandbox's remains.
    pub(super) finished: Finished,
}

/// The way from a scanner's sandbox to the service.
pub(super) struct Way<'a> {
    connector: &'a dyn Connector,
    port: u16,
    answered: &'a AtomicUsize,
}

/// Runs the service, waits until it accepts connections, lets `look` do its work, and stops the service.
///
/// # Errors
/// When a sandbox fails, and those of `look`.
pub(super) fn beside<T>(
    floor: &Floor<'_>,
    service: &ServiceJob,
    look: impl FnOnce(&Way<'_>) -> Result<T, RunError>,
) -> Result<Served<T>, RunError> {
    let running = floor.sandbox.start(&service.job.sandbox(floor.around), None)?;
    let (stopper, connector) = (running.stopper(), running.connector());
    let (gone, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut printed = Vec::new();
    let (looked, problem, finished) = thread::scope(|scope| {
        let ended = scope.spawn(|| {
            let finished = running.wait(&mut |_, bytes| keep_last(&mut printed, bytes));
            gone.store(true, Ordering::Relaxed);
            finished
        });
        // Also when `look` panics: otherwise the scope would wait for a service that nobody stops.
        let _stop = StopOnDrop(stopper.as_ref());
        let way = Way { connector: connector.as_ref(), port: service.port, answered: &answered };
        let mut problem = way.wait(floor.interrupted, &gone).err();
        let looked = match problem {
            Some(_) => None,
            None => {
                let looked = look(&way);
                problem = way.problem();
                Some(looked)
            }
        };
        stopper.kill();
        let finished = ended.join().map_err(|_| RunError::Internal {
            action: "watch a service".into(),
            problem: "its thread broke off".into(),
        });
        (looked.transpose(), problem, finished)
    });
    Ok(Served { looked: looked?, problem, finished: finished??, printed })
}

struct StopOnDrop<'a>(&'a dyn Stopper);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.kill();
    }
}

impl Way<'_> {
    /// Waits until the service accepts a connection.
    fn wait(&self, interrupted: &AtomicBool, gone: &AtomicBool) -> Result<(), String> {
        let until = Instant::now() + START;
        while self.connector.connect(self.port).is_err() {
            if interrupted.load(Ordering::Relaxed) {
                return Err("the run was interrupted".into());
            }
            if gone.load(Ordering::Relaxed) {
                return Err(format!("the service ended before anything answered on port {}", self.port));
            }
            if Instant::now() > until {
                let seconds = START.as_secs();
                return Err(format!("nothing answered on port {} for {seconds} s", self.port));
            }
            thread::sleep(PULSE);
        }
        Ok(())
    }

    /// A scanner that never heard from the service, or whose service is gone, says nothing about it.
    fn problem(&self) -> Option<String> {
        if self.answered.load(Ordering::Relaxed) == 0 {
            return Some("the service never answered the scanner".into());
        }
        self.connector
            .connect(self.port)
            .is_err()
            .then(|| "the service was gone before the scan ended".into())
    }

    /// Carries connections that the scanner opens, while `work` lasts.
    pub(super) fn carry<T>(&self, listener: &TcpListener, work: impl FnOnce() -> T) -> io::Result<T> {
        let open = Open { listener: listener.try_clone()?, streams: Mutex::new(Some(BTreeMap::new())) };
        let open = &open;
        Ok(thread::scope(|scope| {
            scope.spawn(move || {
                for id in 0_u64.. {
                    let Ok((scanner, _)) = listener.accept() else { return };
                    if open.count() < CONNECTIONS {
                        scope.spawn(move || {
                            // A connection that breaks is the scanner's affair, as on any network.
                            let _ = self.connect(id, &scanner, open);
                            open.forget(id);
                        });
                    }
                }
            });
            let _end = EndOnDrop(open);
            work()
        }))
    }

    fn connect(&self, id: u64, scanner: &TcpStream, open: &Open) -> io::Result<()> {
        let service = self.connector.connect(self.port)?;
        open.keep(id, service.try_clone()?)?;
        thread::scope(|scope| {
            scope.spawn(|| {
                if io::copy(&mut &service, &mut &*scanner).is_ok_and(|bytes| bytes > 0) {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                }
                let _ = scanner.shutdown(Shutdown::Both);
            });
            let copied = io::copy(&mut &*scanner, &mut &service);
            let _ = service.shutdown(Shutdown::Write);
            copied.map(drop)
        })
    }
}

/// What keeps threads waiting, to be closed when the scanner has ended.
struct Open {
    listener: TcpListener,
    /// Connections to the service by number; none once all of them were closed.
    streams: Mutex<Option<BTreeMap<u64, TcpStream>>>,
}

impl Open {
    fn streams(&self) -> MutexGuard<'_, Option<BTreeMap<u64, TcpStream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> usize {
        self.streams().as_ref().map_or(0, BTreeMap::len)
    }

    fn keep(&self, id: u64, stream: TcpStream) -> io::Result<()> {
        let mut streams = self.streams();
        let streams = streams.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        streams.insert(id, stream);
        Ok(())
    }

    fn forget(&self, id: u64) {
        self.streams().as_mut().and_then(|streams| streams.remove(&id));
    }
}

struct EndOnDrop<'a>(&'a Open);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        // Wakes who waits for a connection (shutdown(2) on a listening socket).
        let _ = rustix::net::shutdown(&self.0.listener, rustix::net::Shutdown::Both);
        for stream in self.0.streams().take().into_iter().flat_map(BTreeMap::into_values) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn keep_last(printed: &mut Vec<u8>, bytes: &[u8]) {
    printed.extend_from_slice(bytes);
    if printed.len() > 2 * PRINTED {
        printed.drain(..printed.len() - PRINTED);
    }
}

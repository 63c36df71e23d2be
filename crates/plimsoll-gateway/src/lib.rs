//! The only way out of a sandbox: an HTTP CONNECT proxy on a listener inside the sandbox's network namespace. It lets
//! through what its rules name, to addresses that it looked up and judged itself, with TLS to the same name, and
//! records every decision. There is no setting that turns a check off.

mod address;
mod hello;
mod request;
mod session;
mod tunnel;
mod upstream;
mod wait;

#[cfg(test)]
mod tests;

pub use upstream::{System, Upstream};

use plimsoll_engine::ports::{Egress, EgressRecord, EgressRules, EgressSession};
use plimsoll_model::record::NetworkEvent;
use rustix::event::PollFlags;
use std::{
    io,
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle, Scope},
    time::{Duration, Instant},
};
use wait::{Ended, Stop, Stopped};

/// Is told about every connection when it ends, from the thread that served it.
pub type OnEvent = Arc<dyn Fn(&NetworkEvent) + Send + Sync>;

/// Serves gateways over one network.
#[derive(Clone)]
pub struct Gateway {
    upstream: Arc<dyn Upstream>,
    on_event: OnEvent,
}

impl Gateway {
    /// A gateway to `upstream`.
    #[must_use]
    pub fn new(upstream: Arc<dyn Upstream>, on_event: OnEvent) -> Self {
        Self { upstream, on_event }
    }

    /// Serves `listener` by `rules` in the background.
    ///
    /// # Errors
    /// When the listener or the thread cannot be set up.
    pub fn serve(&self, listener: TcpListener, rules: EgressRules) -> io::Result<GatewayHandle> {
        listener.set_nonblocking(true)?;
        let (stop, stopped) = wait::stop()?;
        let shared = Shared {
            rules,
            upstream: Arc::clone(&self.upstream),
            on_event: Arc::clone(&self.on_event),
            stopped,
            active: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            record: Mutex::default(),
        };
        let thread = thread::Builder::new().name("gateway".into()).spawn(move || shared.serve(&listener))?;
        Ok(GatewayHandle { stop, thread: Some(thread) })
    }
}

/// A gateway to the network of this machine that tells nobody before it is finished.
impl Default for Gateway {
    fn default() -> Self {
        Self::new(Arc::new(System), Arc::new(|_| {}))
    }
}

impl Egress for Gateway {
    fn serve(&self, listener: TcpListener, rules: EgressRules) -> io::Result<Box<dyn EgressSession>> {
        Ok(Box::new(Self::serve(self, listener, rules)?))
    }
}

/// A gateway at work. Dropping it ends it.
pub struct GatewayHandle {
    stop: Stop,
    thread: Option<JoinHandle<EgressRecord>>,
}

impl GatewayHandle {
    /// Ends all connections and tells what happened.
    #[must_use]
    pub fn finish(mut self) -> EgressRecord {
        self.end()
    }

    fn end(&mut self) -> EgressRecord {
        self.stop.now();
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl EgressSession for GatewayHandle {
    fn finish(self: Box<Self>) -> EgressRecord {
        Self::finish(*self)
    }
}

impl Drop for GatewayHandle {
    fn drop(&mut self) {
        self.end();
    }
}

/// How long the gateway rests when it cannot accept, as when descriptors run out.
const REST: Duration = Duration::from_millis(100);

/// What all connections of one gateway share.
struct Shared {
    rules: EgressRules,
    upstream: Arc<dyn Upstream>,
    on_event: OnEvent,
    stopped: Stopped,
    active: AtomicUsize,
    bytes: AtomicU64,
    record: Mutex<EgressRecord>,
}

impl Shared {
    fn serve(self, listener: &TcpListener) -> EgressRecord {
        thread::scope(|scope| {
            while let Some(client) = self.accept(listener) {
                self.spawn(scope, client);
            }
        });
        self.record.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next connection; none when the gateway ends.
    fn accept(&self, listener: &TcpListener) -> Option<TcpStream> {
        loop {
            let far = Instant::now() + Duration::from_secs(3600);
            match self.stopped.wait([(listener, PollFlags::IN)], far) {
                Ok(Ok(_)) => {}
                Ok(Err(Ended::Deadline)) => continue,
                Ok(Err(Ended::Stopped)) | Err(_) => return None,
            }
            match listener.accept() {
                Ok((client, _)) => return Some(client),
                Err(error) if wait::is_temporary(&error) => {}
                Err(_) => thread::sleep(REST),
            }
        }
    }

    fn spawn<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, client: TcpStream) {
        if self.active.fetch_add(1, Ordering::Relaxed) >= self.rules.limits.connections {
            self.active.fetch_sub(1, Ordering::Relaxed);
            return session::refuse(client, self);
        }
        let serve = || {
            session::serve(client, self);
            self.active.fetch_sub(1, Ordering::Relaxed);
        };
        // A machine without threads closes the connection, which is a refusal too.
        if thread::Builder::new().name("tunnel".into()).spawn_scoped(scope, serve).is_err() {
            self.active.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn record(&self, event: NetworkEvent) {
        (self.on_event)(&event);
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.events.len() < self.rules.limits.events {
            record.events.push(event);
        } else {
            record.unrecorded += 1;
        }
    }
}

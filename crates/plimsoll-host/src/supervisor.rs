//! One service from its first start to its end.

use crate::{
    control::{self, ControlError, StopAsked},
    health::HealthCheck,
    proxy::{self, Inside},
    record::{Log, ServiceDirectory, ServiceRecord, ServiceState},
};
use plimsoll_engine::ports::{Exit, Sandbox, SandboxError, SandboxPlan, Stopper};
use plimsoll_model::{Code, Digest, Reason, Timestamp};
use plimsoll_policy::Permit;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::fd::OwnedFd,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a service may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);
/// Restarts in a row before a service counts as failed; an instance that lived [`STEADY`] starts a new row.
const RESTART_LIMIT: u32 = 5;
/// How long an instance must live to count as steady.
const STEADY: Duration = Duration::from_secs(60);
/// How long to wait for the port of an instance that was just stopped.
const PORT_PATIENCE: Duration = Duration::from_secs(5);

/// What to start, prepared by the caller from the permitted release and nothing else.
#[derive(Debug)]
pub struct Service {
    /// The sandbox.
    pub plan: SandboxPlan,
    /// The file to execute: the very bytes that were hashed.
    pub executable: OwnedFd,
    /// Its digest.
    pub executable_digest: Digest,
    /// How to find out whether it is healthy.
    pub health: HealthCheck,
    /// Where connections come in.
    pub listen: SocketAddr,
}

/// Why a service does not serve.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    /// It did not become healthy; whatever ran before goes on.
    #[error(transparent)]
    Unhealthy(#[from] Reason),
    /// It could not be started.
    #[error("failed to start the service")]
    Start(#[from] SandboxError),
    /// Nobody waits for it any more; whatever ran before goes on.
    #[error("nobody waits for this service any more")]
    Unwanted,
    /// The service before it could not be stopped.
    #[error("failed to stop the service that runs")]
    Predecessor(#[source] ControlError),
    /// The port is taken, or a file could not be written.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: io::Error,
    },
}

enum Event {
    Ended { instance: u32 },
    Stop(StopAsked),
}

/// Starts the permitted service, takes over from the one before once it is healthy, calls `serving`, and stays until it
/// is stopped or fails for good. It takes over only if `wanted` says that somebody still waits for it: a supervisor whose
/// starter was killed must not push aside the one that came after it.
///
/// # Errors
/// When it does not come to serve; then the service before it goes on as it was.
pub fn supervise(
    permit: Permit,
    service: &Service,
    sandbox: &dyn Sandbox,
    directory: &ServiceDirectory,
    clock: fn() -> Timestamp,
    wanted: impl FnOnce() -> bool,
    serving: impl FnOnce(&ServiceRecord),
) -> Result<(), SuperviseError> {
    let (sender, events) = mpsc::channel();
    let mut supervisor =
        Supervisor { permit, service, sandbox, directory, clock, sender, events, restarts: 0 };
    let first = supervisor.start()?;
    let inside: Inside = Arc::new(RwLock::new(None));
    supervisor.admit(&first, &inside)?;
    let one_at_a_time = directory.lock().map_err(io_error("wait for another supervisor"))?;
    if !wanted() {
        first.stopper.kill();
        return Err(SuperviseError::Unwanted);
    }
    let record = supervisor.take_over(&first, &inside)?;
    drop(one_at_a_time);
    serving(&record);
    supervisor.watch(first, &inside);
    Ok(())
}

struct Supervisor<'a> {
    permit: Permit,
    service: &'a Service,
    sandbox: &'a dyn Sandbox,
    directory: &'a ServiceDirectory,
    clock: fn() -> Timestamp,
    sender: Sender<Event>,
    events: Receiver<Event>,
    restarts: u32,
}

struct Instance {
    number: u32,
    pid: u32,
    since: Instant,
    started: Timestamp,
    ended: Arc<AtomicBool>,
    stopper: Box<dyn Stopper>,
    connector: Arc<dyn plimsoll_engine::ports::Connector>,
}

impl Supervisor<'_> {
    fn start(&self) -> Result<Instance, SuperviseError> {
        let executable = self.service.executable.try_clone().map_err(io_error("copy a descriptor"))?;
        let mut log = self.directory.open_log().map_err(io_error("open the service's log"))?;
        let running = self.sandbox.start(&self.service.plan, Some(executable))?;
        let instance = Instance {
            number: self.restarts,
            pid: running.pid(),
            since: Instant::now(),
            started: (self.clock)(),
            ended: Arc::new(AtomicBool::new(false)),
            stopper: running.stopper(),
            connector: running.connector().into(),
        };
        let (ended, sender, number) = (Arc::clone(&instance.ended), self.sender.clone(), instance.number);
        thread::spawn(move || {
            let finished = running.wait(&mut |_, bytes| log.append(bytes));
            note_end(&mut log, finished.map(|finished| finished.exit));
            ended.store(true, Ordering::Release);
            // The supervisor may be gone already; then nobody needs to know.
            let _ = sender.send(Event::Ended { instance: number });
        });
        Ok(instance)
    }

    /// Lets an instance in once it is healthy; kills it otherwise.
    fn admit(&self, instance: &Instance, inside: &Inside) -> Result<(), SuperviseError> {
        let gone = || instance.ended.load(Ordering::Acquire);
        if let Err(problem) = self.service.health.wait(instance.connector.as_ref(), &gone) {
            instance.stopper.kill();
            let release = self.permit.release();
            return Err(Code::Health.reason().with("release", release).with("problem", problem).into());
        }
        if let Ok(mut inside) = inside.write() {
            *inside = Some(Arc::clone(&instance.connector));
        }
        Ok(())
    }

    fn take_over(&self, instance: &Instance, inside: &Inside) -> Result<ServiceRecord, SuperviseError> {
        match control::stop(self.directory) {
            Ok(()) | Err(ControlError::NotRunning) => {}
            Err(error) => return Err(SuperviseError::Predecessor(error)),
        }
        let action = format!("listen on {}", self.service.listen);
        let listener = bind(self.service.listen).map_err(io_error(action))?;
        control::listen(self.directory, self.sender.clone(), Event::Stop)
            .map_err(io_error("listen for control"))?;
        proxy::serve(listener, self.service.health.port, Arc::clone(inside));
        let record = self.record(instance, ServiceState::Serving);
        self.directory.write(&record).map_err(io_error("write the service's record"))?;
        Ok(record)
    }

    fn watch(&mut self, mut instance: Instance, inside: &Inside) {
        while let Ok(event) = self.events.recv() {
            match event {
                Event::Ended { instance: number } if number != instance.number => {}
                Event::Ended { .. } => match self.restart(&instance, inside) {
                    Some(next) => instance = next,
                    None => return,
                },
                Event::Stop(asked) => return self.stop(&instance, asked),
            }
        }
    }

    /// Starts another instance of the same release; none when it ended too often or was stopped meanwhile.
    fn restart(&mut self, dead: &Instance, inside: &Inside) -> Option<Instance> {
        let mut row = if dead.since.elapsed() > STEADY { 0 } else { self.restarts };
        loop {
            self.save(dead, ServiceState::Restarting);
            if row >= RESTART_LIMIT {
                self.save(dead, ServiceState::Failed);
                return None;
            }
            row += 1;
            self.restarts += 1;
            if let Some(asked) = self.pause(Duration::from_millis(100 << row)) {
                self.save(dead, ServiceState::Stopped);
                asked.answer(self.directory);
                return None;
            }
            if let Ok(next) = self.start()
                && self.admit(&next, inside).is_ok()
            {
                self.save(&next, ServiceState::Serving);
                return Some(next);
            }
        }
    }

    /// Waits, unless somebody asks for a stop.
    fn pause(&self, time: Duration) -> Option<StopAsked> {
        let until = Instant::now() + time;
        loop {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::Stop(asked)) => return Some(asked),
                Ok(Event::Ended { .. }) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn stop(&self, instance: &Instance, asked: StopAsked) {
        instance.stopper.terminate();
        let until = Instant::now() + GRACE;
        while !instance.ended.load(Ordering::Acquire) && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            if self.events.recv_timeout(left).is_err() {
                break;
            }
        }
        instance.stopper.kill();
        self.save(instance, ServiceState::Stopped);
        asked.answer(self.directory);
    }

    fn record(&self, instance: &Instance, state: ServiceState) -> ServiceRecord {
        ServiceRecord {
            version: 1,
            state,
            decision: *self.permit.decision(),
            release: *self.permit.release(),
            executable: self.service.executable_digest,
            supervisor: std::process::id(),
            process: instance.pid,
            listen: self.service.listen.to_string(),
            started: instance.started,
            restarts: self.restarts,
        }
    }

    /// Writes the record. Where that fails the service goes on: `status` then shows an older state.
    fn save(&self, instance: &Instance, state: ServiceState) {
        let _ = self.directory.write(&self.record(instance, state));
    }
}

fn note_end(log: &mut Log, exit: Result<Exit, SandboxError>) {
    let line = match exit {
        Ok(exit) => format!("plimsoll: the service ended: {exit}\n"),
        Err(error) => format!("plimsoll: the sandbox failed: {error}\n"),
    };
    log.append(line.as_bytes());
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let until = Instant::now() + PORT_PATIENCE;
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < until => {
                thread::sleep(Duration::from_millis(20));
            }
            other => return other,
        }
    }
}

fn io_error(action: impl Into<String>) -> impl FnOnce(io::Error) -> SuperviseError {
    let action = action.into();
    move |source| SuperviseError::Io { action, source }
}

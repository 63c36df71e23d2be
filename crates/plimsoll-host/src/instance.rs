//! One start of a service: a sandbox, its log, and the threads that watch it. They only report; what follows from a
//! report is the supervisor's to say.

use crate::{
    health::HealthCheck,
    look::Watch,
    record::Log,
    supervisor::{SuperviseError, io_error},
};
use plimsoll_engine::ports::{Connector, Exit, Sandbox, SandboxError, SandboxPlan, Stopper};
use plimsoll_model::Timestamp;
use std::{
    os::fd::OwnedFd,
    sync::{Arc, Condvar, Mutex, PoisonError, mpsc::Sender},
    thread,
    time::{Duration, Instant},
};

/// Failed answers in a row after which a service that was healthy is not.
const FAILED_ANSWERS: u32 = 3;
/// Pause between two questions in a confirm window; shorter in a short one.
const INTERVAL: Duration = Duration::from_secs(1);
/// Pause between two looks for drift.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// What is reported of an instance.
#[derive(Debug)]
pub(crate) struct Report {
    /// Which instance it is about: they are numbered by start.
    pub(crate) instance: u32,
    /// What happened.
    pub(crate) what: What,
}

/// What happens to an instance.
#[derive(Debug)]
pub(crate) enum What {
    /// Its command ended, and nothing of its sandbox is left.
    Ended,
    /// It became healthy.
    Healthy,
    /// It did not become healthy in its time.
    Unhealthy(String),
    /// It was healthy, and failed [`FAILED_ANSWERS`] times in a row.
    Sick(String),
    /// It was healthy to the end of the confirm window.
    Confirmed,
}

/// One start of a service.
pub(crate) struct Instance {
    pub(crate) number: u32,
    pub(crate) pid: u32,
    pub(crate) began: Instant,
    pub(crate) started: Timestamp,
    pub(crate) stopper: Box<dyn Stopper>,
    pub(crate) connector: Arc<dyn Connector>,
    ended: Arc<End>,
}

/// The end of an instance, which can be waited for.
#[derive(Default)]
struct End(Mutex<bool>, Condvar);

impl End {
    fn has_come(&self) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn comes(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }

    fn wait(&self, time: Duration) {
        let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.1.wait_timeout_while(ended, time, |ended| !*ended));
    }
}

impl Instance {
    /// Starts the service.
    ///
    /// # Errors
    /// When its sandbox cannot be set up.
    pub(crate) fn start<E: Send + 'static>(
        number: u32,
        (sandbox, plan, executable): (&dyn Sandbox, &SandboxPlan, &OwnedFd),
        mut log: Log,
        clock: fn() -> Timestamp,
        events: Sender<E>,
        event: fn(Report) -> E,
    ) -> Result<Self, SuperviseError> {
        let executable = executable.try_clone().map_err(io_error("copy a descriptor"))?;
        let running = sandbox.start(plan, Some(executable))?;
        let instance = Self {
            number,
            pid: running.pid(),
            began: Instant::now(),
            started: clock(),
            stopper: running.stopper(),
            connector: running.connector().into(),
            ended: Arc::default(),
        };
        let ended = Arc::clone(&instance.ended);
        thread::spawn(move || {
            let finished = running.wait(&mut |_, bytes| log.append(bytes));
            note_end(&mut log, finished.map(|finished| finished.exit));
            ended.comes();
            // The supervisor may be gone already; then nobody needs to know.
            let _ = events.send(event(Report { instance: number, what: What::Ended }));
        });
        Ok(instance)
    }

    /// Whether it has ended.
    pub(crate) fn ended(&self) -> bool {
        self.ended.has_come()
    }

    /// Waits until it has ended, but not longer than `time`.
    pub(crate) fn wait_end(&self, time: Duration) {
        self.ended.wait(time);
    }

    /// Waits until it is healthy.
    ///
    /// # Errors
    /// What it answered last, or that it ended.
    pub(crate) fn wait_healthy(&self, health: &HealthCheck) -> Result<(), String> {
        health.wait(self.connector.as_ref(), &|| self.ended())
    }

    /// Looks for drift until it has ended, the first time at once: programs soon write titles over their arguments.
    pub(crate) fn watch_drift(&self, mut watch: Watch) {
        let ended = Arc::clone(&self.ended);
        thread::spawn(move || {
            while !ended.has_come() {
                watch.look();
                ended.wait(LOOK_INTERVAL);
            }
        });
    }

    /// Reports when it is healthy, or that it is not.
    pub(crate) fn watch_start<E: Send + 'static>(
        &self,
        health: &HealthCheck,
        events: Sender<E>,
        event: fn(Report) -> E,
    ) {
        let (health, connector) = (health.clone(), Arc::clone(&self.connector));
        let (instance, ended) = (self.number, Arc::clone(&self.ended));
        thread::spawn(move || {
            let what = match health.wait(connector.as_ref(), &|| ended.has_come()) {
                Ok(()) => What::Healthy,
                Err(problem) => What::Unhealthy(problem),
            };
            let _ = events.send(event(Report { instance, what }));
        });
    }

    /// Reports how a confirm window went. With a health check it ends with a good answer, or with the third bad one in a
    /// row, even where that comes after `until`.
    pub(crate) fn watch_window<E: Send + 'static>(
        &self,
        health: Option<&HealthCheck>,
        until: Instant,
        events: Sender<E>,
        event: fn(Report) -> E,
    ) {
        let (health, connector) = (health.cloned(), Arc::clone(&self.connector));
        let (instance, ended) = (self.number, Arc::clone(&self.ended));
        let interval = INTERVAL.min(until.saturating_duration_since(Instant::now()) / 10);
        thread::spawn(move || {
            let mut failed = 0;
            let what = loop {
                match health.as_ref().map_or(Ok(()), |health| health.ask(connector.as_ref())) {
                    // Its end is reported by whoever waits for it.
                    _ if ended.has_come() => return,
                    Ok(()) if Instant::now() >= until => break What::Confirmed,
                    Ok(()) => failed = 0,
                    Err(problem) if failed + 1 >= FAILED_ANSWERS => break What::Sick(problem),
                    Err(_) => failed += 1,
                }
                thread::sleep(interval);
            };
            let _ = events.send(event(Report { instance, what }));
        });
    }
}

impl Drop for Instance {
    /// Nothing of a service outlives its supervisor.
    fn drop(&mut self) {
        self.stopper.kill();
    }
}

fn note_end(log: &mut Log, exit: Result<Exit, SandboxError>) {
    let line = match exit {
        Ok(exit) => format!("plimsoll: the service ended: {exit}\n"),
        Err(error) => format!("plimsoll: the sandbox failed: {error}\n"),
    };
    log.append(line.as_bytes());
}

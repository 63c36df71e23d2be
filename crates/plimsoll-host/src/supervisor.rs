//! One release from its first start to its end: it starts an instance, gets the traffic, keeps it or gives it back, and
//! hands it to whoever comes next. Everything that happens is an event of one loop, which owns all state.

use crate::{
    control::{self, Asked, Claim, ControlError, PredecessorSaid, Socket, SuccessorSaid},
    drift::{Expected, MountSet},
    duty::{Supervisor, Traffic},
    health::HealthCheck,
    instance::{Instance, Report},
    look::Watch,
    proxy::{Connections, Inside},
    record::{ServiceDirectory, ServiceRecord, Setback},
};
use plimsoll_engine::ports::{Sandbox, SandboxError, SandboxPlan};
use plimsoll_model::{Code, Digest, EnvironmentName, ProjectName, Reason, Timestamp, Tree};
use plimsoll_policy::Permit;
use rustix::process::{Resource, Rlimit};
use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::fd::OwnedFd,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// How long to wait for a port that somebody is about to let go of.
const PORT_PATIENCE: Duration = Duration::from_secs(5);

/// What to start, prepared by the caller from the permitted release and nothing else.
#[derive(Debug)]
pub struct Service {
    /// The project, for reasons.
    pub project: ProjectName,
    /// The environment, for reasons.
    pub environment: EnvironmentName,
    /// The sandbox.
    pub plan: SandboxPlan,
    /// The file to execute: the very bytes that were hashed.
    pub executable: OwnedFd,
    /// Its digest.
    pub executable_digest: Digest,
    /// Where the artifact is unpacked, and what it consists of; none is not looked at.
    pub root: Option<(PathBuf, Tree)>,
    /// The same of the configuration.
    pub config: Option<(PathBuf, Tree)>,
    /// How to find out whether it is healthy.
    pub health: HealthCheck,
    /// Where connections come in.
    pub listen: SocketAddr,
    /// What happens when it fails after it has the traffic; none: it is started again, and nothing else.
    pub fallback: Option<Fallback>,
}

impl Service {
    /// What is expected of a process of it. Which mounts it sees is found out when it has some.
    fn expected(&self) -> Expected {
        Expected {
            root: self.root.clone(),
            config: self.config.clone(),
            ..Expected::of(&self.plan, self.executable_digest, MountSet::default())
        }
    }
}

/// To whom a release that fails gives its traffic back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// Payload digest of the decision that may run again: the one that the decision of this release names. Where
    /// something else runs, there is no way back.
    pub to: Digest,
    /// What counts as failing.
    pub on: Vec<Trigger>,
    /// For how long after traffic moved; zero is never.
    pub confirm: Duration,
}

/// What counts as failing in the confirm window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Its process ended.
    Start,
    /// Three answers of its health check in a row were bad, or it did not become healthy after a restart.
    Health,
}

/// How far a supervisor got.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Traffic moved to its release. The one before may still be there.
    Serving(&'a ServiceRecord),
    /// It serves, and nothing of the release before is left.
    Alone(&'a ServiceRecord),
    /// It failed in its confirm window; the release before has the traffic again, and this supervisor ends.
    FellBack(&'a Setback),
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
    /// The service before it did not let go of the traffic.
    #[error("failed to take over from the service that runs")]
    Predecessor(#[source] ControlError),
    /// The port is taken, or a file could not be written; whatever ran before goes on.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What a supervisor hears.
#[derive(Debug)]
pub(crate) enum Event {
    /// Of an instance.
    Report(Report),
    /// Of whoever connects.
    Asked(Asked),
    /// Of the one that had the traffic before.
    Predecessor(PredecessorSaid),
    /// Of the one that has the traffic.
    Successor(SuccessorSaid),
}

/// Starts the permitted service, gets the traffic from the one before once it is healthy, and stays until it is stopped,
/// replaced, falls back or fails for good; `progress` hears how far it got. It gets the traffic only if `wanted` says
/// that somebody still waits for it: a supervisor whose starter was killed must not push aside the one that came after.
///
/// No connection is lost on the way: the listening socket is passed on as it is, open connections are finished by whoever
/// accepted them, and where this process is killed in its confirm window, the one before takes the traffic back.
///
/// # Errors
/// When it does not come to serve; then the service before it goes on as it was. `E-HEALTH` is then also kept as the
/// [`Setback`] of the directory.
pub fn supervise(
    permit: Permit,
    service: &Service,
    sandbox: &dyn Sandbox,
    directory: &ServiceDirectory,
    clock: fn() -> Timestamp,
    wanted: impl FnOnce() -> bool,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<(), SuperviseError> {
    // The permit is used up by this start. Starting the same release again needs no other.
    let claim = Claim { decision: *permit.decision(), release: *permit.release() };
    raise_descriptor_limit();
    Starter { claim, service, sandbox, directory, clock }.supervise(wanted, &mut progress)
}

/// What does not change while a release is supervised.
#[derive(Clone, Copy)]
pub(crate) struct Starter<'a> {
    pub(crate) claim: Claim,
    pub(crate) service: &'a Service,
    pub(crate) sandbox: &'a dyn Sandbox,
    pub(crate) directory: &'a ServiceDirectory,
    pub(crate) clock: fn() -> Timestamp,
}

impl<'a> Starter<'a> {
    pub(crate) fn supervise(
        self,
        wanted: impl FnOnce() -> bool,
        progress: &'a mut dyn FnMut(Progress<'_>),
    ) -> Result<(), SuperviseError> {
        let (sender, events) = mpsc::channel();
        let first = self.start(0, &sender)?;
        first.wait_healthy(&self.service.health).map_err(|problem| self.never_served(&problem))?;
        let one_at_a_time = self.directory.lock().map_err(io_error("wait for another supervisor"))?;
        if !wanted() {
            return Err(SuperviseError::Unwanted);
        }
        let supervisor = self.take_over(first, (sender, events), progress)?;
        drop(one_at_a_time);
        supervisor.run();
        Ok(())
    }

    /// Starts an instance.
    ///
    /// # Errors
    /// When its sandbox cannot be set up.
    pub(crate) fn start(&self, number: u32, sender: &Sender<Event>) -> Result<Instance, SuperviseError> {
        let log = self.directory.open_log().map_err(io_error("open the service's log"))?;
        let what = (self.sandbox, &self.service.plan, &self.service.executable);
        let instance = Instance::start(number, what, log, self.clock, sender.clone(), Event::Report)?;
        let expected = self.service.expected();
        instance.watch_drift(Watch::new(self.directory.clone(), expected, instance.pid, self.clock));
        Ok(instance)
    }

    fn never_served(&self, problem: &str) -> SuperviseError {
        let setback = self.setback(Code::Health, &self.claim, problem);
        // Whoever waits hears of it all the same.
        let _ = self.directory.write_setback(&setback);
        setback.reason.into()
    }

    /// What is kept of a failure.
    pub(crate) fn setback(&self, code: Code, failed: &Claim, problem: &str) -> Setback {
        let Service { project, environment, .. } = self.service;
        let reason = code.reason().with("release", failed.release).with("problem", problem);
        Setback {
            version: 1,
            decision: failed.decision,
            release: failed.release,
            reason: reason.with("project", project).with("environment", environment),
            at: (self.clock)(),
        }
    }

    /// Gets the traffic. Where that fails, the predecessor is dropped, and has it again.
    fn take_over(
        self,
        first: Instance,
        (sender, events): (Sender<Event>, Receiver<Event>),
        progress: &'a mut dyn FnMut(Progress<'_>),
    ) -> Result<Supervisor<'a>, SuperviseError> {
        let (directory, listen) = (self.directory, self.service.listen);
        let socket = Socket::make(directory).map_err(io_error("listen for control"))?;
        let (received, predecessor) = match control::take(directory, &self.claim) {
            Ok(taken) => taken.unzip(),
            Err(error) => return Err(SuperviseError::Predecessor(error)),
        };
        let listener = match received.filter(|listener| listener.local_addr().ok() == Some(listen)) {
            Some(listener) => listener,
            None => bind(listen).map_err(io_error(format!("listen on {listen}")))?,
        };
        if let Some(predecessor) = &predecessor {
            let heard = predecessor.listen(sender.clone(), Event::Predecessor);
            heard.map_err(io_error("listen to the service that runs"))?;
        }
        let (inside, connections) = (Inside::default(), Connections::default());
        inside.set(Some(Arc::clone(&first.connector)));
        let mut supervisor = Supervisor {
            starter: self,
            sender,
            events,
            progress,
            instance: first,
            row: 0,
            retry: None,
            inside,
            connections,
            listener,
            traffic: Traffic::Nowhere,
            since: (self.clock)(),
            predecessor,
            window: None,
        };
        supervisor.begin(socket)?;
        Ok(supervisor)
    }
}

/// Two descriptors for each connection are more than a process has by default. A service has limits of its own.
fn raise_descriptor_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    // Where it stays lower, connections wait sooner.
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
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

pub(crate) fn io_error(action: impl Into<String>) -> impl FnOnce(io::Error) -> SuperviseError {
    let action = action.into();
    move |source| SuperviseError::Io { action, source }
}

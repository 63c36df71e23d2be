//! What a supervisor does once it has had the traffic: one loop that takes one event after another and owns all state.

use crate::{
    control::{
        Asked, HandOverAsked, Predecessor, PredecessorSaid, Socket, StopAsked, Successor, SuccessorSaid,
    },
    instance::{Instance, Report, What},
    proxy::{Connections, Door, Front, Inside},
    record::{ServiceRecord, ServiceState, Standby},
    supervisor::{Event, Progress, Starter, SuperviseError, Trigger, io_error},
};
use plimsoll_model::{Code, Timestamp};
use std::{
    io, mem,
    net::TcpListener,
    ops::ControlFlow,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

/// How long a service may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);
/// How long open connections may take to end before an instance that has no traffic any more is stopped.
const DRAIN: Duration = Duration::from_secs(10);
/// How long to wait for a supervisor that was told to end, or to take the traffic back: it may be draining.
const FAREWELL: Duration = Duration::from_secs(25);
/// Restarts in a row before a service counts as failed; an instance that lived [`STEADY`] starts a new row.
const RESTART_LIMIT: u32 = 5;
/// How long an instance must live to count as steady.
const STEADY: Duration = Duration::from_secs(60);

/// Who accepts connections.
pub(crate) enum Traffic {
    /// This supervisor.
    Here(Door),
    /// The one after it.
    There(Successor),
    /// Nobody, for a moment.
    Nowhere,
}

/// A supervisor that has had the traffic.
pub(crate) struct Supervisor<'a> {
    pub(crate) starter: Starter<'a>,
    pub(crate) sender: Sender<Event>,
    pub(crate) events: Receiver<Event>,
    pub(crate) progress: &'a mut dyn FnMut(Progress<'_>),
    /// The newest instance; it may have ended.
    pub(crate) instance: Instance,
    /// Restarts in a row.
    pub(crate) row: u32,
    /// When the next instance is started; none while one lives.
    pub(crate) retry: Option<Instant>,
    pub(crate) inside: Inside,
    pub(crate) connections: Connections,
    pub(crate) listener: TcpListener,
    pub(crate) traffic: Traffic,
    /// When traffic moved here.
    pub(crate) since: Timestamp,
    pub(crate) predecessor: Option<Predecessor>,
    /// When the confirm window ends, by both clocks; there is one only where there is a way back.
    pub(crate) window: Option<(Instant, Timestamp)>,
}

/// Whether the supervisor goes on.
type Next = ControlFlow<()>;

impl Supervisor<'_> {
    /// Lets the traffic in.
    ///
    /// # Errors
    /// When the record or the control socket cannot be put in place.
    pub(crate) fn begin(&mut self, socket: Socket) -> Result<(), SuperviseError> {
        let directory = self.starter.directory;
        self.window = self.way_back();
        directory
            .write(&self.record(ServiceState::Serving))
            .map_err(io_error("write the service's record"))?;
        let published = socket.publish(directory, self.sender.clone(), Event::Asked);
        published.map_err(io_error("listen for control"))?;
        self.open().map_err(io_error("accept connections"))?;
        // A failure of before is only told too often where it stays.
        let _ = directory.forget_setback();
        Ok(())
    }

    /// When the window ends, if the one before is the one that may run again.
    fn way_back(&self) -> Option<(Instant, Timestamp)> {
        let fallback =
            self.starter.service.fallback.as_ref().filter(|fallback| !fallback.confirm.is_zero())?;
        let standby = &self.predecessor.as_ref()?.standby;
        let end =
            Instant::now().checked_add(fallback.confirm).zip(self.since.checked_add(fallback.confirm).ok());
        end.filter(|_| standby.decision == fallback.to)
    }

    /// Tells that traffic moved, and goes on until the end.
    pub(crate) fn run(mut self) {
        let record = self.record(ServiceState::Serving);
        (self.progress)(Progress::Serving(&record));
        if self.window.is_some() {
            self.watch_window();
        } else if let Some(predecessor) = &mut self.predecessor {
            predecessor.retire();
        } else {
            (self.progress)(Progress::Alone(&record));
        }
        while self.turn().is_continue() {}
    }

    fn watch_window(&self) {
        let Some((until, _)) = self.window else { return };
        let health = self.falls_back_on(Trigger::Health).then_some(&self.starter.service.health);
        self.instance.watch_window(health, until, self.sender.clone(), Event::Report);
    }

    fn falls_back_on(&self, trigger: Trigger) -> bool {
        let fallback = self.starter.service.fallback.as_ref().filter(|_| self.window.is_some());
        fallback.is_some_and(|fallback| fallback.on.contains(&trigger))
    }

    /// Takes one event.
    fn turn(&mut self) -> Next {
        match self.next() {
            None => self.start_again(),
            Some(Event::Report(report)) if report.instance == self.instance.number => self.hear(report),
            Some(Event::Report(_)) => Next::Continue(()),
            Some(Event::Asked(asked)) => self.answer(asked),
            Some(Event::Predecessor(PredecessorSaid::Resumed)) => Next::Continue(()),
            Some(Event::Predecessor(PredecessorSaid::Gone)) => self.alone(),
            Some(Event::Successor(said)) => self.obey(said),
        }
    }

    /// The next event; none when it is time to start again.
    fn next(&self) -> Option<Event> {
        let Some(retry) = self.retry else { return self.events.recv().ok() };
        self.events.recv_timeout(retry.saturating_duration_since(Instant::now())).ok()
    }

    fn hear(&mut self, Report { what, .. }: Report) -> Next {
        match what {
            // The end of an instance that was given up is no news.
            What::Ended | What::Unhealthy(_) if self.retry.is_some() => Next::Continue(()),
            What::Ended if self.falls_back_on(Trigger::Start) => self.fall_back("its process ended"),
            What::Ended => self.restart("it ended again and again"),
            What::Unhealthy(problem) if self.falls_back_on(Trigger::Health) => self.fall_back(&problem),
            What::Unhealthy(problem) => self.restart(&problem),
            What::Sick(problem) if self.window.is_some() => self.fall_back(&problem),
            What::Sick(_) => Next::Continue(()),
            What::Healthy => self.admit(),
            What::Confirmed => self.confirm(),
        }
    }

    fn admit(&mut self) -> Next {
        self.inside.set(Some(Arc::clone(&self.instance.connector)));
        self.save(ServiceState::Serving);
        self.watch_window();
        Next::Continue(())
    }

    fn confirm(&mut self) -> Next {
        self.window = None;
        if let Some(predecessor) = &mut self.predecessor {
            predecessor.retire();
        }
        self.save(ServiceState::Serving);
        Next::Continue(())
    }

    /// Nothing of the release before is left.
    fn alone(&mut self) -> Next {
        (self.predecessor, self.window) = (None, None);
        self.save(self.state());
        let record = self.record(self.state());
        (self.progress)(Progress::Alone(&record));
        Next::Continue(())
    }

    /// Gives the instance up and plans the next one, unless there were too many.
    fn restart(&mut self, problem: &str) -> Next {
        self.instance.stopper.kill();
        self.inside.set(None);
        self.row = if self.instance.began.elapsed() > STEADY { 1 } else { self.row + 1 };
        if self.row > RESTART_LIMIT {
            return self.fail(problem);
        }
        self.retry = Some(Instant::now() + Duration::from_millis(100 << self.row));
        self.save(ServiceState::Restarting);
        Next::Continue(())
    }

    fn start_again(&mut self) -> Next {
        self.retry = None;
        match self.starter.start(self.instance.number + 1, &self.sender) {
            Ok(next) => {
                next.watch_start(&self.starter.service.health, self.sender.clone(), Event::Report);
                self.instance = next;
                Next::Continue(())
            }
            Err(error) => self.restart(&error.to_string()),
        }
    }

    /// It failed for good. Where there is a way back, it is gone.
    fn fail(&mut self, problem: &str) -> Next {
        if self.window.is_some() {
            return self.fall_back(problem);
        }
        if matches!(self.traffic, Traffic::Here(_)) {
            let setback = self.starter.setback(Code::Health, &self.starter.claim, problem);
            let _ = self.starter.directory.write_setback(&setback);
            self.save(ServiceState::Failed);
        }
        Next::Break(())
    }

    /// Gives the traffic back. Connections that no instance took are carried to where the traffic went.
    fn fall_back(&mut self, problem: &str) -> Next {
        self.close();
        let setback = self.starter.setback(Code::Fallback, &self.starter.claim, problem);
        let _ = self.starter.directory.write_setback(&setback);
        if let Some(predecessor) = &mut self.predecessor {
            predecessor.resume();
        }
        if self.farewell() == PredecessorSaid::Gone {
            return self.keep(problem);
        }
        if let Ok(address) = self.listener.local_addr() {
            self.inside.set(Some(Arc::new(Front(address))));
        }
        (self.progress)(Progress::FellBack(&setback));
        self.connections.drain(DRAIN);
        Next::Break(())
    }

    /// There is nobody any more to give the traffic back to.
    fn keep(&mut self, problem: &str) -> Next {
        if self.alone().is_break() || self.open().is_err() {
            return Next::Break(());
        }
        self.restart(problem)
    }

    /// Waits for the last word of the predecessor. Silence counts as taking the traffic back, since it was told to.
    fn farewell(&self) -> PredecessorSaid {
        let until = Instant::now() + FAREWELL;
        loop {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Event::Predecessor(said)) => return said,
                Ok(Event::Asked(asked)) => asked.busy(),
                Ok(Event::Report(_) | Event::Successor(_)) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return PredecessorSaid::Resumed;
                }
            }
        }
    }

    fn answer(&mut self, asked: Asked) -> Next {
        match asked {
            // Whoever has the traffic is found in a moment.
            asked if !matches!(self.traffic, Traffic::Here(_)) => asked.busy(),
            Asked::Stop(asked) => return self.stop(asked),
            Asked::HandOver(asked) => return self.hand_over(asked),
        }
        Next::Continue(())
    }

    /// Hands the traffic over, when nothing is left of the release before: there are never three.
    fn hand_over(&mut self, asked: HandOverAsked) -> Next {
        if let Some(predecessor) = &mut self.predecessor {
            predecessor.retire();
            self.window = None;
            Asked::HandOver(asked).busy();
            return Next::Continue(());
        }
        self.close();
        let Starter { directory, claim, .. } = self.starter;
        let standby = Standby {
            decision: claim.decision,
            release: claim.release,
            supervisor: std::process::id(),
            process: self.instance.pid,
        };
        match asked.answer(directory, &self.listener, &standby, self.sender.clone(), Event::Successor) {
            Ok(successor) => self.traffic = Traffic::There(successor),
            Err(_) if self.open().is_err() => return Next::Break(()),
            Err(_) => {}
        }
        Next::Continue(())
    }

    fn obey(&mut self, said: SuccessorSaid) -> Next {
        match said {
            SuccessorSaid::Retire => self.connections.drain(DRAIN),
            SuccessorSaid::Stop => {}
            SuccessorSaid::Resume | SuccessorSaid::Died => return self.resume(said),
        }
        self.stop_instance();
        Next::Break(())
    }

    /// Takes the traffic back.
    fn resume(&mut self, said: SuccessorSaid) -> Next {
        let Traffic::There(successor) = mem::replace(&mut self.traffic, Traffic::Nowhere) else {
            return Next::Continue(());
        };
        self.since = (self.starter.clock)();
        if self.open().is_err() {
            return Next::Break(());
        }
        if said == SuccessorSaid::Died {
            let problem = "its supervisor ended without a word";
            let setback = self.starter.setback(Code::Fallback, &successor.claim, problem);
            let _ = self.starter.directory.write_setback(&setback);
        }
        self.save(self.state());
        successor.resumed(self.starter.directory);
        Next::Continue(())
    }

    /// Ends everything.
    fn stop(&mut self, asked: StopAsked) -> Next {
        self.close();
        if let Some(predecessor) = &mut self.predecessor {
            predecessor.stop();
        }
        self.stop_instance();
        if self.predecessor.is_some() {
            self.farewell();
        }
        (self.predecessor, self.window) = (None, None);
        self.save(ServiceState::Stopped);
        asked.answer(self.starter.directory);
        Next::Break(())
    }

    /// Asks the instance to end, ends it where it does not, and waits until nothing of it is left: whoever asked for the
    /// end may rely on it.
    fn stop_instance(&self) {
        self.instance.stopper.terminate();
        self.instance.wait_end(GRACE);
        self.instance.stopper.kill();
        self.instance.wait_end(GRACE);
    }

    fn open(&mut self) -> io::Result<()> {
        let port = self.starter.service.health.port;
        let door = Door::open(&self.listener, port, &self.inside, &self.connections)?;
        self.traffic = Traffic::Here(door);
        Ok(())
    }

    fn close(&mut self) {
        if let Traffic::Here(door) = mem::replace(&mut self.traffic, Traffic::Nowhere) {
            door.close();
        }
    }

    fn state(&self) -> ServiceState {
        if self.retry.is_some() || self.instance.ended() {
            ServiceState::Restarting
        } else {
            ServiceState::Serving
        }
    }

    fn record(&self, state: ServiceState) -> ServiceRecord {
        let Starter { claim, service, .. } = self.starter;
        ServiceRecord {
            version: 2,
            state,
            decision: claim.decision,
            release: claim.release,
            executable: service.executable_digest,
            supervisor: std::process::id(),
            process: self.instance.pid,
            listen: service.listen.to_string(),
            started: self.instance.started,
            restarts: self.instance.number,
            since: self.since,
            standby: self.predecessor.as_ref().map(|predecessor| predecessor.standby.clone()),
            confirm: self.window.map(|(_, end)| end),
        }
    }

    /// Writes the record, if it is this supervisor's to write. Where that fails the service goes on: `status` then shows
    /// an older state.
    fn save(&self, state: ServiceState) {
        if !matches!(self.traffic, Traffic::There(_)) {
            let _ = self.starter.directory.write(&self.record(state));
        }
    }
}

#[cfg(test)]
mod tests;

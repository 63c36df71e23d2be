//! The one run loop. A dispatcher owns all state; each attempt of a unit of work runs in a thread of its own and only
//! sends events. What a unit is and what an attempt means is the director's affair.

use super::{
    Event, RunError,
    job::{Job, Surroundings},
    service::{self, Way},
};
use crate::{
    ports::{Blobs, Finished, Sandbox, Stopper, Stream},
    signer::Observed,
};
use plimsoll_model::{Outcome, Reason, Timestamp, removed};
use std::{
    collections::BTreeMap,
    num::NonZero,
    panic::{self, AssertUnwindSafe},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

/// How often the dispatcher looks whether somebody wants it to stop.
const PULSE: Duration = Duration::from_millis(50);

/// A unit of work and what it waits for.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// Its name, for events and logs.
    pub(crate) name: String,
    /// Positions of units that must pass before it starts.
    pub(crate) needs: Vec<usize>,
    /// How often it may be tried; at least 1.
    pub(crate) attempts: u32,
}

/// What an attempt left behind.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// What was seen.
    pub(crate) observed: Observed,
    /// Standard output alone.
    pub(crate) stdout: Vec<u8>,
    /// Standard error alone.
    pub(crate) stderr: Vec<u8>,
    /// The sandbox's remains.
    pub(crate) finished: Finished,
    /// The service that was to be looked at did not answer, so no report counts.
    pub(crate) unserved: bool,
}

/// What becomes of an attempt that is about to begin.
#[derive(Debug)]
pub(crate) enum Ready {
    /// It runs.
    Run(Job),
    /// It was judged before anything ran.
    Judged(Outcome, Vec<Reason>),
}

/// Says what units do.
pub(crate) trait Director {
    /// The command of a unit whose needs have passed.
    fn job(&mut self, unit: usize, attempt: u32) -> Result<Ready, RunError>;

    /// Judges an attempt.
    fn ended(
        &mut self,
        unit: usize,
        attempt: u32,
        result: Attempt,
    ) -> Result<(Outcome, Vec<Reason>), RunError>;
}

/// What the loop needs of the world.
pub(crate) struct Floor<'a> {
    pub(crate) blobs: &'a dyn Blobs,
    pub(crate) sandbox: &'a dyn Sandbox,
    pub(crate) around: &'a Surroundings,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) interrupted: &'a AtomicBool,
}

enum Message {
    Running { unit: usize, stopper: Box<dyn Stopper> },
    Output { unit: usize, attempt: u32, stream: Stream, bytes: Vec<u8> },
    Ended { unit: usize, attempt: u32, result: Box<Result<Attempt, RunError>> },
}

/// Runs all units, as many at a time as the machine has processors, and gives the outcome of each. A unit whose needs
/// did not pass is skipped.
pub(crate) fn run_units(
    units: &[Unit],
    floor: &Floor<'_>,
    director: &mut dyn Director,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<Vec<Outcome>, RunError> {
    let (sender, messages) = mpsc::channel();
    let mut board = Board::new(units);
    thread::scope(|scope| {
        let mut failure = None;
        loop {
            if floor.interrupted.load(Ordering::Relaxed) {
                failure = Some(RunError::Interrupted);
            }
            if failure.is_some() {
                board.stop_all();
            }
            while failure.is_none()
                && let Some(unit) = board.next()
            {
                let attempt = board.begin(unit);
                watch(Event::Started { name: &units[unit].name, attempt });
                match director.job(unit, attempt) {
                    Ok(Ready::Run(job)) => {
                        let sender = sender.clone();
                        scope.spawn(move || work(unit, attempt, &job, floor, &sender));
                    }
                    Ok(Ready::Judged(outcome, reasons)) => {
                        board.judge(unit, attempt, outcome);
                        watch(ended(&units[unit], attempt, outcome, &reasons));
                    }
                    Err(error) => {
                        board.settle(unit, Outcome::Errored);
                        failure = Some(error);
                    }
                }
            }
            if board.idle() {
                return failure.map_or_else(|| Ok(board.outcomes()), Err);
            }
            match messages.recv_timeout(PULSE) {
                Ok(Message::Running { unit, stopper }) => board.running(unit, stopper),
                Ok(Message::Output { unit, attempt, stream, bytes }) => {
                    watch(Event::Output { name: &units[unit].name, attempt, stream, bytes: &bytes });
                }
                // What is killed because the run ends is not judged: an opened run without close is `missing`.
                Ok(Message::Ended { unit, .. }) if failure.is_some() => board.settle(unit, Outcome::Errored),
                Ok(Message::Ended { unit, attempt, result }) => {
                    let judged = result.and_then(|result| director.ended(unit, attempt, result));
                    match judged {
                        Ok((outcome, reasons)) => {
                            board.judge(unit, attempt, outcome);
                            watch(ended(&units[unit], attempt, outcome, &reasons));
                        }
                        Err(error) => {
                            board.settle(unit, Outcome::Errored);
                            failure.get_or_insert(error);
                        }
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    })
}

fn ended<'a>(unit: &'a Unit, attempt: u32, outcome: Outcome, reasons: &'a [Reason]) -> Event<'a> {
    Event::Ended { name: &unit.name, attempt, outcome, reasons }
}

/// State of all units.
struct Board<'a> {
    units: &'a [Unit],
    states: Vec<State>,
    stoppers: BTreeMap<usize, Box<dyn Stopper>>,
    slots: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting { attempts: u32 },
    Running { attempt: u32 },
    Done(Outcome),
}

impl<'a> Board<'a> {
    fn new(units: &'a [Unit]) -> Self {
        let slots = thread::available_parallelism().map_or(1, NonZero::get);
        let states = vec![State::Waiting { attempts: 0 }; units.len()];
        Self { units, states, stoppers: BTreeMap::new(), slots }
    }

    /// A unit that can start now. Units that can never start are settled on the way.
    fn next(&mut self) -> Option<usize> {
        self.skip_hopeless();
        let running = self.states.iter().filter(|state| matches!(state, State::Running { .. })).count();
        if running >= self.slots {
            return None;
        }
        (0..self.units.len()).find(|&unit| {
            matches!(self.states[unit], State::Waiting { .. })
                && self.units[unit]
                    .needs
                    .iter()
                    .all(|&need| self.states[need] == State::Done(Outcome::Passed))
        })
    }

    fn skip_hopeless(&mut self) {
        loop {
            let hopeless = (0..self.units.len()).find(|&unit| {
                matches!(self.states[unit], State::Waiting { .. })
                    && self.units[unit].needs.iter().any(|&need| {
                        matches!(self.states[need], State::Done(outcome) if outcome != Outcome::Passed)
                    })
            });
            match hopeless {
                Some(unit) => self.states[unit] = State::Done(Outcome::Skipped),
                None => return,
            }
        }
    }

    fn begin(&mut self, unit: usize) -> u32 {
        let attempt = match self.states[unit] {
            State::Waiting { attempts } => attempts + 1,
            State::Running { attempt } => attempt,
            State::Done(_) => 1,
        };
        self.states[unit] = State::Running { attempt };
        attempt
    }

    fn running(&mut self, unit: usize, stopper: Box<dyn Stopper>) {
        self.stoppers.insert(unit, stopper);
    }

    /// Records a judgement; a unit that did not pass and has tries left waits again.
    fn judge(&mut self, unit: usize, attempt: u32, outcome: Outcome) {
        self.stoppers.remove(&unit);
        let again = outcome != Outcome::Passed && attempt < self.units[unit].attempts;
        self.states[unit] = if again { State::Waiting { attempts: attempt } } else { State::Done(outcome) };
    }

    fn settle(&mut self, unit: usize, outcome: Outcome) {
        self.stoppers.remove(&unit);
        self.states[unit] = State::Done(outcome);
    }

    /// Kills what runs and lets nothing else start.
    fn stop_all(&mut self) {
        for stopper in self.stoppers.values() {
            stopper.kill();
        }
        for state in &mut self.states {
            if matches!(state, State::Waiting { .. }) {
                *state = State::Done(Outcome::Skipped);
            }
        }
    }

    fn idle(&self) -> bool {
        self.states.iter().all(|state| matches!(state, State::Done(_)))
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let outcome = |state: &State| match state {
            State::Done(outcome) => *outcome,
            State::Waiting { .. } | State::Running { .. } => Outcome::Missing,
        };
        self.states.iter().map(outcome).collect()
    }
}

/// One attempt, in a thread of its own.
fn work(unit: usize, attempt: u32, job: &Job, floor: &Floor<'_>, sender: &Sender<Message>) {
    let observed = panic::catch_unwind(AssertUnwindSafe(|| observe(unit, attempt, job, floor, sender)));
    let result = Box::new(observed.unwrap_or_else(|_| Err(broke_off(attempt))));
    // The dispatcher waits for this message before it ends.
    let _ = sender.send(Message::Ended { unit, attempt, result });
}

/// What an adapter that panics leaves: the dispatcher must not wait for it for ever.
fn broke_off(attempt: u32) -> RunError {
    RunError::Internal {
        action: format!("observe attempt {attempt}"),
        problem: "its thread broke off".into(),
    }
}

fn observe(
    unit: usize,
    attempt: u32,
    job: &Job,
    floor: &Floor<'_>,
    sender: &Sender<Message>,
) -> Result<Attempt, RunError> {
    let started = (floor.clock)();
    let tell = |stream: Stream, bytes: &[u8]| {
        let _ = sender.send(Message::Output { unit, attempt, stream, bytes: bytes.to_vec() });
    };
    let begun = |stopper| {
        let _ = sender.send(Message::Running { unit, stopper });
    };
    let mut unserved = false;
    let ran = match &job.service {
        None => run(job, floor, None, &begun, &tell)?,
        Some(service) => {
            let served = service::beside(floor, service, |way| run(job, floor, Some(way), &begun, &tell))?;
            unserved = !removed!("service-answers") && served.problem.is_some();
            let mut ran = served.looked.unwrap_or_else(|| Ran::nothing(served.finished));
            for text in [&served.printed, served.problem.unwrap_or_default().as_bytes()] {
                tell(Stream::Err, text);
                ran.log.extend_from_slice(text);
            }
            ran
        }
    };
    let observed = Observed {
        exit: ran.finished.exit,
        log: floor.blobs.put(&ran.log)?,
        isolation: ran.finished.record.clone(),
        started,
        finished: (floor.clock)(),
    };
    Ok(Attempt { observed, stdout: ran.stdout, stderr: ran.stderr, finished: ran.finished, unserved })
}

/// What a command printed, and what it left.
struct Ran {
    log: Vec<u8>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    finished: Finished,
}

impl Ran {
    /// In place of a scanner that did not start.
    fn nothing(finished: Finished) -> Self {
        Self { log: vec![], stdout: vec![], stderr: vec![], finished }
    }
}

fn run(
    job: &Job,
    floor: &Floor<'_>,
    way: Option<&Way<'_>>,
    begun: &dyn Fn(Box<dyn Stopper>),
    tell: &dyn Fn(Stream, &[u8]),
) -> Result<Ran, RunError> {
    let mut running = floor.sandbox.start(&job.sandbox(floor.around), None)?;
    begun(running.stopper());
    let listener = running.take_gateway();
    let (mut log, mut stdout, mut stderr) = (Vec::new(), Vec::new(), Vec::new());
    let work = || {
        running.wait(&mut |stream, bytes| {
            log.extend_from_slice(bytes);
            match stream {
                Stream::Out => stdout.extend_from_slice(bytes),
                Stream::Err => stderr.extend_from_slice(bytes),
            }
            tell(stream, bytes);
        })
    };
    let finished = match (way, &listener) {
        (Some(way), Some(listener)) => way.carry(listener, work).map_err(|e| RunError::io("carry", e))?,
        _ => work(),
    }?;
    Ok(Ran { log, stdout, stderr, finished })
}

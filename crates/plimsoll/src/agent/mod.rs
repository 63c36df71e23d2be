//! The agent of one environment on this machine: what the delivery repository says is what runs here, continuously. It
//! decides nothing: it checks what was decided ([`follow`]), looks at what runs ([`look`]), lets `plimsoll-host` say what
//! follows from the two, starts supervisors, which outlive it, and signs what it sees ([`report`]).

mod follow;
mod look;
mod report;
mod start;

use crate::{
    cli::ProjectAt,
    commands::stop,
    context::{Context, Pinned},
    failure::Failure,
    output::Output,
};
use follow::{Followed, Follower};
use plimsoll_engine::ports::Source as _;
use plimsoll_host::{
    agent_state::{self, AgentState, AgentStateError, AgentStore, UnitState, accept_head},
    reconcile::{Action, reconcile},
};
use plimsoll_model::{Digest, ProjectName, Reason, Timestamp};
use plimsoll_store::StateDir;
use report::Reporter;
use start::{Ended, Starts};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// How long a signal may take to be noticed.
const NOTICE: Duration = Duration::from_millis(200);

/// Where the agent keeps its memory.
pub(crate) fn directory(context: &Context) -> PathBuf {
    context.state.join("agent")
}

/// Whether an agent is at work here that keeps this unit.
pub(crate) fn keeps(context: &Context, unit: &ProjectAt) -> bool {
    let directory = directory(context);
    let Ok(memory) = agent_state::read(&directory) else { return false };
    let own = memory.environment.name == unit.environment && memory.units.contains_key(&unit.project);
    own && matches!(AgentStore::open(&directory), Err(AgentStateError::Refused(_)))
}

/// A trouble that is told when it begins, not at every turn.
#[derive(Debug, Default)]
struct Once(Option<String>);

impl Once {
    fn tell(&mut self, output: &Output, text: &str) {
        if self.0.as_deref() != Some(text) {
            output.progress(&format!("trouble   {text}"));
            self.0 = Some(text.to_owned());
        }
    }

    /// It is over, if there was one.
    fn over(&mut self) -> bool {
        self.0.take().is_some()
    }
}

impl From<AgentStateError> for Failure {
    fn from(error: AgentStateError) -> Self {
        match error {
            AgentStateError::Refused(reason) => reason.into(),
            AgentStateError::NotEnrolled(_) => Self::Usage(
                "no agent is enrolled here: plimsoll agent enroll NAME --environment … --delivery …".into(),
            ),
            AgentStateError::Enrolled(_) => {
                Self::Usage("an agent is enrolled here already: plimsoll agent show".into())
            }
            other => Self::broken("the agent's memory failed", &other),
        }
    }
}

/// An agent at work.
pub(crate) struct Agent<'a> {
    context: &'a Context,
    output: &'a Output,
    /// Its part of the state directory; other commands may use it too.
    state: StateDir,
    store: AgentStore,
    follower: Follower,
    starts: Starts,
    reporter: Reporter,
    /// What the delivery repository said when it could last be followed.
    followed: Option<Followed>,
    /// Why it cannot be followed now.
    trouble: Once,
    /// Why the last turn came to no end.
    halted: Once,
    /// Why the last observations were not published.
    unheard: Once,
    /// What holds each unit back or is wrong with it, as told.
    problems: BTreeMap<ProjectName, Vec<Reason>>,
}

impl<'a> Agent<'a> {
    /// The agent that is enrolled in the state directory.
    ///
    /// # Errors
    /// When none is, or another process is that agent.
    pub(crate) fn open(context: &'a Context, output: &'a Output) -> Result<Self, Failure> {
        let store = AgentStore::open(&directory(context))?;
        Ok(Self {
            context,
            output,
            state: context.member()?,
            store,
            follower: Follower::default(),
            starts: Starts::new(),
            reporter: Reporter::default(),
            followed: None,
            trouble: Once::default(),
            halted: Once::default(),
            unheard: Once::default(),
            problems: BTreeMap::new(),
        })
    }

    /// Looks once, does what follows, and tells what it sees. What goes wrong is told, and tried again.
    pub(crate) fn turn(&mut self) {
        match self.try_turn() {
            Ok(()) => drop(self.halted.over()),
            Err(failure) => {
                // What could not be remembered is looked at again.
                self.follower = Follower::default();
                self.halted.tell(self.output, &failure.text());
            }
        }
    }

    /// Ends early where the agent's own memory cannot be written: nothing starts that was not remembered before.
    fn try_turn(&mut self) -> Result<(), Failure> {
        let mut memory = self.store.state().clone();
        let pinned = self.follow(&mut memory);
        self.remember_setbacks(&mut memory)?;
        // What was accepted, and what was taken back, is remembered before anything starts.
        self.store.replace(memory.clone())?;
        if let Some(pinned) = &pinned {
            self.beware_of_another(pinned, &memory)?;
        }
        if let Some(followed) = &self.followed {
            let seen = look::seen(self.context, &memory, followed, (&self.starts, &self.problems))?;
            for action in reconcile(&followed.wanted, &seen, Timestamp::now()) {
                self.act(&action, &mut memory);
            }
            self.store.replace(memory.clone())?;
        }
        if let Some(pinned) = pinned {
            self.report(&pinned, &mut memory);
            self.store.replace(memory)?;
        }
        Ok(())
    }

    /// Waits for the next turn: until `interval` has passed, something that was started serves or failed, or `stop` is
    /// set.
    pub(crate) fn wait(&mut self, interval: Duration, stop: &AtomicBool) {
        let until = Instant::now() + interval;
        let ended = loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.starts.wait(left.min(NOTICE)) {
                None if left.is_zero() || stop.load(Ordering::Relaxed) => return,
                None => {}
                Some(ended) => break ended,
            }
        };
        let mut memory = self.store.state().clone();
        self.note(ended, &mut memory);
        if let Err(error) = self.store.replace(memory) {
            self.halted.tell(self.output, &Failure::from(error).text());
        }
    }

    /// Where another agent of this name is at work nothing new starts.
    fn beware_of_another(&mut self, pinned: &Pinned, memory: &AgentState) -> Result<(), Failure> {
        let Some(followed) = &mut self.followed else { return Ok(()) };
        for (project, promoted) in &mut followed.wanted.units {
            if let Some(reason) = self.reporter.other(self.context, pinned, project, memory)? {
                promoted.check = Err(vec![reason]);
            }
        }
        Ok(())
    }

    /// A supervisor tells of a setback until traffic moves forward, as it does in a repair; the agent until another
    /// release comes to serve.
    fn remember_setbacks(&self, memory: &mut AgentState) -> Result<(), Failure> {
        let environment = &memory.environment.name;
        for (project, known) in &mut memory.units {
            let unit = ProjectAt { project: project.clone(), environment: environment.clone() };
            if let Some(taken_back) = look::taken_back(&stop::directory(self.context, &unit)?) {
                known.taken_back = Some(taken_back);
            }
        }
        Ok(())
    }

    /// Follows the delivery repository as far as it may be followed. What cannot be read, and what was rewound, changes
    /// nothing: what was wanted before still is. Gives what is pinned where observations can be published.
    fn follow(&mut self, memory: &mut AgentState) -> Option<Pinned> {
        let pinned = match self.context.pinned() {
            Ok(pinned) => pinned?,
            Err(failure) => return self.troubled(&failure, memory),
        };
        match self.advance(pinned, memory) {
            Ok(pinned) => {
                if self.trouble.over() {
                    self.output.progress("following again");
                }
                Some(pinned)
            }
            Err(failure) => self.troubled(&failure, memory),
        }
    }

    fn advance(&mut self, pinned: Pinned, memory: &mut AgentState) -> Result<Pinned, Failure> {
        let mirror = self.context.mirror(&pinned)?;
        let head = mirror.fetch()?;
        let source = mirror.source()?;
        accept_head(&memory.delivery_commit, &head, |last, head| {
            Ok::<_, Failure>(source.is_ancestor(last, head)?)
        })?;
        let pinned = self.context.adopt(pinned, &source, &head)?;
        let root = pinned.accept()?;
        if memory.delivery_commit != head {
            self.output.progress(&format!("follow    {}", head.short()));
        }
        let place = (&self.state, &source);
        let followed = self.follower.follow(place, (&root, &pinned.earlier), &head, memory)?;
        memory.delivery_commit = head;
        self.followed = Some(followed);
        Ok(pinned)
    }

    /// What could not be followed is told once, and to everybody where it is a refusal.
    fn troubled(&mut self, failure: &Failure, memory: &AgentState) -> Option<Pinned> {
        self.trouble.tell(self.output, &failure.text());
        let reasons = match failure {
            Failure::Refused(reasons) => reasons.clone(),
            _ => vec![],
        };
        let refused = !reasons.is_empty();
        let followed = self.followed.take().unwrap_or_else(|| Followed::remembered(memory));
        self.followed = Some(followed.held_back(reasons));
        // A delivery repository that was rewound can still be told so; one that is out of reach cannot.
        self.context.pinned().ok().flatten().filter(|_| refused)
    }

    fn act(&mut self, action: &Action, memory: &mut AgentState) {
        let unit = look::unit(memory, action.unit());
        match action {
            Action::Start { decision, .. } => self.start(action.unit(), decision, start::Why::New),
            Action::Restart { decision, grandfathered, .. } => {
                if *grandfathered {
                    self.output
                        .progress(&format!("older     {unit} runs under rules that would refuse it today"));
                }
                self.start(action.unit(), decision, start::Why::Restart);
            }
            Action::Repair { unit: project } => self.repair(project, &unit, memory),
            Action::Stop { unit: project } => {
                self.output.progress(&format!("stop      {unit}: nobody wants it any more"));
                let directory = stop::directory(self.context, &unit);
                drop(directory.map(|directory| plimsoll_host::stop(&directory)));
                memory.units.remove(project);
            }
            Action::Report { unit: project, reasons } => {
                for reason in reasons {
                    self.output.progress(&format!("{}  {unit}: {}", reason.code, reason.sentence()));
                }
                if reasons.is_empty() {
                    self.output.progress(&format!("in order  {unit}"));
                }
                self.problems.insert(project.clone(), reasons.clone());
            }
        }
    }

    fn repair(&mut self, project: &ProjectName, unit: &ProjectAt, memory: &mut AgentState) {
        let Ok(directory) = stop::directory(self.context, unit) else { return };
        let (Some(current), Some(known)) = (directory.read(), memory.units.get_mut(project)) else { return };
        for drift in directory.look().iter().flat_map(|look| &look.drift) {
            self.output.progress(&format!("drift     {}", drift.reason(unit).sentence()));
        }
        known.repairs = known.repairs.saturating_add(1);
        self.start(project, &current.decision, start::Why::Repair);
    }

    fn start(&mut self, project: &ProjectName, decision: &Digest, why: start::Why) {
        let unit = look::unit(self.store.state(), project);
        self.output.progress(&format!("{:<9} {unit}  decision {}", start::word(why), decision.short()));
        match self.state.layout().dossier(decision) {
            Ok(Some(dossier)) => self.starts.begin(self.context, unit, *decision, dossier.digest, why),
            Ok(None) => self.output.progress(&format!("trouble   {unit}: its dossier is not here")),
            Err(error) => self.output.progress(&format!("trouble   {unit}: {error}")),
        }
    }

    /// What came of a start.
    fn note(&self, ended: Ended, memory: &mut AgentState) {
        let Ended { unit, decision, why, result } = ended;
        match &result {
            Ok(service) => self.output.progress(&format!("serving   {unit}  http://{}", service.listen)),
            Err(failure) => self.output.progress(&format!("failed    {unit}  {}", failure.text())),
        }
        let Some(known) = memory.units.get_mut(&unit.project) else { return };
        match result {
            Ok(_) => known.failures = None,
            Err(failure) => {
                known.failures = Some(start::failures(known.failures.take(), decision, &unit, &failure))
            }
        }
        if why == start::Why::New && known.failures.is_none() {
            (known.repairs, known.taken_back) = (0, None);
        }
    }

    fn report(&mut self, pinned: &Pinned, memory: &mut AgentState) {
        let Some(followed) = &self.followed else { return };
        let head = followed.head.clone().unwrap_or_else(|| memory.delivery_commit.clone());
        let told = self.reporter.report(
            self.context,
            (&self.state, pinned),
            followed,
            &self.problems,
            (&head, memory),
        );
        match told {
            Ok(()) => drop(self.unheard.over()),
            Err(failure) => {
                let text = format!("the observation was not published: {}", failure.text());
                self.unheard.tell(self.output, &text);
            }
        }
    }
}

/// What the next turn needs to know of a unit that was just accepted.
pub(crate) fn accepted(
    before: Option<UnitState>,
    place: plimsoll_host::agent_state::Place,
    release: Digest,
) -> UnitState {
    match before {
        Some(known) if known.accepted == place => known,
        Some(known) => UnitState { accepted: place, release, ..known },
        None => {
            UnitState { accepted: place, release, taken_back: None, failures: None, repairs: 0, sequence: 0 }
        }
    }
}

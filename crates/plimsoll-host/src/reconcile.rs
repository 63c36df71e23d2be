//! What an agent does next: a function of what the delivery repository names and what runs. It reads nothing, changes
//! nothing and knows no clock; whoever acts makes no choices. Which decisions count was found out before, and is an
//! argument here.
//!
//! | | expired | frozen | policy tightened |
//! |---|---|---|---|
//! | new release | refuse | refuse | refuse |
//! | going back to an earlier one | refuse | allow | refuse |
//! | restart of the current release | allow | allow | allow, marked grandfathered |
//! | drift repair | allow | pause | allow |
//!
//! Falling back in the confirm window is between the two supervisors, which go on without any agent.

#[cfg(test)]
mod tests;

use crate::{
    agent_state::{Failures, TakenBack},
    drift::Drift,
};
use plimsoll_model::{Code, Digest, EnvironmentName, ProjectName, Reason, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Repairs of one decision's drift; then it is only reported.
pub const REPAIRS: u32 = 3;
/// Seconds to wait after the first failed start; each further one doubles them.
const FIRST_WAIT: i64 = 10;
/// The longest wait between starts, in seconds.
const LONGEST_WAIT: i64 = 600;

/// What the delivery repository names for this agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The agent's environment.
    pub environment: EnvironmentName,
    /// Why nothing new starts now (`E-FREEZE`), if there is a freeze.
    pub frozen: Option<Reason>,
    /// The newest promoted decision of each unit whose target names this agent.
    pub units: BTreeMap<ProjectName, Promoted>,
}

/// The newest promoted decision of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promoted {
    /// Payload digest of the decision.
    pub decision: Digest,
    /// The release that it names.
    pub release: Digest,
    /// Whether it goes back to an earlier release, which is what one does in a freeze.
    pub rollback: bool,
    /// Whether its promotion is in order, and if not, why: signature, promotion commit, chain, policy set, recomputed
    /// dossier. Its time is judged when it starts.
    pub check: Result<(), Vec<Reason>>,
}

/// What runs, by unit; also units that nobody wants any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The units.
    pub units: BTreeMap<ProjectName, SeenUnit>,
}

/// What is known of one unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenUnit {
    /// What serves; where nothing does, what served last. None before the first start and after a stop.
    pub current: Option<Current>,
    /// What its supervisor does.
    pub phase: Phase,
    /// The decision that the unit fell back from, until a new one comes to serve.
    pub taken_back: Option<TakenBack>,
    /// Starts that failed in a row, until that very decision comes to serve or another one fails.
    pub failures: Option<Failures>,
    /// How what serves differs from its release.
    pub drift: Vec<Drift>,
    /// Repairs of the current decision's drift.
    pub repairs: u32,
    /// The reasons of the last [`Action::Report`].
    pub reported: Vec<Reason>,
}

/// A decision that came to serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// Its payload digest.
    pub decision: Digest,
    /// Whether it was decided under rules that are not in force any more.
    pub grandfathered: bool,
}

/// What a supervisor does for a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// There is none.
    #[default]
    Absent,
    /// It starts something that does not serve yet; what served before still does.
    Starting,
    /// It serves [`SeenUnit::current`], perhaps with the one before as standby. Supervisors fall back among themselves:
    /// afterwards the one before is what serves, and [`SeenUnit::taken_back`] names the other.
    Serving,
    /// It gave up on [`SeenUnit::current`], which ended too often, and nothing serves.
    Failed,
}

/// What to do about a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Start a new release, with a permit.
    Start {
        /// The unit.
        unit: ProjectName,
        /// Its newest promoted decision.
        decision: Digest,
    },
    /// Start the current release again: it died.
    Restart {
        /// The unit.
        unit: ProjectName,
        /// The current decision.
        decision: Digest,
        /// Whether it was decided under rules that are not in force any more.
        grandfathered: bool,
    },
    /// Start the current release again from fresh files: it drifted.
    Repair {
        /// The unit.
        unit: ProjectName,
    },
    /// Stop the unit: this agent's delivery repository has it no more, or it moved to another agent.
    Stop {
        /// The unit.
        unit: ProjectName,
    },
    /// Tell what holds the unit back or is wrong with it. Without reasons: what was reported is over.
    Report {
        /// The unit.
        unit: ProjectName,
        /// In order.
        reasons: Vec<Reason>,
    },
}

impl Action {
    /// The unit that it is about.
    #[must_use]
    pub const fn unit(&self) -> &ProjectName {
        match self {
            Self::Start { unit, .. }
            | Self::Restart { unit, .. }
            | Self::Repair { unit }
            | Self::Stop { unit }
            | Self::Report { unit, .. } => unit,
        }
    }
}

/// What to do now, in order of the units: for each at most one action that changes what runs, and at most one report
/// behind it. Empty where everything is as it should be and has been told.
#[must_use]
pub fn reconcile(wanted: &Wanted, seen: &Seen, now: Timestamp) -> Vec<Action> {
    let units: BTreeSet<&ProjectName> = wanted.units.keys().chain(seen.units.keys()).collect();
    let nothing = SeenUnit::default();
    let each = units.into_iter().flat_map(|unit| {
        let seen = seen.units.get(unit).unwrap_or(&nothing);
        let look = Look { unit, environment: &wanted.environment, frozen: wanted.frozen.as_ref(), seen, now };
        look.actions(wanted.units.get(unit))
    });
    each.collect()
}

/// One unit at one time.
struct Look<'a> {
    unit: &'a ProjectName,
    environment: &'a EnvironmentName,
    frozen: Option<&'a Reason>,
    seen: &'a SeenUnit,
    now: Timestamp,
}

impl Look<'_> {
    fn actions(&self, promoted: Option<&Promoted>) -> Vec<Action> {
        let mut reasons = Vec::new();
        let action = match promoted {
            None => self.stop(),
            Some(promoted) => match self.obstacles(promoted) {
                // While a new release waits for its next try, what runs is looked after.
                Ok(()) => {
                    reasons.extend(self.failed(promoted.decision).map(|failures| failures.reason.clone()));
                    self.start(promoted).or_else(|| self.keep(&mut reasons))
                }
                Err(held) => {
                    reasons.extend(held);
                    self.keep(&mut reasons)
                }
            },
        };
        let unit = self.unit.clone();
        let news = (reasons != self.seen.reported).then_some(Action::Report { unit, reasons });
        action.into_iter().chain(news).collect()
    }

    fn stop(&self) -> Option<Action> {
        let runs = self.seen.phase != Phase::Absent || self.seen.current.is_some();
        runs.then(|| Action::Stop { unit: self.unit.clone() })
    }

    /// Why the promoted decision is not started: nothing to tell where it is what serves already, and in order.
    fn obstacles(&self, promoted: &Promoted) -> Result<(), Vec<Reason>> {
        if self.seen.current.as_ref().is_some_and(|current| current.decision == promoted.decision) {
            return Err(promoted.check.clone().err().unwrap_or_default());
        }
        if let Some(taken_back) = &self.seen.taken_back
            && taken_back.decision == promoted.decision
        {
            let mut reasons = promoted.check.clone().err().unwrap_or_default();
            reasons.push(self.taken_back(promoted, &taken_back.problem));
            return Err(reasons);
        }
        promoted.check.clone()?;
        self.frozen.filter(|_| !promoted.rollback).map_or(Ok(()), |reason| Err(vec![reason.clone()]))
    }

    fn taken_back(&self, promoted: &Promoted, problem: &str) -> Reason {
        let reason = Code::Fallback.reason().with("release", promoted.release);
        let reason = reason.with("project", self.unit).with("environment", self.environment);
        reason.with("problem", format!("{problem}, and it is not tried again"))
    }

    fn start(&self, promoted: &Promoted) -> Option<Action> {
        let (unit, decision) = (self.unit.clone(), promoted.decision);
        let ready = self.seen.phase != Phase::Starting && self.waited_for(decision);
        ready.then_some(Action::Start { unit, decision })
    }

    /// Looks after what runs.
    fn keep(&self, reasons: &mut Vec<Reason>) -> Option<Action> {
        let current = self.seen.current.as_ref()?;
        match self.seen.phase {
            Phase::Starting => None,
            Phase::Failed | Phase::Absent => self.restart(current),
            Phase::Serving => self.repair(reasons),
        }
    }

    fn restart(&self, current: &Current) -> Option<Action> {
        let restart = Action::Restart {
            unit: self.unit.clone(),
            decision: current.decision,
            grandfathered: current.grandfathered,
        };
        self.waited_for(current.decision).then_some(restart)
    }

    /// Whether enough time has passed since the last start of this decision failed. Where the clock was set back since
    /// then, nobody knows, and nobody waits.
    fn waited_for(&self, decision: Digest) -> bool {
        let passed = |last: Timestamp| self.now.as_second().saturating_sub(last.as_second());
        let waits = |failures: &Failures| (0..wait_after(failures.count)).contains(&passed(failures.last));
        self.failed(decision).is_none_or(|failures| !waits(failures))
    }

    fn failed(&self, decision: Digest) -> Option<&Failures> {
        self.seen.failures.as_ref().filter(|failures| failures.decision == decision)
    }

    /// Repairs drift; where it may not or cannot, tells about it.
    fn repair(&self, reasons: &mut Vec<Reason>) -> Option<Action> {
        let repairable = self.seen.drift.iter().any(|drift| drift.repairable);
        if repairable && self.frozen.is_none() && self.seen.repairs < REPAIRS {
            return Some(Action::Repair { unit: self.unit.clone() });
        }
        let unit = format!("{}@{}", self.unit, self.environment);
        reasons.extend(self.seen.drift.iter().map(|drift| drift.reason(&unit)));
        if repairable {
            reasons.extend(self.frozen.filter(|reason| !reasons.contains(reason)).cloned());
        }
        None
    }
}

/// Seconds to wait after so many failed starts in a row.
fn wait_after(count: u32) -> i64 {
    let factor = 2_i64.saturating_pow(count.saturating_sub(1));
    FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT)
}

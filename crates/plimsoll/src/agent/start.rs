//! Starts that are under way. Each waits in a thread of its own for a supervisor to say what came of it, so that one slow
//! service keeps no other waiting.

use crate::{cli::ProjectAt, commands::supervisor, context::Context, failure::Failure};
use plimsoll_host::{ServiceRecord, agent_state::Failures};
use plimsoll_model::{Code, Digest, ProjectName, Timestamp};
use std::{
    collections::BTreeSet,
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

pub(crate) use crate::door::Why;

/// What is being done, for people.
pub(crate) fn word(why: Why) -> &'static str {
    match why {
        Why::New => "start",
        Why::Restart => "restart",
        Why::Repair => "repair",
    }
}

/// What came of a start.
pub(crate) struct Ended {
    pub(crate) unit: ProjectAt,
    pub(crate) decision: Digest,
    pub(crate) why: Why,
    pub(crate) result: Result<ServiceRecord, Failure>,
}

/// The starts of this process.
pub(crate) struct Starts {
    open: BTreeSet<ProjectName>,
    sender: Sender<Ended>,
    ended: Receiver<Ended>,
}

impl Starts {
    pub(crate) fn new() -> Self {
        let (sender, ended) = mpsc::channel();
        Self { open: BTreeSet::new(), sender, ended }
    }

    /// Whether something of this project is being started.
    pub(crate) fn is_open(&self, project: &ProjectName) -> bool {
        self.open.contains(project)
    }

    /// Starts the release of a dossier.
    pub(crate) fn begin(
        &mut self,
        context: &Context,
        unit: ProjectAt,
        decision: Digest,
        dossier: Digest,
        why: Why,
    ) {
        self.open.insert(unit.project.clone());
        let (sender, context) = (self.sender.clone(), context.clone());
        thread::spawn(move || {
            let result = supervisor::start(&context, &unit, &dossier, why);
            // The agent may have ended by now; the supervisor has not.
            let _ = sender.send(Ended { unit, decision, why, result });
        });
    }

    /// The next start that ended; none within `time`.
    pub(crate) fn wait(&mut self, time: Duration) -> Option<Ended> {
        let ended = self.ended.recv_timeout(time).ok()?;
        self.open.remove(&ended.unit.project);
        Some(ended)
    }
}

/// One failed start more.
pub(crate) fn failures(
    before: Option<Failures>,
    decision: Digest,
    unit: &ProjectAt,
    failure: &Failure,
) -> Failures {
    let before = before.filter(|before| before.decision == decision).map_or(0, |before| before.count);
    let reason = match failure {
        Failure::Refused(reasons) => reasons.first().cloned(),
        _ => None,
    };
    let reason = reason.unwrap_or_else(|| {
        let reason = Code::Health.reason().with("release", decision).with("problem", failure.text());
        reason.with("project", &unit.project).with("environment", &unit.environment)
    });
    Failures { decision, count: before.saturating_add(1), last: Timestamp::now(), reason }
}

//! What a supervisor sees of its own instance while that has the traffic, kept in the service's directory for whoever
//! asks, and noted in its log. It acts on nothing that it sees.

use crate::{
    drift::{Drift, DriftError, DriftKind, Expected, Memory, MountSet, inspect},
    record::{ServiceDirectory, ServiceState},
};
use plimsoll_model::{Timestamp, reason::printable};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, error::Error};

/// Characters of a problem.
const PROBLEM_LIMIT: usize = 500;

/// What was seen of the instance that has the traffic. Its supervisor looks every two seconds, and writes when what it
/// sees is not what it saw before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// Version of this shape; 1.
    pub version: u32,
    /// Process id of the service on the host.
    pub process: u32,
    /// Since when it looks like this.
    pub at: Timestamp,
    /// How it differs from its release. Where there is a problem: as it was seen last.
    pub drift: Vec<Drift>,
    /// Why nothing can be said at the moment; then no drift does not mean that all is well.
    pub problem: Option<String>,
}

impl Look {
    /// Whether it was looked at, and runs as decided.
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        self.drift.is_empty() && self.problem.is_none()
    }
}

/// Looks at one instance from its start.
#[derive(Debug)]
pub(crate) struct Watch {
    directory: ServiceDirectory,
    expected: Expected,
    process: u32,
    clock: fn() -> Timestamp,
    /// None until the first look.
    memory: Option<Memory>,
    /// Looks in a row that found no process.
    missed: u32,
    /// As it was seen last.
    drift: Vec<Drift>,
    problem: Option<String>,
    noted: Noted,
}

/// What stands in the log.
#[derive(Debug, Default, PartialEq, Eq)]
struct Noted {
    kinds: BTreeSet<DriftKind>,
    problem: bool,
}

impl Watch {
    /// Of `process`, which has just been started. Mounts that `expected` names do not count: the first look says which
    /// are right.
    pub(crate) fn new(
        directory: ServiceDirectory,
        expected: Expected,
        process: u32,
        clock: fn() -> Timestamp,
    ) -> Self {
        let (drift, problem, noted) = (Vec::new(), None, Noted::default());
        Self { directory, expected, process, clock, memory: None, missed: 0, drift, problem, noted }
    }

    /// Looks, and keeps what it saw if the instance has the traffic. Without traffic only the first look is made.
    pub(crate) fn look(&mut self) {
        if self.memory.is_some() && !self.has_traffic() {
            return;
        }
        let seen = self.inspect();
        self.take(seen);
        // It may have lost the traffic meanwhile; then another supervisor writes.
        if self.has_traffic() {
            self.keep();
            self.note();
        }
    }

    fn has_traffic(&self) -> bool {
        self.directory.written().is_some_and(|record| {
            record.state == ServiceState::Serving
                && record.supervisor == std::process::id()
                && record.process == self.process
        })
    }

    fn inspect(&mut self) -> Result<Vec<Drift>, DriftError> {
        let memory = match &mut self.memory {
            Some(memory) => memory,
            None => {
                self.expected.mounts = MountSet::of(self.process)?;
                self.memory.insert(Memory::default())
            }
        };
        inspect(self.process, &self.expected, memory)
    }

    fn take(&mut self, seen: Result<Vec<Drift>, DriftError>) {
        self.missed = if matches!(seen, Err(DriftError::Gone)) { self.missed + 1 } else { 0 };
        match seen {
            Ok(drift) => (self.drift, self.problem) = (drift, None),
            // The end of an instance is told to its supervisor within one look.
            Err(DriftError::Gone) if self.missed < 2 => {}
            Err(DriftError::Gone) => {
                self.problem = Some("its first thread has ended, and others go on".into());
            }
            Err(error) => self.problem = Some(text(&error)),
        }
    }

    fn keep(&self) {
        let Self { process, drift, problem, .. } = self;
        let same = |look: &Look| (&look.drift, &look.problem) == (drift, problem);
        if !self.directory.look().as_ref().is_some_and(same) {
            self.directory.write_look(&Look {
                version: 1,
                process: *process,
                at: (self.clock)(),
                drift: drift.clone(),
                problem: problem.clone(),
            });
        }
    }

    /// One line for each kind that appears or ends.
    fn note(&mut self) {
        let kinds = self.drift.iter().map(|drift| drift.what).collect();
        let now = Noted { kinds, problem: self.problem.is_some() };
        if now == self.noted {
            return;
        }
        let mut lines = String::new();
        for Drift { what, cause, .. } in &self.drift {
            if !self.noted.kinds.contains(what) {
                lines.push_str(&format!("plimsoll: drift: {what}: {cause}\n"));
            }
        }
        for what in self.noted.kinds.difference(&now.kinds) {
            lines.push_str(&format!("plimsoll: drift has ended: {what}\n"));
        }
        match &self.problem {
            Some(problem) if !self.noted.problem => {
                lines.push_str(&format!("plimsoll: the service cannot be looked at: {problem}\n"));
            }
            None if self.noted.problem => lines.push_str("plimsoll: the service can be looked at again\n"),
            Some(_) | None => {}
        }
        // A log that cannot be written does not stop a service.
        if let Ok(mut log) = self.directory.open_log() {
            log.append(lines.as_bytes());
        }
        self.noted = now;
    }
}

fn text(error: &DriftError) -> String {
    let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    printable(&format!("{error}{source}"), PROBLEM_LIMIT)
}

#[cfg(test)]
mod tests;

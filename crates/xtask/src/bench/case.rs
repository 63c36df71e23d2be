//! One comparison: two ways to do the same work, timed in turns.

use crate::project::Result;
use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Fewer pairs say too little (and the interval of [`super::stats`] would be wider than what was seen).
const LEAST_PAIRS: usize = 15;

/// A comparison.
pub(super) struct Case {
    /// As in `sandbox-start`.
    pub(super) name: &'static str,
    /// What is timed, for readers of the report.
    pub(super) what: String,
    /// The ratio that should not be exceeded, where there is one.
    pub(super) limit: Option<f64>,
    /// How often each side runs.
    pub(super) pairs: usize,
    /// Plimsoll.
    pub(super) ours: Side,
    /// The other.
    pub(super) peer: Side,
}

/// One way to do the work. It checks that the work was done: a fast failure is an error, not a result.
pub(super) struct Side {
    /// For readers, with the version of a peer.
    pub(super) name: String,
    /// Untimed, before each run.
    pub(super) prepare: Box<dyn FnMut() -> Result<()>>,
    /// Timed.
    pub(super) work: Box<dyn FnMut() -> Result<()>>,
}

impl Side {
    /// Work without preparation.
    pub(super) fn new(name: impl Into<String>, work: impl FnMut() -> Result<()> + 'static) -> Self {
        Self { name: name.into(), prepare: Box::new(|| Ok(())), work: Box::new(work) }
    }

    /// Sets what is done, untimed, before each run.
    pub(super) fn prepared(mut self, prepare: impl FnMut() -> Result<()> + 'static) -> Self {
        self.prepare = Box::new(prepare);
        self
    }

    fn time(&mut self) -> Result<Duration> {
        (self.prepare)()?;
        let start = Instant::now();
        (self.work)().map_err(|error| format!("{}: {error}", self.name))?;
        Ok(start.elapsed())
    }
}

/// Runs a command that must succeed, without input and with its output dropped.
pub(super) fn succeed(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()).into())
}

impl Case {
    /// Seconds of both sides, pair by pair. One pair is run first and thrown away; who begins alternates.
    pub(super) fn measure(&mut self) -> Result<(Vec<f64>, Vec<f64>)> {
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        self.ours.time()?;
        self.peer.time()?;
        for pair in 0..self.pairs.max(LEAST_PAIRS) {
            if pair % 2 == 0 {
                ours.push(self.ours.time()?.as_secs_f64());
                peer.push(self.peer.time()?.as_secs_f64());
            } else {
                peer.push(self.peer.time()?.as_secs_f64());
                ours.push(self.ours.time()?.as_secs_f64());
            }
        }
        Ok((ours, peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, rc::Rc};

    #[test]
    fn both_sides_run_in_turns_and_equally_often() {
        let order = Rc::new(RefCell::new(String::new()));
        let side = |letter: char| {
            let order = Rc::clone(&order);
            Side::new(letter.to_string(), move || {
                order.borrow_mut().push(letter);
                Ok(())
            })
        };
        let mut case =
            Case { name: "x", what: String::new(), limit: None, pairs: 1, ours: side('a'), peer: side('b') };
        let (ours, peer) = case.measure().unwrap();
        assert_eq!((ours.len(), peer.len()), (LEAST_PAIRS, LEAST_PAIRS));
        assert!(order.borrow().starts_with("ababbaabba"), "{}", order.borrow());
    }

    #[test]
    fn work_that_fails_is_no_measurement() {
        let mut side = Side::new("false", || succeed(&mut Command::new("false")));
        assert!(side.time().unwrap_err().to_string().starts_with("false: "));
    }
}

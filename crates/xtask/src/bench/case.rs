//! One comparison: two ways to do the same work, timed in turns.

use super::{How, progress::Progress};
use crate::project::Result;
use std::{
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

/// Fewer pairs say too little: the interval of [`super::stats`] would be wider than what was seen.
const LEAST_PAIRS: usize = 6;
/// Enough to see that both sides work.
const TRIED_PAIRS: usize = 3;

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
    /// Gives how long it took.
    work: Box<dyn FnMut() -> Result<Duration>>,
}

impl Side {
    /// Work without preparation, timed from its beginning to its end.
    pub(super) fn new(name: impl Into<String>, mut work: impl FnMut() -> Result<()> + 'static) -> Self {
        Self::measured(name, move || {
            let start = Instant::now();
            work()?;
            Ok(start.elapsed())
        })
    }

    /// Work that takes its own time, where that is not the time from its beginning to its end.
    pub(super) fn measured(
        name: impl Into<String>,
        work: impl FnMut() -> Result<Duration> + 'static,
    ) -> Self {
        Self { name: name.into(), prepare: Box::new(|| Ok(())), work: Box::new(work) }
    }

    /// Sets what is done, untimed, before each run.
    pub(super) fn prepared(mut self, prepare: impl FnMut() -> Result<()> + 'static) -> Self {
        self.prepare = Box::new(prepare);
        self
    }

    fn time(&mut self) -> Result<Duration> {
        (self.prepare)()?;
        Ok((self.work)().map_err(|error| format!("{}: {error}", self.name))?)
    }
}

/// Runs a command that must succeed, without input and with its output dropped.
pub(super) fn succeed(command: &mut Command) -> Result<()> {
    say(command.stdout(Stdio::null())).map(drop)
}

/// Runs a command that must succeed, without input, and gives what it wrote to standard output.
pub(super) fn say(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
    if !output.status.success() {
        return Err(unexpected(command, &output));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a command that must not succeed, and must say `why`.
pub(super) fn refuse(command: &mut Command, why: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() || !said.contains(why) {
        return Err(format!("{}, which is not the refusal {why}", unexpected(command, &output)).into());
    }
    Ok(())
}

fn unexpected(command: &Command, output: &Output) -> Box<dyn std::error::Error> {
    format!("{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim()).into()
}

impl Case {
    /// Seconds of both sides, pair by pair. One pair is run first and thrown away; who begins alternates.
    pub(super) fn measure(&mut self, how: How) -> Result<(Vec<f64>, Vec<f64>)> {
        let pairs = if how == How::Try { TRIED_PAIRS } else { self.pairs.max(LEAST_PAIRS) };
        let (mut ours, mut peer) = (Vec::new(), Vec::new());
        let progress = Progress::new(pairs);
        progress.step("pair", 0);
        self.ours.time()?;
        self.peer.time()?;
        for pair in 0..pairs {
            if pair % 2 == 0 {
                ours.push(self.ours.time()?.as_secs_f64());
                peer.push(self.peer.time()?.as_secs_f64());
            } else {
                peer.push(self.peer.time()?.as_secs_f64());
                ours.push(self.ours.time()?.as_secs_f64());
            }
            progress.step("pair", pair + 1);
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
        let (ours, peer) = case.measure(How::Keep).unwrap();
        assert_eq!((ours.len(), peer.len()), (LEAST_PAIRS, LEAST_PAIRS));
        assert!(order.borrow().starts_with("ababbaabba"), "{}", order.borrow());
    }

    #[test]
    fn work_that_fails_is_no_measurement() {
        let mut side = Side::new("false", || succeed(&mut Command::new("false")));
        assert!(side.time().unwrap_err().to_string().starts_with("false: "));
    }

    #[test]
    fn a_refusal_is_one_for_the_expected_reason_only() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        assert!(refuse(&mut shell("echo E-X >&2; exit 1"), "E-X").is_ok());
        assert!(refuse(&mut shell("echo E-Y >&2; exit 1"), "E-X").is_err());
        assert!(refuse(&mut shell("echo E-X >&2"), "E-X").is_err());
    }
}

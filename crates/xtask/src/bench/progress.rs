//! How far a measurement is, on a line that is written over. Only a terminal shows it.

use std::io::{IsTerminal as _, Write as _};

/// Written over at each step and wiped when it is dropped.
pub(super) struct Progress {
    shown: bool,
    of: usize,
}

impl Progress {
    pub(super) fn new(of: usize) -> Self {
        Self { shown: std::io::stderr().is_terminal(), of }
    }

    /// `what` is done `done` times. Terminals that cannot be written to are no reason to stop measuring.
    pub(super) fn step(&self, what: &str, done: usize) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r  {what} {done}/{}  ", self.of);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r{:70}\r", "");
        }
    }
}

//! How a check ended. A gate has no boolean: each way not to pass keeps its own name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The outcome of a step, a check or a requirement. Only [`Outcome::Passed`] passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It ran, and said yes.
    Passed,
    /// It ran, and said no.
    Failed,
    /// It did not come to an answer: it crashed, timed out, or its report could not be believed.
    Errored,
    /// It was planned and did not run, because something before it did not pass.
    Skipped,
    /// It has nothing to say about this subject.
    NotApplicable,
    /// Nothing is recorded where something was expected.
    Missing,
    /// It passed too long ago.
    Stale,
}

impl Outcome {
    /// The name used in files, statements and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
            Self::NotApplicable => "not-applicable",
            Self::Missing => "missing",
            Self::Stale => "stale",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

//! A number without a peer: a size, a time, a count.

use super::{How, progress::Progress};
use crate::project::Result;
use serde::{Deserialize, Serialize};

/// Something that is taken a few times.
pub(super) struct Figure {
    /// As in `memory-run`; the name of its file.
    pub(super) name: &'static str,
    /// What is taken, for readers of the report.
    pub(super) what: String,
    pub(super) unit: Unit,
    /// The value that should not be exceeded, where there is one.
    pub(super) limit: Option<f64>,
    pub(super) samples: usize,
    pub(super) take: Box<dyn FnMut() -> Result<f64>>,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unit {
    Bytes,
    Seconds,
    Count,
}

impl Unit {
    /// With as many digits as mean something.
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::Bytes => format!("{:.1} MB", value / 1e6),
            Self::Count => format!("{value:.0}"),
            Self::Seconds if value < 1e-3 => format!("{:.2} µs", value * 1e6),
            Self::Seconds if value < 1.0 => format!("{:.2} ms", value * 1e3),
            Self::Seconds => format!("{value:.2} s"),
        }
    }
}

impl Figure {
    pub(super) fn measure(&mut self, how: How) -> Result<Vec<f64>> {
        let samples = if how == How::Try { 1 } else { self.samples };
        let progress = Progress::new(samples);
        let take = |done| {
            progress.step(self.name, done);
            (self.take)()
        };
        (0..samples).map(take).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_in_units_that_people_compare() {
        assert_eq!(Unit::Bytes.show(40e6), "40.0 MB");
        assert_eq!(Unit::Seconds.show(0.000_25), "250.00 µs");
        assert_eq!(Unit::Seconds.show(0.025), "25.00 ms");
        assert_eq!(Unit::Seconds.show(2.0), "2.00 s");
        assert_eq!(Unit::Count.show(0.0), "0");
    }
}

//! Raw numbers as JSON, one file for each comparison, and a report made from all of them.

use super::{
    How, Measurement,
    figure::Unit,
    machine::Machine,
    stats::{self, Verdict},
};
use crate::project::{Project, Result};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write, path::Path};

/// What was measured, with its numbers; the format of `bench/raw/*.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Measured {
    Comparison(Comparison),
    Value(Value),
}

/// Seconds of both sides, pair by pair.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Comparison {
    version: u32,
    name: String,
    what: String,
    ours: String,
    peer: String,
    limit: Option<f64>,
    machine: Machine,
    ours_seconds: Vec<f64>,
    peer_seconds: Vec<f64>,
}

/// A number that was taken a few times.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Value {
    version: u32,
    name: String,
    what: String,
    unit: Unit,
    limit: Option<f64>,
    machine: Machine,
    values: Vec<f64>,
}

impl Measured {
    pub(super) fn of(measurement: Measurement, how: How, project: &Project) -> Result<Self> {
        let machine = Machine::here(project);
        match measurement {
            Measurement::Case(mut case) => {
                let (ours_seconds, peer_seconds) = case.measure(how)?;
                let (ours, peer) = (case.ours.name, case.peer.name);
                let (name, what, limit) = (case.name.to_owned(), case.what, case.limit);
                Ok(Self::Comparison(Comparison {
                    version: 1,
                    name,
                    what,
                    ours,
                    peer,
                    limit,
                    machine,
                    ours_seconds,
                    peer_seconds,
                }))
            }
            Measurement::Figure(mut figure) => {
                let values = figure.measure(how)?;
                let (name, what, limit) = (figure.name.to_owned(), figure.what, figure.limit);
                Ok(Self::Value(Value { version: 1, name, what, unit: figure.unit, limit, machine, values }))
            }
        }
    }

    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        Ok(std::fs::write(folder.join(self.file()), text)?)
    }

    /// A measurement of the same thing takes the place of the one before.
    fn file(&self) -> String {
        match self {
            Self::Value(value) => format!("{}.json", value.name),
            Self::Comparison(comparison) => {
                let peer = comparison.peer.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("peer");
                format!("{}-{peer}.json", comparison.name)
            }
        }
    }

    fn machine(&self) -> &Machine {
        match self {
            Self::Comparison(comparison) => &comparison.machine,
            Self::Value(value) => &value.machine,
        }
    }

    /// A row of the report.
    pub(super) fn line(&self) -> Result<String> {
        match self {
            Self::Comparison(comparison) => comparison.line(),
            Self::Value(value) => value.line(),
        }
    }
}

impl Comparison {
    fn line(&self) -> Result<String> {
        let ratio = stats::ratio(&self.ours_seconds, &self.peer_seconds);
        let mut line = format!(
            "| {} | {} | {} | {} | {} | {:.3} ({:.3} to {:.3}) |",
            self.what,
            self.peer,
            Unit::Seconds.show(stats::median(&self.ours_seconds)),
            Unit::Seconds.show(stats::median(&self.peer_seconds)),
            self.ours_seconds.len(),
            ratio.median,
            ratio.low,
            ratio.high,
        );
        match self.limit {
            None => line.push_str(" | |"),
            Some(limit) => write!(line, " {limit} | {} |", word(ratio.against(limit)))?,
        }
        Ok(line)
    }
}

impl Value {
    fn line(&self) -> Result<String> {
        let range = stats::range(&self.values);
        let [median, low, high] = [range.median, range.low, range.high].map(|value| self.unit.show(value));
        let mut line = format!("| {} | {median}", self.what);
        if low != high {
            write!(line, " ({low} to {high})")?;
        }
        write!(line, " | {} |", self.values.len())?;
        match self.limit {
            None => line.push_str(" | |"),
            Some(limit) => write!(line, " {} | {} |", self.unit.show(limit), word(range.against(limit)))?,
        }
        Ok(line)
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::Missed => "**missed**",
        Verdict::Undecided => "undecided",
    }
}

/// Makes `RESULTS.md` from everything under `raw`, after `accuracy.md`, which people write.
pub(super) fn write(folder: &Path) -> Result<()> {
    let mut by_machine: BTreeMap<Machine, BTreeMap<String, Measured>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder.join("raw"))? {
        let path = entry?.path();
        let measured: Measured = serde_json::from_slice(&std::fs::read(&path)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        by_machine.entry(measured.machine().clone()).or_default().insert(measured.file(), measured);
    }
    let mut text = INTRODUCTION.to_owned();
    text.push_str(&std::fs::read_to_string(folder.join("accuracy.md"))?);
    for (machine, measured) in &by_machine {
        write!(text, "\n## {}, commit {}\n\n{machine}\n", machine.date, machine.commit)?;
        let is_comparison = |measured: &&Measured| matches!(measured, Measured::Comparison(_));
        let (comparisons, values) = measured.values().partition(is_comparison);
        table(&mut text, COMPARISONS, comparisons)?;
        table(&mut text, VALUES, values)?;
    }
    Ok(std::fs::write(folder.join("RESULTS.md"), text)?)
}

fn table(text: &mut String, head: &str, rows: Vec<&Measured>) -> Result<()> {
    if !rows.is_empty() {
        write!(text, "\n{head}")?;
    }
    for row in rows {
        writeln!(text, "{}", row.line()?)?;
    }
    Ok(())
}

const COMPARISONS: &str = "\
| what | against | ours | theirs | pairs | ratio (95 % interval) | limit | |
|---|---|---|---|---|---|---|---|
";

const VALUES: &str = "\
| what | value (lowest to highest) | samples | limit | |
|---|---|---|---|---|
";

const INTRODUCTION: &str = "\
# Measurements

Made by `make bench`; raw seconds of every single run are in `bench/raw/`. Both sides of a row run in
turns, so that a busy machine slows both alike. The ratio is the median of the ratios of all pairs, below 1 when Plimsoll
is faster; its interval is made of order statistics and assumes nothing about how times are distributed. A limit is missed
only when the whole interval is beyond it. Milliseconds are for orientation, ratios are what counts. How well things are
found comes first: that is measured by hand, with scripts that are named there, and kept in `bench/accuracy.md`.

";

//! Raw numbers as JSON, one file for each comparison, and a report made from all of them.

use super::{
    case::Case,
    machine::Machine,
    stats::{self, Verdict},
};
use crate::project::{Project, Result};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write, path::Path};

/// A comparison with its numbers; the format of `bench/raw/*.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measured {
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

impl Measured {
    pub(super) fn of(mut case: Case, project: &Project) -> Result<Self> {
        let (ours_seconds, peer_seconds) = case.measure()?;
        Ok(Self {
            version: 1,
            name: case.name.to_owned(),
            what: case.what,
            ours: case.ours.name,
            peer: case.peer.name,
            limit: case.limit,
            machine: Machine::here(project),
            ours_seconds,
            peer_seconds,
        })
    }

    pub(super) fn save(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        let peer = self.peer.split_whitespace().next().unwrap_or("peer");
        Ok(std::fs::write(folder.join(format!("{}-{peer}.json", self.name)), text)?)
    }

    /// A row of the report.
    pub(super) fn line(&self) -> Result<String> {
        let ratio = stats::ratio(&self.ours_seconds, &self.peer_seconds);
        let mut line = format!(
            "| {} | {} | {} | {} | {} | {:.3} ({:.3} to {:.3}) |",
            self.what,
            self.peer,
            seconds(stats::median(&self.ours_seconds)),
            seconds(stats::median(&self.peer_seconds)),
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

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::Missed => "**missed**",
        Verdict::Undecided => "undecided",
    }
}

fn seconds(value: f64) -> String {
    if value < 1.0 { format!("{:.2} ms", value * 1e3) } else { format!("{value:.2} s") }
}

/// Makes `RESULTS.md` from everything under `raw`.
pub(super) fn write(folder: &Path) -> Result<()> {
    let mut by_machine: BTreeMap<Machine, BTreeMap<String, Measured>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder.join("raw"))? {
        let path = entry?.path();
        let measured: Measured = serde_json::from_slice(&std::fs::read(&path)?)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        by_machine.entry(measured.machine.clone()).or_default().insert(file, measured);
    }
    let mut text = INTRODUCTION.to_owned();
    for (machine, measured) in &by_machine {
        write!(
            text,
            "\n## {}, commit {}\n\n{}, {} cores, {} GiB, {}, Linux {}, {}; started by {}.\n\n{HEAD}",
            machine.date,
            machine.commit,
            machine.processor,
            machine.cores,
            machine.memory_gib,
            machine.system,
            machine.kernel,
            machine.rust,
            machine.started_by,
        )?;
        for row in measured.values() {
            writeln!(text, "{}", row.line()?)?;
        }
    }
    Ok(std::fs::write(folder.join("RESULTS.md"), text)?)
}

const HEAD: &str = "\
| what | against | ours | theirs | pairs | ratio (95 % interval) | limit | |
|---|---|---|---|---|---|---|---|
";

const INTRODUCTION: &str = "\
# Measurements

Made by `make bench`; raw seconds of every single run are in `bench/raw/`. Both sides of a row run in
turns, so that a busy machine slows both alike. The ratio is the median of the ratios of all pairs, below 1 when Plimsoll
is faster; its interval is made of order statistics and assumes nothing about how times are distributed. A limit is missed
only when the whole interval is beyond it. Milliseconds are for orientation, ratios are what counts.
";

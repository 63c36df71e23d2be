//! What stands and runs in every environment, for people and scripts.

use crate::{
    context::{Context, Pinned},
    failure::Failure,
    output::Output,
    places::{self, Place},
    released::Today,
};
use owo_colors::OwoColorize as _;
use plimsoll_attest::predicate::{Observation, observation::UnitState};
use plimsoll_engine::delivery;
use plimsoll_git::Bounds;
use plimsoll_model::{CommitId, Digest, Timestamp};
use serde::Serialize;
use std::time::Duration;

/// Looking may not take long: what was fetched last is better than nothing.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), bytes: 1 << 30 };

/// One project@environment.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) unit: String,
    /// The decision that stands; none before the first promotion.
    pub(crate) promoted: Option<Promoted>,
    /// Why the decision that the repository names does not count.
    pub(crate) problem: Option<String>,
    /// What its agent saw last.
    pub(crate) observation: Option<Observation>,
    /// What is known today about what runs there; no part of what was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) known: Option<Today>,
}

/// A decision that stands.
#[derive(Debug, Serialize)]
pub(crate) struct Promoted {
    pub(crate) decision: Digest,
    pub(crate) counter: u64,
    pub(crate) release: Digest,
    pub(crate) commit: CommitId,
    pub(crate) decided: Timestamp,
}

/// A row for each place.
pub(crate) fn rows(places: Vec<Place>) -> Vec<Row> {
    places.into_iter().map(row).collect()
}

/// Every unit of the delivery repository, after it was fetched, or as it was fetched last where it is out of reach.
///
/// # Errors
/// When the mirror cannot be read.
pub(crate) fn newest_places(
    context: &Context,
    pinned: Pinned,
    output: &Output,
) -> Result<Vec<Place>, Failure> {
    let mirror = context.mirror(&pinned)?.with_bounds(BOUNDS);
    let fetched = mirror.fetch().map_err(Failure::from);
    // Who only looks follows newer trust roots too: what agents say is signed by keys that they name.
    let followed = fetched.and_then(|head| context.adopt(pinned.clone(), &mirror.source()?, &head));
    let pinned = followed.unwrap_or_else(|failure| {
        output.progress(&format!("as it was fetched last: {}", failure.text()));
        pinned
    });
    places::fetched_places(context, &pinned)
}

fn row(Place { unit, standing, observed }: Place) -> Row {
    let (promoted, problem) = match standing {
        Ok(standing) => (standing.as_ref().map(promoted), None),
        Err(problem) => (None, Some(problem)),
    };
    Row { unit: unit.to_string(), promoted, problem, observation: observed, known: None }
}

fn promoted(standing: &delivery::Promoted) -> Promoted {
    let summary = &standing.statement.value().predicate;
    Promoted {
        decision: *standing.statement.payload_digest(),
        counter: summary.decision.counter.unwrap_or_default(),
        release: summary.decision.release_digest,
        commit: summary.decision.commit.clone(),
        decided: summary.time_verified,
    }
}

/// The board for people.
pub(crate) fn text(rows: &[Row], now: Timestamp) -> String {
    rows.iter().map(|row| row.text(now)).collect()
}

impl Row {
    fn text(&self, now: Timestamp) -> String {
        let wanted = self.promoted.as_ref().map_or_else(
            || "nothing promoted".to_owned(),
            |promoted| format!("decision {} of commit {}", promoted.counter, promoted.commit.short()),
        );
        let (word, runs) = match &self.observation {
            None => ("unseen".dimmed().to_string(), String::new()),
            Some(seen) => (self.word(seen), self.runs(seen, now)),
        };
        let mut text = format!("{:<24} {word}  {wanted}{runs}\n", self.unit);
        let seen = self.observation.iter();
        let problems = seen.flat_map(|seen| seen.problem.iter().chain(&seen.drift));
        let problems = problems.map(|reason| format!("{}: {}", reason.code, reason.sentence()));
        for problem in self.problem.iter().cloned().chain(problems) {
            text.push_str(&format!("  {}\n", problem.red()));
        }
        if let Some(known) = &self.known {
            text.push_str(&format!("  {}\n", known.text().yellow()));
        }
        text
    }

    fn word(&self, seen: &Observation) -> String {
        let word = format!("{:<9}", seen.state);
        match seen.state {
            UnitState::Serving if seen.drift.is_empty() => word.green().to_string(),
            UnitState::Serving | UnitState::FellBack => word.yellow().bold().to_string(),
            UnitState::Failed => word.red().bold().to_string(),
            UnitState::Stopped => word.dimmed().to_string(),
        }
    }

    /// What runs, where it is something else than what is wanted, and who says so.
    fn runs(&self, seen: &Observation, now: Timestamp) -> String {
        let other = self.promoted.as_ref().is_some_and(|promoted| promoted.decision != seen.decision);
        let other = if other { format!(", but commit {} runs", seen.commit.short()) } else { String::new() };
        let age = now.as_second().saturating_sub(seen.observed.as_second());
        format!("{other}  ({} looked {} ago)", seen.agent.name, ago(age))
    }
}

fn ago(seconds: i64) -> String {
    match seconds {
        ..=119 => format!("{} s", seconds.max(0)),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

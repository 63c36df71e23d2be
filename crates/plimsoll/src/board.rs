//! What stands and runs in every environment, as the delivery repository and the agents' observations say.

use crate::{
    cli::ProjectAt,
    context::{Context, Pinned},
    failure::Failure,
    output::Output,
};
use owo_colors::OwoColorize as _;
use plimsoll_attest::{
    TrustRoot,
    predicate::{Observation, observation::UnitState},
};
use plimsoll_engine::{delivery, ports::Source as _};
use plimsoll_git::{Bounds, GitSource};
use plimsoll_model::{CommitId, Digest, RelPath, Timestamp};
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

/// Every unit of the delivery repository, after it was fetched, or as it was fetched last where it is out of reach.
///
/// # Errors
/// When the mirror cannot be read.
pub(crate) fn rows(context: &Context, pinned: &Pinned, output: &Output) -> Result<Vec<Row>, Failure> {
    let mirror = context.mirror(pinned)?.with_bounds(BOUNDS);
    if let Err(error) = mirror.fetch() {
        output.progress(&format!("as it was fetched last: {}", Failure::from(error).text()));
    }
    let Ok(source) = mirror.source() else { return Ok(vec![]) };
    let (root, head) = (pinned.accept()?, source.resolve("HEAD")?.commit);
    units(&source, &head)?.into_iter().map(|unit| row(&source, &head, &root, &unit)).collect()
}

fn units(source: &GitSource, head: &CommitId) -> Result<Vec<ProjectAt>, Failure> {
    let environments: RelPath =
        "environments".parse().map_err(|error| Failure::broken("failed to name a file", &error))?;
    let tree = source.tree(head, Some(&environments))?;
    let named = tree.entries.keys().filter_map(|path| path.as_str().strip_suffix("/target.yaml"));
    let unit = |path: &str| {
        let (environment, project) = path.split_once('/')?;
        Some(ProjectAt { project: project.parse().ok()?, environment: environment.parse().ok()? })
    };
    Ok(named.filter_map(unit).collect())
}

fn row(source: &GitSource, head: &CommitId, root: &TrustRoot, unit: &ProjectAt) -> Result<Row, Failure> {
    let standing = delivery::standing(source, head, root.trust(), &unit.project, &unit.environment);
    let (promoted, problem) = match standing.map_err(Failure::from) {
        Ok(standing) => (standing.as_ref().map(promoted), None),
        Err(failure) => (None, Some(failure.text())),
    };
    let seen = delivery::observed(source, root.trust(), &unit.project, &unit.environment)?;
    let observation = seen.map(|seen| seen.value().predicate.clone());
    Ok(Row { unit: unit.to_string(), promoted, problem, observation })
}

fn promoted(
    decision: &plimsoll_attest::Verified<plimsoll_attest::Statement<plimsoll_policy::Summary>>,
) -> Promoted {
    let summary = &decision.value().predicate;
    Promoted {
        decision: *decision.payload_digest(),
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

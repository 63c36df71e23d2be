//! What a run leaves for `status`, `why`, `trace` and `promote`. Derived: everything in it stands in signed statements
//! too.

use crate::failure::Failure;
use plimsoll_engine::signer::protocol::ArtifactRecord;
use plimsoll_model::{
    CommitId, Digest, Outcome, ProjectName, Reason, RelPath, Role, RunId, Timestamp, record::Tier,
};
use plimsoll_store::{RunDirectory, StateDir};
use serde::{Deserialize, Serialize};

/// Name of the record in a run's directory.
const FILE: &str = "run.json";

/// A finished run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRecord {
    pub(crate) version: u32,
    pub(crate) run: RunId,
    pub(crate) project: ProjectName,
    pub(crate) commit: CommitId,
    pub(crate) tree: Digest,
    pub(crate) plan: Digest,
    pub(crate) pipeline: Digest,
    pub(crate) tier: Tier,
    /// Why the origin of the run is not trusted; empty when it is.
    pub(crate) untrusted: Vec<Reason>,
    pub(crate) finished: Timestamp,
    pub(crate) passed: bool,
    pub(crate) steps: Vec<CheckRecord>,
    pub(crate) checks: Vec<CheckRecord>,
    pub(crate) artifact: Option<ArtifactRecord>,
    pub(crate) statements: Vec<StatementRecord>,
    pub(crate) reasons: Vec<Reason>,
}

/// A step or check and how it ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckRecord {
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
}

/// A statement and where its bundle is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementRecord {
    /// `source`, `artifact`, a check, or `run`.
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) predicate_type: String,
    /// Digest of the payload.
    pub(crate) statement: Digest,
    /// Blob of the bundle.
    pub(crate) bundle: Digest,
}

fn file() -> Result<RelPath, Failure> {
    FILE.parse().map_err(|error| Failure::broken("failed to name a file", &error))
}

impl RunRecord {
    pub(crate) fn save(&self, directory: &RunDirectory) -> Result<(), Failure> {
        Ok(directory.write_json(&file()?, self)?)
    }

    /// Whether it had a step or check of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.steps.iter().chain(&self.checks).any(|entry| entry.name == name)
    }

    /// The statement of this name.
    pub(crate) fn statement(&self, name: &str) -> Option<&StatementRecord> {
        self.statements.iter().rev().find(|statement| statement.name == name)
    }
}

/// A run as it is found: finished, or not.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) run: RunId,
    pub(crate) created: Timestamp,
    pub(crate) record: Option<RunRecord>,
}

/// All runs, newest first. The record of a run is read when it is its turn: there may be thousands.
pub(crate) fn list(state: &StateDir) -> Result<impl Iterator<Item = Result<Found, Failure>>, Failure> {
    let runs = state.runs().list()?;
    Ok(runs.into_iter().map(|(run, created)| open(state, run, created)))
}

fn open(state: &StateDir, run: RunId, created: Timestamp) -> Result<Found, Failure> {
    let record = state.runs().open(&run)?.read_json(&file()?)?;
    Ok(Found { run, created, record })
}

/// The one run whose id begins with `text`.
pub(crate) fn find(state: &StateDir, text: &str) -> Result<Found, Failure> {
    let mut matching = state.runs().list()?;
    matching.retain(|(run, _)| run.as_str().starts_with(text));
    match (matching.len(), matching.pop()) {
        (1, Some((run, created))) => open(state, run, created),
        (0, _) => Err(Failure::Usage(format!("there is no run {text}; `plimsoll status` lists them"))),
        (count, _) => Err(Failure::Usage(format!("{count} runs begin with {text}: write more of the id"))),
    }
}

/// A decision that was signed here.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRecord {
    pub(crate) version: u32,
    /// `project@environment`.
    pub(crate) unit: String,
    pub(crate) run: RunId,
    /// Digest of the payload.
    pub(crate) decision: Digest,
    /// Blob of the bundle.
    pub(crate) bundle: Digest,
    /// Blob of the dossier.
    pub(crate) dossier: Digest,
    pub(crate) allowed: bool,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) decided: Timestamp,
}

impl DecisionRecord {
    /// Keeps the record in the directory of its run.
    pub(crate) fn save(&self, state: &StateDir) -> Result<(), Failure> {
        let name = format!("decisions/{}.json", self.decision.hex());
        let name: RelPath = name.parse().map_err(|error| Failure::broken("failed to name a file", &error))?;
        Ok(state.runs().open(&self.run)?.write_json(&name, self)?)
    }
}

/// All decisions, oldest first.
pub(crate) fn decisions(state: &StateDir) -> Result<Vec<DecisionRecord>, Failure> {
    let mut found = Vec::new();
    for (run, _) in state.runs().list()? {
        let directory = state.runs().open(&run)?;
        let Ok(entries) = std::fs::read_dir(directory.path().join("decisions")) else { continue };
        for entry in entries.flatten() {
            let name = format!("decisions/{}", entry.file_name().to_string_lossy());
            let name: RelPath =
                name.parse().map_err(|error| Failure::broken("failed to name a file", &error))?;
            found.extend(directory.read_json::<DecisionRecord>(&name)?);
        }
    }
    found.sort_by_key(|record| record.decided);
    Ok(found)
}

/// The decision with this digest.
pub(crate) fn decision(state: &StateDir, digest: &Digest) -> Result<Option<DecisionRecord>, Failure> {
    Ok(decisions(state)?.into_iter().find(|record| record.decision == *digest))
}

/// The newest decision about `project@environment`.
pub(crate) fn newest_decision(state: &StateDir, unit: &str) -> Result<DecisionRecord, Failure> {
    let newest = decisions(state)?.into_iter().rev().find(|record| record.unit == unit);
    newest.ok_or_else(|| Failure::Usage(format!("nothing was decided about {unit} yet")))
}

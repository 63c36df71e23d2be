//! What an agent sees running in its environment. The subject is the artifact that runs.

use super::{Predicate, common::Named};
use crate::limits;
use plimsoll_model::{CommitId, Digest, EnvironmentName, Opaque, ProjectName, Reason, Timestamp};
use serde::{Deserialize, Serialize};

/// Differences that one observation lists.
pub const MAX_DRIFT: usize = 1000;

/// What one agent saw of one project@environment. What runs and what is wanted differ while a release is being replaced
/// and after it was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Version of this shape; 1.
    #[serde(deserialize_with = "limits::version")]
    pub schema: u32,
    /// Who saw it.
    pub agent: AgentId,
    /// In which environment.
    pub environment: Named<EnvironmentName>,
    /// Of which project.
    pub project: Named<ProjectName>,
    /// Place among this agent's observations of this unit, from 1; the highest is the newest, whatever the clocks said.
    pub sequence: u64,
    /// What the unit does at this moment.
    pub state: UnitState,
    /// The decision behind what runs, by the digest of its payload.
    pub decision: Digest,
    /// Digest of the release that runs.
    pub release: Digest,
    /// Manifest of the artifact that runs: the subject.
    pub artifact: Digest,
    /// The commit that it was made from.
    pub commit: CommitId,
    /// The commit of the delivery repository that was read when it was decided about.
    pub decided_at: CommitId,
    /// SHA-256 of the executable as the kernel has it open; none where nothing runs.
    pub executable: Option<Digest>,
    /// When that release last came to serve, by the agent's clock.
    pub since: Timestamp,
    /// When this was seen, by the agent's clock.
    pub observed: Timestamp,
    /// The commit of the delivery repository that the agent follows.
    pub delivery_commit: CommitId,
    /// The decision that the delivery repository names there, by the digest of its payload.
    pub wanted: Digest,
    /// Why what is wanted does not run; none where it does.
    pub problem: Option<Reason>,
    /// How what runs differs from its release; empty where it does not.
    #[serde(deserialize_with = "limits::list::<MAX_DRIFT, _, _>")]
    pub drift: Vec<Reason>,
    /// What keeps a service from its agent's keys.
    pub agent_isolation: AgentIsolation,
}

impl Predicate for Observation {
    const TYPE: &'static str = "https://plimsoll.dev/observation/v1";
}

/// An agent by its name in `target.yaml` and the identity that it got when it was enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentId {
    /// The name.
    #[serde(deserialize_with = "limits::text")]
    pub name: String,
    /// The random identity: two agents under one name differ in it.
    pub id: Opaque,
}

/// What a unit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitState {
    /// What is wanted serves, healthy.
    Serving,
    /// The release before serves again, because the wanted one failed.
    FellBack,
    /// Nothing healthy serves.
    Failed,
    /// Nothing serves, on purpose.
    Stopped,
}

impl UnitState {
    /// The name used in files, statements and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::FellBack => "fell-back",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

impl std::fmt::Display for UnitState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What keeps a service from the keys of its agent beside the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentIsolation {
    /// Nothing: both run under one uid.
    None,
    /// The service has a uid of its own.
    OwnUid,
}

impl AgentIsolation {
    /// The name used in files, statements and output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::OwnUid => "own-uid",
        }
    }
}

impl std::fmt::Display for AgentIsolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

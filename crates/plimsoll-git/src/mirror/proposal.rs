//! What is proposed to a delivery repository, and what may come of it.

use plimsoll_engine::ports::SourceError;
use plimsoll_model::{Code, CommitId, EnvironmentName, ProjectName, RelPath, Timestamp};
use std::collections::BTreeMap;

/// The refs of a delivery repository that Plimsoll writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The branch that is followed.
    Branch,
    /// `refs/plimsoll/observations/<environment>`: what an agent saw.
    Observations(EnvironmentName),
    /// `refs/plimsoll/proposals/<environment>/<project>`: a release that waits for people.
    Proposals(EnvironmentName, ProjectName),
}

/// Whom a commit names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// A name of one line, without angle brackets.
    pub name: String,
    /// A mail address, likewise.
    pub email: String,
    /// When, to the second.
    pub time: Timestamp,
}

/// One commit that somebody wants to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The ref that shall point to it.
    pub place: Place,
    /// What that ref points to, as it was read; none for a ref that is new.
    pub parent: Option<CommitId>,
    /// Files that are written with mode 644, or removed (`None`). All others stay as they are in the parent.
    pub changes: BTreeMap<RelPath, Option<Vec<u8>>>,
    /// The message.
    pub message: String,
    /// Who wrote it.
    pub author: Identity,
    /// Who committed it.
    pub committer: Identity,
}

/// Why a proposal did not arrive. In no case has the ref changed because of it.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// Somebody else was faster: what was read is not what the ref points to any more.
    #[error("{reference} moved from {} to {}", named(first.as_ref()), named(second.as_ref()))]
    Moved {
        /// The full name of the ref.
        reference: String,
        /// The parent of the proposal; none for a ref that should have been new.
        first: Option<CommitId>,
        /// Where the ref points; none if it is gone.
        second: Option<CommitId>,
    },
    /// The ref stands where it stood, and the repository does not take the commit.
    #[error("the delivery repository does not take the commit: {problem}{}", advice(command.as_ref()))]
    Denied {
        /// What it said.
        problem: String,
        /// A command that lets it, if one is known.
        command: Option<String>,
    },
    /// The repository could not be reached, or what it says is refused.
    #[error(transparent)]
    Source(#[from] SourceError),
}

impl From<ProposeError> for SourceError {
    /// A move is `E-REF-MOVED`.
    fn from(error: ProposeError) -> Self {
        match error {
            ProposeError::Moved { reference, first, second } => {
                let reason = Code::RefMoved.reason().with("reference", reference);
                reason.with("first", named(first.as_ref())).with("second", named(second.as_ref())).into()
            }
            ProposeError::Denied { .. } => {
                Self::Failed { action: "write to the delivery repository".into(), problem: error.to_string() }
            }
            ProposeError::Source(error) => error,
        }
    }
}

fn named(commit: Option<&CommitId>) -> String {
    commit.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

fn advice(command: Option<&String>) -> String {
    command.map_or_else(String::new, |command| format!("; run: {command}"))
}

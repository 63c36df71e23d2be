//! The journal: one fsynced, hash-chained record of everything opened, closed, decided and refused.

use super::StoreError;
use plimsoll_attest::predicate::run::AttemptKind;
pub use plimsoll_model::record::LogPosition;
use plimsoll_model::{Code, CommitId, Digest, EnvironmentName, Outcome, ProjectName, Role, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// What is worth recording for ever. Statements and decisions are named by the digest of their payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A signer opened a run, before any sandbox started.
    Opened {
        /// The run.
        run: RunId,
        /// The project it belongs to.
        project: ProjectName,
        /// The commit that the signer read.
        commit: CommitId,
        /// Digest of the plan that the signer derived.
        plan: Digest,
    },
    /// A signer closed one attempt of something.
    Closed {
        /// The run.
        run: RunId,
        /// What kind of thing.
        kind: AttemptKind,
        /// Name of the step or check; `source` or `artifact` for those.
        name: String,
        /// Which attempt, from 1.
        attempt: u32,
        /// What came of it, by the signer's own judgement.
        outcome: Outcome,
        /// Kind of the statement that was signed, if this kind of close signs one.
        predicate_type: Option<String>,
        /// The statement.
        statement: Option<Digest>,
        /// Manifest of the artifact, where one was closed.
        artifact: Option<Digest>,
    },
    /// A signer wrote a run statement; the run takes no more closes.
    Finished {
        /// The run.
        run: RunId,
        /// The run statement.
        statement: Digest,
    },
    /// A decision that allows was signed.
    Decided {
        /// The project.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
        /// The decision.
        decision: Digest,
        /// Its place in the chain of allowed decisions of this project@environment, from 1.
        counter: u64,
        /// The allowed decision before it, if there was one.
        previous: Option<Digest>,
    },
    /// A decided release came to serve; it is what the environment stands at.
    Promoted {
        /// The project.
        project: ProjectName,
        /// The environment.
        environment: EnvironmentName,
        /// The decision.
        decision: Digest,
        /// Its place in the chain of promoted decisions.
        counter: u64,
    },
    /// Something was refused.
    Refused {
        /// The project, where the refusal is about one.
        project: Option<ProjectName>,
        /// The environment, where the refusal is about one.
        environment: Option<EnvironmentName>,
        /// The run, where the refusal is about one.
        run: Option<RunId>,
        /// The signed decision that refuses, where one was made.
        decision: Option<Digest>,
        /// Why, by code.
        codes: Vec<Code>,
    },
    /// An index of advisories came into use.
    Advisories {
        /// Digest of its head.
        index: Digest,
        /// When its newest record was changed at its source.
        updated: Timestamp,
        /// The statement about it.
        statement: Digest,
    },
    /// The tip of a protected ref was seen.
    TipSeen {
        /// The project.
        project: ProjectName,
        /// The full ref name.
        reference: String,
        /// The commit it named.
        tip: CommitId,
    },
}

/// One entry as it stands in the journal: a line of canonical JSON. Its digest is the digest of that line without the
/// newline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalEntry {
    /// Version of the entry's format; 1.
    pub version: u32,
    /// Number of entries before it.
    pub index: u64,
    /// Digest of the entry before it; of no bytes for the first.
    pub previous: Digest,
    /// When it was written, by the local clock.
    pub time: Timestamp,
    /// The role that wrote it.
    pub by: Role,
    /// What happened. An object of its own, because events have fields of the same names, as `previous`.
    pub event: Event,
}

/// The journal of one state directory. Several processes may append; each append is atomic and durable.
pub trait Journal: Send + Sync {
    /// Appends an event and answers, once it is durable, with the position behind it.
    ///
    /// # Errors
    /// When the disk is full, the chain is broken (`E-LOG-EDITED`), or `time` is before the newest entry (`E-CLOCK`).
    fn append(&self, by: &Role, time: Timestamp, event: Event) -> Result<LogPosition, StoreError>;

    /// The position behind the newest entry.
    ///
    /// # Errors
    /// When the journal cannot be read or its chain is broken.
    fn position(&self) -> Result<LogPosition, StoreError>;

    /// All entries, oldest first, with the chain checked.
    ///
    /// # Errors
    /// When the journal cannot be read or its chain is broken.
    fn entries(&self) -> Result<Vec<JournalEntry>, StoreError>;
}

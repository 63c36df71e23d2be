//! What the engine asks of the world: few methods, phrased in the words of the model. Adapters share these contracts
//! and no code.

pub mod assemble;
pub mod blobs;
pub mod egress;
pub mod journal;
pub mod sandbox;
pub mod signer;
pub mod source;
pub mod tools;

pub use assemble::Assemble;
pub use blobs::{BlobWriter, Blobs, StoreError};
pub use egress::{
    AllowedHost, Egress, EgressLimits, EgressRecord, EgressRules, EgressSession, Host, HostError, UNREACHABLE,
};
pub use journal::{Event, Journal, JournalEntry, LogPosition};
pub use sandbox::{
    Connector, Exit, Finished, IsolationUnavailable, Limits, Mount, Network, Running, Sandbox, SandboxError,
    SandboxPlan, Stopper, Stream,
};
pub use signer::{Signer, SignerError};
pub use source::{
    Author, CommitDetail, CommitFacts, CommitSignature, Range, Resolved, RevisionId, Source, SourceError,
};
pub use tools::{FoundTool, ToolProblem, Tools};

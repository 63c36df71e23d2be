//! Nouns that every other crate shares: digests, names, trees, outcomes, records of what was observed, and the
//! registry of reasons. Nothing here reads a file, a clock or the environment; canonical bytes come from [`jcs`].

pub mod digest;
pub mod foreign;
pub mod id;
pub mod jcs;
pub mod outcome;
pub mod reason;
pub mod record;
pub mod role;
pub mod scan;
pub mod sensitivity;
pub mod tree;

pub use digest::{Digest, Hasher};
pub use foreign::{ReportFormat, SeverityMap};
pub use id::{CheckName, CommitId, EnvironmentName, Opaque, ProjectName, RunId, StepName, ToolName};
pub use jiff::Timestamp;
pub use outcome::Outcome;
pub use reason::{Code, Reason};
pub use role::Role;
pub use scan::{ScanEngine, Severity};
pub use tree::{Entry, RelPath, Tree};

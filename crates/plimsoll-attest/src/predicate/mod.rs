//! What statements say: one file for each kind, and the table of who may say it. Each kind belongs to one kind of role,
//! because common verifiers take any well-signed statement about a digest (docs/decisions/0005-one-key-per-role.md).

pub mod advisories;
pub mod common;
pub mod delta;
pub mod observation;
pub mod provenance;
pub mod run;
pub mod sbom;
pub mod scan;
pub mod source;
pub mod test;

pub use advisories::Advisories;
pub use delta::{Delta, DeltaCommit};
pub use observation::Observation;
pub use provenance::Provenance;
pub use run::Run;
pub use sbom::Sbom;
pub use scan::Scan;
pub use source::SourceRevision;
pub use test::TestResult;

use plimsoll_model::Role;
use serde::{Serialize, de::DeserializeOwned};

/// A kind of claim. Reading and writing it must give the same value back.
pub trait Predicate: Serialize + DeserializeOwned + PartialEq {
    /// `predicateType` of its statements.
    const TYPE: &'static str;
}

/// `predicateType` of decisions: SLSA verification summaries, version 1. What they hold belongs to whoever decides.
pub const SUMMARY_TYPE: &str = "https://slsa.dev/verification_summary/v1";

/// Whether the key of `role` may sign statements of this type. A type that is not in the table belongs to nobody.
#[must_use]
pub fn may_sign(role: &Role, predicate_type: &str) -> bool {
    match predicate_type {
        SourceRevision::TYPE | Delta::TYPE => *role == Role::Source,
        Observation::TYPE => matches!(role, Role::Agent(_)),
        Provenance::TYPE | Run::TYPE => *role == Role::Builder,
        TestResult::TYPE | Scan::TYPE | Sbom::TYPE | Advisories::TYPE => *role == Role::Scanner,
        // A decision that refuses has a key of its own, which no door trusts.
        SUMMARY_TYPE => matches!(role, Role::Decision(_) | Role::Refusal),
        _ => false,
    }
}

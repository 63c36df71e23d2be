//! Decisions: what an environment requires, judged over verified statements, and the only mint of [`Permit`]. Pure: the
//! same inputs give the same bytes on every machine. Nothing here depends on an engine or a store.

pub mod decide;
pub mod decision;
pub mod dossier;
mod freeze;
mod gates;
pub mod gather;
mod permit;
pub mod rego;
mod release;
pub mod repository;
mod standing;

pub use decide::{Evidence, Inputs, RULES, decide};
pub use decision::{Decision, Gate, Kind, Named, Summary, Verdict};
pub use dossier::DossierParts;
pub use freeze::{Frozen, frozen};
pub use gates::{LOCAL_BUILDER, VEX_NAMESPACE, disclaimable, may_be_malicious};
pub use gather::{Context, DeliveryFiles, GatherError, gather};
pub use permit::{Observed, Permit, Start, permit};
pub use release::Release;
pub use standing::Standing;

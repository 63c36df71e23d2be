//! The files that users write: from text to a checked pipeline or delivery repository, and from a pipeline to an
//! immutable plan. Nothing here reads a file, a clock or the environment, and no text of a file is ever replaced.

pub mod adapter;
pub mod delivery;
mod diagnostic;
mod graph;
mod infer;
mod init;
mod loader;
pub mod pipeline;
pub mod plan;
mod read;
mod render;
pub mod schema;
mod template;
mod value;
mod yaml;

pub use adapter::{Adapter, PlannedAdapter};
pub use delivery::{
    approvals::RequireApprovals,
    environment::{Environment, Require, RequireProvenance, RequireSource},
    exceptions::{Excepted, Exception},
    freeze::{FreezeSpan, FreezeWindow, WeekTime, Zone},
    people::{AllowedSigner, AllowedSignersError, People, Person, SshKey, import_allowed_signers},
    project::Project,
    registries::{Delivery, Registry},
    rollback::{FailureKind, Rollback},
    sbom::RequireSbom,
    scans::{BlockLevel, RequireManifest, RequireScan},
    target::{Place, ServiceTarget, Target},
    together::{EnvironmentText, check_together},
};
pub use diagnostic::{Diagnostic, FileErrors};
pub use infer::{CargoLayout, InferError, infer_cargo};
pub use init::{NewDelivery, NewEnvironment, NewPerson, NewProject, NewTarget, render_people};
pub use loader::loader_variable;
pub use pipeline::{
    ArtifactSpec, Base, Check, CheckKind, Command, Ecosystem, On, Pipeline, ReportStream, Service, Step,
    TestReport, Toolchain,
};
pub use plan::{
    Input, Plan, PlanError, PlannedArtifact, PlannedCheck, PlannedStep, PredicateKind, Revision, plan,
};

#[cfg(test)]
mod errors;

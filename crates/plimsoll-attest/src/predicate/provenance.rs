//! How an artifact was built: SLSA provenance, version 1 (SLSA 1.2, "Build: Provenance"). Everything in it was observed
//! or derived by the signer; a build supplies the bytes of its outputs and nothing else. The subjects are the artifact's
//! manifest, then each of its files.

use super::{Predicate, common::ResourceDescriptor};
use plimsoll_model::{
    CommitId, Digest, RunId, Timestamp,
    record::{IsolationRecord, NetworkEvent, NetworkMode, Tier},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `buildType` of every build: a pipeline of steps, each in a sandbox.
pub const BUILD_TYPE: &str = "https://plimsoll.dev/build/v1";

/// Build provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Provenance {
    /// What was built, from what.
    pub build_definition: BuildDefinition,
    /// Who built it, and when.
    pub run_details: RunDetails,
}

impl Predicate for Provenance {
    const TYPE: &'static str = "https://slsa.dev/provenance/v1";
}

/// The inputs of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BuildDefinition {
    /// [`BUILD_TYPE`].
    pub build_type: String,
    /// Everything by which somebody outside can influence the build.
    pub external_parameters: ExternalParameters,
    /// What the builder set itself.
    pub internal_parameters: InternalParameters,
    /// The commit and every fetched input.
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// What the caller of a build chose. The commands stand in the pipeline, which the commit fixes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalParameters {
    /// URI of the repository, without credentials.
    pub repository: String,
    /// The revision as somebody asked for it.
    pub revision: String,
    /// The commit that it stood for.
    pub commit: CommitId,
    /// Path of the pipeline in the commit.
    pub pipeline: String,
    /// Parameters of the run, by name.
    pub parameters: BTreeMap<String, String>,
}

/// What the builder derived and enforced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InternalParameters {
    /// Digest of the plan.
    pub plimsoll_plan: Digest,
    /// Whether the origin of the run is believed.
    pub plimsoll_tier: Tier,
    /// How bytes from outside came in.
    pub plimsoll_network: NetworkMode,
    /// Every connection that the fetch phase asked for.
    pub plimsoll_network_events: Vec<NetworkEvent>,
    /// How each step was isolated, by its name.
    pub plimsoll_isolation: BTreeMap<String, IsolationRecord>,
    /// What compiled it.
    pub plimsoll_toolchain: Toolchain,
}

/// The compilers and tools that a build saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    /// Where they come from.
    pub mode: ToolchainMode,
    /// Whether the build could see nothing else than what a digest names.
    pub hermetic: bool,
    /// Digest of the toolchain's manifest.
    pub digest: Digest,
}

/// Where a [`Toolchain`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolchainMode {
    /// The machine that ran the build, read-only.
    Host,
}

/// The circumstances of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunDetails {
    /// Who built it.
    pub builder: Builder,
    /// Which run, and when.
    pub metadata: Metadata,
    /// Logs and what else was left: what a build says of itself.
    pub byproducts: Vec<ResourceDescriptor>,
}

/// A builder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builder {
    /// Its URI, which differs for each way of isolating and of keeping keys.
    pub id: String,
    /// Versions of its parts, by name.
    pub version: BTreeMap<String, String>,
}

/// Which run it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Metadata {
    /// The run.
    pub invocation_id: RunId,
    /// When the first sandbox started, by the builder's clock.
    pub started_on: Timestamp,
    /// When the last output was frozen, by the builder's clock.
    pub finished_on: Timestamp,
}

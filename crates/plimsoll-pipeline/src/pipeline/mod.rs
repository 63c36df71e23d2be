//! The checked pipeline: what `plimsoll.yaml` says once every default is filled in and every relation holds. Only
//! [`Pipeline::read`] makes one.

pub(crate) mod check;
pub(crate) mod file;
#[cfg(test)]
mod tests;

use crate::{diagnostic::FileErrors, read};
use plimsoll_model::{CheckName, Digest, ProjectName, RelPath, ScanEngine, StepName, jcs};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds that a step or check may run unless its file says otherwise.
pub const DEFAULT_TIMEOUT_SECONDS: u64 = 30 * 60;

/// Version of the form that [`Pipeline::digest`] is taken over.
const SCHEMA: u32 = 1;

/// A checked pipeline. Names are unique, `needs` have no cycle, outputs do not overlap, and every artifact file lies in
/// an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pipeline {
    /// The project it builds.
    pub project: ProjectName,
    /// Where the tools come from.
    pub toolchain: Toolchain,
    /// Package ecosystems whose locked packages are fetched before the first step.
    pub fetch: BTreeSet<Ecosystem>,
    /// The steps in the order of the file; at least one.
    pub steps: Vec<Step>,
    /// What is built.
    pub artifact: ArtifactSpec,
    /// The planned checks in the order of the file.
    pub checks: Vec<Check>,
}

impl Pipeline {
    /// Reads `plimsoll.yaml`. `file` is its name for messages.
    ///
    /// # Errors
    /// Everything that is wrong with it (`E-FILE-INVALID`, `E-TEMPLATE-UNTRUSTED`).
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Box<FileErrors>> {
        read::file(file, bytes, check::pipeline)
    }

    /// The digest by which a delivery repository approves this pipeline: over the canonical JSON of the checked form, so
    /// comments, formatting, the order of keys and spelt-out defaults do not count, and everything else does.
    ///
    /// # Errors
    /// Never for a pipeline that was read; the error of the canonical writer otherwise.
    pub fn digest(&self) -> Result<Digest, jcs::JcsError> {
        #[derive(Serialize)]
        struct Canonical<'a> {
            schema: u32,
            pipeline: &'a Pipeline,
        }
        jcs::digest(&Canonical { schema: SCHEMA, pipeline: self })
    }
}

/// Where the tools of steps come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Toolchain {
    /// The machine's own, read-only; provenance says that the build is not hermetic.
    Host,
}

/// A package ecosystem.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Ecosystem {
    /// Rust packages, locked by `Cargo.lock`.
    Cargo,
}

/// What a step or check runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// A script for `/bin/sh -eu -c`.
    Shell(String),
    /// A program and its arguments; at least the program.
    Argv(Vec<String>),
}

impl Command {
    /// The program and its arguments.
    #[must_use]
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Shell(script) => ["/bin/sh", "-eu", "-c", script].map(str::to_owned).to_vec(),
            Self::Argv(argv) => argv.clone(),
        }
    }
}

/// One step of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its name, unique among steps and checks.
    pub name: StepName,
    /// What it runs.
    pub run: Command,
    /// Variables beside those that Plimsoll sets.
    pub env: BTreeMap<String, String>,
    /// Directories that start empty, can be written, and are thrown away.
    pub scratch: BTreeSet<RelPath>,
    /// What is kept: below a scratch directory, or a directory of its own that starts empty.
    pub out: BTreeSet<RelPath>,
    /// Steps that end before it starts, defaults filled in.
    pub needs: BTreeSet<StepName>,
    /// Wall-clock seconds after which it is killed.
    pub timeout_seconds: u64,
    /// How often a failed attempt is repeated.
    pub retry: u8,
}

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ArtifactSpec {
    /// Files as they are, one layer each.
    Files(BTreeSet<RelPath>),
    /// A container image.
    Image {
        /// What the image starts from.
        base: Base,
        /// Outputs and where they are in the image, absolute.
        files: BTreeMap<RelPath, String>,
        /// The program and its fixed arguments; at least the program.
        entrypoint: Vec<String>,
        /// Default arguments.
        cmd: Vec<String>,
        /// Environment of the program.
        env: BTreeMap<String, String>,
    },
}

impl ArtifactSpec {
    /// Paths of the outputs that the artifact takes.
    pub fn sources(&self) -> impl Iterator<Item = &RelPath> {
        let (files, image) = match self {
            Self::Files(files) => (Some(files), None),
            Self::Image { files, .. } => (None, Some(files)),
        };
        files.into_iter().flatten().chain(image.into_iter().flat_map(BTreeMap::keys))
    }
}

/// What an image starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Base {
    /// Nothing.
    Scratch,
    /// An image in an OCI layout.
    Layout {
        /// The layout's directory, absolute or relative to the project, without `..`.
        directory: String,
        /// Digest of the image's manifest.
        digest: Digest,
    },
}

/// What a check looks at.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// The revision.
    Source,
    /// The artifact.
    Artifact,
}

/// One planned check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, unique among steps and checks.
    pub name: CheckName,
    /// What kind of evidence it gives, and where its report is.
    pub kind: CheckKind,
    /// What it looks at.
    pub on: On,
    /// What it runs.
    pub run: Command,
    /// Variables beside those that Plimsoll sets.
    pub env: BTreeMap<String, String>,
    /// Directories that start empty, can be written, and are thrown away.
    pub scratch: BTreeSet<RelPath>,
    /// Wall-clock seconds after which it is killed.
    pub timeout_seconds: u64,
    /// How often a failed attempt is repeated; every attempt is listed.
    pub retry: u8,
}

/// What kind of evidence a check gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CheckKind {
    /// A test: its exit status, and a report that must agree with it.
    Test {
        /// The report, if it writes one.
        report: Option<TestReport>,
    },
    /// A foreign tool that reports findings in SARIF.
    Adapter {
        /// The report, below a directory that the check can write.
        sarif: RelPath,
        /// The tool's executable, absolute or a name to be found in `PATH`; it is hashed.
        tool: Option<String>,
    },
    /// A foreign tool that a manifest describes. Digests of pipelines name the manifest and not what it says, as they name
    /// the scripts that steps run; the plan holds all of it.
    Manifest {
        /// The manifest in the project; none for the one of the check's name that comes with this program.
        file: Option<RelPath>,
        /// The report of a scanner that ran elsewhere.
        recorded: Option<RelPath>,
        /// The service that it looks at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<Service>,
    },
    /// A scanner of this program.
    Scan {
        /// Which one.
        engine: ScanEngine,
    },
    /// The list of what the artifact is made of, by this program.
    Sbom,
}

/// The artifact as a running service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Service {
    /// The program, absolute and below `/artifact`, and its arguments.
    pub run: Vec<String>,
    /// Variables beside those that Plimsoll sets.
    pub env: BTreeMap<String, String>,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
}

/// Where a test's report is, and in which format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestReport {
    /// What `cargo test` prints.
    Libtest(ReportStream),
    /// What `cargo nextest run` prints.
    Nextest(ReportStream),
    /// A file in JUnit's XML format, below a directory that the check can write.
    Junit(RelPath),
}

/// A stream that a report is printed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReportStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl CheckKind {
    /// The file that the check writes its report to, if it is a file.
    #[must_use]
    pub const fn report_file(&self) -> Option<&RelPath> {
        match self {
            Self::Test { report: Some(TestReport::Junit(path)) } | Self::Adapter { sarif: path, .. } => {
                Some(path)
            }
            Self::Test { .. } | Self::Scan { .. } | Self::Manifest { .. } | Self::Sbom => None,
        }
    }
}

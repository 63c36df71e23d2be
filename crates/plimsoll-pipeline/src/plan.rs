//! The plan: a pipeline resolved for one revision. It is immutable data, specific enough that whoever carries it out
//! makes no choices, and it has a digest.

use crate::{
    adapter::{Adapter, PlannedAdapter},
    graph::Graph,
    pipeline::{ArtifactSpec, Check, CheckKind, Ecosystem, On, Pipeline, Step, Toolchain},
};
use plimsoll_model::{CheckName, CommitId, Digest, ProjectName, RelPath, Role, StepName, Timestamp, jcs};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of the form of [`Plan`].
pub const PLAN_SCHEMA: u32 = 1;

/// Parameters of one plan.
const MAX_PARAMETERS: usize = 64;
/// Bytes of one parameter.
const MAX_PARAMETER: usize = 4096;

/// The revision that a plan is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The commit.
    pub commit: CommitId,
    /// SHA-256 of the exported tree.
    pub tree: Digest,
    /// When it was committed, by its own word; becomes `SOURCE_DATE_EPOCH`.
    pub committed: Timestamp,
    /// Paths of that tree's files, sorted.
    pub paths: Vec<RelPath>,
}

/// Everything that a run does, for one revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// Version of this form; [`PLAN_SCHEMA`].
    pub schema: u32,
    /// The project.
    pub project: ProjectName,
    /// Digest of the pipeline that was resolved.
    pub pipeline: Digest,
    /// The commit that is built.
    pub commit: CommitId,
    /// SHA-256 of its exported tree.
    pub tree: Digest,
    /// Seconds since 1970 of the commit.
    pub source_date_epoch: i64,
    /// What the caller passed in. Each reaches steps and checks as the variable `PLIMSOLL_PARAMETER_<NAME>`, and only so.
    pub parameters: BTreeMap<String, String>,
    /// Where the tools come from.
    pub toolchain: Toolchain,
    /// Fetch phases, in order; the only ones with a network.
    pub fetch: Vec<Ecosystem>,
    /// The steps in an order in which everything that a step needs comes before it.
    pub steps: Vec<PlannedStep>,
    /// What is built.
    pub artifact: PlannedArtifact,
    /// The checks in the order of the file.
    pub checks: Vec<PlannedCheck>,
}

/// One step, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedStep {
    /// Its name.
    pub name: StepName,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables beside those that the engine sets, parameters included.
    pub env: BTreeMap<String, String>,
    /// Steps that must have passed before it starts, sorted.
    pub needs: Vec<StepName>,
    /// Outputs that it sees, read-only: those of all steps that it needs, directly or through others.
    pub inputs: Vec<Input>,
    /// Directories below the source that start empty and can be written; none lies in another.
    pub writable: Vec<RelPath>,
    /// What is frozen and hashed when it has ended; each is one of `writable`, or lies in one.
    pub out: Vec<RelPath>,
    /// Wall-clock seconds after which it is killed.
    pub timeout_seconds: u64,
    /// How often a failed attempt is repeated.
    pub retry: u8,
}

/// An output of an earlier step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Input {
    /// The step that makes it.
    pub step: StepName,
    /// Its path, below the source.
    pub path: RelPath,
}

/// The artifact, with the step that makes each of its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedArtifact {
    /// What it is.
    pub spec: ArtifactSpec,
    /// Every file that it takes, by path, and whose output holds it.
    pub inputs: Vec<Input>,
}

/// The kind of statement that a check leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredicateKind {
    /// A test result.
    TestResult,
    /// Findings of a scan.
    Scan,
    /// A bill of materials.
    Sbom,
}

/// One check, resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PlannedCheck {
    /// Its name.
    pub name: CheckName,
    /// Who signs its statement.
    pub role: Role,
    /// What kind of statement that is.
    pub predicate: PredicateKind,
    /// Where its report is.
    pub kind: CheckKind,
    /// What it looks at.
    pub on: On,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables beside those that the engine sets, parameters included.
    pub env: BTreeMap<String, String>,
    /// Directories below the source that start empty and can be written; none lies in another.
    pub writable: Vec<RelPath>,
    /// Wall-clock seconds after which it is killed.
    pub timeout_seconds: u64,
    /// How often a failed attempt is repeated.
    pub retry: u8,
    /// The manifest behind it, for a check that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<Box<PlannedAdapter>>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A parameter has a name or value that no environment variable can hold.
    #[error("the parameter `{name}` cannot be used: {problem}")]
    Parameter {
        /// Its name, made printable.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// Steps need each other. A pipeline that was read has none.
    #[error("steps need each other in a circle: {}", .0.iter().map(StepName::as_str).collect::<Vec<_>>().join(" needs "))]
    Cycle(Vec<StepName>),
    /// A check goes by a manifest that nobody read.
    #[error("the manifest of `{0}` was not read")]
    Manifest(CheckName),
    /// The pipeline has no canonical form. A pipeline that was read has one.
    #[error(transparent)]
    Canonical(#[from] jcs::JcsError),
}

impl Plan {
    /// The digest of the canonical JSON of the plan.
    ///
    /// # Errors
    /// Never for a plan of [`plan`]; the error of the canonical writer otherwise.
    pub fn digest(&self) -> Result<Digest, jcs::JcsError> {
        jcs::digest(self)
    }

    /// The step of this name.
    #[must_use]
    pub fn step(&self, name: &StepName) -> Option<&PlannedStep> {
        self.steps.iter().find(|step| step.name == *name)
    }

    /// The check of this name.
    #[must_use]
    pub fn check(&self, name: &CheckName) -> Option<&PlannedCheck> {
        self.checks.iter().find(|check| check.name == *name)
    }
}

/// Resolves `pipeline` for `revision`, with the manifests that its checks name. The same arguments give the same plan, byte
/// for byte.
///
/// # Errors
/// [`PlanError::Parameter`] for parameters that cannot be environment variables, and [`PlanError::Manifest`] for a manifest
/// that is not given.
pub fn plan(
    pipeline: &Pipeline,
    revision: &Revision,
    parameters: &BTreeMap<String, String>,
    manifests: &BTreeMap<CheckName, Adapter>,
) -> Result<Plan, PlanError> {
    let variables = parameter_variables(parameters)?;
    let all = &pipeline.steps;
    let graph = Graph::new(all.iter().map(|step| &step.name), all.iter().map(|step| &step.needs));
    let name = |at: usize| all[at].name.clone();
    let order = graph.order().map_err(|circle| PlanError::Cycle(circle.into_iter().map(name).collect()))?;
    let reach = graph.reach();
    let checks = pipeline.checks.iter().map(|check| planned_check(check, &variables, (manifests, revision)));
    let steps = order.iter().map(|&at| step(&all[at], inputs(&reach[at], all), &variables));
    Ok(Plan {
        schema: PLAN_SCHEMA,
        project: pipeline.project.clone(),
        pipeline: pipeline.digest()?,
        commit: revision.commit.clone(),
        tree: revision.tree,
        source_date_epoch: revision.committed.as_second(),
        parameters: parameters.clone(),
        toolchain: pipeline.toolchain,
        fetch: pipeline.fetch.iter().copied().collect(),
        steps: steps.collect(),
        artifact: artifact(&pipeline.artifact, &pipeline.steps),
        checks: checks.collect::<Result<_, _>>()?,
    })
}

fn step(step: &Step, inputs: Vec<Input>, variables: &BTreeMap<String, String>) -> PlannedStep {
    PlannedStep {
        name: step.name.clone(),
        argv: step.run.argv(),
        env: with(&step.env, variables),
        needs: step.needs.iter().cloned().collect(),
        inputs,
        writable: outermost(step.scratch.iter().chain(&step.out).cloned()),
        out: step.out.iter().cloned().collect(),
        timeout_seconds: step.timeout_seconds,
        retry: step.retry,
    }
}

fn planned_check(
    check: &Check,
    variables: &BTreeMap<String, String>,
    (manifests, revision): (&BTreeMap<CheckName, Adapter>, &Revision),
) -> Result<PlannedCheck, PlanError> {
    let predicate = match check.kind {
        CheckKind::Test { .. } => PredicateKind::TestResult,
        CheckKind::Adapter { .. } | CheckKind::Manifest { .. } | CheckKind::Scan { .. } => {
            PredicateKind::Scan
        }
        CheckKind::Sbom => PredicateKind::Sbom,
    };
    let report = check.kind.report_file().and_then(RelPath::parent);
    let mut planned = PlannedCheck {
        name: check.name.clone(),
        role: Role::Scanner,
        predicate,
        kind: check.kind.clone(),
        on: check.on,
        argv: check.run.argv(),
        env: with(&check.env, variables),
        writable: outermost(check.scratch.iter().cloned().chain(report)),
        timeout_seconds: check.timeout_seconds,
        retry: check.retry,
        adapter: None,
    };
    if let CheckKind::Manifest { file, recorded, service } = &check.kind {
        let manifest = manifests.get(&check.name).ok_or_else(|| PlanError::Manifest(check.name.clone()))?;
        let (argv, obstacle) = manifest.command(check.on, recorded.as_ref(), revision.paths.iter());
        let obstacle = obstacle.or_else(|| manifest.without_service(service.is_some()));
        planned.argv = argv;
        // Parameters can be other people's text, and nothing of a manifest asks for them.
        planned.env = manifest.env.clone();
        planned.timeout_seconds = manifest.limits.seconds;
        let (digest, ready, manifest) = (manifest.digest()?, file.is_none(), manifest.clone());
        planned.adapter = Some(Box::new(PlannedAdapter { digest, ready, manifest, obstacle }));
    }
    Ok(planned)
}

fn with(env: &BTreeMap<String, String>, variables: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    env.iter().chain(variables).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Outputs of all steps in `reach`, sorted.
fn inputs(reach: &BTreeSet<usize>, all: &[Step]) -> Vec<Input> {
    let outputs = reach.iter().flat_map(|&at| all[at].out.iter().map(move |path| (&all[at].name, path)));
    let inputs: BTreeSet<_> =
        outputs.map(|(step, path)| Input { step: step.clone(), path: path.clone() }).collect();
    inputs.into_iter().collect()
}

/// The paths that lie in no other, sorted.
fn outermost(paths: impl Iterator<Item = RelPath>) -> Vec<RelPath> {
    let all: BTreeSet<RelPath> = paths.collect();
    let inner = |path: &RelPath| all.iter().any(|outer| outer != path && path.starts_with(outer));
    all.iter().filter(|path| !inner(path)).cloned().collect()
}

fn artifact(spec: &ArtifactSpec, steps: &[Step]) -> PlannedArtifact {
    let maker = |path: &RelPath| {
        let step = steps.iter().find(|step| step.out.iter().any(|out| path.starts_with(out)))?;
        Some(Input { step: step.name.clone(), path: path.clone() })
    };
    PlannedArtifact { spec: spec.clone(), inputs: spec.sources().filter_map(maker).collect() }
}

/// Parameters as environment variables. They can be other people's text, and nothing else can hold them.
fn parameter_variables(parameters: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, PlanError> {
    let error = |name: &str, problem| {
        Err(PlanError::Parameter { name: plimsoll_model::reason::printable(name, 100), problem })
    };
    let mut variables = BTreeMap::new();
    for (name, value) in parameters {
        let first = name.starts_with(|c: char| c.is_ascii_lowercase());
        let rest = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !first || !rest || name.len() > 63 {
            return error(name, "a name is 1 to 63 of a-z, 0-9 and _, beginning with a letter");
        }
        if value.len() > MAX_PARAMETER || value.contains('\0') {
            return error(name, "a value is at most 4,096 bytes, none of them zero");
        }
        if variables.len() == MAX_PARAMETERS {
            return error(name, "there are more than 64");
        }
        variables.insert(format!("PLIMSOLL_PARAMETER_{}", name.to_ascii_uppercase()), value.clone());
    }
    Ok(variables)
}

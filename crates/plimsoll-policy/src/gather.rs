//! From bytes to inputs: the files of the delivery repository and bundles, read and verified. The engine, a decision
//! signer and `verify` of a dossier all come through here, each with bytes that it got itself.

use crate::{
    decide::{Evidence, Inputs, RULES},
    decision::{Kind, Named, policy_set_digest},
    release::Release,
};
use plimsoll_attest::{
    Predicate, Trust,
    predicate::{Provenance, Run, Scan, SourceRevision, TestResult},
    verify, verify_any,
};
use plimsoll_model::{
    CommitId, Digest, EnvironmentName, ProjectName, Reason, Role, Timestamp, jcs, record::LogPosition,
};
use plimsoll_pipeline::{Delivery, Environment, FileErrors, People, Project, Target};
use std::collections::BTreeMap;

/// Files of the delivery repository that a decision depends on, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFiles {
    /// The commit they were read from.
    pub commit: CommitId,
    /// Contents by path: the policy set and the target.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// What a decision depends on beside files and statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The project.
    pub project: ProjectName,
    /// The environment.
    pub environment: EnvironmentName,
    /// The version of the trust root.
    pub trust_number: u64,
    /// The journal's position.
    pub log: LogPosition,
    /// The decision that counts now, with its place in the chain.
    pub previous: Option<(Digest, u64)>,
    /// The time of the decision.
    pub now: Timestamp,
    /// When an allow is void if nothing was started.
    pub start_by: Timestamp,
}

/// Why there are no inputs to decide about.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// A rule said no.
    #[error(transparent)]
    Refused(#[from] Reason),
    /// A file of the delivery repository is wrong.
    #[error("{} has errors", .0.file)]
    File(Box<FileErrors>),
}

impl From<Box<FileErrors>> for GatherError {
    fn from(errors: Box<FileErrors>) -> Self {
        Self::File(errors)
    }
}

/// Paths of the policy set of one project@environment: what decides, and is digested together.
#[must_use]
pub fn policy_paths(project: &ProjectName, environment: &EnvironmentName) -> Vec<String> {
    vec![
        "delivery.yaml".into(),
        format!("environments/{environment}/environment.yaml"),
        "people.yaml".into(),
        format!("projects/{project}.yaml"),
    ]
}

/// Path of the target of one project@environment: part of the release.
#[must_use]
pub fn target_path(project: &ProjectName, environment: &EnvironmentName) -> String {
    format!("environments/{environment}/{project}/target.yaml")
}

/// Reads and verifies everything that a decision depends on.
///
/// `bundles` may hold more than the run names, and bundles that do not verify: those do not count, and what they would
/// have shown is then missing.
///
/// # Errors
/// When a file is missing or wrong, or the run statement does not verify or made no artifact.
pub fn gather(
    files: &DeliveryFiles,
    trust: &Trust,
    run: &[u8],
    bundles: &[Vec<u8>],
    context: &Context,
) -> Result<Inputs, GatherError> {
    let run = verify::<Run>(run, trust, &Role::Builder)?;
    let artifact = run.value().predicate.artifact.as_ref().map(|artifact| artifact.digest);
    let artifact = artifact.ok_or_else(|| {
        let reason = plimsoll_model::Code::EvidenceMissing.reason();
        reason.with("check", "the build").with("subject", &run.value().predicate.commit)
    })?;
    let Context { project, environment, .. } = context;
    let read = Files { files };
    let declared = read.environment(environment)?;
    let owner = read.project(project)?;
    let people = People::read("people.yaml", read.bytes("people.yaml")?)?;
    Delivery::read("delivery.yaml", read.bytes("delivery.yaml")?)?;
    Ok(Inputs {
        rules: RULES,
        kind: Kind::Deploy,
        project: Named { name: project.clone(), id: owner.id },
        environment: Named { name: environment.clone(), id: declared.id },
        release: read.release(project, environment, artifact)?,
        require: declared.require,
        approved_pipelines: owner.pipelines,
        protected_refs: owner.protected,
        people: people.by_fingerprint(),
        delivery_commit: files.commit.clone(),
        policy_set: read.policy_set(project, environment)?,
        trust_number: context.trust_number,
        log: context.log,
        previous: context.previous,
        now: context.now,
        start_by: context.start_by,
        evidence: evidence(bundles, trust),
        run,
    })
}

/// The release of an artifact in an environment, by the delivery repository's files.
///
/// # Errors
/// When the target is missing or wrong.
pub fn release(
    files: &DeliveryFiles,
    project: &ProjectName,
    environment: &EnvironmentName,
    artifact: Digest,
) -> Result<Release, GatherError> {
    Files { files }.release(project, environment, artifact)
}

/// A project and an environment, each by its name and the identity behind it.
///
/// # Errors
/// When a file is missing or wrong.
pub fn identities(
    files: &DeliveryFiles,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<(Named<ProjectName>, Named<EnvironmentName>), GatherError> {
    let read = Files { files };
    let project = Named { name: project.clone(), id: read.project(project)?.id };
    let environment = Named { name: environment.clone(), id: read.environment(environment)?.id };
    Ok((project, environment))
}

struct Files<'a> {
    files: &'a DeliveryFiles,
}

impl Files<'_> {
    fn bytes(&self, path: &str) -> Result<&[u8], Reason> {
        let found = self.files.files.get(path).map(Vec::as_slice);
        found.ok_or_else(|| plimsoll_model::Code::FileMissing.reason().with("file", path))
    }

    fn environment(&self, name: &EnvironmentName) -> Result<Environment, GatherError> {
        let path = format!("environments/{name}/environment.yaml");
        Ok(Environment::read(&path, self.bytes(&path)?)?)
    }

    fn project(&self, name: &ProjectName) -> Result<Project, GatherError> {
        let path = format!("projects/{name}.yaml");
        Ok(Project::read(&path, self.bytes(&path)?)?)
    }

    fn release(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
        artifact: Digest,
    ) -> Result<Release, GatherError> {
        let path = target_path(project, environment);
        let target = self.bytes(&path)?;
        Target::read(&path, target)?;
        let nothing = jcs::digest(&BTreeMap::<String, Digest>::new()).map_err(unwritable)?;
        Ok(Release {
            artifact,
            config: nothing,
            target: Digest::of(target),
            manifests: vec![],
            secrets: vec![],
        })
    }

    fn policy_set(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
    ) -> Result<Digest, GatherError> {
        let paths = policy_paths(project, environment);
        let pairs = paths.into_iter().map(|path| {
            let digest = Digest::of(self.bytes(&path)?);
            Ok((path, digest))
        });
        let pairs = pairs.collect::<Result<BTreeMap<_, _>, Reason>>()?;
        Ok(policy_set_digest(&pairs).map_err(unwritable)?)
    }
}

fn unwritable(error: jcs::JcsError) -> Reason {
    plimsoll_model::Code::DossierParse.reason().with("problem", error)
}

/// The bundles that verify, each once, in order of their digests.
fn evidence(bundles: &[Vec<u8>], trust: &Trust) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = bundles.iter().filter_map(|bundle| read_evidence(bundle, trust)).collect();
    found.sort_by_key(Evidence::digest);
    found.dedup_by_key(|evidence| evidence.digest());
    found
}

fn read_evidence(bundle: &[u8], trust: &Trust) -> Option<Evidence> {
    let kind = verify_any(bundle, trust).ok()?.value().predicate_type.clone();
    match kind.as_str() {
        SourceRevision::TYPE => verify(bundle, trust, &Role::Source).ok().map(Evidence::Source),
        Provenance::TYPE => verify(bundle, trust, &Role::Builder).ok().map(Evidence::Provenance),
        TestResult::TYPE => verify(bundle, trust, &Role::Scanner).ok().map(Evidence::Test),
        Scan::TYPE => verify(bundle, trust, &Role::Scanner).ok().map(Evidence::Scan),
        _ => None,
    }
}

//! From bytes to inputs: the files of the delivery repository and bundles, read and verified. The engine, a decision
//! signer and `verify` of a dossier all come through here, each with bytes that it got itself.

use crate::{
    decide::{Evidence, Inputs, RULES},
    decision::{Kind, Named, Summary, policy_set_digest},
    release::Release,
    repository::{
        self, environment_path, exceptions_path, policy_paths, policy_statement_numbers,
        policy_statement_path,
    },
    standing::Standing,
};
use plimsoll_attest::{
    Bundle, Predicate, SignedPolicySet, Trust, TrustRoot,
    policy_set::PolicySetFile,
    predicate::{Delta, Observation, Provenance, Run, Sbom, Scan, SourceRevision, TestResult},
    verify, verify_any,
};
use plimsoll_model::{
    Code, CommitId, Digest, EnvironmentName, ProjectName, Reason, Role, Timestamp, jcs, record::LogPosition,
};
use plimsoll_pipeline::{
    Delivery, Environment, Exception, FileErrors, People, Project, Target, delivery::exceptions,
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Files of the delivery repository that a decision depends on, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFiles {
    /// The commit they were read from.
    pub commit: CommitId,
    /// Contents by path: those that [`wanted`] names.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// What a decision depends on beside files and statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Why a decision is asked for.
    pub kind: Kind,
    /// The project.
    pub project: ProjectName,
    /// The environment.
    pub environment: EnvironmentName,
    /// The journal's position.
    pub log: LogPosition,
    /// The decision that counts now.
    pub standing: Option<Standing>,
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

/// The policy set, and who put it into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySet {
    /// Digest of the files that decide.
    pub digest: Digest,
    /// Number of the newest statement; none where there is none.
    pub number: Option<u64>,
    /// The newest statement, if it is signed and holds these files; otherwise why it does not count.
    pub signed: Result<SignedPolicySet, Reason>,
    /// Who may sign it: names in the trust root, by fingerprint.
    pub possible_signers: BTreeMap<String, String>,
}

/// A document with the text of the signatures beside it. Nothing of it has been checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Document {
    /// The document.
    pub bytes: Vec<u8>,
    /// Armoured signatures; empty where there are none.
    pub signatures: String,
}

/// What people signed about releases, in order of the paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignedByPeople {
    /// Approvals of this project@environment.
    pub approvals: Vec<Document>,
    /// Disclaimers of any commit.
    pub disclaimers: Vec<Document>,
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
    root: &TrustRoot,
    run: &[u8],
    bundles: &[Vec<u8>],
    context: &Context,
) -> Result<Inputs, GatherError> {
    let run = verify::<Run>(run, root.trust(), &Role::Builder)?;
    let artifact = run.value().predicate.artifact.as_ref().map(|artifact| artifact.digest);
    let artifact = artifact.ok_or_else(|| {
        let reason = Code::EvidenceMissing.reason();
        reason.with("check", "the build").with("subject", &run.value().predicate.commit)
    })?;
    let Context { project, environment, .. } = context;
    let read = Files { files };
    let declared = read.environment(environment)?;
    let owner = read.project(project)?;
    Delivery::read("delivery.yaml", read.bytes("delivery.yaml")?)?;
    let people = People::read("people.yaml", read.bytes("people.yaml")?)?;
    Ok(Inputs {
        rules: RULES,
        kind: context.kind,
        project: Named { name: project.clone(), id: owner.id },
        environment: Named { name: environment.clone(), id: declared.id.clone() },
        release: read.release(project, environment, artifact)?,
        hosted: read.target(project, environment)?.agent().is_some(),
        after: read.after(&declared)?,
        policies: read.policies(&declared)?,
        approved_pipelines: owner.pipelines,
        protected_refs: owner.protected,
        vex: if repository::asks_for_vex(&declared) { read.documents(repository::VEX) } else { vec![] },
        exceptions: read.exceptions(project, environment, &people)?,
        people,
        delivery_commit: files.commit.clone(),
        policy_set: read.policy_set(project, environment, &declared, root)?,
        signed: SignedByPeople {
            approvals: read.documents(&repository::approvals(project, environment)),
            disclaimers: read.documents(repository::DISCLAIMERS),
        },
        trust_number: root.number(),
        log: context.log,
        standing: context.standing.clone(),
        now: context.now,
        start_by: context.start_by,
        evidence: evidence(bundles, root.trust()),
        declared,
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

/// The rules of a project in an environment, and whether they are in force.
///
/// # Errors
/// When a file is missing or wrong.
pub fn policy_set(
    files: &DeliveryFiles,
    project: &ProjectName,
    environment: &EnvironmentName,
    root: &TrustRoot,
) -> Result<PolicySet, GatherError> {
    let read = Files { files };
    read.policy_set(project, environment, &read.environment(environment)?, root)
}

/// The environment that `environment` comes after, by its file.
///
/// # Errors
/// When its file is missing or wrong.
pub fn after(
    files: &DeliveryFiles,
    environment: &EnvironmentName,
) -> Result<Option<EnvironmentName>, GatherError> {
    Ok(Files { files }.environment(environment)?.after)
}

/// The configuration of a project in an environment: contents by path below its directory.
#[must_use]
pub fn config<'f>(
    files: &'f DeliveryFiles,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> BTreeMap<&'f str, &'f [u8]> {
    let directory = repository::config(project, environment);
    let below = files
        .files
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix(&directory)?, bytes.as_slice())));
    below.collect()
}

struct Files<'a> {
    files: &'a DeliveryFiles,
}

impl Files<'_> {
    fn bytes(&self, path: &str) -> Result<&[u8], Reason> {
        let found = self.files.files.get(path).map(Vec::as_slice);
        found.ok_or_else(|| Code::FileMissing.reason().with("file", path))
    }

    fn environment(&self, name: &EnvironmentName) -> Result<Environment, GatherError> {
        let path = environment_path(name);
        Ok(Environment::read(&path, self.bytes(&path)?)?)
    }

    fn project(&self, name: &ProjectName) -> Result<Project, GatherError> {
        let path = format!("projects/{name}.yaml");
        Ok(Project::read(&path, self.bytes(&path)?)?)
    }

    fn target(&self, project: &ProjectName, environment: &EnvironmentName) -> Result<Target, GatherError> {
        let path = repository::target_path(project, environment);
        Ok(Target::read(&path, self.bytes(&path)?)?)
    }

    fn after(&self, declared: &Environment) -> Result<Option<Named<EnvironmentName>>, GatherError> {
        let Some(name) = &declared.after else { return Ok(None) };
        Ok(Some(Named { name: name.clone(), id: self.environment(name)?.id }))
    }

    fn policies(&self, declared: &Environment) -> Result<BTreeMap<String, String>, Reason> {
        let text = |path: &String| {
            let bytes = self.bytes(path)?;
            Ok((path.clone(), String::from_utf8_lossy(bytes).into_owned()))
        };
        declared.require.policies.iter().map(text).collect()
    }

    fn exceptions(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
        people: &People,
    ) -> Result<Vec<Exception>, GatherError> {
        let path = exceptions_path(project, environment);
        let Some(bytes) = self.files.files.get(&path) else { return Ok(vec![]) };
        Ok(exceptions::read(&path, bytes, people)?)
    }

    fn release(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
        artifact: Digest,
    ) -> Result<Release, GatherError> {
        self.target(project, environment)?;
        let config = config(self.files, project, environment);
        let config: BTreeMap<&str, Digest> =
            config.into_iter().map(|(path, bytes)| (path, Digest::of(bytes))).collect();
        Ok(Release {
            artifact,
            config: jcs::digest(&config).map_err(unwritable)?,
            target: Digest::of(self.bytes(&repository::target_path(project, environment))?),
            manifests: vec![],
            secrets: vec![],
        })
    }

    fn policy_set(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
        declared: &Environment,
        root: &TrustRoot,
    ) -> Result<PolicySet, GatherError> {
        let present = self.files.files.keys().map(String::as_str).collect();
        let pairs = policy_paths(&present, project, environment, declared).into_iter().map(|path| {
            let digest = Digest::of(self.bytes(&path)?);
            Ok((path, digest))
        });
        let pairs = pairs.collect::<Result<BTreeMap<_, _>, Reason>>()?;
        let numbers = policy_statement_numbers(self.files.files.keys().map(String::as_str));
        let statement = |number: &u64| {
            let Document { bytes, signatures } = self.document(&policy_statement_path(*number))?;
            Some((*number, PolicySetFile { bytes, signatures }))
        };
        let statements: BTreeMap<_, _> = numbers.iter().filter_map(statement).collect();
        let signed = SignedPolicySet::accept(root, &statements);
        let signers = root.policy_signers().iter();
        Ok(PolicySet {
            digest: policy_set_digest(&pairs).map_err(unwritable)?,
            number: numbers.last().copied(),
            signed: signed.and_then(|signed| signed.holds(&pairs).map(|()| signed)),
            possible_signers: signers
                .map(|(name, key)| (key.fingerprint().to_owned(), name.clone()))
                .collect(),
        })
    }

    /// The documents below a directory, each with its signatures.
    fn documents(&self, directory: &str) -> Vec<Document> {
        let paths =
            self.files.files.keys().filter(|path| path.starts_with(directory) && path.ends_with(".json"));
        paths.filter_map(|path| self.document(path)).collect()
    }

    fn document(&self, path: &str) -> Option<Document> {
        let bytes = self.files.files.get(path)?.clone();
        let signatures = self.files.files.get(&format!("{path}.sig"));
        let signatures =
            signatures.map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default();
        Some(Document { bytes, signatures })
    }
}

fn unwritable(error: jcs::JcsError) -> Reason {
    Code::DossierParse.reason().with("problem", error)
}

/// The bundles that verify, each once, in order of their digests.
fn evidence(bundles: &[Vec<u8>], trust: &Trust) -> Vec<Evidence> {
    let mut found: Vec<Evidence> = bundles.iter().filter_map(|bundle| read_evidence(bundle, trust)).collect();
    found.sort_by_key(Evidence::digest);
    found.dedup_by_key(|evidence| evidence.digest());
    found
}

fn read_evidence(bundle: &[u8], trust: &Trust) -> Option<Evidence> {
    let by_its_signer = || Some(verify_any(bundle, trust).ok()?.role().clone());
    match claimed(bundle)?.as_str() {
        SourceRevision::TYPE => verify(bundle, trust, &Role::Source).ok().map(Evidence::Source),
        Provenance::TYPE => verify(bundle, trust, &Role::Builder).ok().map(Evidence::Provenance),
        TestResult::TYPE => verify(bundle, trust, &Role::Scanner).ok().map(Evidence::Test),
        Scan::TYPE => verify(bundle, trust, &Role::Scanner).ok().map(Evidence::Scan),
        Sbom::TYPE => verify(bundle, trust, &Role::Scanner).ok().map(Box::new).map(Evidence::Sbom),
        Delta::TYPE => verify(bundle, trust, &Role::Source).ok().map(Evidence::Delta),
        Observation::TYPE => verify(bundle, trust, &by_its_signer()?).ok().map(Evidence::Observation),
        Summary::TYPE => verify(bundle, trust, &by_its_signer()?).ok().map(Box::new).map(Evidence::Decision),
        _ => None,
    }
}

/// What a bundle says that it is. That only says as what to verify it.
fn claimed(bundle: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Claim {
        predicate_type: String,
    }
    let bundle = Bundle::parse(bundle).ok()?;
    serde_json::from_slice::<Claim>(&bundle.envelope().payload).ok().map(|claim| claim.predicate_type)
}

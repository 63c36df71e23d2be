//! The delivery repository as a decision reads it: its files at one commit, the decision that was promoted there, and
//! what agents say that runs.

use crate::{
    derive::{self, FILE_LIMIT},
    ports::{Source, SourceError},
    run::RunError,
};
use plimsoll_attest::{Statement, Trust, Verified, predicate::Observation, verify};
use plimsoll_model::{Code, CommitId, Entry, EnvironmentName, ProjectName, RelPath, Role};
use plimsoll_pipeline::Environment;
use plimsoll_policy::{
    DeliveryFiles, Summary,
    repository::{decision_path, environment_path, wanted},
};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a bundle.
const BUNDLE_LIMIT: u64 = 32 << 20;

/// The ref of a delivery repository under which the agent of an environment publishes what it sees.
#[must_use]
pub fn observations_ref(environment: &EnvironmentName) -> String {
    format!("refs/plimsoll/observations/{environment}")
}

/// Refuses to judge by any other commit than the newest: an older one could ask for less.
///
/// # Errors
/// `E-REF-MOVED`.
pub fn is_newest(delivery: &dyn Source, commit: &CommitId) -> Result<(), RunError> {
    let head = delivery.resolve("HEAD")?.commit;
    if head == *commit {
        return Ok(());
    }
    let reason = Code::RefMoved.reason().with("reference", "the delivery repository's HEAD");
    Err(reason.with("first", commit).with("second", head).into())
}

/// Every file that a decision about `project` in `environment` depends on, at `commit`.
///
/// # Errors
/// `E-FILE-MISSING`, what is wrong with environment.yaml, and those of the source.
pub fn files(
    delivery: &dyn Source,
    commit: &CommitId,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<DeliveryFiles, RunError> {
    let path = environment_path(environment);
    let declared = derive::required(delivery, commit, &path)?;
    let declared = Environment::read(&path, &declared).map_err(RunError::File)?;
    let tree = delivery.tree(commit, None)?;
    let present: BTreeSet<&str> = tree
        .entries
        .iter()
        .filter(|(_, entry)| matches!(entry, Entry::File { .. }))
        .map(|(path, _)| path.as_str())
        .collect();
    let mut files = BTreeMap::new();
    for path in wanted(&present, project, environment, &declared) {
        let bytes = derive::required(delivery, commit, &path)?;
        files.insert(path, bytes);
    }
    Ok(DeliveryFiles { commit: commit.clone(), files })
}

/// The decision that stands at `commit`: the newest that was promoted, by the environment's own key.
///
/// # Errors
/// Those of verification and of the source.
pub fn standing(
    delivery: &dyn Source,
    commit: &CommitId,
    trust: &Trust,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<Option<Verified<Statement<Summary>>>, RunError> {
    let path = decision_path(project, environment);
    let Some(bundle) = file(delivery, commit, &path)? else { return Ok(None) };
    Ok(Some(verify::<Summary>(&bundle, trust, &Role::Decision(environment.clone()))?))
}

/// The newest observation that the agent of `environment` published about `project`, as a bundle.
///
/// # Errors
/// Those of the source.
pub fn observation(
    delivery: &dyn Source,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<Option<Vec<u8>>, RunError> {
    match delivery.resolve(&observations_ref(environment)) {
        Ok(tip) => file(delivery, &tip.commit, &format!("{project}.sigstore.json")),
        Err(SourceError::Refused(reason)) if reason.code == Code::SrcRevision => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same, verified; none where the environment's agent did not sign it.
///
/// # Errors
/// Those of the source.
pub fn observed(
    delivery: &dyn Source,
    trust: &Trust,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<Option<Verified<Statement<Observation>>>, RunError> {
    let bundle = observation(delivery, project, environment)?;
    let role = Role::Agent(environment.clone());
    Ok(bundle.and_then(|bundle| verify::<Observation>(&bundle, trust, &role).ok()))
}

fn file(delivery: &dyn Source, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, RunError> {
    let path: RelPath = path.parse().map_err(|error| RunError::internal("name a file", &error))?;
    Ok(delivery.file(commit, &path, BUNDLE_LIMIT.max(FILE_LIMIT))?)
}

//! The delivery repository as a decision reads it: its files at one commit, the decision that was promoted there, and
//! what agents say that runs.

use crate::{
    derive::{self, FILE_LIMIT},
    ports::{Source, SourceError},
    run::RunError,
};
use plimsoll_attest::{Statement, Trust, Verified, predicate::Observation, verify};
use plimsoll_model::{Code, CommitId, Digest, Entry, EnvironmentName, ProjectName, Reason, RelPath, Role};
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

/// The files of a delivery repository at one commit. Listing them reads every one, so whoever asks about several projects
/// lists once.
#[derive(Debug)]
pub struct Listing {
    commit: CommitId,
    present: BTreeSet<String>,
}

impl Listing {
    /// Lists the files at `commit`.
    ///
    /// # Errors
    /// Those of the source.
    pub fn of(delivery: &dyn Source, commit: &CommitId) -> Result<Self, RunError> {
        let entries = delivery.tree(commit, None)?.entries.into_iter();
        let files = entries.filter(|(_, entry)| matches!(entry, Entry::File { .. }));
        let present = files.map(|(path, _)| path.to_string()).collect();
        Ok(Self { commit: commit.clone(), present })
    }

    /// Every file that a decision about `project` in `environment` depends on.
    ///
    /// # Errors
    /// `E-FILE-MISSING`, what is wrong with environment.yaml, and those of the source.
    pub fn files(
        &self,
        delivery: &dyn Source,
        project: &ProjectName,
        environment: &EnvironmentName,
    ) -> Result<DeliveryFiles, RunError> {
        let path = environment_path(environment);
        let declared = derive::required(delivery, &self.commit, &path)?;
        let declared = Environment::read(&path, &declared).map_err(RunError::File)?;
        let present = self.present.iter().map(String::as_str).collect();
        let mut files = BTreeMap::new();
        for path in wanted(&present, project, environment, &declared) {
            let bytes = derive::required(delivery, &self.commit, &path)?;
            files.insert(path, bytes);
        }
        Ok(DeliveryFiles { commit: self.commit.clone(), files })
    }
}

/// Every file that a decision about `project` in `environment` depends on, at `commit`.
///
/// # Errors
/// Those of [`Listing`].
pub fn files(
    delivery: &dyn Source,
    commit: &CommitId,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<DeliveryFiles, RunError> {
    Listing::of(delivery, commit)?.files(delivery, project, environment)
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
    let found = found(delivery, commit, trust, project, environment)?;
    Ok(found.map(|found| found.statement))
}

/// A decision that was promoted.
#[derive(Debug)]
pub struct Promoted {
    /// The decision, by the environment's own key.
    pub statement: Verified<Statement<Summary>>,
    /// Its bundle.
    pub bundle: Vec<u8>,
}

fn found(
    delivery: &dyn Source,
    commit: &CommitId,
    trust: &Trust,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<Option<Promoted>, RunError> {
    let Some(bundle) = file(delivery, commit, &decision_path(project, environment))? else {
        return Ok(None);
    };
    let statement = verify::<Summary>(&bundle, trust, &Role::Decision(environment.clone()))?;
    Ok(Some(Promoted { statement, bundle }))
}

/// The decisions that were promoted one after the other, from the one that stands at a commit back to the first: each
/// is what stood where the one after it was judged, and is the one that it names. It ends, because each has a lower
/// place than the one after it.
pub struct Chain<'a> {
    delivery: &'a dyn Source,
    trust: &'a Trust,
    project: &'a ProjectName,
    environment: &'a EnvironmentName,
    /// Where the next one stood, and what the one after it says of it.
    next: Option<(CommitId, Option<Link>)>,
}

/// A decision by its digest and its place.
type Link = (Digest, u64);

impl<'a> Chain<'a> {
    /// The chain that ends with what stands at `commit`.
    #[must_use]
    pub fn new(
        delivery: &'a dyn Source,
        commit: CommitId,
        trust: &'a Trust,
        project: &'a ProjectName,
        environment: &'a EnvironmentName,
    ) -> Self {
        Self { delivery, trust, project, environment, next: Some((commit, None)) }
    }

    /// Whether the decision of this digest is in the chain.
    ///
    /// # Errors
    /// Those of the chain, as far as it was looked through.
    pub fn has(mut self, decision: &Digest) -> Result<bool, RunError> {
        let same = |found: Promoted| (found.statement.payload_digest() == decision).then_some(());
        let found = self.find_map(|found| found.map(same).transpose());
        Ok(found.transpose()?.is_some())
    }

    fn read(&self, commit: &CommitId, named: Option<Link>) -> Result<Option<Promoted>, RunError> {
        let found = found(self.delivery, commit, self.trust, self.project, self.environment)?;
        let actual = found.as_ref().and_then(|found| link(&found.statement));
        match named {
            Some(named) if actual != Some(named) => Err(self.broken(named, actual).into()),
            _ => Ok(found),
        }
    }

    /// A decision names another predecessor than what stood where it was judged.
    fn broken(&self, named: Link, stood: Option<Link>) -> Reason {
        let text = |(digest, place): Link| format!("decision {place} ({})", digest.short());
        let stood = stood.map_or_else(|| "the beginning".to_owned(), text);
        let reason = Code::Rollback.reason().with("actual", text(named)).with("expected", stood);
        reason.with("project", self.project).with("environment", self.environment)
    }
}

impl Iterator for Chain<'_> {
    type Item = Result<Promoted, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (commit, named) = self.next.take()?;
        let found = self.read(&commit, named).transpose()?;
        if let Ok(found) = &found {
            let judged = &found.statement.value().predicate.decision;
            let before = judged.counter.and_then(|counter| counter.checked_sub(1));
            let before = judged.previous.zip(before);
            self.next = before.map(|link| (judged.delivery_commit.clone(), Some(link)));
        }
        Some(found)
    }
}

fn link(decision: &Verified<Statement<Summary>>) -> Option<Link> {
    Some((*decision.payload_digest(), decision.value().predicate.decision.counter?))
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

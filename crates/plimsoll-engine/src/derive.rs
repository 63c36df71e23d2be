//! What follows from a commit alone, computed by the executor and by every signer for itself: the plan, and whether the
//! origin of the run is trusted.

use crate::{
    ports::{CommitFacts, CommitSignature, Event, Journal, Source},
    run::RunError,
    signer::Open,
};
use plimsoll_attest::predicate::source::{PipelineApproval, Signature};
use plimsoll_model::{
    CheckName, Code, CommitId, Digest, ProjectName, Reason, RelPath, Role, Timestamp, record::Tier,
};
use plimsoll_pipeline::{Adapter, CheckKind, People, Pipeline, Plan, Project, Revision, adapter};
use std::collections::BTreeMap;

/// The name of the pipeline's file.
pub const PIPELINE_FILE: &str = "plimsoll.yaml";
/// Bytes of a file that users write.
pub const FILE_LIMIT: u64 = 1 << 20;

/// What a commit's own files say.
#[derive(Debug)]
pub struct Derived {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Its digest.
    pub pipeline_digest: Digest,
    /// The plan.
    pub plan: Plan,
    /// Its digest.
    pub plan_digest: Digest,
    /// SHA-256 of the exported tree.
    pub tree: Digest,
    /// When the commit was made, by its own word.
    pub committed: Timestamp,
}

/// Derives the plan of a commit.
///
/// # Errors
/// Those of the source; `E-FILE-MISSING` and what is wrong with the pipeline's file.
pub fn pipeline(source: &dyn Source, open: &Open) -> Result<Derived, RunError> {
    let path = pipeline_path(open.subdirectory.as_ref())?;
    let bytes = source.file(&open.commit, &path, FILE_LIMIT)?;
    let bytes = bytes.ok_or_else(|| Code::FileMissing.reason().with("file", &path))?;
    let pipeline = Pipeline::read(path.as_str(), &bytes).map_err(RunError::File)?;
    let facts = source.commit(&open.commit, &[])?;
    let tree = source.tree(&open.commit, open.subdirectory.as_ref())?;
    let paths = tree.entries.keys().cloned().collect();
    let tree = tree.digest().map_err(|error| RunError::internal("name the exported tree", &error))?;
    let revision = Revision { commit: open.commit.clone(), tree, committed: facts.committed, paths };
    let manifests = manifests(source, open, &pipeline)?;
    let plan = plimsoll_pipeline::plan(&pipeline, &revision, &open.parameters, &manifests)
        .map_err(|error| RunError::internal("plan the run", &error))?;
    let pipeline_digest =
        pipeline.digest().map_err(|error| RunError::internal("name the pipeline", &error))?;
    let plan_digest = plan.digest().map_err(|error| RunError::internal("name the plan", &error))?;
    Ok(Derived { pipeline, pipeline_digest, plan, plan_digest, tree, committed: facts.committed })
}

/// The manifests that checks go by: those of the commit, and those that come with this program.
fn manifests(
    source: &dyn Source,
    open: &Open,
    pipeline: &Pipeline,
) -> Result<BTreeMap<CheckName, Adapter>, RunError> {
    let mut manifests = BTreeMap::new();
    for check in &pipeline.checks {
        let CheckKind::Manifest { file, .. } = &check.kind else { continue };
        let manifest = match file {
            Some(file) => project_manifest(source, open, file)?,
            None => adapter::ready(check.name.as_str()).ok_or_else(|| missing(&check.name))?,
        };
        manifests.insert(check.name.clone(), manifest);
    }
    Ok(manifests)
}

fn project_manifest(source: &dyn Source, open: &Open, file: &RelPath) -> Result<Adapter, RunError> {
    let path = open.subdirectory.as_ref().map_or_else(|| file.clone(), |directory| directory.join(file));
    let bytes = source.file(&open.commit, &path, FILE_LIMIT)?.ok_or_else(|| missing(&path))?;
    Adapter::read(path.as_str(), &bytes).map_err(RunError::File)
}

/// Looks up again what somebody asked for: what was resolved is what is used, and what a statement says of it is what
/// this signer saw.
///
/// # Errors
/// `E-REF-MOVED` when it names another commit by now, `E-SIGN-UNOBSERVED` when it is not behind the ref that was given.
pub fn resolved(source: &dyn Source, open: &Open) -> Result<(), RunError> {
    let found = source.resolve(&open.requested)?;
    if found.commit != open.commit {
        let reason = Code::RefMoved.reason().with("reference", &open.requested);
        return Err(reason.with("first", &open.commit).with("second", found.commit).into());
    }
    if found.reference != open.reference {
        let problem = "the revision is not what the executor says it is";
        return Err(Code::SignUnobserved.reason().with("problem", problem).into());
    }
    Ok(())
}

/// Where the pipeline's file of a project lies.
///
/// # Errors
/// Never: the name is a path.
pub fn pipeline_path(subdirectory: Option<&RelPath>) -> Result<RelPath, RunError> {
    let name: RelPath = PIPELINE_FILE.parse().map_err(|error| RunError::internal("name a file", &error))?;
    Ok(subdirectory.map_or(name.clone(), |directory| directory.join(&name)))
}

/// What the delivery repository says about a run's origin.
#[derive(Debug)]
pub struct Origin {
    /// The commit, with its signature judged by the keys of people.yaml.
    pub facts: CommitFacts,
    /// The signature, with the person behind it.
    pub signature: Signature,
    /// The protected ref that the commit is reachable from.
    pub protected_by: Option<String>,
    /// Whether the pipeline is listed.
    pub approval: PipelineApproval,
    /// The commit of the delivery repository that was read.
    pub delivery_commit: Option<CommitId>,
    /// What follows.
    pub tier: Tier,
    /// Why it is not trusted.
    pub reasons: Vec<Reason>,
}

/// Judges the origin of a run. Tips of protected refs that moved forward are recorded in the journal as they are seen.
///
/// # Errors
/// Those of the sources and of the journal, and what is wrong with files of the delivery repository.
pub fn origin(world: &OriginWorld<'_>, open: &Open, derived: &Derived) -> Result<Origin, RunError> {
    let Some(delivery) = world.delivery else {
        return Ok(unknown(world.source.commit(&open.commit, &[])?, None, vec![no_delivery(open)]));
    };
    let head = delivery.resolve("HEAD")?.commit;
    let people = read_people(delivery, &head)?;
    let facts = world.source.commit(&open.commit, &people.key_lines())?;
    let name = &derived.pipeline.project;
    let Some(project) = read_project(delivery, &head, name)? else {
        let problem = format!("the delivery repository has no projects/{name}.yaml");
        return Ok(unknown(facts, Some(head), vec![untrusted(open, problem)]));
    };
    let mut reasons = vec![];
    if !world.source.is_at(&project.repository) {
        let problem =
            format!("this is not the repository that projects/{name}.yaml names: {}", project.repository);
        return Ok(unknown(facts, Some(head), vec![untrusted(open, problem)]));
    }
    if project.path != open.subdirectory {
        let at =
            |path: &Option<RelPath>| path.as_ref().map_or_else(|| "its root".to_owned(), ToString::to_string);
        let (there, here) = (at(&project.path), at(&open.subdirectory));
        let problem =
            format!("projects/{name}.yaml names the directory {there} of the repository, not {here}");
        return Ok(unknown(facts, Some(head), vec![untrusted(open, problem)]));
    }
    let protected_by = protected_by(world, open, name, &project, &mut reasons)?;
    let approved = project.pipelines.contains(&derived.pipeline_digest);
    if protected_by.is_none() {
        let reason = Code::SrcUnprotected.reason().with("commit", &open.commit);
        reasons.push(reason.with("project", name));
    }
    if !approved {
        let reason = Code::PipeUnapproved.reason().with("pipeline", derived.pipeline_digest);
        reasons.push(reason.with("project", name));
    }
    let signature = name_signer(&facts.signature, &people);
    Ok(Origin {
        signature,
        tier: if approved && protected_by.is_some() { Tier::Trusted } else { Tier::Untrusted },
        protected_by,
        approval: if approved { PipelineApproval::Approved } else { PipelineApproval::Unapproved },
        delivery_commit: Some(head),
        facts,
        reasons,
    })
}

/// Where origins are judged.
pub struct OriginWorld<'a> {
    /// The repository.
    pub source: &'a dyn Source,
    /// The delivery repository, if there is one.
    pub delivery: Option<&'a dyn Source>,
    /// Where tips were recorded.
    pub journal: &'a dyn Journal,
    /// Who records.
    pub role: &'a Role,
    /// The time.
    pub now: Timestamp,
}

fn no_delivery(open: &Open) -> Reason {
    untrusted(open, "there is no delivery repository; `plimsoll init --delivery DIR` makes one")
}

fn untrusted(open: &Open, problem: impl std::fmt::Display) -> Reason {
    Code::TierUntrusted.reason().with("run", &open.run).with("problem", problem)
}

fn unknown(facts: CommitFacts, delivery_commit: Option<CommitId>, reasons: Vec<Reason>) -> Origin {
    let signature = match &facts.signature {
        CommitSignature::Unsigned => Signature::Unsigned,
        CommitSignature::Good { .. } => Signature::Bad { problem: "nobody says whose key it is".into() },
        CommitSignature::Bad { problem } => Signature::Bad { problem: problem.clone() },
    };
    Origin {
        facts,
        signature,
        protected_by: None,
        approval: PipelineApproval::Unapproved,
        delivery_commit,
        tier: Tier::Untrusted,
        reasons,
    }
}

pub(crate) fn name_signer(signature: &CommitSignature, people: &People) -> Signature {
    match signature {
        CommitSignature::Unsigned => Signature::Unsigned,
        CommitSignature::Bad { problem } => Signature::Bad { problem: problem.clone() },
        CommitSignature::Good { fingerprint } => match people.by_fingerprint().remove(fingerprint) {
            Some(person) => Signature::Good { person, fingerprint: fingerprint.clone() },
            None => Signature::Bad { problem: "nobody in people.yaml has this key".into() },
        },
    }
}

/// The first protected ref that the commit is reachable from. A ref that was rewound since its tip was recorded
/// protects nothing.
fn protected_by(
    world: &OriginWorld<'_>,
    open: &Open,
    name: &ProjectName,
    project: &Project,
    reasons: &mut Vec<Reason>,
) -> Result<Option<String>, RunError> {
    let entries = world.journal.entries()?;
    let mut found = None;
    for reference in &project.protected {
        let Ok(tip) = world.source.resolve(reference) else { continue };
        let seen = entries.iter().rev().find_map(|entry| match &entry.event {
            Event::TipSeen { project, reference: seen, tip } if project == name && seen == reference => {
                Some(tip)
            }
            _ => None,
        });
        if let Some(recorded) = seen
            && !world.source.is_ancestor(recorded, &tip.commit).unwrap_or(false)
        {
            let reason = Code::SrcRewound.reason().with("reference", reference);
            reasons.push(reason.with("recorded", recorded).with("tip", &tip.commit));
            continue;
        }
        if seen != Some(&tip.commit) {
            let (project, reference, tip) = (name.clone(), reference.clone(), tip.commit.clone());
            world.journal.append(world.role, world.now, Event::TipSeen { project, reference, tip })?;
        }
        if found.is_none() && world.source.is_ancestor(&open.commit, &tip.commit)? {
            found = Some(reference.clone());
        }
    }
    Ok(found)
}

/// Reads people.yaml of a delivery repository.
///
/// # Errors
/// When it is missing or wrong.
pub fn read_people(delivery: &dyn Source, commit: &CommitId) -> Result<People, RunError> {
    let bytes = required(delivery, commit, "people.yaml")?;
    People::read("people.yaml", &bytes).map_err(RunError::File)
}

/// Reads the file of a project of a delivery repository, if there is one.
///
/// # Errors
/// When it is wrong.
pub fn read_project(
    delivery: &dyn Source,
    commit: &CommitId,
    project: &ProjectName,
) -> Result<Option<Project>, RunError> {
    let name = format!("projects/{project}.yaml");
    let Some(bytes) = optional(delivery, commit, &name)? else { return Ok(None) };
    Project::read(&name, &bytes).map(Some).map_err(RunError::File)
}

/// A file of the delivery repository that must be there.
///
/// # Errors
/// `E-FILE-MISSING`, and those of the source.
pub fn required(delivery: &dyn Source, commit: &CommitId, name: &str) -> Result<Vec<u8>, RunError> {
    let found = optional(delivery, commit, name)?;
    found.ok_or_else(|| missing(&name))
}

/// `E-FILE-MISSING`.
pub(crate) fn missing(file: &dyn std::fmt::Display) -> RunError {
    Code::FileMissing.reason().with("file", file).into()
}

fn optional(delivery: &dyn Source, commit: &CommitId, name: &str) -> Result<Option<Vec<u8>>, RunError> {
    let path: RelPath = name.parse().map_err(|error| RunError::internal("name a file", &error))?;
    Ok(delivery.file(commit, &path, FILE_LIMIT)?)
}

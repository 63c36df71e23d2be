//! The gate: gathers what a decision depends on, each party for itself, and decides.

use crate::{
    derive,
    ports::{Event, Journal, Source},
    run::RunError,
    signer::{Decide, Decided, Signed, World},
};
use plimsoll_attest::Statement;
use plimsoll_model::{Code, CommitId, Digest, EnvironmentName, ProjectName, Role, Timestamp};
use plimsoll_policy::{
    Context, DeliveryFiles, GatherError, Summary, Verdict,
    gather::{self, policy_paths, target_path},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long an allow may wait before it is started.
const START_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);
/// Bytes of a bundle.
const BUNDLE_LIMIT: u64 = 32 << 20;

/// Decides as a signer of `role`, and signs the verdict if it is one that the role signs: a decision role signs what
/// allows, the refusal role what refuses.
pub(crate) fn decide(
    world: &World<'_>,
    role: &Role,
    request: &Decide,
    sign: impl FnOnce(&Statement<Summary>) -> Result<Signed, RunError>,
) -> Result<Decided, RunError> {
    let own = match role {
        Role::Decision(environment) if *environment == request.environment => Verdict::Allow,
        Role::Refusal => Verdict::Refuse,
        Role::Decision(_) | Role::Agent(_) | Role::Builder | Role::Scanner | Role::Source => {
            return Err(Code::SignUnobserved.reason().with("problem", "that is for another role").into());
        }
    };
    let statement = judge(world, request)?;
    let decision = &statement.predicate.decision;
    let allowed = decision.verdict == Verdict::Allow;
    let reasons: Vec<_> = decision.reasons().cloned().collect();
    if decision.verdict != own {
        return Ok(Decided { allowed, reasons, signed: None });
    }
    let signed = sign(&statement)?;
    let (project, environment) = (request.project.clone(), request.environment.clone());
    let event = match decision.counter {
        Some(counter) => Event::Decided {
            project,
            environment,
            decision: signed.statement,
            counter,
            previous: decision.previous,
        },
        None => Event::Refused {
            project: Some(project),
            environment: Some(environment),
            run: Some(decision.run.clone()),
            decision: Some(signed.statement),
            codes: reasons.iter().map(|reason| reason.code).collect(),
        },
    };
    world.journal.append(role, (world.clock)(), event)?;
    Ok(Decided { allowed, reasons, signed: Some(signed) })
}

fn judge(world: &World<'_>, request: &Decide) -> Result<Statement<Summary>, RunError> {
    let no_trust = || Code::TrustRoot.reason().with("problem", "none is pinned here");
    let (trust_number, trust) = world.trust.ok_or_else(no_trust)?;
    let delivery = world.delivery.ok_or_else(|| Code::FileMissing.reason().with("file", "delivery.yaml"))?;
    let files = read_delivery(delivery, &request.delivery_commit, &request.project, &request.environment)?;
    let run = world.blobs.read(&request.run, BUNDLE_LIMIT)?;
    let bundles = request.evidence.iter().map(|blob| world.blobs.read(blob, BUNDLE_LIMIT));
    let bundles = bundles.collect::<Result<Vec<_>, _>>()?;
    let now = (world.clock)();
    let context = Context {
        project: request.project.clone(),
        environment: request.environment.clone(),
        trust_number,
        log: world.journal.position()?,
        previous: current(world.journal, &request.project, &request.environment)?,
        now,
        start_by: now.checked_add(START_WITHIN).unwrap_or(Timestamp::MAX),
    };
    let inputs = gather::gather(&files, trust, &run, &bundles, &context).map_err(from_gather)?;
    Ok(plimsoll_policy::decide(&inputs)?)
}

fn from_gather(error: GatherError) -> RunError {
    match error {
        GatherError::Refused(reason) => reason.into(),
        GatherError::File(errors) => RunError::File(errors),
    }
}

/// Reads what a decision depends on from the newest commit of the delivery repository, which must be `commit`: an older
/// one could ask for less.
///
/// # Errors
/// `E-REF-MOVED` for another commit, `E-FILE-MISSING`, and those of the source.
pub fn read_delivery(
    delivery: &dyn Source,
    commit: &CommitId,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<DeliveryFiles, RunError> {
    let head = delivery.resolve("HEAD")?.commit;
    if head != *commit {
        let reason = Code::RefMoved.reason().with("reference", "the delivery repository's HEAD");
        return Err(reason.with("first", commit).with("second", head).into());
    }
    let mut paths = policy_paths(project, environment);
    paths.push(target_path(project, environment));
    let mut files = BTreeMap::new();
    for path in paths {
        let bytes = derive::required(delivery, commit, &path)?;
        files.insert(path, bytes);
    }
    Ok(DeliveryFiles { commit: commit.clone(), files })
}

/// The decision that an environment stands at: the newest promoted one, with its place in the chain. A promotion counts
/// if the environment's decision signer wrote down that decision, with that place, before it.
///
/// # Errors
/// Those of the journal.
pub fn current(
    journal: &dyn Journal,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<Option<(Digest, u64)>, RunError> {
    let signer = Role::Decision(environment.clone());
    let (mut decided, mut current) = (BTreeSet::new(), None);
    for entry in journal.entries()? {
        match entry.event {
            Event::Decided { project: of, environment: there, decision, counter, .. }
                if entry.by == signer && of == *project && there == *environment =>
            {
                decided.insert((decision, counter));
            }
            Event::Promoted { project: of, environment: there, decision, counter }
                if of == *project && there == *environment && decided.contains(&(decision, counter)) =>
            {
                current = Some((decision, counter));
            }
            _ => {}
        }
    }
    Ok(current)
}

//! The gate: gathers what a decision depends on, each party for itself, and decides.

use crate::{
    delivery::{self, Chain},
    ports::{Event, Journal, Source},
    run::RunError,
    signer::{Decide, Decided, Signed, World},
};
use plimsoll_attest::{Statement, TrustRoot, verify};
use plimsoll_model::{Code, Digest, EnvironmentName, ProjectName, Role, Timestamp};
use plimsoll_policy::{Context, GatherError, Kind, Standing, Summary, Verdict, gather};
use std::{collections::BTreeSet, time::Duration};

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
    let root = world.trust.ok_or_else(no_trust)?;
    let delivery = world.delivery.ok_or_else(|| Code::FileMissing.reason().with("file", "delivery.yaml"))?;
    let Decide { project, environment, delivery_commit, .. } = request;
    delivery::is_newest(delivery, delivery_commit)?;
    let files = delivery::files(delivery, delivery_commit, project, environment)?;
    let run = world.blobs.read(&request.run, BUNDLE_LIMIT)?;
    let given = request.evidence.iter().map(|blob| world.blobs.read(blob, BUNDLE_LIMIT));
    let mut bundles = given.collect::<Result<Vec<_>, _>>()?;
    bundles.extend(seen(delivery, &files, request)?);
    if request.kind == Kind::Rollback {
        bundles = without_unpromoted(bundles, delivery, root, request)?;
    }
    let now = (world.clock)();
    let context = Context {
        kind: request.kind,
        project: project.clone(),
        environment: environment.clone(),
        log: world.journal.position()?,
        standing: standing(world.journal, delivery, root, request)?,
        now,
        start_by: now.checked_add(START_WITHIN).unwrap_or(Timestamp::MAX),
    };
    let inputs = gather::gather(&files, root, &run, &bundles, &context).map_err(from_gather)?;
    Ok(plimsoll_policy::decide(&inputs)?)
}

/// What agents say of this environment and of the one before it: looked up here, because whoever asks could choose an
/// older one.
fn seen(
    delivery: &dyn Source,
    files: &plimsoll_policy::DeliveryFiles,
    request: &Decide,
) -> Result<Vec<Vec<u8>>, RunError> {
    let before = gather::after(files, &request.environment).map_err(from_gather)?;
    let mut bundles = Vec::new();
    for environment in before.iter().chain([&request.environment]) {
        bundles.extend(delivery::observation(delivery, &request.project, environment)?);
    }
    Ok(bundles)
}

/// Without decisions of this environment that never stood here: an allow that nobody promoted, such as one that lost a
/// race, allows no way back to its release.
fn without_unpromoted(
    bundles: Vec<Vec<u8>>,
    delivery: &dyn Source,
    root: &TrustRoot,
    request: &Decide,
) -> Result<Vec<Vec<u8>>, RunError> {
    let Decide { project, environment, delivery_commit, .. } = request;
    let role = Role::Decision(environment.clone());
    let mut kept = Vec::new();
    for bundle in bundles {
        let chain = Chain::new(delivery, delivery_commit.clone(), root.trust(), project, environment);
        let stood = match verify::<Summary>(&bundle, root.trust(), &role) {
            Ok(decision) => chain.has(decision.payload_digest())?,
            Err(_) => true,
        };
        if stood {
            kept.push(bundle);
        }
    }
    Ok(kept)
}

/// Where the environment stands, by the delivery repository; it cannot be behind what was promoted from here.
fn standing(
    journal: &dyn Journal,
    delivery: &dyn Source,
    root: &TrustRoot,
    request: &Decide,
) -> Result<Option<Standing>, RunError> {
    let Decide { project, environment, delivery_commit, .. } = request;
    let promoted = delivery::standing(delivery, delivery_commit, root.trust(), project, environment)?;
    let standing = promoted.as_ref().and_then(Standing::after);
    let known = promoted_from_here(journal, project, environment)?;
    let behind = |(_, counter): &(Digest, u64)| standing.as_ref().is_none_or(|s| s.counter < *counter);
    match known.filter(behind) {
        None => Ok(standing),
        Some((decision, counter)) => {
            let place =
                |counter: u64, decision: &Digest| format!("decision {counter} ({})", decision.short());
            let actual = standing.map_or_else(|| "the beginning".into(), |s| place(s.counter, &s.decision));
            let reason =
                Code::Rollback.reason().with("actual", actual).with("expected", place(counter, &decision));
            Err(reason.with("project", project).with("environment", environment).into())
        }
    }
}

fn from_gather(error: GatherError) -> RunError {
    match error {
        GatherError::Refused(reason) => reason.into(),
        GatherError::File(errors) => RunError::File(errors),
    }
}

/// The newest decision that was promoted from here, with its place in the chain. A promotion counts if the
/// environment's decision signer wrote down that decision, with that place, before it.
///
/// # Errors
/// Those of the journal.
pub fn promoted_from_here(
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

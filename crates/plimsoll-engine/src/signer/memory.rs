//! What the journal already says about a run. A signer process can be started twice; the journal is the memory that all
//! of them share. Pure.

use super::{
    protocol::Open,
    session::{OpenRun, unobserved},
};
use crate::{
    derive::Derived,
    ports::{Event, JournalEntry},
    run::RunError,
};
use plimsoll_attest::predicate::run::AttemptKind;
use plimsoll_model::{Digest, Role, RunId};

/// The one role that closes things of this kind; what another writes about them does not count.
pub(super) const fn closer(kind: AttemptKind) -> Role {
    match kind {
        AttemptKind::Source => Role::Source,
        AttemptKind::Step | AttemptKind::Artifact => Role::Builder,
        AttemptKind::Check => Role::Scanner,
    }
}

/// Refuses to open a run that was opened, closed or finished before. The builder opens first; the others open exactly
/// what it derived, or they would vouch for another plan under the same id.
///
/// # Errors
/// `E-SIGN-UNOBSERVED`.
pub(super) fn may_open(
    role: &Role,
    open: &Open,
    derived: &Derived,
    entries: &[JournalEntry],
) -> Result<(), RunError> {
    let of_run = || entries.iter().filter(|entry| run_of(&entry.event) == Some(&open.run));
    let opened = of_run().filter(|entry| entry.by == Role::Builder).find_map(|entry| match &entry.event {
        Event::Opened { project, commit, plan, .. } => Some((project, commit, plan)),
        _ => None,
    });
    let plan = &derived.plan;
    match (role, opened) {
        (Role::Builder, None) => {}
        (Role::Builder, Some(_)) => return Err(unobserved("a run of this id was opened before")),
        (Role::Scanner | Role::Source, Some(known))
            if known == (&plan.project, &plan.commit, &derived.plan_digest) => {}
        (Role::Scanner | Role::Source, Some(_)) => return Err(unobserved("the builder opened another plan")),
        (Role::Scanner | Role::Source, None) => return Err(unobserved("the builder did not open this run")),
        (Role::Decision(_) | Role::Agent(_) | Role::Refusal, _) => {
            return Err(unobserved("that is for another role"));
        }
    }
    let over = |entry: &JournalEntry| match entry.event {
        Event::Finished { .. } => true,
        Event::Closed { .. } => entry.by == *role,
        _ => false,
    };
    if of_run().any(over) { Err(unobserved("this run was worked on before")) } else { Ok(()) }
}

/// Refuses to close something twice, and anything of a run that was finished.
///
/// # Errors
/// `E-SIGN-UNOBSERVED`.
pub(super) fn may_close(
    run: &OpenRun,
    closing: (AttemptKind, &str, u32),
    entries: &[JournalEntry],
) -> Result<(), RunError> {
    for entry in entries {
        match &entry.event {
            Event::Finished { run: of, .. } if *of == run.open.run => {
                return Err(unobserved("the run is finished"));
            }
            Event::Closed { run: of, kind, name, attempt, .. }
                if *of == run.open.run && (*kind, name.as_str(), *attempt) == closing =>
            {
                return Err(unobserved(&format!("attempt {attempt} of {name} is closed already")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The manifest of the artifact that the builder closed in this run.
pub(super) fn artifact(run: &OpenRun, entries: &[JournalEntry]) -> Option<Digest> {
    built(run, entries).and_then(|(artifact, _)| artifact)
}

/// The statement that the builder signed about that artifact.
pub(super) fn provenance(run: &OpenRun, entries: &[JournalEntry]) -> Option<Digest> {
    built(run, entries).and_then(|(_, statement)| statement)
}

fn built(run: &OpenRun, entries: &[JournalEntry]) -> Option<(Option<Digest>, Option<Digest>)> {
    entries.iter().filter(|entry| entry.by == Role::Builder).find_map(|entry| match &entry.event {
        Event::Closed { run: of, kind: AttemptKind::Artifact, artifact, statement, .. }
            if *of == run.open.run =>
        {
            Some((*artifact, *statement))
        }
        _ => None,
    })
}

fn run_of(event: &Event) -> Option<&RunId> {
    match event {
        Event::Opened { run, .. } | Event::Closed { run, .. } | Event::Finished { run, .. } => Some(run),
        Event::Decided { .. }
        | Event::Promoted { .. }
        | Event::Refused { .. }
        | Event::Advisories { .. }
        | Event::TipSeen { .. } => None,
    }
}

//! The end of a run: what the journal says was closed, next to what was planned. The executor has no say in it.

use super::{
    memory::closer,
    session::{OpenRun, unobserved},
    statements::{on, subject},
};
use crate::{
    ports::{Event, JournalEntry},
    run::RunError,
};
use plimsoll_attest::{
    Predicate as _, Statement,
    predicate::{
        Run, Sbom, Scan, TestResult,
        run::{Artifact, Attempt, Planned},
    },
};
use plimsoll_pipeline::plan::PredicateKind;
use plimsoll_policy::LOCAL_BUILDER;
use std::collections::BTreeSet;

/// Writes the run statement of a run whose entries are among `entries`.
///
/// # Errors
/// `E-SIGN-UNOBSERVED` when two entries claim to be the same attempt: nobody could say which of them counts.
pub(super) fn write(run: &OpenRun, entries: &[JournalEntry]) -> Result<Statement<Run>, RunError> {
    let attempts: Vec<Attempt> = entries.iter().filter_map(|entry| attempt(run, entry)).collect();
    let mut seen = BTreeSet::new();
    if let Some(twice) = attempts.iter().find(|one| !seen.insert((one.kind, &one.name, one.attempt))) {
        return Err(unobserved(&format!("attempt {} of {} was closed twice", twice.attempt, twice.name)));
    }
    let artifact = run.artifact.as_ref();
    let predicate = Run {
        run: run.open.run.clone(),
        project: run.derived.plan.project.clone(),
        commit: run.open.commit.clone(),
        tree: run.derived.tree,
        plan: run.derived.plan_digest,
        pipeline: run.derived.pipeline_digest,
        tier: run.tier,
        builder: LOCAL_BUILDER.into(),
        artifact: artifact.map(|artifact| Artifact {
            media_type: artifact.media_type.clone(),
            digest: artifact.manifest,
            size: artifact.size,
            files: artifact.files.clone(),
        }),
        planned: planned(run),
        attempts,
        predecessor: None,
        opened_at: run.opened_at,
    };
    Ok(Statement { subject: vec![subject(run, artifact.map(|artifact| artifact.manifest))], predicate })
}

fn planned(run: &OpenRun) -> Vec<Planned> {
    let planned = run.derived.plan.checks.iter().map(|check| Planned {
        check: check.name.clone(),
        on: on(check.on),
        role: check.role.clone(),
        predicate_type: match check.predicate {
            PredicateKind::TestResult => TestResult::TYPE.into(),
            PredicateKind::Scan => Scan::TYPE.into(),
            PredicateKind::Sbom => Sbom::TYPE.into(),
        },
    });
    planned.collect()
}

/// An attempt counts if the role that closes such things wrote it down after the run was opened.
fn attempt(run: &OpenRun, entry: &JournalEntry) -> Option<Attempt> {
    match &entry.event {
        Event::Closed { run: of, kind, name, attempt, outcome, predicate_type, statement, .. }
            if *of == run.open.run && entry.by == closer(*kind) && entry.index >= run.opened_at.size =>
        {
            Some(Attempt {
                kind: *kind,
                name: name.clone(),
                attempt: *attempt,
                outcome: *outcome,
                role: entry.by.clone(),
                predicate_type: predicate_type.clone(),
                statement: *statement,
            })
        }
        _ => None,
    }
}

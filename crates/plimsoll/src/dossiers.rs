//! Dossiers on this machine: each is put together when its decision is made, so that what was looked at is there for
//! ever, whatever becomes of the delivery repository.

use crate::{
    context::{self, Context},
    failure::Failure,
    records::RunRecord,
};
use plimsoll_attest::Bundle;
use plimsoll_engine::{
    delivery,
    ports::{Blobs as _, Source as _},
};
use plimsoll_git::GitSource;
use plimsoll_model::{CommitId, Digest, EnvironmentName, ProjectName, RelPath};
use plimsoll_policy::{DossierParts, Summary, dossier, gather, repository::decision_path};
use plimsoll_store::StateDir;
use std::collections::BTreeSet;

/// Bytes of a bundle or manifest.
pub(crate) const LIMIT: u64 = 32 << 20;

/// What a decision was made from, beside the delivery repository and what its signer looked up there.
pub(crate) struct Judged<'a> {
    pub(crate) run: &'a RunRecord,
    /// The decision's bundle.
    pub(crate) decision: &'a [u8],
    pub(crate) summary: &'a Summary,
    /// Bundles that the signer was given beside those of the run.
    pub(crate) given: &'a [Vec<u8>],
}

/// Puts a dossier together and stores it. Gives its blob.
pub(crate) fn keep(context: &Context, state: &StateDir, judged: &Judged<'_>) -> Result<Digest, Failure> {
    let parts = parts(context, state, judged)?;
    Ok(state.layout().put(&dossier::write(&parts)?)?)
}

fn parts(context: &Context, state: &StateDir, judged: &Judged<'_>) -> Result<DossierParts, Failure> {
    let pinned = context.pinned()?.ok_or_else(context::not_pinned)?;
    let source = context.delivery()?;
    let decision = &judged.summary.decision;
    let (project, environment) = (&decision.project.name, &decision.environment.name);
    let files = delivery::files(&source, &decision.delivery_commit, project, environment)?;
    let mut context = judged.given.to_vec();
    let before = gather::after(&files, environment).ok().flatten();
    for environment in before.iter().chain([environment]) {
        context.extend(delivery::observation(&source, project, environment)?);
    }
    let looked_at =
        |bundle: &Vec<u8>| payload(bundle).is_some_and(|digest| decision.context.contains(&digest));
    let mut statements: BTreeSet<Vec<u8>> = context.into_iter().filter(looked_at).collect();
    for statement in judged.run.statements.iter().filter(|statement| statement.name != "run") {
        statements.insert(state.layout().read(&statement.bundle, LIMIT)?);
    }
    let run = judged.run.statement("run").map(|statement| statement.bundle);
    let run = run.ok_or_else(|| Failure::Usage("the run has no run statement; run again".into()))?;
    Ok(DossierParts {
        decision: judged.decision.to_vec(),
        run: state.layout().read(&run, LIMIT)?,
        statements,
        standing: standing(&source, &decision.delivery_commit, project, environment)?,
        files: files.files,
        root: pinned.root.into_bytes(),
        root_signatures: pinned.signatures.into_iter().collect(),
        manifest: state.layout().read(&decision.release.artifact, LIMIT)?,
    })
}

/// The bundle of the decision that stood at this commit of the delivery repository.
pub(crate) fn standing(
    source: &GitSource,
    commit: &CommitId,
    project: &ProjectName,
    environment: &EnvironmentName,
) -> Result<Option<Vec<u8>>, Failure> {
    let path = decision_path(project, environment);
    let path: RelPath = path.parse().map_err(|error| Failure::broken("failed to name a file", &error))?;
    Ok(source.file(commit, &path, LIMIT)?)
}

/// The digest that a bundle's statement is named by.
pub(crate) fn payload(bundle: &[u8]) -> Option<Digest> {
    Bundle::parse(bundle).ok().map(|bundle| Digest::of(&bundle.envelope().payload))
}

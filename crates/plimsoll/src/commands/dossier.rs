//! `plimsoll dossier`: a decision and everything it names in one file, from which anybody recomputes it offline.

use super::why;
use crate::{
    cli::DossierArguments,
    context::{self, Context},
    failure::Failure,
    output::Output,
    records,
};
use plimsoll_engine::{derive, ports::Blobs as _};
use plimsoll_policy::{
    DossierParts, Summary,
    dossier::write,
    gather::{policy_paths, target_path},
};
use plimsoll_store::StateDir;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// Bytes of a bundle or manifest.
const LIMIT: u64 = 32 << 20;

pub(crate) fn dossier(
    context: &Context,
    arguments: &DossierArguments,
    output: &Output,
) -> Result<(), Failure> {
    let unit = &arguments.unit;
    let state = context.reader()?;
    let decision = records::newest_decision(&state, &unit.to_string())?;
    let statement = why::verified(context, &state, unit, &decision)?;
    let bundle = state.layout().read(&decision.bundle, LIMIT)?;
    let parts = parts(context, &state, bundle, &statement.value().predicate)?;
    let bytes = write(&parts)?;
    let name = || PathBuf::from(format!("{}-{}.dossier.tar", unit.project, unit.environment));
    let path = arguments.output.clone().unwrap_or_else(name);
    fs::write(&path, &bytes)
        .map_err(|error| Failure::broken(format!("failed to write {}", path.display()), &error))?;
    let text = format!(
        "written   {}  {} bytes\ndecision  {}\nnext      plimsoll verify {}",
        path.display(),
        bytes.len(),
        decision.decision,
        path.display()
    );
    output.result(&text, &serde_json::json!({ "written": path, "decision": decision.decision }));
    Ok(())
}

fn parts(
    context: &Context,
    state: &StateDir,
    decision: Vec<u8>,
    summary: &Summary,
) -> Result<DossierParts, Failure> {
    let pinned = context.pinned()?.ok_or_else(context::not_pinned)?;
    let delivery = pinned.delivery()?;
    let judged = &summary.decision;
    let run = records::find(state, judged.run.as_str())?;
    let run = run.record.ok_or_else(|| Failure::Usage("the run of the decision did not finish".into()))?;
    let bundle = |name: &str| {
        let found = run.statement(name).map(|statement| statement.bundle);
        let found = found.ok_or_else(|| Failure::Usage(format!("the run has no {name} statement")))?;
        Ok::<_, Failure>(state.layout().read(&found, LIMIT)?)
    };
    let (project, environment) = (&judged.project.name, &judged.environment.name);
    let mut files = BTreeMap::new();
    for path in policy_paths(project, environment).into_iter().chain([target_path(project, environment)]) {
        let bytes = derive::required(&delivery, &judged.delivery_commit, &path)?;
        files.insert(path, bytes);
    }
    let others = run.statements.iter().filter(|statement| statement.name != "run");
    let statements = others.map(|statement| Ok(state.layout().read(&statement.bundle, LIMIT)?));
    Ok(DossierParts {
        decision,
        run: bundle("run")?,
        statements: statements.collect::<Result<BTreeSet<_>, Failure>>()?,
        files,
        root: pinned.root.into_bytes(),
        root_signatures: pinned.signatures.into_iter().collect(),
        manifest: state.layout().read(&judged.release.artifact, LIMIT)?,
    })
}

//! `plimsoll dossier`: a decision and everything it names in one file, from which anybody recomputes it offline.

use crate::{cli::DossierArguments, context::Context, failure::Failure, output::Output, records};
use plimsoll_engine::ports::Blobs as _;
use plimsoll_policy::dossier::MAX_DOSSIER;
use std::{fs, path::PathBuf};

pub(crate) fn dossier(
    context: &Context,
    arguments: &DossierArguments,
    output: &Output,
) -> Result<(), Failure> {
    let unit = &arguments.unit;
    let state = context.reader()?;
    let decision = records::newest_decision(&state, &unit.to_string())?;
    let bytes = state.layout().read(&decision.dossier, MAX_DOSSIER as u64)?;
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

//! `plimsoll logs`: what was printed in the sandboxes of a run, or by a service. Foreign text is disarmed.

use super::stop;
use crate::{
    cli::{Logs, ProjectAt},
    context::Context,
    failure::Failure,
    output::Output,
    records,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub(crate) fn logs(context: &Context, arguments: &Logs, output: &Output) -> Result<(), Failure> {
    let files = match arguments.of.parse::<ProjectAt>() {
        Ok(unit) => vec![service_log(context, &unit)?],
        Err(_) => run_logs(context, arguments)?,
    };
    let mut texts = Vec::new();
    for (name, path) in &files {
        let bytes = fs::read(path)
            .map_err(|error| Failure::broken(format!("failed to read {}", path.display()), &error))?;
        if output.is_json() {
            texts.push(serde_json::json!({ "name": name, "text": String::from_utf8_lossy(&bytes) }));
            continue;
        }
        if files.len() > 1 {
            output.raw(format!("--- {name}\n").as_bytes());
        }
        output.raw(&bytes);
    }
    if output.is_json() {
        output.result("", &texts);
    }
    Ok(())
}

fn service_log(context: &Context, unit: &ProjectAt) -> Result<(String, PathBuf), Failure> {
    let path = stop::directory(context, unit)?.log();
    if path.exists() {
        Ok((unit.to_string(), path))
    } else {
        Err(Failure::Usage(format!("{unit} never ran here")))
    }
}

fn run_logs(context: &Context, arguments: &Logs) -> Result<Vec<(String, PathBuf)>, Failure> {
    let state = context.reader()?;
    let found = records::find(&state, &arguments.of)?;
    let directory = state.runs().open(&found.run)?.path().join("logs");
    let mut logs = list(&directory)
        .map_err(|error| Failure::broken(format!("failed to list {}", directory.display()), &error))?;
    if let Some(step) = &arguments.step {
        logs.retain(|(name, _)| name.rsplit_once('.').is_some_and(|(of, _)| of == step));
        // What printed nothing has no file, and is in the record all the same.
        if logs.is_empty() && !found.record.is_some_and(|record| record.has(step)) {
            return Err(Failure::Usage(format!("the run has no log of {step}")));
        }
    }
    Ok(logs)
}

/// Logs by `name.attempt`, oldest first.
fn list(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".log")) {
            found.push((entry.metadata()?.modified()?, name.to_owned(), entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, name, path)| (name, path)).collect())
}

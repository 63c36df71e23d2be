//! `plimsoll status`: what stands and runs in every environment, what runs here, and the newest runs.

use super::stop;
use crate::{
    board::{self, Row},
    cli::ProjectAt,
    context::Context,
    failure::Failure,
    installed,
    output::Output,
    places::Place,
    records::{self, Found},
    released,
};
use plimsoll_host::{Installed, ServiceRecord};
use plimsoll_model::{Severity, Timestamp};
use plimsoll_store::StateDir;
use std::{collections::BTreeMap, fs, io};

/// Runs that are shown.
const NEWEST: usize = 10;

pub(crate) fn status(context: &Context, output: &Output) -> Result<(), Failure> {
    let state = context.reader()?;
    let services = services(context)?;
    let installed = installed::all(context)?;
    let runs: Vec<Found> = records::list(&state)?.take(NEWEST).collect::<Result<_, _>>()?;
    let environments = match context.pinned()? {
        Some(pinned) => environments(context, &state, board::newest_places(context, pinned, output)?, output),
        None => vec![],
    };
    let mut text = board::text(&environments, Timestamp::now());
    for (unit, service) in &services {
        text.push_str(&service_line(unit, service));
    }
    for (unit, installed) in &installed {
        text.push_str(&installed_line(unit, installed));
    }
    if services.is_empty() && installed.is_empty() && environments.is_empty() {
        text.push_str("nothing runs here\n");
    }
    for found in &runs {
        text.push_str(&run_line(found));
    }
    let value = serde_json::json!({
        "environments": environments,
        "services": services.iter().map(|(unit, service)| serde_json::json!({ "unit": unit.to_string(), "service": service })).collect::<Vec<_>>(),
        "installed": installed.iter().map(|(unit, installed)| serde_json::json!({ "unit": unit.to_string(), "installed": installed, "current": installed.is_current() })).collect::<Vec<_>>(),
        "runs": runs.iter().map(|found| serde_json::json!({ "run": found.run, "created": found.created, "record": found.record })).collect::<Vec<_>>(),
    });
    output.result(&text, &value);
    Ok(())
}

/// A row for each place, with what is known today about what runs there.
fn environments(context: &Context, state: &StateDir, places: Vec<Place>, output: &Output) -> Vec<Row> {
    let mut known = released::today(context, state, &places, Severity::High).unwrap_or_else(|failure| {
        output.progress(&format!("what is known today could not be told: {}", failure.text()));
        BTreeMap::new()
    });
    let mut rows = board::rows(places);
    rows.iter_mut().for_each(|row| row.known = known.remove(&row.unit));
    rows
}

fn service_line(unit: &ProjectAt, service: &ServiceRecord) -> String {
    let state = format!("{:?}", service.state).to_lowercase();
    let release = service.release.short();
    let mut line = format!(
        "{:<24} {state:<10} http://{}  pid {}  release {release}  restarts {}\n",
        format!("here: {unit}"),
        service.listen,
        service.process,
        service.restarts
    );
    if let (Some(standby), Some(until)) = (&service.standby, service.confirm) {
        let release = standby.release.short();
        line.push_str(&format!(
            "  until {until} a failure gives way to release {release}, pid {}\n",
            standby.process
        ));
    }
    line
}

fn installed_line(unit: &ProjectAt, installed: &Installed) -> String {
    let state = if installed.is_current() { "installed" } else { "replaced" };
    let (here, path, release) =
        (format!("here: {unit}"), installed.path.display(), installed.release.short());
    format!("{here:<24} {state:<10} {path}  release {release}\n")
}

fn run_line(found: &Found) -> String {
    let id = &found.run.as_str()[..8];
    match &found.record {
        None => format!("run {id}  not finished\n"),
        Some(record) => {
            let result = if record.passed { "passed" } else { "not passed" };
            let artifact = record.artifact.as_ref().map_or_else(|| "none".to_owned(), |a| a.manifest.short());
            format!(
                "run {id}  {:<16} commit {}  {:<9} {result:<10}  artifact {artifact}\n",
                record.project.to_string(),
                record.commit.short(),
                record.tier
            )
        }
    }
}

/// Every service that was ever started here and has a record.
pub(crate) fn services(context: &Context) -> Result<Vec<(ProjectAt, ServiceRecord)>, Failure> {
    let entries = match fs::read_dir(context.services()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        other => other.map_err(|error| Failure::broken("failed to list services", &error))?,
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let unit = entry.file_name().to_str().and_then(|name| name.parse::<ProjectAt>().ok());
        if let Some(unit) = unit
            && let Some(record) = stop::directory(context, &unit)?.read()
        {
            found.push((unit, record));
        }
    }
    found.sort_by_key(|(unit, _)| unit.to_string());
    Ok(found)
}

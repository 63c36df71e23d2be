//! `plimsoll scan released`: what became known about the packages of what runs.

use super::CANNOT_TELL;
use crate::{
    advisories::{self, InUse},
    board,
    cli::scan::ScanReleased,
    context::{Context, not_pinned},
    failure::Failure,
    output::Output,
    places::Place,
    released::{self, Known, Told},
};
use plimsoll_model::reason::printable;
use std::{fmt::Write as _, process::ExitCode};

pub(crate) fn scan(context: &Context, asked: &ScanReleased, output: &Output) -> Result<ExitCode, Failure> {
    let InUse { index, .. } = advisories::in_use(context)?;
    let pinned = context.pinned()?.ok_or_else(not_pinned)?;
    let places = board::newest_places(context, pinned, output)?;
    let wanted = |place: &&Place| {
        asked.environments.is_empty() || asked.environments.contains(&place.unit.environment)
    };
    let (running, untold) = released::running(places.iter().filter(wanted));
    let releases = running.len();
    let mut told = Told { untold, ..Told::default() };
    let listed = released::listed(context, &context.reader()?, running, &mut told.untold)?;
    told.compare(&listed, &index)?;
    told.known.retain(|known| known.finding.severity >= asked.least && (asked.all || known.new));
    let database = index.database();
    let value = serde_json::json!({
        "advisories": { "index": database.digest, "updated": database.updated },
        "releases": releases, "findings": told.known, "untold": told.untold,
    });
    output.result(&text(&told, releases), &value);
    Ok(ExitCode::from(match (told.known.is_empty(), told.untold.is_empty()) {
        (false, _) => 1,
        (true, false) => CANNOT_TELL,
        (true, true) => 0,
    }))
}

fn text(told: &Told, releases: usize) -> String {
    let mut text = String::new();
    for Known { new, finding, releases: having } in &told.known {
        let mark = if *new { "" } else { " (known when it was released)" };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}: {}{mark}", finding.severity, printable(&finding.message, 400));
        for release in having {
            let (commit, artifact) = (release.commit.short(), release.artifact.short());
            let (unit, since) = (&release.unit, release.since);
            let _ = writeln!(text, "  in   {unit}  commit {commit}  artifact {artifact}  since {since}");
        }
        if let Some(fix) = &finding.fix {
            let _ = writeln!(text, "  fix  {}", printable(fix, 400));
        }
    }
    for problem in &told.untold {
        let _ = writeln!(text, "cannot tell: {}", printable(problem, 400));
    }
    if told.known.is_empty() && told.untold.is_empty() {
        let _ = writeln!(text, "nothing new is known about {releases} releases");
    }
    text
}

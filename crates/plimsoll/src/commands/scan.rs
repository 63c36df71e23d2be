//! `plimsoll scan`: looks for what should not be there, and says what it looked at. One file for each engine; this one
//! puts their reports together.

mod archive;
pub(crate) mod config;
pub(crate) mod dependencies;
mod malware;
pub(crate) mod others;
mod released;
pub(crate) mod secrets;
pub(crate) mod show;
mod stream;
pub(crate) mod tree;
mod zstd;

use crate::{
    cli::scan::{Scan, ScanCommand, Shown},
    context::Context,
    failure::Failure,
    output::Output,
};
use others::Others;
use plimsoll_model::Code;
use plimsoll_scan::{Finding, Report, Rule, Severity, Verdict, sarif};
use serde::Serialize;
use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
    process::ExitCode,
};

/// How a scan ends that cannot tell.
const CANNOT_TELL: u8 = 3;

pub(crate) fn scan(context: &Context, arguments: &Scan, output: &Output) -> Result<ExitCode, Failure> {
    match engines(context, arguments, output) {
        // 1 means that something was found: without advisories that can be believed nobody can tell.
        Err(Failure::Refused(reasons)) if reasons.iter().all(|reason| reason.code == Code::AdvisoryIndex) => {
            output.refusal(&reasons, CANNOT_TELL);
            Ok(ExitCode::from(CANNOT_TELL))
        }
        ended => ended,
    }
}

fn engines(context: &Context, arguments: &Scan, output: &Output) -> Result<ExitCode, Failure> {
    let (reports, shown, path) = match &arguments.engine {
        Some(ScanCommand::Secrets(secrets)) => {
            (vec![secrets::scan(context, secrets)?], &secrets.shown, &secrets.path)
        }
        Some(ScanCommand::Config(tree)) => (vec![config::scan(&tree.path)?], &tree.shown, &tree.path),
        Some(ScanCommand::Released(asked)) => return released::scan(context, asked, output),
        Some(ScanCommand::Malware(asked)) => {
            (vec![malware::scan(context, asked, output)?], &asked.tree.shown, &asked.tree.path)
        }
        Some(ScanCommand::Dependencies(asked)) => {
            let path = &asked.tree.path;
            if let Some(id) = &asked.explain {
                return dependencies::explain(context, path, id, output).map(|()| ExitCode::SUCCESS);
            }
            (vec![dependencies::scan(context, path, &asked.licenses)?], &asked.tree.shown, path)
        }
        None => {
            let path = &arguments.all.path;
            let known = dependencies::scan_if_imported(context, path)?;
            let mut reports = vec![secrets::scan_tree(context, path)?, config::scan(path)?, known];
            reports.extend(malware::scan_if_imported(context, path)?);
            (reports, &arguments.all.shown, path)
        }
    };
    let others = Others::read(&shown.with, path, &reports, shown.least)?;
    finish(&reports, &others, shown, output)
}

/// Every rule of every scanner.
pub(crate) fn rules() -> Vec<&'static Rule> {
    let mut rules = plimsoll_scan::secrets::rules();
    rules.extend(plimsoll_config::rules());
    rules.extend(plimsoll_dependencies::rules());
    rules.extend(plimsoll_scan::malware::rules());
    rules
}

/// Shows what was found, and says by the exit status what it amounts to.
///
/// # Errors
/// When the file that was asked for cannot be written.
fn finish(reports: &[Report], others: &Others, shown: &Shown, output: &Output) -> Result<ExitCode, Failure> {
    output.either(|| show::text(reports, others, shown.least), || show::json(reports, others, shown.least));
    match &shown.report {
        Some(file) => write(file, reports, others).map(|()| ExitCode::SUCCESS),
        None => Ok(ExitCode::from(status(reports, others, shown.least))),
    }
}

fn write(file: &Path, reports: &[Report], others: &Others) -> Result<(), Failure> {
    let written = match others.reports.is_empty() {
        true => stream(file, &sarif::write(reports, None)),
        false => stream(file, &others.sarif(reports)),
    };
    written.map_err(|error| Failure::broken(format!("failed to write {}", file.display()), &error))
}

/// Rules alone make some hundred kilobytes: as a stream they are never in memory together.
fn stream(file: &Path, log: &impl Serialize) -> io::Result<()> {
    let mut stream = BufWriter::new(File::create(file)?);
    serde_json::to_writer(&mut stream, log)?;
    stream.write_all(b"\n")?;
    stream.flush()
}

/// 0 clean, 1 findings, 3 could not tell. An engine that knows none of the files is no trouble where another did look:
/// only what a gate asks for by name must have looked at something.
fn status(reports: &[Report], others: &Others, least: Severity) -> u8 {
    let foreign = others.reports.iter().map(|other| &other.said);
    let found = |finding: &Finding| finding.severity >= least;
    let found = foreign.clone().flat_map(|said| &said.findings).any(found);
    let broken = foreign.clone().any(|said| said.problem.is_some());
    let verdicts: Vec<_> = reports.iter().map(|report| report.verdict(least)).collect();
    let any = |verdict| verdicts.contains(&verdict);
    match () {
        () if found || any(Verdict::Findings) => 1,
        () if broken || any(Verdict::Partial) || !any(Verdict::Clean) => CANNOT_TELL,
        () => 0,
    }
}

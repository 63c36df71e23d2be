//! `plimsoll scan`: looks for what should not be there, and says what it looked at. One file for each engine; this one
//! puts their reports together.

mod archive;
pub(crate) mod config;
pub(crate) mod dependencies;
mod malware;
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
use plimsoll_scan::{Report, Rule, Severity, Verdict, sarif};
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
    process::ExitCode,
};

pub(crate) fn scan(context: &Context, arguments: &Scan, output: &Output) -> Result<ExitCode, Failure> {
    let (reports, shown) = match &arguments.engine {
        Some(ScanCommand::Secrets(secrets)) => (vec![secrets::scan(context, secrets)?], &secrets.shown),
        Some(ScanCommand::Config(tree)) => (vec![config::scan(&tree.path)?], &tree.shown),
        Some(ScanCommand::Released(asked)) => return released::scan(context, asked, output),
        Some(ScanCommand::Malware(asked)) => {
            (vec![malware::scan(context, asked, output)?], &asked.tree.shown)
        }
        Some(ScanCommand::Dependencies(asked)) => {
            let path = &asked.tree.path;
            if let Some(id) = &asked.explain {
                return dependencies::explain(context, path, id, output).map(|()| ExitCode::SUCCESS);
            }
            (vec![dependencies::scan(context, path, &asked.licenses)?], &asked.tree.shown)
        }
        None => {
            let path = &arguments.all.path;
            let known = dependencies::scan_if_imported(context, path)?;
            let mut reports = vec![secrets::scan_tree(context, path)?, config::scan(path)?, known];
            reports.extend(malware::scan_if_imported(context, path)?);
            (reports, &arguments.all.shown)
        }
    };
    finish(&reports, shown, output)
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
pub(crate) fn finish(reports: &[Report], shown: &Shown, output: &Output) -> Result<ExitCode, Failure> {
    output.either(|| show::text(reports, shown.least), || show::json(reports, shown.least));
    match &shown.report {
        Some(file) => write(file, reports).map(|()| ExitCode::SUCCESS),
        None => Ok(ExitCode::from(status(reports, shown.least))),
    }
}

fn write(file: &Path, reports: &[Report]) -> Result<(), Failure> {
    let written = File::create(file).and_then(|created| {
        // Rules alone make some hundred kilobytes: as a stream they are never in memory together.
        let mut stream = BufWriter::new(created);
        serde_json::to_writer(&mut stream, &sarif::write(reports, None))?;
        stream.write_all(b"\n")?;
        stream.flush()
    });
    written.map_err(|error| Failure::broken(format!("failed to write {}", file.display()), &error))
}

/// 0 clean, 1 findings, 3 could not tell. An engine that knows none of the files is no trouble where another did look:
/// only what a gate asks for by name must have looked at something.
fn status(reports: &[Report], least: Severity) -> u8 {
    let verdicts: Vec<_> = reports.iter().map(|report| report.verdict(least)).collect();
    let any = |verdict| verdicts.contains(&verdict);
    match () {
        () if any(Verdict::Findings) => 1,
        () if any(Verdict::Partial) || !any(Verdict::Clean) => 3,
        () => 0,
    }
}

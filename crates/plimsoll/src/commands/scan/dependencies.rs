//! `plimsoll scan dependencies`: what the lock files of a tree name, against the index of advisories in use.

use super::tree;
use crate::{advisories, context::Context, failure::Failure, output::Output};
use plimsoll_dependencies::{
    Completeness, Found, Graph, Index, IndexError, Inventory,
    license::Allowed,
    matching::{self, Checked, Explanation, Options},
    rules,
};
use plimsoll_model::{Code, ScanEngine, reason::printable};
use plimsoll_scan::{Coverage, Gap, Report};
use std::{
    cmp::Reverse,
    fmt::Write as _,
    num::NonZero,
    panic::resume_unwind,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread::{self, ScopedJoinHandle},
};

/// Bytes of a file from which on reading it is worth a thread.
const LARGE: usize = 32 << 10;

/// Compares every dependency with the advisories, and with the licences where a list is given.
///
/// # Errors
/// When `path` cannot be opened; `E-ADVISORY-INDEX` where there is no index that can be believed.
pub(crate) fn scan(context: &Context, path: &Path, licenses: &[String]) -> Result<Report, Failure> {
    let allowed = allowed(licenses)?;
    let (index, found) = index_and_inventory(context, path);
    checked(found?, &index?, allowed.as_ref())
}

/// The same beside other scans: lock files that nothing can be compared with are a gap then, and no lock files are no
/// trouble.
///
/// # Errors
/// When `path` cannot be opened.
pub(crate) fn scan_if_imported(context: &Context, path: &Path) -> Result<Report, Failure> {
    let (index, found) = index_and_inventory(context, path);
    let mut found = found?;
    match index {
        Ok(index) => checked(found, &index, None),
        Err(Failure::Refused(reasons)) if reasons.iter().all(|reason| reason.code == Code::AdvisoryIndex) => {
            let problem = reasons.first().map(|reason| format!("{reason}; next: {}", reason.next()));
            let problem = problem.unwrap_or_default();
            let gaps =
                found.graphs.iter().map(|file| Gap { path: file.path.clone(), problem: problem.clone() });
            found.coverage.gaps.extend(gaps);
            Ok(report(found.coverage, None, vec![], vec![]))
        }
        Err(failure) => Err(failure),
    }
}

/// Where a vulnerability applies, and what to do.
///
/// # Errors
/// Those of [`scan`]; and when nothing here has it.
pub(crate) fn explain(context: &Context, path: &Path, id: &str, output: &Output) -> Result<(), Failure> {
    let index = advisories::for_scan(context)?;
    let found = inventory(path)?;
    let (paths, graphs): (Vec<_>, Vec<_>) =
        found.graphs.into_iter().map(|file| (file.path, file.graph)).unzip();
    let explained = matching::explain(&graphs, &index, id).map_err(|error| advisories::damaged(&error))?;
    if explained.is_empty() {
        return Err(Failure::Usage(format!(
            "no dependency here has `{}`: plimsoll scan dependencies",
            printable(id, 100)
        )));
    }
    let text = explained.iter().map(|one| shown(one, &paths)).collect::<Vec<_>>().join("\n");
    let value: Vec<_> = explained.iter().map(|one| value(one, &paths)).collect();
    output.result(&text, &serde_json::json!({ "explanations": value }));
    Ok(())
}

fn allowed(licenses: &[String]) -> Result<Option<Allowed>, Failure> {
    if licenses.is_empty() {
        return Ok(None);
    }
    let names = licenses.iter().map(String::as_str);
    Allowed::new(names).map(Some).map_err(|error| Failure::Usage(error.to_string()))
}

/// Both, side by side: for a small project each takes as long as the other.
fn index_and_inventory(context: &Context, path: &Path) -> (Result<Index, Failure>, Result<Found, Failure>) {
    thread::scope(|scope| {
        let index = scope.spawn(|| advisories::for_scan(context));
        let found = inventory(path);
        (index.join().unwrap_or_else(|panic| resume_unwind(panic)), found)
    })
}

/// Compares the graphs, several at a time and the largest first. What comes of it stands in their order.
fn compare(graphs: &[Graph], index: &Index, options: &Options<'_>) -> Result<Checked, IndexError> {
    let mut order: Vec<usize> = (0..graphs.len()).collect();
    order.sort_by_key(|at| Reverse(graphs[*at].dependencies().count()));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(at) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push((*at, matching::check(&graphs[*at..=*at], index, options)?));
        }
        Ok(done)
    };
    let workers = if graphs.len() > 1 { thread::available_parallelism().map_or(1, NonZero::get) } else { 1 };
    let mut parts: Vec<(usize, Checked)> = thread::scope(|scope| {
        let others: Vec<_> = (1..workers.min(graphs.len())).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others =
            others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        std::iter::once(own).chain(others).collect::<Result<Vec<_>, _>>()
    })?
    .into_iter()
    .flatten()
    .collect();
    parts.sort_by_key(|(at, _)| *at);
    let mut checked = Checked::default();
    parts.into_iter().for_each(|(_, part)| checked.append(part));
    Ok(checked)
}

fn alone(path: &str, bytes: &[u8]) -> Inventory {
    let mut inventory = Inventory::new();
    inventory.add(path, bytes);
    inventory
}

fn joined(handle: ScopedJoinHandle<'_, Inventory>) -> Inventory {
    handle.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// What the files of a tree name. A large one is read beside those that follow it, one at a time.
fn inventory(path: &Path) -> Result<Found, Failure> {
    let mut inventory = Inventory::new();
    let walked = thread::scope(|scope| {
        let mut beside: Option<ScopedJoinHandle<'_, Inventory>> = None;
        let walked = tree::walk(path, &Inventory::wants, &mut |path, bytes| {
            // What a system's release is, files without an ending say, and the last of them counts: they stay in order.
            let is_large =
                bytes.len() >= LARGE && path.rsplit('/').next().is_some_and(|name| name.contains('.'));
            if !is_large || beside.as_ref().is_some_and(|other| !other.is_finished()) {
                inventory.add(path, bytes);
                return;
            }
            let (path, bytes) = (path.to_owned(), bytes.to_vec());
            let other = scope.spawn(move || alone(&path, &bytes));
            beside.replace(other).into_iter().for_each(|done| inventory.append(joined(done)));
        });
        beside.take().into_iter().for_each(|done| inventory.append(joined(done)));
        walked
    })?;
    let mut found = inventory.finish();
    found.coverage.gaps.extend(walked.gaps.into_iter().filter(|gap| Inventory::wants(&gap.path)));
    Ok(found)
}

fn checked(found: Found, index: &Index, allowed: Option<&Allowed>) -> Result<Report, Failure> {
    let mut coverage = found.coverage;
    for file in &found.graphs {
        let (Completeness::Incomplete(reason) | Completeness::Unknown(reason)) = &file.graph.completeness
        else {
            continue;
        };
        coverage
            .gaps
            .push(Gap { path: file.path.clone(), problem: format!("it does not name everything: {reason}") });
    }
    let graphs: Vec<_> = found.graphs.into_iter().map(|file| file.graph).collect();
    let options = Options { licenses: allowed, ..Options::default() };
    let checked = compare(&graphs, index, &options).map_err(|error| advisories::damaged(&error))?;
    coverage.packages = checked.packages;
    coverage.licenses = matching::licenses(&graphs);
    coverage.gaps.extend(checked.gaps);
    Ok(report(coverage, Some(index), checked.findings, vec![]))
}

fn report(
    coverage: Coverage,
    index: Option<&Index>,
    findings: Vec<plimsoll_scan::Finding>,
    suppressed: Vec<plimsoll_scan::Finding>,
) -> Report {
    Report {
        engine: ScanEngine::Dependencies,
        version: env!("CARGO_PKG_VERSION"),
        rules: plimsoll_dependencies::rules(),
        rules_digest: rules::rules_digest(),
        imported: None,
        database: index.map(Index::database),
        coverage,
        findings,
        suppressed,
    }
}

/// The path to the package, one step in each line, and the smallest updates.
fn shown(one: &Explanation, paths: &[String]) -> String {
    let finding = &one.finding;
    let file = paths.get(one.graph).map(String::as_str).unwrap_or_default();
    let mut text = format!("{} {}\n", finding.severity, printable(&finding.message, 400));
    // Writing to a string does not fail.
    let _ = writeln!(text, "  in    {}", printable(file, 400));
    let _ = writeln!(text, "  also  {}", finding.aliases.join(", "));
    if !one.rooted {
        let _ = writeln!(text, "  path  not known: the file does not say what asks for it");
    }
    for (depth, step) in one.path.iter().enumerate() {
        let mark = if depth == 0 { "" } else { "asks for " };
        let _ = writeln!(text, "  path  {}{mark}{}", "  ".repeat(depth), printable(step, 200));
    }
    if let Some(fix) = &finding.fix {
        let _ = writeln!(text, "  fix   {}", printable(fix, 400));
    }
    if one.clean != one.fixed {
        let clean = one.clean.as_deref().unwrap_or("none");
        let _ = writeln!(
            text,
            "  clean {} is the first version above that no advisory is about",
            printable(clean, 200)
        );
    }
    text
}

fn value(one: &Explanation, paths: &[String]) -> serde_json::Value {
    serde_json::json!({
        "file": paths.get(one.graph),
        "finding": one.finding,
        "path": one.path,
        "rooted": one.rooted,
        "fixed": one.fixed,
        "clean": one.clean,
    })
}

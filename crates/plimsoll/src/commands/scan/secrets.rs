//! `plimsoll scan secrets`: where the engine gets its bytes from. A tree as it lies there, a history, what is about to be
//! committed or pushed, an image, or standard input; the engine is the same.

use super::{archive, stream, tree::Files};
use crate::{cli::scan::ScanSecrets, context::Context, failure::Failure, rulesets};
use plimsoll_engine::ports::Source as _;
use plimsoll_git::{Blob, GitSource, History};
use plimsoll_model::{Digest, ScanEngine};
use plimsoll_scan::{
    Coverage, Finding, Fingerprint, Gap, Report,
    secrets::{self, Before, Change, Point, Scanned, Scanner, imported::Imported},
};
use std::{collections::BTreeSet, io, path::Path};

/// Looks where it was asked to look.
///
/// # Errors
/// When that cannot be opened, or there is no key for fingerprints and none can be kept; what cannot be read in there is a
/// gap of the report.
pub(crate) fn scan(context: &Context, arguments: &ScanSecrets) -> Result<Report, Failure> {
    let point = if arguments.audit { Point::Audit } else { Point::Gate };
    let imported = rulesets::secrets(context, &arguments.rules)?;
    let digest = imported.as_ref().map(Imported::digest);
    let scanner = Scanner::new(point, context.project_key()?).with(imported);
    let path = &arguments.path;
    let collected = match (arguments.history, arguments.image) {
        (true, _) => history(&scanner, path, arguments.since.as_deref())?,
        (false, true) => archive::scan(&scanner, path)?,
        (false, false) if path.as_os_str() == "-" => {
            stream::scan(&scanner, "-", &mut io::stdin().lock(), None)
        }
        (false, false) => tree(&scanner, path)?,
    };
    Ok(collected.report(digest))
}

/// Looks at the files of a directory for what most surely is a secret.
///
/// # Errors
/// As [`scan`].
pub(crate) fn scan_tree(context: &Context, path: &Path) -> Result<Report, Failure> {
    let imported = rulesets::secrets(context, &[])?;
    let digest = imported.as_ref().map(Imported::digest);
    Ok(tree(&Scanner::new(Point::Gate, context.project_key()?).with(imported), path)?.report(digest))
}

/// What was found, and in what.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) findings: Vec<Finding>,
    pub(crate) suppressed: Vec<Finding>,
    pub(crate) coverage: Coverage,
}

impl Collected {
    /// Takes what came of one file.
    pub(crate) fn take(&mut self, scanned: Scanned) {
        self.findings.extend(scanned.findings);
        self.suppressed.extend(scanned.suppressed);
        self.coverage.gaps.extend(scanned.gaps);
    }

    pub(crate) fn gap(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.coverage.gaps.push(Gap { path: path.into(), problem: problem.into() });
    }

    /// Takes what came of more files.
    pub(crate) fn add(&mut self, mut more: Self) {
        self.findings.append(&mut more.findings);
        self.suppressed.append(&mut more.suppressed);
        self.coverage.files += more.coverage.files;
        self.coverage.bytes += more.coverage.bytes;
        self.coverage.gaps.append(&mut more.coverage.gaps);
    }

    /// Of a file that could not be read.
    pub(crate) fn unread(path: &str, problem: impl Into<String>) -> Self {
        let mut collected = Self::default();
        collected.gap(path, problem);
        collected
    }

    /// With the digest of the imported rules that were applied.
    pub(crate) fn report(self, imported: Option<Digest>) -> Report {
        Report {
            engine: ScanEngine::Secrets,
            version: env!("CARGO_PKG_VERSION"),
            rules: secrets::rules(),
            rules_digest: secrets::rules_digest(imported),
            imported,
            database: None,
            coverage: self.coverage,
            findings: self.findings,
            suppressed: self.suppressed,
        }
    }
}

fn tree(scanner: &Scanner, path: &Path) -> Result<Collected, Failure> {
    let files = Files::at(path)?;
    let mut collected = Collected::default();
    collected.coverage.gaps.extend_from_slice(files.gaps());
    let looked = files.each(|path, file| match file {
        Ok(mut file) => {
            let size = file.metadata().ok().map(|data| data.len());
            stream::scan(scanner, path, &mut file, size)
        }
        Err(problem) => Collected::unread(path, problem),
    });
    looked.into_iter().for_each(|looked| collected.add(looked));
    Ok(collected)
}

fn history(scanner: &Scanner, path: &Path, since: Option<&str>) -> Result<Collected, Failure> {
    let source = GitSource::open(path)?;
    let look = |blob: Blob<'_, Scanned>| look(scanner, blob);
    let history = match since {
        None => source.history(&look)?,
        Some(range) => {
            let (since, until) = range.split_once("..").unwrap_or((range, "HEAD"));
            let [since, until] = [since, until].map(|revision| source.resolve(revision));
            source.history_between(&since?.commit, &until?.commit, &look)?
        }
    };
    let mut collected = collected(history);
    collected.findings = once_each(std::mem::take(&mut collected.findings));
    collected.suppressed = once_each(std::mem::take(&mut collected.suppressed));
    Ok(collected)
}

/// What was found in a history, the oldest first, each with its commit.
pub(crate) fn collected(history: History<Scanned>) -> Collected {
    let mut collected = Collected {
        coverage: Coverage { files: history.blobs, bytes: history.bytes, ..Coverage::default() },
        ..Collected::default()
    };
    for (path, problem) in history.problems {
        collected.gap(path, problem);
    }
    for mut hit in history.hits {
        for finding in hit.found.findings.iter_mut().chain(&mut hit.found.suppressed) {
            if let Some(location) = &mut finding.location {
                location.commit.clone_from(&hit.commit);
            }
        }
        collected.take(hit.found);
    }
    collected
}

/// A secret that stays in a file for many commits is one finding: that of the commit which brought it.
fn once_each(findings: Vec<Finding>) -> Vec<Finding> {
    let mut seen: BTreeSet<(Fingerprint, String)> = BTreeSet::new();
    let path = |finding: &Finding| finding.location.as_ref().map(|location| location.path.clone());
    let mut kept = findings;
    kept.retain(|finding| seen.insert((finding.fingerprint, path(finding).unwrap_or_default())));
    kept
}

/// Looks at a blob. Of one that is a change of another, the changed parts are looked at first; only where they show anything
/// that was not found there before the whole of it decides.
pub(crate) fn look(scanner: &Scanner, blob: Blob<'_, Scanned>) -> Option<Scanned> {
    let nothing = Scanned::default();
    let scanned = match blob.base {
        None => scanner.scan(blob.path, blob.content),
        Some(base) => {
            let changes = base.changes.iter();
            let changes: Vec<Change> =
                changes.map(|change| Change { part: change.part.clone(), next: change.next }).collect();
            let before = Before { bytes: base.content, found: base.found.unwrap_or(&nothing) };
            scanner.changed(blob.path, blob.content, before, &changes)
        }
    };
    let found = !(scanned.findings.is_empty() && scanned.suppressed.is_empty() && scanned.gaps.is_empty());
    found.then_some(scanned)
}

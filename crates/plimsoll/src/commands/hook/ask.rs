//! What git's hooks ask: may this be committed, may this be pushed. Only secrets that come with the change count; what was
//! in a file before it is for a scan of the history to tell.

use crate::{
    commands::scan::{
        others::Others,
        secrets::{self, Collected},
        show,
    },
    context::Context,
    failure::Failure,
    output::Output,
    rulesets,
};
use plimsoll_git::{GitSource, Pushed, staged};
use plimsoll_model::{Code, CommitId, RelPath, Severity, removed};
use plimsoll_scan::{
    Coverage, Finding, Fingerprint, ProjectKey,
    secrets::{Point, Scanned, Scanner},
};
use std::{
    collections::BTreeSet,
    env,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Most bytes of the list of refs.
const REFS: u64 = 64 << 20;

/// Looks at the files of the next commit.
///
/// # Errors
/// `E-SRC-SECRET`; and when something cannot be read, so that git does not go on.
pub(super) fn pre_commit(context: &Context, output: &Output) -> Result<(), Failure> {
    let scanner = Scanner::new(Point::Gate, once()?).with(rulesets::secrets(context, &[])?);
    // Set while git commits a part of the index (githooks(5), git-commit(1)).
    let index = env::var_os("GIT_INDEX_FILE").map(PathBuf::from);
    let mut collected = Collected::default();
    staged(Path::new("."), index.as_deref(), &mut |file| match file.content {
        Ok(content) => {
            collected.coverage.files += 1;
            collected.coverage.bytes += content.len() as u64;
            let before = file.before.map(|before| scanner.scan(file.path, before));
            let known = fingerprints(before.iter());
            collected.take(without(scanner.scan(file.path, content), &known));
        }
        Err(problem) => collected.gap(file.path, problem),
    })?;
    answer(collected, "what is to be committed", output)
}

/// Looks at everything that a push would add.
///
/// # Errors
/// As [`pre_commit`].
pub(super) fn pre_receive(context: &Context, output: &Output) -> Result<(), Failure> {
    let new = new_tips()?;
    let Some(tip) = new.first() else { return Ok(()) };
    let named = |name: &str| env::var_os(name).map(PathBuf::from);
    let quarantine = named("GIT_QUARANTINE_PATH").ok_or_else(|| {
        let text = "git does not say where the pushed objects are: this is for git receive-pack to run";
        Failure::Usage(text.into())
    })?;
    let repository = named("GIT_DIR").unwrap_or_else(|| ".".into());
    let source = GitSource::open(&repository)?;
    let pushed = Pushed::new(&quarantine, &source.objects_directory());
    let scanner = Scanner::new(Point::Gate, once()?).with(rulesets::secrets(context, &[])?);
    let mut history = pushed.history(tip, &|blob| secrets::look(&scanner, blob))?;
    let mut seen = BTreeSet::new();
    for hit in &mut history.hits {
        let mut known = known_before(&pushed, &scanner, hit.commit.as_ref(), &hit.path)?;
        known.extend(&seen);
        seen.extend(fingerprints([&hit.found].into_iter()));
        hit.found = without(std::mem::take(&mut hit.found), &known);
    }
    answer(secrets::collected(history), "what is pushed", output)
}

/// A key for this process alone: fingerprints are compared here and shown to nobody.
fn once() -> Result<ProjectKey, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Failure::broken("failed to get random bytes", &error))?;
    Ok(ProjectKey::new(bytes))
}

/// What the commit before had in the same file.
fn known_before(
    pushed: &Pushed,
    scanner: &Scanner,
    commit: Option<&CommitId>,
    path: &str,
) -> Result<BTreeSet<Fingerprint>, Failure> {
    let (Some(commit), Ok(named)) = (commit, path.parse::<RelPath>()) else { return Ok(BTreeSet::new()) };
    let before: Vec<Scanned> =
        pushed.before(commit, &named)?.iter().map(|content| scanner.scan(path, content)).collect();
    Ok(fingerprints(before.iter()))
}

fn fingerprints<'a>(scanned: impl Iterator<Item = &'a Scanned>) -> BTreeSet<Fingerprint> {
    scanned.flat_map(|scanned| scanned.findings.iter().map(|finding| finding.fingerprint)).collect()
}

fn without(mut scanned: Scanned, known: &BTreeSet<Fingerprint>) -> Scanned {
    scanned.findings.retain(|finding| !known.contains(&finding.fingerprint));
    scanned
}

/// The ids that refs are to have (githooks(5), "pre-receive": a line has the old id, the new id and the ref). A ref that is
/// removed brings nothing.
fn new_tips() -> Result<Vec<CommitId>, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().take(REFS + 1).read_to_string(&mut text);
    let count = read.map_err(|error| Failure::broken("failed to read the list of refs", &error))?;
    let malformed = || Failure::Usage("expected lines of an old id, a new id and a ref".into());
    if count as u64 > REFS {
        return Err(malformed());
    }
    let id = |line: &str| -> Result<CommitId, Failure> {
        let mut words = line.splitn(3, ' ');
        let (Some(_), Some(new), Some(_)) = (words.next(), words.next(), words.next()) else {
            return Err(malformed());
        };
        new.parse().map_err(|_| malformed())
    };
    let ids = text.lines().map(id).collect::<Result<Vec<_>, _>>()?;
    Ok(ids.into_iter().filter(|id| id.as_str().bytes().any(|digit| digit != b'0')).collect())
}

/// Shows what was found, and refuses because of it.
fn answer(collected: Collected, what: &str, output: &Output) -> Result<(), Failure> {
    if !removed!("pushed-secret")
        && let [finding, ..] = collected.findings.as_slice()
    {
        let reason = Code::SrcSecret
            .reason()
            .with("count", collected.findings.len())
            .with("what", what)
            .with("place", place(finding));
        output.progress(show::text(&[collected.report(None)], &Others::default(), Severity::Info).trim_end());
        return Err(reason.into());
    }
    let Coverage { files, gaps, .. } = &collected.coverage;
    if let Some(gap) = gaps.first() {
        let what = format!("{what} cannot be read whole: {}: {}", gap.path, gap.problem);
        return Err(Failure::Broken { what, next: None });
    }
    output.progress(&format!("no secret in {files} changed files"));
    Ok(())
}

fn place(finding: &Finding) -> String {
    let location = finding.location.as_ref();
    location.map_or_else(|| "?".to_owned(), |location| format!("{}:{}", location.path, location.line))
}

//! What git's hooks ask: may this be committed, may this be pushed. Only secrets and critical findings that come with the
//! change count; what was in a file before it is for other scans to tell.

use super::critical::Judge;
use crate::{
    commands::scan::{
        secrets::{self, Collected},
        show,
    },
    context::Context,
    failure::Failure,
    output::Output,
    rulesets,
};
use plimsoll_engine::ports::Source as _;
use plimsoll_git::{GitSource, Pushed, staged};
use plimsoll_model::{Code, CommitId, Reason, RelPath, removed};
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
/// `E-SRC-SECRET` and `E-SRC-CRITICAL`; and when something cannot be read, so that git does not go on.
pub(super) fn pre_commit(context: &Context, output: &Output) -> Result<(), Failure> {
    let scanner = Scanner::new(Point::Gate, once()?).with(rulesets::secrets(context, &[])?);
    // Set while git commits a part of the index (githooks(5), git-commit(1)).
    let index = env::var_os("GIT_INDEX_FILE").map(PathBuf::from);
    let mut collected = Collected::default();
    let mut judge = Judge::new(context);
    let mut judged = Ok(());
    staged(Path::new("."), index.as_deref(), &mut |file| match file.content {
        Ok(content) => {
            collected.coverage.files += 1;
            collected.coverage.bytes += content.len() as u64;
            let before = file.before.map(|before| scanner.scan(file.path, before));
            let known = fingerprints(before.iter());
            collected.take(without(scanner.scan(file.path, content), &known));
            if judged.is_ok() && Judge::wants(file.path) {
                judged = judge.take(file.path, content, file.before);
            }
        }
        Err(problem) => collected.gap(file.path, problem),
    })?;
    judged?;
    answer(collected, judge, "what is to be committed", output)
}

/// Looks at everything that a push would add.
///
/// # Errors
/// As [`pre_commit`].
pub(super) fn pre_receive(context: &Context, output: &Output) -> Result<(), Failure> {
    let moves = moves()?;
    let Some((_, tip)) = moves.first() else { return Ok(()) };
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
    let mut collected = secrets::collected(history);
    let mut judge = Judge::new(context);
    for (old, tip) in &moves {
        // A new branch began somewhere: mostly where the main one is.
        let main = || source.resolve("HEAD").ok().map(|main| main.commit);
        let old = old.clone().or_else(main);
        let mut judged = Ok(());
        pushed.files(tip, old.as_ref(), &Judge::wants, &mut |file| match file.content {
            Ok(content) if judged.is_ok() => judged = judge.take(file.path, content, file.before),
            Ok(_) => {}
            Err(problem) => collected.gap(file.path, problem),
        })?;
        judged?;
    }
    answer(collected, judge, "what is pushed", output)
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

/// What refs have, if anything, and are to have (githooks(5), "pre-receive": a line has the old id, the new id and the ref). A
/// ref that is removed brings nothing.
fn moves() -> Result<Vec<(Option<CommitId>, CommitId)>, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().take(REFS + 1).read_to_string(&mut text);
    let count = read.map_err(|error| Failure::broken("failed to read the list of refs", &error))?;
    let malformed = || Failure::Usage("expected lines of an old id, a new id and a ref".into());
    if count as u64 > REFS {
        return Err(malformed());
    }
    let id = |text: &str| -> Result<Option<CommitId>, Failure> {
        let id: CommitId = text.parse().map_err(|_| malformed())?;
        Ok(id.as_str().bytes().any(|digit| digit != b'0').then_some(id))
    };
    let ids = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (Some(old), Some(new), Some(_)) = (words.next(), words.next(), words.next()) else {
            return Err(malformed());
        };
        Ok((id(old)?, id(new)?))
    };
    let moves = text.lines().map(ids).collect::<Result<Vec<_>, _>>()?;
    Ok(moves.into_iter().filter_map(|(old, new)| Some((old, new?))).collect())
}

/// Shows what was found, and refuses because of it.
fn answer(collected: Collected, judge: Judge<'_>, what: &str, output: &Output) -> Result<(), Failure> {
    let mut reasons = Vec::new();
    if !removed!("pushed-secret") {
        reasons.extend(reason(Code::SrcSecret, &collected.findings, what));
    }
    if !removed!("pushed-critical") {
        reasons.extend(reason(Code::SrcCritical, &judge.findings, what));
    }
    if !reasons.is_empty() {
        let shown: Vec<&Finding> = collected.findings.iter().chain(&judge.findings).collect();
        let text = show::findings(&shown) + &show::gaps(&collected.coverage.gaps);
        output.progress(text.trim_end());
        return Err(Failure::Refused(reasons));
    }
    let Coverage { files, gaps, .. } = &collected.coverage;
    if let Some(gap) = gaps.first() {
        let what = format!("{what} cannot be read whole: {}: {}", gap.path, gap.problem);
        return Err(Failure::Broken { what, next: None });
    }
    output.progress(&format!("no secret and nothing critical in {files} changed files"));
    if judge.uncompared > 0 {
        let (count, next) = (judge.uncompared, "plimsoll advisories import");
        output.progress(&format!("{count} lock files were compared with no advisories: {next}"));
    }
    Ok(())
}

fn reason(code: Code, findings: &[Finding], what: &str) -> Option<Reason> {
    let first = findings.first()?;
    let reason = code.reason().with("count", findings.len()).with("what", what);
    Some(reason.with("place", place(first)))
}

fn place(finding: &Finding) -> String {
    let location = finding.location.as_ref();
    location.map_or_else(|| "?".to_owned(), |location| format!("{}:{}", location.path, location.line))
}

//! `plimsoll rollback`: goes back to a release that stood here before. It is decided about like any other release; what
//! it showed when it was first allowed is not asked again.

use super::promote;
use crate::{
    cli::{ProjectAt, Rollback},
    context::Context,
    decisions::Question,
    failure::Failure,
    output::Output,
    records::{self, RunRecord},
};
use plimsoll_attest::TrustRoot;
use plimsoll_engine::{
    delivery::{self, Chain, Promoted},
    ports::Blobs as _,
};
use plimsoll_git::GitSource;
use plimsoll_model::{CommitId, Digest};
use plimsoll_policy::{Decision, Kind, gather};
use plimsoll_store::StateDir;

/// Digits of a digest that name a decision.
const SHORTEST: usize = 8;

pub(crate) fn rollback(context: &Context, arguments: &Rollback, output: &Output) -> Result<(), Failure> {
    let unit = &arguments.unit;
    let state = context.writer("rollback")?;
    let (pinned, head) = context.refresh()?;
    let source = context.delivery()?;
    let root = pinned.accept()?;
    let earlier = match &arguments.to {
        None => before(chain(&source, &head, &root, unit), unit)?,
        Some(text) => named(chain(&source, &head, &root, unit), unit, text)?,
    };
    let judged = decision(&earlier);
    let (place, digest) = (judged.counter.unwrap_or_default(), earlier.statement.payload_digest());
    output.progress(&format!("back to   decision {place}  {digest}  commit {}", judged.commit.short()));
    if let Some(problem) = changed(&source, &head, unit, judged)? {
        output.progress(&problem);
    }
    let run = run(&state, judged)?;
    let given = vec![earlier.bundle.clone()];
    let question = Question { kind: Kind::Rollback, unit, run: &run, delivery_commit: head, given };
    promote::release(context, &state, &pinned, &question, output)
}

fn chain<'a>(source: &'a GitSource, head: &CommitId, root: &'a TrustRoot, unit: &'a ProjectAt) -> Chain<'a> {
    Chain::new(source, head.clone(), root.trust(), &unit.project, &unit.environment)
}

fn decision(promoted: &Promoted) -> &Decision {
    &promoted.statement.value().predicate.decision
}

/// The decision that stands.
fn current(chain: &mut Chain<'_>, unit: &ProjectAt) -> Result<Promoted, Failure> {
    let nothing = || Failure::Usage(format!("nothing was promoted to {unit} yet"));
    Ok(chain.next().ok_or_else(nothing)??)
}

/// The newest decision that allowed another release than the one that stands.
fn before(mut chain: Chain<'_>, unit: &ProjectAt) -> Result<Promoted, Failure> {
    let current = current(&mut chain, unit)?;
    for found in chain {
        let found = found?;
        if decision(&found).release_digest != decision(&current).release_digest {
            return Ok(found);
        }
    }
    Err(Failure::Usage(format!("there is no earlier release of {unit} to go back to")))
}

/// The earlier decision whose digest begins with `text`.
fn named(mut chain: Chain<'_>, unit: &ProjectAt, text: &str) -> Result<Promoted, Failure> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    if hex.len() < SHORTEST {
        return Err(Failure::Usage(format!("{text} is too short: write {SHORTEST} digits of the decision")));
    }
    let begins = |found: &Promoted| found.statement.payload_digest().hex().starts_with(hex);
    let current = current(&mut chain, unit)?;
    if begins(&current) {
        return Err(Failure::Usage(format!("{text} is the decision that {unit} stands at")));
    }
    let mut matching = Vec::new();
    for found in chain {
        matching.extend(Some(found?).filter(begins));
    }
    match (matching.len(), matching.pop()) {
        (1, Some(found)) if decision(&found).release_digest == decision(&current).release_digest => {
            Err(Failure::Usage(format!("{text} allowed the release that {unit} stands at")))
        }
        (1, Some(found)) => Ok(found),
        (0, _) => Err(Failure::Usage(format!("{unit} never stood at a decision {text}"))),
        (count, _) => Err(Failure::Usage(format!("{count} decisions begin with {text}: write more of it"))),
    }
}

/// Why what would start is not what was allowed: configuration and target are read as they are now.
fn changed(
    source: &GitSource,
    head: &CommitId,
    unit: &ProjectAt,
    earlier: &Decision,
) -> Result<Option<String>, Failure> {
    let ProjectAt { project, environment } = unit;
    let files = delivery::files(source, head, project, environment)?;
    let artifact = earlier.release.artifact;
    let release = gather::release(&files, project, environment, artifact)
        .map_err(|error| Failure::broken("the release cannot be computed", &error))?;
    let directory = format!("environments/{environment}/{project}");
    let parts = [
        (release.config != earlier.release.config, "config"),
        (release.target != earlier.release.target, "target.yaml"),
    ];
    let changed = parts.iter().filter(|(changed, _)| *changed).map(|(_, name)| format!("{directory}/{name}"));
    let changed: Vec<String> = changed.collect();
    if changed.is_empty() {
        return Ok(None);
    }
    let (paths, at) = (changed.join(" "), &earlier.delivery_commit);
    Ok(Some(format!("changed   {paths} since; in the delivery repository: git checkout {at} -- {paths}")))
}

/// The run that made the release, with everything of its artifact still here.
fn run(state: &StateDir, earlier: &Decision) -> Result<RunRecord, Failure> {
    let gone = |what: &dyn std::fmt::Display| {
        let (run, commit) = (&earlier.run, earlier.commit.short());
        Failure::Usage(format!(
            "{what} of run {run} is not on this machine; where it is not to be had, build {commit} again and promote it"
        ))
    };
    let found = records::find(state, earlier.run.as_str()).ok();
    let run = found.and_then(|found| found.record).ok_or_else(|| gone(&"the record"))?;
    let files = run.artifact.iter().flat_map(|artifact| artifact.files.iter().map(|file| file.digest));
    let mut needed: Vec<Digest> = files.collect();
    needed.push(earlier.release.artifact);
    match needed.iter().find(|blob| state.layout().open(blob).is_err()) {
        Some(blob) => Err(gone(&format!("the artifact's {}", blob.short()))),
        None => Ok(run),
    }
}

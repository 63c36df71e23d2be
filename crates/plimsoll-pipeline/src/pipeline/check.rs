//! Relations between the values of a pipeline: names, needs, outputs and the artifact; of evidence in the file beside this.

mod evidence;

use super::{
    ArtifactSpec, Command, DEFAULT_TIMEOUT_SECONDS, On, Pipeline, Step, Toolchain,
    file::{ArtifactFile, EvidenceFile, ImageFile, Look, PipelineFile, StepFile, Variables},
};
use crate::{
    diagnostic::Findings,
    graph::Graph,
    loader::loader_variable,
    read::{Spanned, did_you_mean, nearest},
    value::{Number, Run, Seconds, VariableName},
};
use evidence::{checks, scan_name, services};
use plimsoll_model::{RelPath, ScanEngine, StepName};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Variables that every sandbox gets from Plimsoll.
const OWN_VARIABLES: &[&str] = &["PATH", "HOME", "CARGO_HOME", "TMPDIR", "LANG", "TZ", "SOURCE_DATE_EPOCH"];

/// Names that logs, statements and events use for phases of a run.
const RESERVED_NAMES: &[&str] = &["fetch", "source", "artifact", "run"];

/// The check that lists what the artifact is made of.
pub(super) const SBOM: &str = "sbom";

/// Steps of one pipeline.
const MAX_STEPS: usize = 200;

/// The checked pipeline.
pub(super) fn pipeline(file: PipelineFile, found: &mut Findings) -> Option<Pipeline> {
    let evidence = file.evidence.unwrap_or_default();
    names(&file.build.steps.value, &evidence, found);
    let needs = needs(&file.build.steps, found)?;
    outputs(&file.build.steps.value, &needs, found);
    let artifact = artifact(file.build.artifact, &file.build.steps.value, found);
    let fetch = distinct(file.build.fetch.unwrap_or_default(), "is listed twice", found);
    let steps = file.build.steps.value.into_iter().zip(needs);
    let steps = steps.map(|(step, needs)| self::step(step, needs, found)).collect();
    services(&evidence, artifact.as_ref(), found);
    let checks: Vec<_> = evidence.into_iter().flat_map(|entry| checks(entry, found)).collect();
    let toolchain = file.build.toolchain.unwrap_or(Toolchain::Host);
    Some(Pipeline { project: file.project.clone(), toolchain, fetch, steps, artifact: artifact?, checks })
}

/// Names of the checks of an entry, and where they stand.
fn check_names(entry: &EvidenceFile) -> Vec<(&str, &Range<usize>)> {
    match entry {
        EvidenceFile::Test(test) => vec![(test.test.value.as_str(), &test.test.span)],
        EvidenceFile::Adapter(adapter) => vec![(adapter.adapter.value.as_str(), &adapter.adapter.span)],
        EvidenceFile::Scan(file) => {
            let name = |look: Look| scan_name(look, file.on.unwrap_or(On::Source));
            file.scan.value.iter().map(|look| (name(look.value), &look.span)).collect()
        }
    }
}

/// Steps and checks share one space of names: logs and events are addressed by it. An environment that asks for a scan
/// by one of Plimsoll's own means that, so nothing else may be called so.
fn names(steps: &[StepFile], evidence: &[EvidenceFile], found: &mut Findings) {
    let steps = steps.iter().map(|step| (step.name.value.as_str(), &step.name.span));
    let mut seen = BTreeSet::new();
    for (name, span) in steps.chain(evidence.iter().flat_map(check_names)) {
        if RESERVED_NAMES.contains(&name) {
            found.add(span, format!("the name `{name}` is taken by a phase of every run"));
        } else if !seen.insert(name) {
            found.add(span, format!("the name `{name}` stands twice; steps and checks share their names"));
        }
    }
    for entry in evidence.iter().filter(|entry| !matches!(entry, EvidenceFile::Scan(_))) {
        for (name, span) in check_names(entry)
            .into_iter()
            .filter(|(name, _)| *name == SBOM || ScanEngine::of_check(name).is_some())
        {
            let help = format!("rename it, or write `scan: [{}]`", name.trim_start_matches("artifact-"));
            found.help(span, format!("the name `{name}` is taken by a scanner of Plimsoll"), help);
        }
    }
}

/// What each step needs, defaults filled in; nothing when they cannot be put in an order.
fn needs(steps: &Spanned<Vec<StepFile>>, found: &mut Findings) -> Option<Vec<BTreeSet<StepName>>> {
    if steps.value.is_empty() {
        found.add(&steps.span, "there is no step");
        return None;
    }
    if steps.value.len() > MAX_STEPS {
        found.add(&steps.span, format!("there are more than {MAX_STEPS} steps"));
        return None;
    }
    let known: BTreeSet<&StepName> = steps.value.iter().map(|step| &step.name.value).collect();
    let mut before: Option<&StepName> = None;
    let mut all = Vec::new();
    for step in &steps.value {
        all.push(match &step.needs {
            None => before.cloned().into_iter().collect(),
            Some(needs) => named(needs, &known, found),
        });
        before = Some(&step.name.value);
    }
    if known.len() == steps.value.len() {
        cycle(&steps.value, &all, found)?;
    }
    Some(all)
}

fn named(
    needs: &[Spanned<StepName>],
    known: &BTreeSet<&StepName>,
    found: &mut Findings,
) -> BTreeSet<StepName> {
    for need in needs.iter().filter(|need| !known.contains(&need.value)) {
        let message = format!("there is no step `{}`", need.value);
        match nearest(need.value.as_str(), known.iter().map(|name| name.as_str())) {
            Some(near) => found.help(&need.span, message, did_you_mean(near)),
            None => found.add(&need.span, message),
        }
    }
    distinct(needs.to_vec(), "is listed twice", found)
        .into_iter()
        .filter(|need| known.contains(need))
        .collect()
}

fn cycle(steps: &[StepFile], needs: &[BTreeSet<StepName>], found: &mut Findings) -> Option<()> {
    let Err(circle) = graph(steps, needs).order() else { return Some(()) };
    let path: Vec<_> = circle.iter().map(|&at| steps[at].name.value.as_str()).collect();
    let message = format!("steps need each other in a circle: {}", path.join(" needs "));
    let place = circle.first().map_or(0..0, |&at| steps[at].name.span.clone());
    if circle.iter().any(|&at| steps[at].needs.is_none()) {
        found.help(&place, message, "a step without `needs` needs the step before it; `needs: []` is none");
    } else {
        found.add(&place, message);
    }
    None
}

fn graph(steps: &[StepFile], needs: &[BTreeSet<StepName>]) -> Graph {
    Graph::new(steps.iter().map(|step| &step.name.value), needs.iter())
}

/// Outputs are directories or files of one step only, and nobody writes where others read.
fn outputs(steps: &[StepFile], needs: &[BTreeSet<StepName>], found: &mut Findings) {
    let reach = graph(steps, needs).reach();
    for (at, step) in steps.iter().enumerate() {
        nested(step.scratch.as_deref().unwrap_or_default(), "scratch directory", found);
        nested(step.out.as_deref().unwrap_or_default(), "output", found);
        covered(step, found);
        steps[..at].iter().for_each(|other| shared_outputs(step, other, found));
        reach[at].iter().for_each(|&earlier| written_inputs(step, &steps[earlier], found));
    }
}

/// Paths of one list that are equal or below each other.
fn nested(paths: &[Spanned<RelPath>], what: &str, found: &mut Findings) {
    for (at, path) in paths.iter().enumerate() {
        let outer = paths.iter().enumerate().find(|&(other, outer)| {
            let equal = path.value == outer.value;
            other != at && path.value.starts_with(&outer.value) && (!equal || other < at)
        });
        if let Some((_, outer)) = outer {
            found.add(&path.span, format!("`{}` lies in the {what} `{}`", path.value, outer.value));
        }
    }
}

/// A scratch directory that is an output, or lies in one, would be both kept and thrown away.
fn covered(step: &StepFile, found: &mut Findings) {
    for scratch in step.scratch.iter().flatten() {
        let out = step.out.iter().flatten().find(|out| scratch.value.starts_with(&out.value));
        if let Some(out) = out {
            let message =
                format!("`{}` lies in the output `{}` and cannot be thrown away", scratch.value, out.value);
            found.help(
                &scratch.span,
                message,
                "an output that is a directory needs no scratch directory: leave it out",
            );
        }
    }
}

fn shared_outputs(step: &StepFile, other: &StepFile, found: &mut Findings) {
    for out in step.out.iter().flatten() {
        let overlap = |theirs: &&Spanned<RelPath>| {
            out.value.starts_with(&theirs.value) || theirs.value.starts_with(&out.value)
        };
        if let Some(theirs) = other.out.iter().flatten().find(overlap) {
            let message = format!(
                "the output `{}` and the output `{}` of step `{}` overlap",
                out.value, theirs.value, other.name.value
            );
            found.add(&out.span, message);
        }
    }
}

/// An output of an earlier step is read-only for this one.
fn written_inputs(step: &StepFile, earlier: &StepFile, found: &mut Findings) {
    for scratch in step.scratch.iter().flatten() {
        if let Some(theirs) = earlier.out.iter().flatten().find(|out| scratch.value.starts_with(&out.value)) {
            let message = format!(
                "`{}` lies in the output `{}` of step `{}`, which is read-only here",
                scratch.value, theirs.value, earlier.name.value
            );
            found.add(&scratch.span, message);
        }
    }
}

fn step(file: StepFile, needs: BTreeSet<StepName>, found: &mut Findings) -> Step {
    Step {
        name: file.name.value,
        run: command(file.run),
        env: sandbox_variables(file.env, found),
        scratch: paths(file.scratch),
        out: paths(file.out),
        needs,
        timeout_seconds: timeout(file.timeout),
        retry: retry(file.retry),
    }
}

fn paths(paths: Option<Vec<Spanned<RelPath>>>) -> BTreeSet<RelPath> {
    paths.into_iter().flatten().map(|path| path.value).collect()
}

fn timeout(timeout: Option<Seconds>) -> u64 {
    timeout.map_or(DEFAULT_TIMEOUT_SECONDS, |timeout| timeout.0)
}

/// The type of the number holds its range.
fn retry(retry: Option<Number<0, 3>>) -> u8 {
    retry.and_then(|Number(retry)| u8::try_from(retry).ok()).unwrap_or(0)
}

fn command(run: Run) -> Command {
    match run {
        Run::Script(script) => Command::Shell(script),
        Run::Arguments(argv) => Command::Argv(argv),
    }
}

pub(crate) fn sandbox_variables(
    variables: Option<Variables>,
    found: &mut Findings,
) -> BTreeMap<String, String> {
    self::variables(variables, |name, span| {
        if OWN_VARIABLES.contains(&name) || name.starts_with("PLIMSOLL_") {
            found.add(span, format!("`{name}` is set by Plimsoll in every sandbox"));
        }
    })
}

fn variables(
    variables: Option<Variables>,
    mut judge: impl FnMut(&str, &Range<usize>),
) -> BTreeMap<String, String> {
    let entries = variables.into_iter().flat_map(|variables| variables.0);
    entries
        .map(|(Spanned { span, value: VariableName(name) }, value)| {
            judge(&name, &span);
            (name, value.0)
        })
        .collect()
}

/// The values as a set, with a diagnostic for each that stands twice.
pub(crate) fn distinct<T: Ord>(values: Vec<Spanned<T>>, message: &str, found: &mut Findings) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    for Spanned { span, value } in values {
        if !set.insert(value) {
            found.add(&span, message);
        }
    }
    set
}

fn artifact(file: Spanned<ArtifactFile>, steps: &[StepFile], found: &mut Findings) -> Option<ArtifactSpec> {
    match (file.value.files, file.value.image) {
        (Some(files), None) => {
            if files.value.is_empty() {
                found.add(&files.span, "the artifact has no file");
            }
            files.value.iter().for_each(|path| built(path, steps, found));
            Some(ArtifactSpec::Files(distinct(files.value, "is listed twice", found)))
        }
        (None, Some(image)) => Some(self::image(image, steps, found)),
        _ => {
            found.add(&file.span, "an artifact is either `files` or `image`");
            None
        }
    }
}

/// Only outputs are frozen and hashed, so only they can be part of an artifact.
fn built(path: &Spanned<RelPath>, steps: &[StepFile], found: &mut Findings) {
    let mut outs = steps.iter().flat_map(|step| step.out.iter().flatten());
    if outs.any(|out| path.value.starts_with(&out.value)) {
        return;
    }
    let message = format!("`{}` is in no step's `out`", path.value);
    let outs = steps.iter().flat_map(|step| step.out.iter().flatten()).map(|out| out.value.as_str());
    match nearest(path.value.as_str(), outs) {
        Some(near) => found.help(&path.span, message, did_you_mean(near)),
        None => found.help(&path.span, message, "list it under `out` of the step that makes it"),
    }
}

fn image(file: ImageFile, steps: &[StepFile], found: &mut Findings) -> ArtifactSpec {
    if file.files.value.0.is_empty() {
        found.add(&file.files.span, "the image has no file");
    }
    if file.entrypoint.value.is_empty() {
        found.add(&file.entrypoint.span, "the entrypoint has no program");
    }
    file.files.value.0.iter().for_each(|(path, _)| built(path, steps, found));
    targets(&file.files.value.0, found);
    let env = variables(file.env, |name, span| {
        if loader_variable(name) {
            found.add(span, format!("`{name}` would have the loader run what nobody hashed"));
        }
    });
    let files = file.files.value.0.into_iter().map(|(path, target)| (path.value, target.value.0));
    ArtifactSpec::Image {
        base: file.base.0,
        files: files.collect(),
        entrypoint: file.entrypoint.value.into_iter().map(|argument| argument.0).collect(),
        cmd: file.cmd.into_iter().flatten().map(|argument| argument.0).collect(),
        env,
    }
}

/// No file of an image is, or lies in, another.
fn targets(files: &[(Spanned<RelPath>, Spanned<crate::value::AbsolutePath>)], found: &mut Findings) {
    let below = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    for (at, (_, target)) in files.iter().enumerate() {
        let mut others = files.iter().enumerate().filter(|&(other, _)| other != at);
        let outer = others.find(|(other, (_, outer))| {
            below(&target.value.0, &outer.value.0) && (target.value != outer.value || *other < at)
        });
        if let Some((_, (_, outer))) = outer {
            found.add(&target.span, format!("`{}` is taken by `{}`", target.value.0, outer.value.0));
        }
    }
}

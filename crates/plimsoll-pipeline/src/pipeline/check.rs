//! Relations between the values of a pipeline: names, needs, outputs, reports and the artifact.

use super::{
    ArtifactSpec, Base, Check, CheckKind, Command, DEFAULT_TIMEOUT_SECONDS, On, Pipeline, Service, Step,
    TestReport, Toolchain,
    file::{
        AdapterFile, ArtifactFile, EvidenceFile, ImageFile, Look, PipelineFile, ScanFile, ServiceFile,
        StepFile, TestFile, TestReportFile, Variables,
    },
};
use crate::{
    adapter::{self, InputKind},
    diagnostic::Findings,
    graph::Graph,
    loader::loader_variable,
    read::{Spanned, did_you_mean, nearest},
    value::{Number, Run, Seconds, VariableName},
};
use plimsoll_model::{CheckName, RelPath, ScanEngine, StepName};
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

/// A service is one of the files that are built, where the pipeline says which those are.
fn services(evidence: &[EvidenceFile], artifact: Option<&ArtifactSpec>, found: &mut Findings) {
    let Some(programs) = artifact.and_then(programs) else { return };
    for entry in evidence {
        let EvidenceFile::Adapter(adapter) = entry else { continue };
        let Some(run) = adapter.service.as_ref().map(|service| &service.value.run) else { continue };
        let program = run.value.first().map_or("", |program| program.0.as_str());
        if is_built(program) && !programs.contains(program) {
            let message = format!("`{program}` is no file of the artifact");
            match nearest(program, programs.iter().map(String::as_str)) {
                Some(near) => found.help(&run.span, message, did_you_mean(near)),
                None => found.add(&run.span, message),
            }
        }
    }
}

/// Where checks of the artifact find its files; nobody knows those of an image's base before it is read.
fn programs(artifact: &ArtifactSpec) -> Option<BTreeSet<String>> {
    let place = |path: &str| format!("{}/{path}", adapter::ARTIFACT);
    match artifact {
        ArtifactSpec::Files(files) => Some(files.iter().map(|file| place(file.file_name())).collect()),
        ArtifactSpec::Image { base: Base::Scratch, files, .. } => {
            Some(files.values().map(|target| place(target.trim_start_matches('/'))).collect())
        }
        ArtifactSpec::Image { .. } => None,
    }
}

/// Whether a path lies below the artifact.
fn is_built(program: &str) -> bool {
    let path = program.strip_prefix(adapter::ARTIFACT).and_then(|path| path.strip_prefix('/'));
    path.is_some_and(|path| path.parse::<RelPath>().is_ok())
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

fn checks(entry: EvidenceFile, found: &mut Findings) -> Vec<Check> {
    match entry {
        EvidenceFile::Test(file) => test(file, found).into_iter().collect(),
        EvidenceFile::Adapter(file) => adapter(*file, found).into_iter().collect(),
        EvidenceFile::Scan(file) => scans(&file, found),
    }
}

/// The checks behind `scan`. Their command is told by their kind: whoever carries the plan out starts this program.
fn scans(file: &ScanFile, found: &mut Findings) -> Vec<Check> {
    if file.scan.value.is_empty() {
        found.add(&file.scan.span, "an empty list looks for nothing");
    }
    let on = file.on.unwrap_or(On::Source);
    if let Some(sbom) = file.scan.value.iter().find(|look| look.value == Look::Sbom)
        && file.on == Some(On::Source)
    {
        found.help(&sbom.span, "`sbom` is about the artifact", "leave `on` out; the source is read too");
    }
    let scan = |look: Look| {
        let engine = look.engine();
        let words =
            engine.map_or(vec!["plimsoll", "sbom"], |engine| vec!["plimsoll", "scan", engine.as_str()]);
        Some(Check {
            name: scan_name(look, on).parse().ok()?,
            kind: engine.map_or(CheckKind::Sbom, |engine| CheckKind::Scan { engine }),
            on: if engine.is_some() { on } else { On::Artifact },
            run: Command::Argv(words.into_iter().map(str::to_owned).collect()),
            env: BTreeMap::new(),
            scratch: BTreeSet::new(),
            timeout_seconds: timeout(file.timeout),
            retry: 0,
        })
    };
    file.scan.value.iter().filter_map(|look| scan(look.value)).collect()
}

fn scan_name(look: Look, on: On) -> &'static str {
    match (look.engine(), on) {
        (None, _) => SBOM,
        (Some(engine), On::Source) => engine.as_str(),
        (Some(engine), On::Artifact) => engine.artifact_check(),
    }
}

fn test(file: TestFile, found: &mut Findings) -> Option<Check> {
    nested(file.scratch.as_deref().unwrap_or_default(), "scratch directory", found);
    let report = match file.report {
        None => None,
        Some(report) => Some(test_report(report, found)?),
    };
    Some(Check {
        name: file.test.value,
        kind: CheckKind::Test { report },
        on: file.on,
        run: command(file.run),
        env: sandbox_variables(file.env, found),
        scratch: paths(file.scratch),
        timeout_seconds: timeout(file.timeout),
        retry: retry(file.retry),
    })
}

fn test_report(report: Spanned<TestReportFile>, found: &mut Findings) -> Option<TestReport> {
    match report.value {
        TestReportFile { libtest: Some(stream), nextest: None, junit: None } => {
            Some(TestReport::Libtest(stream))
        }
        TestReportFile { libtest: None, nextest: Some(stream), junit: None } => {
            Some(TestReport::Nextest(stream))
        }
        TestReportFile { libtest: None, nextest: None, junit: Some(path) } => {
            in_directory(&path, found);
            Some(TestReport::Junit(path.value))
        }
        _ => {
            found.add(&report.span, "a report is exactly one of `libtest`, `nextest` and `junit`");
            None
        }
    }
}

/// An adapter of its own words, or of a manifest.
fn adapter(file: AdapterFile, found: &mut Findings) -> Option<Check> {
    match (file.run, file.report) {
        (Some(run), Some(report)) => {
            if file.manifest.is_some() || file.recorded.is_some() || file.service.is_some() {
                found.add(
                    &run.span,
                    "a manifest says what to run: leave out `run`, or `manifest`, `recorded` and `service`",
                );
            }
            let scratch = file.scratch.map(|scratch| scratch.value);
            nested(scratch.as_deref().unwrap_or_default(), "scratch directory", found);
            in_directory(&report.value.sarif, found);
            let tool = file.tool.map(|tool| tool.value.0);
            Some(Check {
                name: file.adapter.value,
                kind: CheckKind::Adapter { sarif: report.value.sarif.value, tool },
                on: file.on.unwrap_or(On::Source),
                run: command(run.value),
                env: sandbox_variables(file.env.map(|env| env.value), found),
                scratch: paths(scratch),
                timeout_seconds: timeout(file.timeout.map(|timeout| timeout.value)),
                retry: retry(file.retry),
            })
        }
        (Some(run), None) => {
            found.help(
                &run.span,
                "an adapter that is run reports",
                "write `report: {sarif: report/x.sarif}`",
            );
            None
        }
        (None, report) => {
            let others = [
                ("report", report.map(|report| report.span)),
                ("env", file.env.map(|env| env.span)),
                ("scratch", file.scratch.map(|scratch| scratch.span)),
                ("timeout", file.timeout.map(|timeout| timeout.span)),
                ("tool", file.tool.map(|tool| tool.span)),
            ];
            for (key, span) in others.into_iter().filter_map(|(key, span)| Some((key, span?))) {
                let help = "leave it out, or write `run` for an adapter without a manifest";
                found.help(&span, format!("the manifest says it, so `{key}` has no place here"), help);
            }
            let service = match file.service {
                Some(file) => Some(service(file, found)?),
                None => None,
            };
            let subject = (file.on, file.recorded, service);
            manifest(file.adapter, file.manifest, subject, retry(file.retry), found)
        }
    }
}

/// A check whose command is told by a manifest.
fn manifest(
    name: Spanned<CheckName>,
    file: Option<RelPath>,
    (on, recorded, service): (Option<On>, Option<RelPath>, Option<Service>),
    retry: u8,
    found: &mut Findings,
) -> Option<Check> {
    let mut told = service.is_some().then_some(On::Artifact);
    if file.is_none() {
        let Some(ready) = adapter::ready(name.value.as_str()) else {
            let message = format!("no manifest of the name `{}` comes with plimsoll", name.value);
            let names = adapter::READY.iter().map(|ready| ready.name);
            match nearest(name.value.as_str(), names) {
                Some(near) => found.help(&name.span, message, did_you_mean(near)),
                None => {
                    let help = "name a file of the project with `manifest:`; `plimsoll adapter list` shows what comes";
                    found.help(&name.span, message, help);
                }
            }
            return None;
        };
        if (ready.input.kind == InputKind::Recorded) != recorded.is_some() {
            let message = match recorded {
                Some(_) => format!("`{}` runs its tool and reads no recorded report", name.value),
                None => format!("`{}` reads a report: name it with `recorded:`", name.value),
            };
            found.add(&name.span, message);
        }
        if (ready.input.kind == InputKind::Service) != service.is_some() {
            let message = match service {
                Some(_) => format!("`{}` looks at no running service", name.value),
                None => {
                    format!("`{}` looks at a running service: say what to start with `service:`", name.value)
                }
            };
            found.add(&name.span, message);
        }
        told = match ready.input.kind {
            InputKind::Artifact | InputKind::Service => Some(On::Artifact),
            InputKind::Source | InputKind::Recorded => Some(On::Source),
            InputKind::Any => None,
        };
    }
    if let (Some(on), Some(told)) = (on, told)
        && on != told
    {
        found.add(&name.span, format!("`{}` does not look at this: leave out `on`", name.value));
    }
    let argv = ["plimsoll", "adapter", name.value.as_str()].map(str::to_owned).to_vec();
    Some(Check {
        name: name.value,
        kind: CheckKind::Manifest { file, recorded, service },
        on: on.or(told).unwrap_or(On::Source),
        run: Command::Argv(argv),
        env: BTreeMap::new(),
        scratch: BTreeSet::new(),
        timeout_seconds: DEFAULT_TIMEOUT_SECONDS,
        retry,
    })
}

/// What is looked at is what was built: a program that is no part of the artifact could be anything.
fn service(file: Spanned<ServiceFile>, found: &mut Findings) -> Option<Service> {
    let ServiceFile { run, env, port } = file.value;
    let span = run.span;
    let run: Vec<String> = run.value.into_iter().map(|argument| argument.0).collect();
    if run.first().is_none_or(|program| !is_built(program)) {
        let help = format!("begin with a file of it, as in `[{}/shop]`", adapter::ARTIFACT);
        found.help(&span, "the service is no program of the artifact", help);
        return None;
    }
    let env = sandbox_variables(env, found);
    Some(Service { run, env, port: u16::try_from(port.0).ok()? })
}

/// The source is read-only, so a report needs a directory that can be made writable.
fn in_directory(report: &Spanned<RelPath>, found: &mut Findings) {
    if report.value.parent().is_none() {
        let message = format!("`{}` would be written into the source, which is read-only", report.value);
        let help = format!("give it a directory, which then starts empty: `report/{}`", report.value);
        found.help(&report.span, message, help);
    }
}

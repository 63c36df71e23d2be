//! What is looked into: tests, adapters, scans by Plimsoll itself, and the services that some of them ask.

use super::{SBOM, command, nested, paths, retry, sandbox_variables, timeout};
use crate::{
    adapter::{self, InputKind},
    diagnostic::Findings,
    pipeline::{
        ArtifactSpec, Base, Check, CheckKind, Command, DEFAULT_TIMEOUT_SECONDS, On, Service, TestReport,
        file::{AdapterFile, EvidenceFile, Look, ScanFile, ServiceFile, TestFile, TestReportFile},
    },
    read::{Spanned, did_you_mean, nearest},
};
use plimsoll_model::{CheckName, RelPath};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn checks(entry: EvidenceFile, found: &mut Findings) -> Vec<Check> {
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

pub(super) fn scan_name(look: Look, on: On) -> &'static str {
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

/// A service is one of the files that are built, where the pipeline says which those are.
pub(super) fn services(evidence: &[EvidenceFile], artifact: Option<&ArtifactSpec>, found: &mut Findings) {
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

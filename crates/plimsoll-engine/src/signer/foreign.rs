//! What a signer reads out of the report of a foreign scanner, by the manifest of its plan.

use crate::ports::Exit;
use plimsoll_attest::{
    predicate::scan::{AdapterScan, MAX_RESULTS, OwnResult},
    report::{Limits, Reading, ReportError, ScanReport, read_scan},
};
use plimsoll_model::{Code, Digest, Reason, reason::printable};
use plimsoll_pipeline::{
    On, PlannedAdapter,
    adapter::{ARTIFACT, InputKind, Obstacle, SOURCE},
};

/// The report as the manifest says that it is to be read.
pub(crate) fn read(
    planned: &PlannedAdapter,
    on: On,
    bytes: Option<&[u8]>,
) -> Result<ScanReport, ReportError> {
    let manifest = &planned.manifest;
    let default = Limits::default();
    let most = usize::try_from(manifest.limits.report).unwrap_or(default.bytes);
    let reading = Reading {
        format: manifest.report.format,
        tool: manifest.name.as_str(),
        severity: &manifest.severity,
        rules: manifest.report.rules,
        subject: match on {
            On::Source => SOURCE,
            On::Artifact => ARTIFACT,
        },
        limits: Limits { bytes: most.min(default.bytes), ..default },
    };
    read_scan(bytes.ok_or(ReportError::Missing)?, &reading)
}

/// Whether the tool ended as one that did its work: with 0, or with the status by which it says that it found something
/// where its report has something.
pub(crate) fn ended_well(
    planned: &PlannedAdapter,
    report: &Result<ScanReport, ReportError>,
    exit: Exit,
) -> bool {
    let found = report.as_ref().is_ok_and(|report| !report.results.is_empty());
    match exit {
        Exit::Status(status) => status == 0 || (found && planned.manifest.report.found.contains(&status)),
        _ => false,
    }
}

/// What stands in the statement.
pub(super) fn stated(
    planned: &PlannedAdapter,
    data: Option<Digest>,
    report: Option<&ScanReport>,
) -> AdapterScan {
    let found = report.map(|report| report.results.as_slice()).unwrap_or_default();
    let mut results: Vec<OwnResult> = found
        .iter()
        .map(|found| OwnResult {
            suppressed: found.suppressed,
            rule: Some(found.rule.clone()),
            path: found.place.clone(),
            package: found.package.clone(),
            advisories: found.advisories.clone(),
            ..OwnResult::new(found.fingerprint, found.severity)
        })
        .collect();
    let unlisted = results.len().saturating_sub(MAX_RESULTS);
    // The worst stay listed.
    results.sort_by_key(|result| std::cmp::Reverse(result.severity));
    results.truncate(MAX_RESULTS);
    results.sort();
    AdapterScan {
        name: planned.manifest.name.clone(),
        manifest: planned.digest,
        ready: planned.ready,
        format: planned.manifest.report.format,
        data,
        found: planned.manifest.report.found.clone(),
        results,
        unlisted: unlisted as u64,
    }
}

/// Why a scanner that a manifest describes did not run. The caller adds the check.
pub(super) fn not_run(planned: &PlannedAdapter, problem: Option<&str>) -> Reason {
    let tool = &planned.manifest.tool;
    let empty = |detail: &str| Code::EvidenceEmpty.reason().with("detail", detail);
    match &planned.obstacle {
        Some(Obstacle::Configured(path)) => Code::AdapterConfig.reason().with("path", path),
        Some(Obstacle::NoFiles) => empty("there is no file that it knows how to read"),
        Some(Obstacle::TooManyFiles) => empty("there are more files than it can be given"),
        Some(Obstacle::Service) if planned.manifest.input.kind == InputKind::Service => {
            empty("it looks at a running service, and the pipeline says none with `service`")
        }
        Some(Obstacle::Service) => empty("the pipeline says a `service`, and it looks at none"),
        None => {
            let reason = Code::AdapterTool.reason().with("tool", &tool.executable);
            let reason = reason.with("problem", printable(problem.unwrap_or("nobody found it"), 300));
            reason.with("install", &tool.install)
        }
    }
}

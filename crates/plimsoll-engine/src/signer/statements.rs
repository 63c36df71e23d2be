//! The statements themselves: from what a session knows to what is signed. Pure.

use super::{
    protocol::{ArtifactRecord, CloseArtifact, CloseCheck, CloseFetch, Observed, Open},
    session::OpenRun,
};
use crate::{derive::Origin, ports::Exit};
use plimsoll_attest::{
    Statement, Subject,
    predicate::{
        Provenance, Scan, SourceRevision, TestResult,
        common::{Ending, On, ResourceDescriptor},
        provenance::{
            BUILD_TYPE, BuildDefinition, Builder, ExternalParameters, InternalParameters, Metadata,
            RunDetails, Toolchain, ToolchainMode,
        },
        scan::{AdapterScan, Findings, OwnScan, Tool},
        source::Person,
        test::{TestCheck, TestCounts},
    },
    report::{ScanReport, TestReport},
};
use plimsoll_model::{Digest, Outcome, Reason, record::NetworkMode};
use plimsoll_pipeline::{self as pipeline, PlannedCheck};
use plimsoll_policy::LOCAL_BUILDER;
use std::collections::BTreeMap;

/// What the revision is.
pub(super) fn source(run: &OpenRun, origin: &Origin, repository: String) -> Statement<SourceRevision> {
    let person =
        |author: &crate::ports::Author| Person { name: author.name.clone(), email: author.email.clone() };
    let open = &run.open;
    let predicate = SourceRevision {
        run: open.run.clone(),
        project: run.derived.plan.project.clone(),
        repository,
        commit: open.commit.clone(),
        tree: run.derived.tree,
        requested: open.requested.clone(),
        reference: open.reference.clone(),
        protected_by: origin.protected_by.clone(),
        author: person(&origin.facts.author),
        committer: person(&origin.facts.committer),
        signature: origin.signature.clone(),
        pipeline: run.derived.pipeline_digest,
        approval: origin.approval,
        tier: origin.tier,
        delivery_commit: origin.delivery_commit.clone(),
    };
    Statement { subject: vec![Subject::new("source", run.derived.tree)], predicate }
}

/// How the artifact was made.
pub(super) fn provenance(
    run: &OpenRun,
    artifact: &ArtifactRecord,
    close: &CloseArtifact,
    repository: &str,
    pipeline: &str,
) -> Statement<Provenance> {
    let files = artifact.files.iter().map(|file| Subject::new(file.path.as_str(), file.digest));
    let manifest = Subject::new(run.derived.plan.project.as_str(), artifact.manifest);
    let subject = std::iter::once(manifest).chain(files).collect();
    let fetched = run.fetched.as_ref();
    let predicate = Provenance {
        build_definition: BuildDefinition {
            build_type: BUILD_TYPE.into(),
            external_parameters: external(&run.open, repository, pipeline),
            internal_parameters: InternalParameters {
                plimsoll_plan: run.derived.plan_digest,
                plimsoll_tier: run.tier,
                plimsoll_network: fetched.map_or(NetworkMode::None, |fetch| fetch.network),
                plimsoll_network_events: fetched.map_or_else(Vec::new, |fetch| fetch.events.clone()),
                plimsoll_isolation: isolation(run),
                plimsoll_toolchain: Toolchain {
                    mode: ToolchainMode::Host,
                    hermetic: false,
                    digest: close.toolchain,
                },
            },
            resolved_dependencies: dependencies(run, fetched, repository, close.toolchain),
        },
        run_details: RunDetails {
            builder: Builder {
                id: LOCAL_BUILDER.into(),
                version: BTreeMap::from([("plimsoll".into(), env!("CARGO_PKG_VERSION").into())]),
            },
            metadata: Metadata {
                invocation_id: run.open.run.clone(),
                started_on: close.started,
                finished_on: close.finished,
            },
            byproducts: run
                .passed
                .iter()
                .map(|(name, step)| ResourceDescriptor::named(format!("log of {name}"), step.observed.log))
                .collect(),
        },
    };
    Statement { subject, predicate }
}

fn external(open: &Open, repository: &str, pipeline: &str) -> ExternalParameters {
    ExternalParameters {
        repository: repository.to_owned(),
        revision: open.requested.clone(),
        commit: open.commit.clone(),
        pipeline: pipeline.to_owned(),
        parameters: open.parameters.clone(),
    }
}

fn isolation(run: &OpenRun) -> BTreeMap<String, plimsoll_model::record::IsolationRecord> {
    run.passed.iter().map(|(name, step)| (name.to_string(), step.observed.isolation.clone())).collect()
}

fn dependencies(
    run: &OpenRun,
    fetched: Option<&CloseFetch>,
    repository: &str,
    toolchain: Digest,
) -> Vec<ResourceDescriptor> {
    let commit = ResourceDescriptor::commit(repository, run.open.commit.clone());
    let source = ResourceDescriptor::named("exported source tree", run.derived.tree);
    let toolchain = ResourceDescriptor::named("host toolchain manifest", toolchain);
    let materials = fetched.into_iter().flat_map(|fetch| &fetch.materials);
    let materials = materials.map(|material| ResourceDescriptor::at(&material.uri, material.digest));
    [commit, source, toolchain].into_iter().chain(materials).collect()
}

/// What came of a check, by the signer's own judgement.
pub(super) struct Judgement {
    pub(super) outcome: Outcome,
    pub(super) reasons: Vec<Reason>,
}

/// The subject of a check: the exported tree or the artifact's manifest.
pub(super) fn subject(run: &OpenRun, artifact: Option<Digest>) -> Subject {
    artifact.map_or_else(
        || Subject::new("source", run.derived.tree),
        |manifest| Subject::new(run.derived.plan.project.as_str(), manifest),
    )
}

/// The result of a test.
pub(super) fn test(
    run: &OpenRun,
    check: &PlannedCheck,
    close: &CloseCheck,
    report: Option<&TestReport>,
    format: Option<&str>,
    judged: Judgement,
) -> Statement<TestResult> {
    let Observed { exit, log, isolation, started, finished } = close.observed.clone();
    let names =
        |pick: fn(&TestReport) -> &Vec<String>| report.map_or_else(Vec::new, |report| pick(report).clone());
    let counts = report.map(|report| TestCounts {
        passed: report.counts.passed,
        failed: report.counts.failed,
        skipped: report.counts.skipped,
    });
    let predicate = TestResult {
        result: judged.outcome.into(),
        configuration: vec![ResourceDescriptor::named("pipeline", run.derived.pipeline_digest)],
        passed_tests: names(|report| &report.passed),
        failed_tests: names(|report| &report.failed),
        warned_tests: vec![],
        check: TestCheck {
            run: run.open.run.clone(),
            plan: run.derived.plan_digest,
            check: check.name.clone(),
            on: on(check.on),
            attempt: close.attempt,
            outcome: judged.outcome,
            reasons: judged.reasons,
            exit: ending(exit),
            counts,
            report: format.map(str::to_owned),
            log,
            isolation,
            started,
            finished,
        },
    };
    Statement { subject: vec![subject(run, close.artifact)], predicate }
}

/// The result of an adapter, of a foreign scanner behind a manifest, or of a scan of Plimsoll.
pub(super) fn scan(
    run: &OpenRun,
    check: &PlannedCheck,
    close: &CloseCheck,
    report: Option<&ScanReport>,
    (tool, own, adapter): (Tool, Option<OwnScan>, Option<AdapterScan>),
    judged: Judgement,
) -> Statement<Scan> {
    let Observed { exit, log, isolation, started, finished } = close.observed.clone();
    let findings = report.map_or_else(Findings::default, |report| Findings {
        error: report.findings.error,
        warning: report.findings.warning,
        note: report.findings.note,
        none: report.other,
    });
    let predicate = Scan {
        run: run.open.run.clone(),
        plan: run.derived.plan_digest,
        check: check.name.clone(),
        on: on(check.on),
        attempt: close.attempt,
        outcome: judged.outcome,
        reasons: judged.reasons,
        exit: ending(exit),
        tool,
        rules: report.map_or(0, |report| report.rules),
        findings,
        own,
        adapter: adapter.map(Box::new),
        report: close.report,
        log,
        isolation,
        started,
        finished,
    };
    Statement { subject: vec![subject(run, close.artifact)], predicate }
}

pub(super) fn on(on: pipeline::On) -> On {
    match on {
        pipeline::On::Source => On::Source,
        pipeline::On::Artifact => On::Artifact,
    }
}

fn ending(exit: Exit) -> Ending {
    match exit {
        Exit::Status(status) => Ending::Status(status),
        Exit::Signal(signal) => Ending::Signal(signal),
        Exit::TimedOut => Ending::TimedOut,
        Exit::Cancelled => Ending::Cancelled,
        Exit::LogLimit => Ending::LogLimit,
        Exit::OutOfMemory => Ending::OutOfMemory,
    }
}

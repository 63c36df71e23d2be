//! One good statement of each kind, all of one run.

use plimsoll_attest::{
    Predicate, Statement, Subject,
    predicate::{
        Provenance, Run, Scan, SourceRevision, TestResult,
        common::{Ending, On, ResourceDescriptor},
        provenance::{
            BUILD_TYPE, BuildDefinition, Builder, ExternalParameters, InternalParameters, Metadata,
            RunDetails, Toolchain, ToolchainMode,
        },
        run::{Artifact, Planned},
        scan::{Findings, Tool},
        source::{Person, PipelineApproval, Signature},
        test::{TestCheck, TestCounts, TestVerdict},
    },
};
use plimsoll_model::{
    CommitId, Digest, Outcome, Role, RunId, Timestamp,
    record::{IsolationRecord, LogPosition, NetworkMode, Tier},
};
use plimsoll_policy::LOCAL_BUILDER;
use std::collections::BTreeMap;

/// The manifest of the artifact.
pub(crate) const MANIFEST: &[u8] = include_bytes!("../../testdata/golden/manifest.json");
/// The key that signs the commit, and its fingerprint.
pub(crate) const COMMITTER: (&str, &str) = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL67f9I2UJxxd/xbB4DvjFFM1td1q4WvpGDsGz0ilZeK",
    "SHA256:i7OXxZe09KcqCQooBsnSWyZTMIZvj2RzBIYKc4V1GdE",
);
const REPOSITORY: &str = "https://git.example/shop";

pub(crate) fn artifact() -> Digest {
    Digest::of(MANIFEST)
}

pub(crate) fn tree() -> Digest {
    Digest::of(b"tree")
}

pub(crate) fn commit() -> CommitId {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

pub(crate) fn run_id() -> RunId {
    RunId::from_random([0x5a; 16])
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn about<P>(digest: Digest, predicate: P) -> Statement<P> {
    Statement { subject: vec![Subject::new("shop", digest)], predicate }
}

fn isolation() -> IsolationRecord {
    IsolationRecord {
        backend: "plimsoll".into(),
        namespaces: vec!["net".into(), "user".into()],
        landlock_abi: 6,
        seccomp: None,
        unprivileged: true,
        own_uid: false,
        limits: BTreeMap::new(),
        network_attempts: None,
    }
}

pub(crate) fn source() -> Statement<SourceRevision> {
    let ada = Person { name: "Ada Example".into(), email: "ada@example.org".into() };
    let predicate = SourceRevision {
        run: run_id(),
        project: "shop".parse().unwrap(),
        repository: REPOSITORY.into(),
        commit: commit(),
        tree: tree(),
        requested: "HEAD".into(),
        reference: Some("refs/heads/main".into()),
        protected_by: Some("refs/heads/main".into()),
        author: ada.clone(),
        committer: ada,
        signature: Signature::Good { person: "ada".into(), fingerprint: COMMITTER.1.into() },
        pipeline: Digest::of(b"pipeline"),
        approval: PipelineApproval::Approved,
        tier: Tier::Trusted,
        delivery_commit: None,
    };
    about(tree(), predicate)
}

pub(crate) fn provenance() -> Statement<Provenance> {
    let build_definition = BuildDefinition {
        build_type: BUILD_TYPE.into(),
        external_parameters: ExternalParameters {
            repository: REPOSITORY.into(),
            revision: "HEAD".into(),
            commit: commit(),
            pipeline: "plimsoll.yaml".into(),
            parameters: BTreeMap::new(),
        },
        internal_parameters: InternalParameters {
            plimsoll_plan: Digest::of(b"plan"),
            plimsoll_tier: Tier::Trusted,
            plimsoll_network: NetworkMode::Locked,
            plimsoll_network_events: vec![],
            plimsoll_isolation: BTreeMap::from([("compile".into(), isolation())]),
            plimsoll_toolchain: Toolchain {
                mode: ToolchainMode::Host,
                hermetic: false,
                digest: Digest::of(b"toolchain"),
            },
        },
        resolved_dependencies: vec![ResourceDescriptor::commit(REPOSITORY, commit())],
    };
    let run_details = RunDetails {
        builder: Builder { id: LOCAL_BUILDER.into(), version: BTreeMap::new() },
        metadata: Metadata {
            invocation_id: run_id(),
            started_on: time("2026-01-02T03:04:05Z"),
            finished_on: time("2026-01-02T03:05:00Z"),
        },
        byproducts: vec![],
    };
    about(artifact(), Provenance { build_definition, run_details })
}

/// An attempt of a test: passed, or failed with a reason of its own.
pub(crate) fn test(name: &str, on: On, attempt: u32, passed: bool) -> Statement<TestResult> {
    let outcome = if passed { Outcome::Passed } else { Outcome::Failed };
    let failed =
        plimsoll_model::Code::EvidenceFailed.reason().with("check", name).with("detail", "1 of 3 tests");
    let check = TestCheck {
        run: run_id(),
        plan: Digest::of(b"plan"),
        check: name.parse().unwrap(),
        on,
        attempt,
        outcome,
        reasons: if passed { vec![] } else { vec![failed.with("run", run_id())] },
        exit: Ending::Status(i32::from(!passed)),
        counts: Some(TestCounts { passed: 2, failed: u64::from(!passed), skipped: 0 }),
        report: Some("libtest".into()),
        log: Digest::of(b"log"),
        isolation: isolation(),
        started: time("2026-01-02T03:05:00Z"),
        finished: time("2026-01-02T03:05:30Z"),
    };
    let result = TestResult {
        result: TestVerdict::from(outcome),
        configuration: vec![],
        passed_tests: vec!["adds".into()],
        failed_tests: vec![],
        warned_tests: vec![],
        check,
    };
    about(if on == On::Source { tree() } else { artifact() }, result)
}

pub(crate) fn scan() -> Statement<Scan> {
    let predicate = Scan {
        run: run_id(),
        plan: Digest::of(b"plan"),
        check: "lint".parse().unwrap(),
        on: On::Source,
        attempt: 1,
        outcome: Outcome::Passed,
        reasons: vec![],
        exit: Ending::Status(0),
        tool: Tool { name: "lint".parse().unwrap(), version: None, digest: Digest::of(b"tool") },
        rules: 12,
        findings: Findings { note: 3, ..Findings::default() },
        own: None,
        adapter: None,
        report: Some(Digest::of(b"report")),
        log: Digest::of(b"log"),
        isolation: isolation(),
        started: time("2026-01-02T03:05:00Z"),
        finished: time("2026-01-02T03:05:30Z"),
    };
    about(tree(), predicate)
}

/// A run statement without attempts.
pub(crate) fn run() -> Statement<Run> {
    let planned = |check: &str, on, predicate_type: &str| Planned {
        check: check.parse().unwrap(),
        on,
        role: Role::Scanner,
        predicate_type: predicate_type.into(),
    };
    let predicate = Run {
        run: run_id(),
        project: "shop".parse().unwrap(),
        commit: commit(),
        tree: tree(),
        plan: Digest::of(b"plan"),
        pipeline: Digest::of(b"pipeline"),
        tier: Tier::Trusted,
        builder: LOCAL_BUILDER.into(),
        artifact: Some(Artifact {
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            digest: artifact(),
            size: MANIFEST.len() as u64,
            files: vec![],
        }),
        planned: vec![
            planned("unit", On::Source, TestResult::TYPE),
            planned("smoke", On::Artifact, TestResult::TYPE),
            planned("lint", On::Source, Scan::TYPE),
        ],
        attempts: vec![],
        predecessor: None,
        opened_at: LogPosition { size: 7, head: Digest::of(b"entry") },
    };
    about(artifact(), predicate)
}

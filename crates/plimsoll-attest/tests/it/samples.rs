//! One statement of each kind, with every field filled in.

use crate::fixture::Summary;
use plimsoll_attest::{
    ApprovalDocument, Disclaimer, PolicySetDocument, Statement, Subject,
    approval::{ApprovalKind, DisclaimerText},
    predicate::{
        Delta, DeltaCommit, Observation, Provenance, Run, Scan, SourceRevision, TestResult,
        common::{Ending, Named, On, ResourceDescriptor},
        observation::{AgentId, AgentIsolation, UnitState},
        provenance::{
            BUILD_TYPE, BuildDefinition, Builder, ExternalParameters, InternalParameters, Metadata,
            RunDetails, Toolchain, ToolchainMode,
        },
        run::{Artifact, Attempt, AttemptKind, Planned},
        scan::{Findings, Tool},
        source::{Person, PipelineApproval, Signature},
        test::{TestCheck, TestCounts, TestVerdict},
    },
};
use plimsoll_model::{
    Code, CommitId, Digest, Opaque, Outcome, Role, RunId, Timestamp,
    record::{
        Enforcement, IsolationRecord, LimitRecord, LogPosition, NetworkEvent, NetworkMode, OutputFile, Tier,
    },
};
use std::collections::BTreeMap;

/// What statements about the revision are about.
pub(crate) const TREE: &[u8] = include_bytes!("../../testdata/golden/tree.json");
/// What statements about the artifact are about.
pub(crate) const MANIFEST: &[u8] = include_bytes!("../../testdata/golden/manifest.json");
const REPOSITORY: &str = "https://git.example/shop";

pub(crate) fn tree() -> Digest {
    Digest::of(TREE)
}

pub(crate) fn manifest() -> Digest {
    Digest::of(MANIFEST)
}

fn commit() -> CommitId {
    "0123456789abcdef0123456789abcdef01234567".parse().unwrap()
}

fn run_id() -> RunId {
    RunId::from_random([0x5a; 16])
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn about_tree<P>(predicate: P) -> Statement<P> {
    Statement { subject: vec![Subject::new(format!("{REPOSITORY}@{}", commit()), tree())], predicate }
}

fn about_artifact<P>(predicate: P) -> Statement<P> {
    Statement { subject: vec![Subject::new("shop", manifest())], predicate }
}

fn isolation() -> IsolationRecord {
    IsolationRecord {
        backend: "plimsoll".into(),
        namespaces: ["cgroup", "ipc", "mount", "net", "pid", "user", "uts"].map(Into::into).to_vec(),
        landlock_abi: 6,
        seccomp: Some(Digest::of(b"filter")),
        unprivileged: true,
        own_uid: false,
        limits: BTreeMap::from([
            ("memory".into(), LimitRecord { value: 8 << 30, enforced: Enforcement::CgroupV2 }),
            ("wall-time".into(), LimitRecord { value: 1_800_000, enforced: Enforcement::Engine }),
        ]),
        network_attempts: None,
    }
}

pub(crate) fn source() -> Statement<SourceRevision> {
    about_tree(SourceRevision {
        run: run_id(),
        project: "shop".parse().unwrap(),
        repository: REPOSITORY.into(),
        commit: commit(),
        tree: tree(),
        requested: "HEAD".into(),
        reference: Some("refs/heads/main".into()),
        protected_by: Some("refs/heads/main".into()),
        author: Person { name: "Ada Example".into(), email: "ada@example.org".into() },
        committer: Person { name: "J\u{f6}rg Example".into(), email: "joerg@example.org".into() },
        signature: Signature::Good { person: "ada".into(), fingerprint: "SHA256:abc".into() },
        pipeline: Digest::of(b"pipeline"),
        approval: PipelineApproval::Approved,
        tier: Tier::Trusted,
        delivery_commit: None,
    })
}

pub(crate) fn provenance() -> Statement<Provenance> {
    about_artifact(Provenance {
        build_definition: BuildDefinition {
            build_type: BUILD_TYPE.into(),
            external_parameters: ExternalParameters {
                repository: REPOSITORY.into(),
                revision: "HEAD".into(),
                commit: commit(),
                pipeline: "plimsoll.yaml".into(),
                parameters: BTreeMap::from([("channel".into(), "stable".into())]),
            },
            internal_parameters: internal_parameters(),
            resolved_dependencies: vec![
                ResourceDescriptor::commit(format!("git+{REPOSITORY}"), commit()),
                ResourceDescriptor::at("pkg:cargo/itoa@1.0.0", Digest::of(b"itoa")),
            ],
        },
        run_details: RunDetails {
            builder: Builder {
                id: "https://plimsoll.dev/builders/local".into(),
                version: BTreeMap::from([("plimsoll".into(), "0.1.0".into())]),
            },
            metadata: Metadata {
                invocation_id: run_id(),
                started_on: time("2026-01-02T03:04:05.678Z"),
                finished_on: time("2026-01-02T03:05:00Z"),
            },
            byproducts: vec![ResourceDescriptor::named("log/compile/1", Digest::of(b"log"))],
        },
    })
}

fn internal_parameters() -> InternalParameters {
    InternalParameters {
        plimsoll_plan: Digest::of(b"plan"),
        plimsoll_tier: Tier::Trusted,
        plimsoll_network: NetworkMode::Locked,
        plimsoll_network_events: vec![NetworkEvent {
            host: "packages.example".into(),
            port: 443,
            address: Some("192.0.2.1".into()),
            refused: None,
            sent: 517,
            received: 80_000,
        }],
        plimsoll_isolation: BTreeMap::from([("compile".into(), isolation())]),
        plimsoll_toolchain: Toolchain {
            mode: ToolchainMode::Host,
            hermetic: false,
            digest: Digest::of(b"toolchain"),
        },
    }
}

pub(crate) fn test() -> Statement<TestResult> {
    about_tree(TestResult {
        result: TestVerdict::from(Outcome::Failed),
        configuration: vec![ResourceDescriptor::named("plimsoll.yaml", Digest::of(b"pipeline"))],
        passed_tests: vec!["adds".into(), "quotes \"text\"".into()],
        failed_tests: vec!["subtracts".into()],
        warned_tests: vec![],
        check: TestCheck {
            run: run_id(),
            plan: Digest::of(b"plan"),
            check: "unit".parse().unwrap(),
            on: On::Source,
            attempt: 2,
            outcome: Outcome::Failed,
            reasons: vec![
                Code::EvidenceFailed.reason().with("check", "unit").with("detail", "1 of 3 tests failed"),
            ],
            exit: Ending::Status(101),
            counts: Some(TestCounts { passed: 2, failed: 1, skipped: 0 }),
            report: Some("libtest".into()),
            log: Digest::of(b"log"),
            isolation: isolation(),
            started: time("2026-01-02T03:04:05.678Z"),
            finished: time("2026-01-02T03:05:00Z"),
        },
    })
}

pub(crate) fn scan() -> Statement<Scan> {
    about_artifact(Scan {
        run: run_id(),
        plan: Digest::of(b"plan"),
        check: "lint".parse().unwrap(),
        on: On::Artifact,
        attempt: 1,
        outcome: Outcome::Errored,
        reasons: vec![Code::EvidenceMissing.reason().with("check", "lint").with("subject", manifest())],
        exit: Ending::TimedOut,
        tool: Tool { name: "lint".parse().unwrap(), version: None, digest: Digest::of(b"tool") },
        rules: 12,
        findings: Findings { error: 1, warning: 2, note: 3, none: 4 },
        own: None,
        adapter: None,
        report: Some(Digest::of(b"report")),
        log: Digest::of(b"log"),
        isolation: isolation(),
        started: time("2026-01-02T03:04:05.678Z"),
        finished: time("2026-01-02T03:05:00Z"),
    })
}

pub(crate) fn run() -> Statement<Run> {
    about_artifact(Run {
        run: run_id(),
        project: "shop".parse().unwrap(),
        commit: commit(),
        tree: tree(),
        plan: Digest::of(b"plan"),
        pipeline: Digest::of(b"pipeline"),
        tier: Tier::Trusted,
        builder: "https://plimsoll.dev/builders/local".into(),
        artifact: Some(Artifact {
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            digest: manifest(),
            size: MANIFEST.len() as u64,
            files: vec![OutputFile {
                path: "target/release/shop".parse().unwrap(),
                digest: Digest::of(b"shop"),
                size: 4,
            }],
        }),
        planned: vec![Planned {
            check: "unit".parse().unwrap(),
            on: On::Source,
            role: Role::Scanner,
            predicate_type: "https://in-toto.io/attestation/test-result/v0.1".into(),
        }],
        attempts: vec![
            attempt(AttemptKind::Source, "source", Role::Source, Some(&source().to_bytes().unwrap())),
            attempt(AttemptKind::Step, "compile", Role::Builder, None),
        ],
        predecessor: None,
        opened_at: LogPosition { size: 7, head: Digest::of(b"entry") },
    })
}

fn attempt(kind: AttemptKind, name: &str, role: Role, statement: Option<&[u8]>) -> Attempt {
    Attempt {
        kind,
        name: name.into(),
        attempt: 1,
        outcome: Outcome::Passed,
        role,
        predicate_type: statement.map(|_| "https://plimsoll.dev/source/v1".into()),
        statement: statement.map(Digest::of),
    }
}

pub(crate) fn summary() -> Statement<Summary> {
    about_artifact(Summary { verdict: "allow".into() })
}

pub(crate) fn observation() -> Statement<Observation> {
    about_artifact(Observation {
        schema: 1,
        agent: AgentId { name: "prod-1".into(), id: Opaque::from_random([3; 16]) },
        environment: Named { name: "production".parse().unwrap(), id: Opaque::from_random([2; 16]) },
        project: Named { name: "shop".parse().unwrap(), id: Opaque::from_random([1; 16]) },
        sequence: 42,
        state: UnitState::FellBack,
        decision: Digest::of(b"decision 7"),
        release: Digest::of(b"release"),
        artifact: manifest(),
        commit: commit(),
        executable: Some(Digest::of(b"shop")),
        since: time("2026-01-02T03:04:05.678Z"),
        observed: time("2026-01-02T03:05:00Z"),
        decided_at: commit(),
        problem: None,
        delivery_commit: "89abcdef0123456789abcdef0123456789abcdef".parse().unwrap(),
        wanted: Digest::of(b"decision 8"),
        drift: vec![
            Code::Drift
                .reason()
                .with("unit", "shop@production")
                .with("what", "executable")
                .with("cause", "it was replaced"),
        ],
        agent_isolation: AgentIsolation::OwnUid,
    })
}

/// A change with every kind of commit.
pub(crate) fn changes() -> Delta {
    Delta {
        schema: 1,
        project: "shop".parse().unwrap(),
        environment: "production".parse().unwrap(),
        base: Some("f".repeat(40).parse().unwrap()),
        head: commit(),
        base_is_ancestor: false,
        commits: vec![delta_commit("0123456789abcdef0123456789abcdef01234567", signed(), &[])],
        dropped: vec![delta_commit(&"f".repeat(40), Signature::Unsigned, &[])],
        delivery_base: None,
        delivery_head: "89abcdef0123456789abcdef0123456789abcdef".parse().unwrap(),
        delivery: vec![delta_commit(
            &"e".repeat(64),
            Signature::Bad { problem: "the key SHA256:x is not allowed".into() },
            &["environments/production/shop/config/shop.toml", "environments/production/shop/target.yaml"],
        )],
        policy: vec![delta_commit(&"d".repeat(40), signed(), &["people.yaml"])],
    }
}

fn signed() -> Signature {
    Signature::Good { person: "ada".into(), fingerprint: "SHA256:abc".into() }
}

fn delta_commit(id: &str, signature: Signature, paths: &[&str]) -> DeltaCommit {
    DeltaCommit {
        commit: id.parse().unwrap(),
        author: Person { name: "Ada Example".into(), email: "ada@example.org".into() },
        committer: Person { name: "J\u{f6}rg Example".into(), email: "joerg@example.org".into() },
        co_authors: vec![Person { name: "Bo".into(), email: String::new() }],
        signature,
        summary: "count from one".into(),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    }
}

pub(crate) fn delta() -> Statement<Delta> {
    let delta = changes();
    Statement { subject: vec![Subject::new("shop@production", delta.subject().unwrap())], predicate: delta }
}

pub(crate) fn approval() -> ApprovalDocument {
    ApprovalDocument {
        version: 1,
        kind: ApprovalKind::Deploy,
        project: observation().predicate.project,
        environment: observation().predicate.environment,
        release: Digest::of(b"release"),
        base: Some(Digest::of(b"decision 7")),
        delta: changes().digest().unwrap(),
        policy_set: Digest::of(b"policies"),
        floor: BTreeMap::from([
            ("provenance".into(), Outcome::Passed),
            ("scans.lint".into(), Outcome::NotApplicable),
            ("soak".into(), Outcome::Failed),
        ]),
        nonce: Opaque::from_random([9; 16]),
        expiry: time("2026-01-03T03:05:00Z"),
    }
}

pub(crate) fn disclaimer() -> Disclaimer {
    Disclaimer {
        version: 1,
        project: observation().predicate.project,
        environment: observation().predicate.environment,
        commit: commit(),
        named: Person { name: "Bo".into(), email: String::new() },
        statement: DisclaimerText::DidNotTakePart,
    }
}

pub(crate) fn policy_set() -> PolicySetDocument {
    PolicySetDocument {
        version: 1,
        genesis: Opaque::from_random([1; 16]),
        number: 2,
        previous: Some(Digest::of(b"statement 1")),
        files: BTreeMap::from([
            ("delivery.yaml".into(), Digest::of(b"delivery")),
            ("people.yaml".into(), Digest::of(b"people")),
        ]),
    }
}

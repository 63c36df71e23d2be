//! Releases for which nothing holds: what a policy is shown to see whether it can refuse anything.

use super::*;

const COMMIT: &str = "bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0";
const DIGEST: &str = "sha256:bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0bad0";
const BUILDER: &str = "https://builder.invalid/unknown";

impl PolicyInput {
    /// A deployment on a Friday afternoon and a rollback on a Sunday night, of which everything failed that can fail.
    #[must_use]
    pub fn worst(project: &NamedInput, environment: &NamedInput) -> [Self; 2] {
        let time =
            |now: &str, weekday: &str, hour| TimeInput { now: now.into(), weekday: weekday.into(), hour };
        [
            worst(KindInput::Deploy, project, environment, time("2026-01-02T16:59:59Z", "Fri", 16)),
            worst(KindInput::Rollback, project, environment, time("2026-01-04T03:00:00Z", "Sun", 3)),
        ]
    }
}

fn worst(kind: KindInput, project: &NamedInput, environment: &NamedInput, time: TimeInput) -> PolicyInput {
    let failed = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), Outcome::Failed)).collect();
    PolicyInput {
        version: INPUT_VERSION,
        kind,
        project: project.clone(),
        environment: environment.clone(),
        release: ReleaseInput {
            digest: DIGEST.into(),
            artifact: DIGEST.into(),
            config: DIGEST.into(),
            target: DIGEST.into(),
        },
        run: run(),
        source: Some(source()),
        provenance: Some(provenance()),
        tests: BTreeMap::from([("unit".into(), test())]),
        scans: BTreeMap::from([("audit".into(), scan())]),
        gates: failed(&[
            "after",
            "approvals",
            "freeze",
            "provenance",
            "run.tier",
            "source.signed",
            "tests.unit",
        ]),
        delta: Some(delta()),
        approvals: vec![],
        time,
        previous: None,
    }
}

fn run() -> RunInput {
    let attempt = |attempt| AttemptInput {
        kind: "check".into(),
        name: "unit".into(),
        attempt,
        outcome: Outcome::Failed,
    };
    RunInput {
        id: "bad0bad0bad0bad0bad0bad0bad0bad0".into(),
        commit: COMMIT.into(),
        tier: "untrusted".into(),
        builder: BUILDER.into(),
        pipeline: DIGEST.into(),
        attempts: vec![attempt(1), attempt(2)],
    }
}

fn source() -> SourceInput {
    SourceInput {
        commit: COMMIT.into(),
        repository: "https://fork.invalid/shop".into(),
        tree: DIGEST.into(),
        author: stranger(),
        committer: stranger(),
        signature: SignatureInput { kind: "bad".into(), person: None },
        protected_by: None,
    }
}

fn stranger() -> PersonInput {
    PersonInput { name: "Nobody Known".into(), email: "stranger@attacker.invalid".into() }
}

fn provenance() -> ProvenanceInput {
    ProvenanceInput {
        builder: BUILDER.into(),
        network: "unrestricted".into(),
        hermetic: false,
        isolation: BTreeMap::from([("build".into(), "none".into())]),
        materials: vec![MaterialInput {
            uri: Some("http://mirror.invalid/package.tar.gz".into()),
            digest: DIGEST.into(),
        }],
    }
}

fn test() -> TestInput {
    TestInput {
        on: "source".into(),
        outcome: Outcome::Failed,
        passed: Some(0),
        failed: Some(1000),
        skipped: Some(1000),
    }
}

fn scan() -> ScanInput {
    ScanInput {
        outcome: Outcome::Failed,
        tool: "unknown".into(),
        tool_version: None,
        rules: 0,
        findings: FindingsInput { error: 1000, warning: 1000, note: 1000, none: 1000 },
    }
}

fn delta() -> DeltaInput {
    let commit = |paths: &[&str]| CommitInput {
        commit: COMMIT.into(),
        author: stranger(),
        committer: stranger(),
        co_authors: vec![stranger()],
        signature: SignatureInput { kind: "unsigned".into(), person: None },
        summary: "Revert \"fix: security\"".into(),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    };
    DeltaInput {
        base: Some("600d600d600d600d600d600d600d600d600d600d".into()),
        head: COMMIT.into(),
        base_is_ancestor: false,
        commits: vec![commit(&[])],
        dropped: vec![commit(&[])],
        delivery: vec![commit(&["policies/production.rego", "environments/production/environment.yaml"])],
    }
}

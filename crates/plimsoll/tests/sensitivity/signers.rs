//! What stops somebody who has taken an executor over and speaks to the real signers.

use super::{
    LOCK, import,
    world::{self, World, text},
};
use plimsoll_engine::{
    ports::{Exit, Signer as _},
    signer::{self, CloseCheck, Open, Request, Response},
};
use plimsoll_model::{Code, Digest, Role, RunId, Timestamp, record::IsolationRecord};
use plimsoll_sign::SignerProcess;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Somebody who has taken an executor over: speaks to the real signers, each time in a run of its own.
fn forged(world: &World, number: u8, without: &[&str], report: &Path) -> Vec<Code> {
    forged_as("dependencies", world, number, without, report)
}

fn forged_as(check: &str, world: &World, number: u8, without: &[&str], report: &Path) -> Vec<Code> {
    let repository = world.repository.path();
    let process = |role: Role| {
        let name = role.to_string();
        let words = ["__signer", "--role", &name, "--repository", repository.to_str().unwrap()];
        SignerProcess::start(role, world.command(&[without, &words].concat())).unwrap()
    };
    let open = Open {
        run: RunId::from_random([number; 16]),
        requested: "HEAD".into(),
        reference: Some("refs/heads/main".into()),
        commit: world.repository.head(),
        subdirectory: None,
        parameters: BTreeMap::new(),
    };
    let (mut builder, mut scanner) = (process(Role::Builder), process(Role::Scanner));
    for signer in [&mut builder, &mut scanner] {
        let opened = signer.ask(&Request::Open(open.clone())).unwrap();
        assert!(matches!(opened, Response::Opened(_)), "{opened:?}");
    }
    let bytes = fs::read(report).unwrap();
    let blob = Digest::of(&bytes);
    let kept = world.blob(&blob.to_string().into());
    // One that is there already may be changed by nobody but root.
    if !kept.exists() {
        fs::write(kept, bytes).unwrap();
    }
    let isolation = IsolationRecord {
        backend: "plimsoll".into(),
        namespaces: vec![],
        landlock_abi: 0,
        seccomp: None,
        unprivileged: true,
        own_uid: true,
        limits: BTreeMap::new(),
        network_attempts: Some(0),
    };
    let now = Timestamp::now();
    let close = CloseCheck {
        check: check.parse().unwrap(),
        attempt: 1,
        observed: signer::Observed {
            exit: Exit::Status(0),
            log: blob,
            isolation,
            started: now,
            finished: now,
        },
        report: Some(blob),
        artifact: None,
        tool: Some(blob),
        data: None,
    };
    match scanner.ask(&Request::CloseCheck(close)).unwrap() {
        Response::Closed(closed) => closed.reasons.iter().map(|reason| reason.code).collect(),
        other => panic!("{other:?}"),
    }
}

/// A world with advisories of two days, and a report of a scan with the older ones.
fn outdated() -> (World, PathBuf) {
    let rest = "evidence:\n  - {scan: [dependencies]}\n";
    let world = World::empty();
    world.repository.write("Cargo.lock", LOCK);
    world.commit_pipeline(&world::pipeline_with("echo x > out/x", "out: [out]", rest));
    import(&world, "2023-06-13");
    world.json(&["run"]).ok();
    let report = world.scratch("report.sarif", b"");
    world.plimsoll(&["scan", "dependencies", "--report", report.to_str().unwrap()]).ok();
    (world, report)
}

/// A31d: a scan says that it looked with other data than is in use.
#[test]
fn a31d_the_advisories_that_a_report_names() {
    let (world, report) = outdated();
    assert_eq!(forged(&world, 1, &[], &report), [], "benign twin");
    import(&world, "2026-01-01");
    assert_eq!(forged(&world, 2, &[], &report), [Code::EvidenceSelf]);
    assert_eq!(forged(&world, 3, &["--without-control", "scan-database"], &report), []);
}

/// A31c: a scan says that it applied other rules than this program has.
#[test]
fn a31c_the_rules_that_a_report_names() {
    let (world, report) = outdated();
    let rules = world.json(&["scan", "dependencies"]).value()["reports"][0]["rules_digest"].clone();
    let honest = fs::read_to_string(&report).unwrap();
    let fewer = honest.replace(text(&rules), &Digest::of(b"fewer rules").to_string());
    assert_ne!(honest, fewer);
    fs::write(&report, fewer).unwrap();
    assert_eq!(forged(&world, 2, &[], &report), [Code::EvidenceSelf]);
    assert_eq!(forged(&world, 3, &["--without-control", "reported-rules"], &report), []);
}

/// A31c: a scan says that it applied the rules that an environment asks for, and this machine has none of them.
#[test]
fn a31c_the_imported_rules_that_a_report_names() {
    let rest = "evidence:\n  - {scan: [secrets]}\n";
    let world = World::new(&world::pipeline_with("echo x > out/x", "out: [out]", rest));
    world.json(&["run"]).ok();
    let rules = world.scratch("acme.toml", b"[[rules]]\nid = 'acme-key'\nregex = 'acme_[a-z0-9]{12}'\n");
    let rules = rules.to_str().unwrap();
    let report = world.scratch("report.sarif", b"");
    world.plimsoll(&["scan", "secrets", "--rules", rules, "--report", report.to_str().unwrap()]).ok();
    assert_eq!(forged_as("secrets", &world, 1, &[], &report), [Code::EvidenceSelf]);
    let without = ["--without-control", "imported-rules"];
    assert_eq!(forged_as("secrets", &world, 2, &without, &report), []);
    world.plimsoll(&["rules", "import", rules]).ok();
    assert_eq!(forged_as("secrets", &world, 3, &[], &report), [], "benign twin");
}

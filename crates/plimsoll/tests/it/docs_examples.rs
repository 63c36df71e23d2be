//! docs/environments.md and docs/policies.md: every example is put into a real delivery repository, checked and signed,
//! refuses with exactly the codes that the page names below it, and lets in what the page says.

use crate::{
    delivery::{Colleague, team},
    processes,
    service::Shop,
    world::{Ran, World, entries, text},
};
use plimsoll_model::Digest;
use plimsoll_testkit::SshKey;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
    thread,
    time::Duration,
};

const ENVIRONMENT: &str = "environments/production/environment.yaml";
const EVIDENCE: &str = "plimsoll.yaml, under evidence";
/// A report in SARIF with one rule, and a finding of it or none.
const REPORT: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","rules":[{"id":"r"}]}},"results":[FINDING]}]}"#;

fn page(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)).unwrap()
}

/// The sections with examples, by title.
fn sections(page: &str, of: &str) -> BTreeMap<String, Section> {
    let part = page.split("\n## ").find(|part| part.starts_with(of)).unwrap();
    let sections = part.split("\n### ").skip(1).map(|text| {
        let (title, text) = text.split_once('\n').unwrap();
        (title.to_owned(), Section(text.to_owned()))
    });
    sections.collect()
}

struct Section(String);

impl Section {
    /// The only block in `language` whose first line names `file`.
    fn block(&self, language: &str, file: &str) -> String {
        let of_it: Vec<_> =
            blocks(&self.0, language).into_iter().filter(|(named, _)| named == file).collect();
        let [(_, content)] = of_it.as_slice() else { panic!("not one block for {file}: {}", self.0) };
        content.clone()
    }

    /// The codes that stand in the list below the examples.
    fn codes(&self) -> BTreeSet<String> {
        let list = self.0.split_once("\n- `E-").map(|(_, list)| format!("E-{list}")).unwrap_or_default();
        let words = list.split(|c: char| !(c.is_ascii_uppercase() || c == '-'));
        words.filter(|word| word.starts_with("E-")).map(str::to_owned).collect()
    }
}

/// Blocks of a page: the file that the first line names, and the content.
fn blocks(page: &str, language: &str) -> Vec<(String, String)> {
    let fence = format!("```{language}\n# ");
    let blocks = page.split(&fence).skip(1).map(|rest| {
        let (file, content) = rest.split("```").next().unwrap().split_once('\n').unwrap();
        (file.to_owned(), content.to_owned())
    });
    blocks.collect()
}

/// The rules with the first two keys that they had.
fn rules(old: &str, example: &str) -> String {
    let own = old.lines().filter(|line| line.starts_with("version:") || line.starts_with("id:"));
    own.map(|line| format!("{line}\n")).collect::<String>() + example
}

/// A shop for which one example is in force.
struct Case<'a> {
    shop: &'a Shop,
    section: &'a Section,
    seen: BTreeSet<String>,
}

impl<'a> Case<'a> {
    fn new(shop: &'a Shop, section: &'a Section) -> Self {
        let case = Self { shop, section, seen: BTreeSet::new() };
        case.ask(&|example| example);
        case
    }

    /// Puts the example into force, changed.
    fn ask(&self, change: &dyn Fn(String) -> String) {
        let example = change(self.section.block("yaml", ENVIRONMENT));
        self.shop.world.change_delivery(ENVIRONMENT, |old| rules(&old, &example));
        let delivery = self.shop.world.delivery();
        self.shop.world.plimsoll(&["check", delivery.to_str().unwrap()]).ok();
    }

    /// Adds the page's evidence to the pipeline, and approves that.
    fn pipeline(&self) {
        let world = &self.shop.world;
        let file = world.repository.path().join("plimsoll.yaml");
        let evidence = self.section.block("yaml", EVIDENCE);
        fs::write(&file, fs::read_to_string(&file).unwrap() + &evidence).unwrap();
    }

    fn approve_pipeline(&self) {
        let checked = self.shop.world.json(&["check"]).ok().value();
        let line = format!("  - \"{}\"\n", text(&checked["pipeline"]));
        self.shop.world.change_delivery("projects/shop.yaml", |old| old + &line);
    }

    /// Commits a version that its author signed, and builds it.
    fn signed(&self, version: &str, key: &SshKey) {
        self.shop.world.repository.write("version", format!("\n{version}"));
        self.shop.world.repository.commit_signed(version, key);
        self.build();
    }

    fn committed(&self, version: &str) {
        self.shop.commit_version(version);
        self.build();
    }

    fn build(&self) {
        self.shop.world.json(&["run"]);
    }

    fn promote(&self) -> Ran {
        self.shop.world.json(&["promote", "shop", "--to", "production"])
    }

    fn stage(&self) {
        self.shop.world.json(&["promote", "shop", "--to", "staging"]).ok();
    }

    fn refused(&mut self) -> BTreeSet<String> {
        let codes: BTreeSet<_> = self.promote().ended(1).codes().into_iter().collect();
        self.seen.extend(codes.clone());
        codes
    }

    fn allowed(&self, version: &str) {
        self.promote().ok();
        assert_eq!(self.shop.answer_at(1).as_deref(), Some(version));
    }
}

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

/// From now on commits of the delivery repository are signed.
fn sign_rules(shop: &Shop) {
    let key = shop.world.person.private_path();
    for (name, value) in
        [("gpg.format", "ssh"), ("user.signingKey", key.to_str().unwrap()), ("commit.gpgSign", "true")]
    {
        git(shop, &["config", name, value]);
    }
}

fn git(shop: &Shop, arguments: &[&str]) {
    let status = shop.world.repository.command(&shop.world.delivery()).args(arguments).status();
    assert!(status.unwrap().success(), "git {arguments:?}");
}

fn two_environments() -> Shop {
    Shop::with(&["staging", "production"])
}

type Proof = fn(&Section) -> BTreeSet<String>;

const PROOFS: &[(&str, Proof)] = &[
    ("Commits of a protected branch, signed", source),
    ("Who built it, and with what network", provenance),
    ("Tests, and what they must have looked at", tests),
    ("Findings of a scanner", scans),
    ("Two people, who have the role", approvals),
    ("Approvals that do not keep", expiry),
    ("A team that does not sign commits yet", unsigned),
    ("Only what ran in staging for a while", soak),
    ("Times when nothing new starts", freeze),
    ("Going back by itself", rollback),
];

#[test]
fn each_example_of_an_environment_refuses_with_the_codes_below_it_and_lets_in_the_others() {
    let page = page("environments.md");
    let sections = sections(&page, "Ask for something");
    let titles: BTreeSet<&str> = PROOFS.iter().map(|(title, _)| *title).collect();
    assert_eq!(sections.keys().map(String::as_str).collect::<BTreeSet<_>>(), titles);
    thread::scope(|scope| {
        for part in PROOFS.chunks(PROOFS.len().div_ceil(4)) {
            let sections = &sections;
            scope.spawn(move || {
                for (title, proof) in part {
                    let section = &sections[*title];
                    assert_eq!(proof(section), section.codes(), "{title}");
                }
            });
        }
    });
}

fn source(section: &Section) -> BTreeSet<String> {
    let shop = two_environments();
    let mut case = Case::new(&shop, section);
    shop.world.repository.branch("feature");
    case.committed("v2");
    assert_eq!(case.refused(), set(&["E-SRC-UNPROTECTED", "E-SRC-UNSIGNED", "E-TIER"]));
    shop.world.repository.checkout("main");
    case.signed("v3", &SshKey::generate());
    assert_eq!(case.refused(), set(&["E-SRC-SIGNER"]));
    case.signed("v4", &shop.world.person);
    case.allowed("v4");
    case.seen
}

fn provenance(section: &Section) -> BTreeSet<String> {
    let shop = two_environments();
    let mut case = Case::new(&shop, section);
    case.build();
    case.allowed("v1");
    case.ask(&|example| example.replace("[local]", "[hosted]"));
    assert_eq!(case.refused(), set(&["E-BUILDER"]));
    case.ask(&|example| example.replace("[none, locked]", "[locked]"));
    assert_eq!(case.refused(), set(&["E-PROV-NETWORK"]));
    case.seen
}

fn tests(section: &Section) -> BTreeSet<String> {
    let shop = two_environments();
    let mut case = Case::new(&shop, section);
    case.build();
    assert_eq!(case.refused(), set(&["E-EVIDENCE-MISSING"]));
    case.pipeline();
    case.committed("v2");
    assert_eq!(case.refused(), set(&["E-PIPE-UNAPPROVED", "E-TIER"]));
    case.approve_pipeline();
    case.build();
    case.allowed("v2");
    shop.world.repository.write("broken", "");
    case.committed("v3");
    assert_eq!(case.refused(), set(&["E-EVIDENCE-FAILED"]));
    case.seen
}

fn scans(section: &Section) -> BTreeSet<String> {
    let shop = two_environments();
    let mut case = Case::new(&shop, section);
    let tool =
        |findings: &str| format!("#!/bin/sh\necho '{}'\nexit 1\n", REPORT.replace("FINDING", findings));
    case.build();
    assert_eq!(case.refused(), set(&["E-EVIDENCE-MISSING"]));
    case.pipeline();
    case.approve_pipeline();
    shop.world
        .repository
        .write_executable("lint.sh", tool(r#"{"ruleId":"r","level":"warning","message":{"text":"m"}}"#));
    case.committed("v2");
    assert_eq!(case.refused(), set(&["E-EVIDENCE-FAILED"]));
    shop.world
        .repository
        .write_executable("lint.sh", tool(r#"{"ruleId":"r","level":"note","message":{"text":"m"}}"#));
    case.committed("v3");
    case.allowed("v3");
    case.seen
}

fn approvals(section: &Section) -> BTreeSet<String> {
    let (shop, [bob, dora]) = team();
    let eve = Colleague::new(&shop.world, "eve");
    sign_rules(&shop);
    let with_roles = |colleague: &Colleague, role| colleague.line().replace("release-managers", role);
    shop.world.change_delivery("people.yaml", |text| {
        text.replace(&dora.line(), &with_roles(&dora, "security")) + &with_roles(&eve, "guests")
    });
    eve.plimsoll(&["trust", "pin", shop.world.delivery().to_str().unwrap()]).ok();
    let mut case = Case::new(&shop, section);
    case.signed("v2", &shop.world.person);
    case.stage();
    assert_eq!(case.refused(), set(&["E-APPR-QUORUM"]));
    let own = shop.world.person.private_path();
    shop.world.json(&["approve", "shop@production", "--yes", "--key", own.to_str().unwrap()]).ok();
    eve.approve("shop@production").ok();
    bob.approve("shop@production").ok();
    assert_eq!(case.refused(), set(&["E-APPR-QUORUM", "E-APPR-SELF", "E-APPR-SIGNER"]));
    dora.approve("shop@production").ok();
    case.allowed("v2");
    case.seen
}

fn expiry(section: &Section) -> BTreeSet<String> {
    let (shop, [bob, _]) = team();
    sign_rules(&shop);
    let mut case = Case::new(&shop, section);
    let approved = |case: &Case<'_>, version| {
        case.signed(version, &shop.world.person);
        case.stage();
        case.promote().refused(&["E-APPR-QUORUM"]);
        bob.approve("shop@production").ok();
    };
    approved(&case, "v2");
    case.allowed("v2");
    // What was used is not looked at again.
    git(&shop, &["rm", "-qr", "environments/production/shop/approvals"]);
    git(&shop, &["commit", "-qm", "used"]);
    case.ask(&|example| example.replace("2h", "1s"));
    approved(&case, "v3");
    thread::sleep(Duration::from_secs(2));
    assert_eq!(case.refused(), set(&["E-APPR-EXPIRED", "E-APPR-QUORUM"]));
    case.seen
}

fn unsigned(section: &Section) -> BTreeSet<String> {
    let (shop, [bob, dora]) = team();
    let mut case = Case::new(&shop, section);
    case.stage();
    case.ask(&|example| example.replace(", unsigned: extra-approval", ""));
    assert_eq!(case.refused(), set(&["E-APPR-AUTHOR-UNKNOWN", "E-APPR-QUORUM"]));
    case.ask(&|example| example);
    case.refused();
    bob.approve("shop@production").ok();
    assert_eq!(case.refused(), set(&["E-APPR-QUORUM"]));
    dora.approve("shop@production").ok();
    case.allowed("v1");
    case.seen
}

fn soak(section: &Section) -> BTreeSet<String> {
    let shop = two_environments();
    let mut case = Case::new(&shop, section);
    case.build();
    assert_eq!(case.refused(), set(&["E-AFTER"]));
    case.stage();
    assert_eq!(case.refused(), set(&["E-SOAK"]));
    case.ask(&|example| example.replace("30m", "1s"));
    thread::sleep(Duration::from_secs(1));
    case.allowed("v1");
    case.seen
}

/// The window of the page is moved so that today is in it, or in none.
fn freeze(section: &Section) -> BTreeSet<String> {
    let shop = two_environments();
    let mut case = Case::new(&shop, section);
    case.build();
    case.ask(&|example| {
        let past = example.replace("2026-", "2016-").replace("2027-", "2017-");
        match day("today").as_str() {
            "Fri" | "Sat" | "Sun" | "Mon" => past.replace("Fri", "Tue").replace("Mon", "Thu"),
            _ => past,
        }
    });
    case.allowed("v1");
    let (from, to) = (day("yesterday") + " 16:00", day("tomorrow") + " 08:00");
    case.ask(&|example| example.replace("Fri 16:00", &from).replace("Mon 08:00", &to));
    assert_eq!(case.refused(), set(&["E-FREEZE"]));
    case.seen
}

fn rollback(section: &Section) -> BTreeSet<String> {
    let shop = two_environments();
    let mut case = Case::new(&shop, section);
    for version in ["v1", "v2"] {
        case.committed(version);
        case.allowed(version);
    }
    let status = shop.world.json(&["status"]).ok().value();
    let pid = status["services"][0]["service"]["process"].as_u64().unwrap();
    processes::kill(u32::try_from(pid).unwrap());
    processes::until("the release before serves again", || shop.answer_at(1).as_deref() == Some("v1"));
    case.committed("ill");
    assert_eq!(case.refused(), set(&["E-HEALTH"]));
    assert_eq!(shop.answer_at(1).as_deref(), Some("v1"));
    case.seen
}

/// The weekday of a date, in three letters.
fn day(date: &str) -> String {
    let date = Command::new("date").env("LC_ALL", "C").args(["-u", "-d", date, "+%a"]).output().unwrap();
    String::from_utf8(date.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_examples_of_targets_and_of_the_policies_page_are_read_and_tested() {
    let shop = two_environments();
    let delivery = shop.world.delivery();
    for (file, content) in blocks(&(page("environments.md") + &page("agent.md")), "yaml") {
        if file.ends_with("/target.yaml") {
            shop.world.change_delivery(&file, |_| content);
        }
    }
    let all: Vec<String> = policies(&shop);
    assert!(all.len() >= 5);
    name_policies(&shop, &all.iter().map(String::as_str).collect::<Vec<_>>());
    for command in [&["check"][..], &["policy", "test", "-C"]] {
        shop.world.plimsoll(&[command, &[delivery.to_str().unwrap()]].concat()).ok();
    }
}

/// Writes all examples of policies with their tests, and gives the policies.
fn policies(shop: &Shop) -> Vec<String> {
    let delivery = shop.world.delivery();
    fs::create_dir_all(delivery.join("policies")).unwrap();
    let examples = blocks(&page("policies.md"), "rego");
    for (file, content) in &examples {
        fs::write(delivery.join(file), content).unwrap();
    }
    git(shop, &["add", "policies"]);
    let names = examples.into_iter().map(|(file, _)| file);
    names.filter(|file| !file.ends_with("_test.rego")).collect()
}

/// Asks for these policies.
fn name_policies(shop: &Shop, policies: &[&str]) {
    let text = format!("require:\n  tests: {{unit: source}}\n  policies: [{}]\n", policies.join(", "));
    shop.world.change_delivery(ENVIRONMENT, |old| rules(&old, &text));
}

#[test]
fn a_policy_of_the_page_refuses_and_lets_in_what_it_says() {
    let shop = two_environments();
    policies(&shop);
    let promote = || shop.world.json(&["promote", "shop", "--to", "production"]);
    shop.world.json(&["run"]).ok();
    name_policies(&shop, &["policies/coverage.rego"]);
    promote().ended(1).refused(&["E-POLICY-FAILED"]);
    name_policies(&shop, &["policies/luck.rego"]);
    promote().ok();
    assert_eq!(shop.answer_at(1).as_deref(), Some("v1"));
}

/// docs/auditing.md, with git and ssh-keygen where the page says so.
#[test]
fn what_people_signed_is_checked_without_plimsoll_and_a_promotion_without_the_machine_that_made_it() {
    let (shop, [bob, dora]) = team();
    for environment in ["staging", "production"] {
        let promote = || shop.world.json(&["promote", "shop", "--to", environment]);
        if environment == "production" {
            promote().refused(&["E-APPR-QUORUM"]);
            bob.approve("shop@production").ok();
            dora.approve("shop@production").ok();
        }
        promote().ok();
    }
    let delivery = shop.world.delivery();
    let approvals = entries(&delivery.join("environments/production/shop/approvals"));
    let signed = |file: &Path, namespace: &str, line: &str| {
        let allowed = shop.world.scratch("allowed", format!("somebody {line}\n").as_bytes());
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "verify", "-I", "somebody", "-n", namespace, "-f"]).arg(allowed).arg("-s");
        command.arg(format!("{}.sig", file.display())).stdin(fs::File::open(file).unwrap());
        Ran::of(&mut command).status == 0
    };
    let documents: Vec<_> =
        approvals.iter().filter(|file| file.extension().is_some_and(|end| end == "json")).collect();
    for person in [&bob, &dora] {
        let by =
            documents.iter().filter(|file| signed(file, "plimsoll-approval", &person.key().public_line()));
        assert_eq!(by.count(), 1);
    }
    for document in documents {
        let digest = Digest::of(&fs::read(document).unwrap()).hex();
        assert_eq!(document.file_stem().unwrap().to_str(), Some(digest.as_str()));
    }
    let own = shop.world.person.public_line();
    assert!(signed(&delivery.join("policy-set/1.json"), "plimsoll-policy", &own));
    assert!(signed(&delivery.join("trust/root.json"), "plimsoll-root", &own));
    assert!(!signed(&delivery.join("trust/root.json"), "plimsoll-policy", &own));

    let path = "HEAD:environments/production/shop/decision.sigstore.json";
    let shown = shop.world.repository.command(&delivery).args(["show", path]).output().unwrap();
    let bundle = shop.world.scratch("decision.sigstore.json", &shown.stdout);
    let root = delivery.join("trust/root.json");
    let stranger = World::empty();
    let verify = ["verify", bundle.to_str().unwrap(), "--root", root.to_str().unwrap()];
    let verified = stranger.json(&verify).ok().value();
    assert_eq!(verified["role"], "decision:production");
    let decision = &verified["predicate"]["plimsoll_decision"];
    assert_eq!(decision["approvals"].as_array().unwrap().len(), 2, "{decision}");
}

#[test]
fn people_of_two_houses_approve_one_after_the_other() {
    let (shop, [bob, dora]) = team();
    let with_role = |colleague: &Colleague, role| colleague.line().replace("release-managers", role);
    shop.world.change_delivery("people.yaml", |text| {
        text.replace(&bob.line(), &with_role(&bob, "operations"))
            .replace(&dora.line(), &with_role(&dora, "security"))
    });
    policies(&shop);
    let text = "require:\n  approvals: {count: 1, from: [operations, security], unsigned: extra-approval}\n  policies: [policies/houses.rego]\n";
    shop.world.change_delivery(ENVIRONMENT, |old| rules(&old, text));
    let promote = || shop.world.json(&["promote", "shop", "--to", "production"]);
    promote().refused(&["E-APPR-QUORUM", "E-POLICY-FAILED"]);
    bob.approve("shop@production").ok();
    promote().refused(&["E-APPR-QUORUM", "E-POLICY-FAILED"]);
    dora.approve("shop@production").ok();
    promote().ok();
}

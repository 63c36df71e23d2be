//! From staging to production: the same artifact, once people who did not write the change have approved it.

use crate::{
    service::Shop,
    world::{Ran, World},
};
use plimsoll_testkit::SshKey;
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Somebody with a home, a key and a state directory of their own.
pub(crate) struct Colleague {
    name: &'static str,
    home: PathBuf,
    pub(crate) key: SshKey,
}

impl Colleague {
    pub(crate) fn new(world: &World, name: &'static str) -> Self {
        let home = world.scratch(&format!("{name}.mark"), b"").with_file_name(format!("home-{name}"));
        fs::create_dir(&home).unwrap();
        let identity = format!("[user]\n\tname = {name}\n\temail = {name}@example.org\n");
        fs::write(home.join(".gitconfig"), identity).unwrap();
        Self { name, home, key: SshKey::generate() }
    }

    pub(crate) fn key(&self) -> &SshKey {
        &self.key
    }

    pub(crate) fn line(&self) -> String {
        format!(
            "  - name: {}\n    git-emails: [{}@example.org]\n    ssh-keys: [\"{}\"]\n    roles: [release-managers]\n",
            self.name,
            self.name,
            self.key.public_line()
        )
    }

    pub(crate) fn plimsoll(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.arg("--json").arg("--state").arg(self.home.join("state")).args(arguments);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", &self.home);
        Ran::of(command.current_dir(&self.home).stdin(Stdio::null()))
    }

    pub(crate) fn approve(&self, unit: &str) -> Ran {
        let key = self.key.private_path();
        self.plimsoll(&["approve", unit, "--yes", "--key", key.to_str().unwrap()])
    }
}

/// A shop with staging and production, and two colleagues who may approve.
pub(crate) fn team() -> (Shop, [Colleague; 2]) {
    team_of(Shop::with(&["staging", "production"]))
}

/// The same of a shop with those environments.
pub(crate) fn team_of(shop: Shop) -> (Shop, [Colleague; 2]) {
    let people = ["bob", "dora"].map(|name| Colleague::new(&shop.world, name));
    shop.world.change_delivery("people.yaml", |text| {
        format!("{}\n{}{}", text.trim_end(), people[0].line(), people[1].line())
    });
    let delivery = shop.world.delivery();
    for colleague in &people {
        colleague.plimsoll(&["trust", "pin", delivery.to_str().unwrap()]).ok();
    }
    shop.world.plimsoll(&["run"]).ok();
    (shop, people)
}

pub(crate) fn to(shop: &Shop, environment: &str) -> Ran {
    shop.world.json(&["promote", "shop", "--to", environment])
}

#[test]
fn production_takes_what_runs_in_staging_and_others_approved() {
    let (shop, [bob, dora]) = team();
    to(&shop, "production").refused(&["E-AFTER", "E-APPR-QUORUM"]);
    to(&shop, "staging").ok();
    to(&shop, "production").refused(&["E-APPR-QUORUM"]);
    // Its author does not count, however often they say yes.
    let own = shop.world.person.private_path();
    shop.world.json(&["approve", "shop@production", "--yes", "--key", own.to_str().unwrap()]).ok();
    to(&shop, "production").refused(&["E-APPR-QUORUM", "E-APPR-SELF"]);
    bob.approve("shop@production").ok();
    to(&shop, "production").refused(&["E-APPR-QUORUM", "E-APPR-SELF"]);
    dora.approve("shop@production").ok();
    to(&shop, "production").ok();
    assert_eq!(shop.answer_at(1).as_deref(), Some("v1"));
    shop.world.plimsoll(&["dossier", "shop@production", "--output", "shop.tar"]).ok();
    shop.world.plimsoll(&["verify", "shop.tar"]).ok();

    // The next version needs its own approvals: these were used.
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    to(&shop, "staging").ok();
    let refused = to(&shop, "production").ended(1);
    assert!(refused.codes().contains(&"E-APPR-USED".to_owned()), "{refused:#?}");
    assert_eq!(shop.answer_at(1).as_deref(), Some("v1"), "what runs goes on");
    bob.approve("shop@production").ok();
    dora.approve("shop@production").ok();
    to(&shop, "production").ok();
    assert_eq!(shop.answer_at(1).as_deref(), Some("v2"));
}

#[test]
fn an_approval_of_one_release_is_none_of_another() {
    let (shop, [bob, dora]) = team();
    to(&shop, "staging").ok();
    to(&shop, "production").refused(&["E-APPR-QUORUM"]);
    bob.approve("shop@production").ok();
    dora.approve("shop@production").ok();
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    to(&shop, "staging").ok();
    to(&shop, "production").refused(&["E-APPR-QUORUM", "E-APPR-RELEASE"]);
}

#[test]
fn rules_that_nobody_signed_decide_nothing() {
    let (shop, _) = team();
    let delivery = shop.world.delivery();
    let file = delivery.join("environments/staging/environment.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("protected: true", "signed: true")).unwrap();
    let commit = shop.world.repository.command(&delivery).args(["commit", "-qam", "less"]).status();
    assert!(commit.unwrap().success());
    let refused = to(&shop, "staging").ended(1);
    assert!(refused.codes().contains(&"E-POLICY-UNSIGNED".to_owned()), "{refused:#?}");
    fs::write(&file, text).unwrap();
    let commit = shop.world.repository.command(&delivery).args(["commit", "-qam", "as it was"]).status();
    assert!(commit.unwrap().success());
    to(&shop, "staging").ok();
}

#[test]
fn a_promotion_is_one_commit_that_changes_its_own_release_and_nothing_else() {
    let (shop, _) = team();
    let delivery = shop.world.delivery();
    let git = |arguments: &[&str]| {
        let output = shop.world.repository.command(&delivery).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let before = git(&["rev-parse", "HEAD"]);
    to(&shop, "staging").ok();
    assert_eq!(git(&["rev-parse", "HEAD~1"]), before);
    let changed = git(&["diff", "--name-only", "HEAD~1", "HEAD"]);
    let own =
        ["decision.sigstore.json", "release.json"].map(|name| format!("environments/staging/shop/{name}"));
    assert_eq!(changed.lines().collect::<Vec<_>>(), own);
    assert_eq!(git(&["status", "--porcelain"]), "", "the work tree follows");
}

#[test]
fn approving_without_anything_to_approve_says_what_to_do() {
    let (shop, [bob, _]) = team();
    bob.approve("shop@production").ended(2);
    bob.plimsoll(&["approve", "shop@nowhere", "--yes"]).ended(2);
    to(&shop, "staging").ok();
    bob.approve("shop@staging").ended(2);
}

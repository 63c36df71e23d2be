//! Several projects under one agent, several agents on one host, and one agent after another: each has its own, and what
//! goes wrong with one is that one's alone.

use crate::{
    host::{Host, Load, board, commit_delivery, deliver, hosted, hosted_in, problem, promote, serving},
    processes::{self, until},
    service::{EXECUTABLE, Shop, answer, free_port, service_pipeline},
    world::{Ran, text},
};
use plimsoll_testkit::GitFixture;
use serde_json::Value;
use std::fs;

/// A second project of a shop's delivery repository.
struct Cafe<'a> {
    shop: &'a Shop,
    repository: GitFixture,
    port: u16,
}

impl<'a> Cafe<'a> {
    /// Version `v1` is built.
    fn beside(shop: &'a Shop) -> Self {
        let cafe = Self { shop, repository: GitFixture::new(), port: free_port() };
        cafe.repository.write_executable("service", &*EXECUTABLE);
        cafe.repository.write("plimsoll.yaml", service_pipeline().replace("shop", "cafe"));
        cafe.commit("v1");
        cafe.join();
        cafe.build();
        cafe
    }

    /// Writes what the delivery repository has of a project.
    fn join(&self) {
        let delivery = self.shop.world.delivery();
        let checked = self.json(&["check"]).ok().value();
        let project = format!(
            "version: 1\nid: \"{}\"\nrepository: {}\nprotected: [refs/heads/main]\npipelines:\n  - \"{}\"\n",
            "ca".repeat(16),
            self.repository.path().display(),
            text(&checked["pipeline"])
        );
        fs::write(delivery.join("projects/cafe.yaml"), project).unwrap();
        let staging = delivery.join("environments/staging");
        let target = fs::read_to_string(staging.join("shop/target.yaml")).unwrap();
        let listen = |port| format!("listen: {port}");
        let target = target.replace(&listen(self.shop.port), &listen(self.port));
        fs::create_dir(staging.join("cafe")).unwrap();
        fs::write(staging.join("cafe/target.yaml"), target).unwrap();
        commit_delivery(self.shop, "a cafe");
        self.shop.world.sign_policy();
    }

    fn commit(&self, version: &str) {
        self.repository.write("version", format!("\n{version}"));
        self.repository.commit(version);
    }

    fn json(&self, arguments: &[&str]) -> Ran {
        let mut command = self.shop.world.command(&[&["--json"], arguments].concat());
        Ran::of(command.current_dir(self.repository.path()))
    }

    fn build(&self) {
        self.json(&["run"]).ok();
    }

    fn promote(&self) -> Ran {
        self.json(&["promote", "cafe", "--to", "staging"])
    }

    fn deliver(&self, version: &str) -> Ran {
        self.commit(version);
        self.build();
        self.promote()
    }

    fn answer(&self) -> Option<String> {
        answer(self.port)
    }
}

/// A unit's row of the board.
fn row(shop: &Shop, unit: &str) -> Value {
    let status = shop.world.json(&["status"]).ok().value();
    let rows = status["environments"].as_array().unwrap();
    rows.iter().find(|row| row["unit"] == unit).unwrap_or_else(|| panic!("no {unit}: {status}")).clone()
}

#[test]
fn what_happens_to_one_project_of_an_agent_happens_to_no_other() {
    let shop = hosted();
    let cafe = Cafe::beside(&shop);
    let mut host = Host::enroll(&shop);
    host.run();
    promote(&shop).ok();
    cafe.promote().ok();
    let (load, before) = (Load::on(cafe.port), host.record_of("cafe@staging"));
    // One is promoted.
    deliver(&shop, "v2").ok();
    assert_eq!((shop.answer_at(0).as_deref(), cafe.answer().as_deref()), (Some("v2"), Some("v1")));
    // One is changed by hand.
    let supervisor = host.supervisor();
    host.tamper();
    until("it is repaired", || host.supervisor() != supervisor);
    assert!(host.told().contains("repair    shop@staging"), "{}", host.told());
    // One has a release that does not get healthy, and one a promotion that somebody forged.
    deliver(&shop, "ill").refused(&["E-HEALTH"]);
    let release = shop.world.delivery().join("environments/staging/shop/release.json");
    let honest = fs::read_to_string(&release).unwrap();
    fs::write(&release, honest.replacen("sha256:", "sha256:0", 1)).unwrap();
    commit_delivery(&shop, "promote shop@staging");
    until("it is told", || {
        row(&shop, "shop@staging")["observation"]["problem"]["code"] == "E-DELIVERY-COMMIT"
    });
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
    assert_eq!(row(&shop, "cafe@staging")["observation"]["problem"], Value::Null);
    assert_eq!(host.record_of("cafe@staging"), before, "nothing happened to the other one");
    // The other one can be promoted meanwhile.
    cafe.deliver("v2").ok();
    let loaded = load.end();
    assert_eq!(loaded.lost, 0, "of {}", loaded.asked);
    assert_eq!((shop.answer_at(0).as_deref(), cafe.answer().as_deref()), (Some("v2"), Some("v2")));
    // The benign twin: what was forged is as it was promoted.
    fs::write(&release, honest).unwrap();
    commit_delivery(&shop, "as it was");
    deliver(&shop, "v3").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v3"));
    let shown = host.plimsoll(&["agent", "show"]).ok().value();
    let counters = ["cafe", "shop"].map(|project| shown["units"][project]["accepted"]["counter"].clone());
    assert_eq!(counters, [2, 4]);
    assert!(!host.told().contains("repair    cafe@staging"), "{}", host.told());
}

#[test]
fn two_agents_on_one_host_keep_an_environment_each() {
    let shop = hosted_in(&["staging", "production"]);
    let mut hosts = ["staging", "production"].map(|environment| {
        let mut host = Host::named(&shop.world, environment);
        host.enrolled_in(&shop, environment).ok();
        host.believed(&shop.world);
        host.run();
        host
    });
    let to = |environment: &str| shop.world.json(&["promote", "shop", "--to", environment]);
    to("production").refused(&["E-AFTER"]);
    to("staging").ok();
    to("production").ok();
    let answers = || [0, 1].map(|environment| shop.answer_at(environment).unwrap_or_default());
    assert_eq!(answers(), ["v1", "v1"]);
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    to("production").refused(&["E-AFTER"]);
    to("staging").ok();
    assert_eq!(answers(), ["v2", "v1"]);
    // Each has its own, and nothing of the other.
    for (host, environment) in hosts.iter().zip(["staging", "production"]) {
        let status = host.plimsoll(&["status"]).ok().value();
        let services = status["services"].as_array().unwrap();
        let units: Vec<_> = services.iter().map(|service| text(&service["unit"])).collect();
        assert_eq!(units, [format!("shop@{environment}")]);
    }
    // One of them goes on without the other, whose word still counts for a while.
    hosts[0].kill();
    to("production").ok();
    assert_eq!(answers(), ["v2", "v2"]);
    // A state directory is for one of them.
    hosts[0].enrolled_in(&shop, "production").ended(2);
}

/// A host is lost with its key. The same name enrolled elsewhere is a twin until a root signer takes the lost key away.
#[test]
fn an_agent_whose_host_was_lost_is_enrolled_again_once_its_key_is_removed() {
    let (shop, mut lost) = serving();
    lost.kill();
    let shown = shop.world.json(&["trust", "show"]).ok().value();
    let keys = shown["keys"].as_array().unwrap().iter().filter(|key| key["role"] == "agent:staging");
    let before: Vec<String> = keys.map(|key| text(&key["key"]).to_owned()).collect();
    let supervisors = format!("__supervisor\0shop@staging\0--state\0{}", lost.state.display());
    processes::with(&supervisors).into_iter().for_each(processes::kill);
    until("its service is gone", || shop.answer_at(0).is_none());
    fs::remove_dir_all(&lost.state).unwrap();

    let mut next = Host::named(&shop.world, "next");
    next.enrolled(&shop).ok();
    let own = next.believed(&shop.world);
    next.run();
    until("it tells of the other one", || next.told().contains("E-AGENT-TWICE"));
    assert_eq!(shop.answer_at(0), None, "{}", next.told());
    // It need not be started again to hear of it.
    let (delivery, person) = (shop.world.delivery(), shop.world.person.private_path());
    let [delivery, person] = [&delivery, &person].map(|path| path.to_str().unwrap());
    for key in before.iter().filter(|key| **key != own) {
        let remove = ["trust", "remove", "agent:staging", key, "-C", delivery, "--key", person];
        shop.world.json(&remove).ok();
    }
    until("it serves", || shop.answer_at(0).as_deref() == Some("v1"));
    until("it tells so", || board(&shop)["observation"]["state"] == "serving" && problem(&shop).is_empty());
    deliver(&shop, "v2").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
}

#[test]
fn an_agent_goes_back_to_what_stood_there() {
    let (shop, host) = serving();
    deliver(&shop, "v2").ok();
    let (load, supervisor) = (Load::on(shop.port), host.supervisor());
    let back = shop.world.json(&["rollback", "shop@staging"]).ok().value();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
    assert_eq!(text(&back["observation"]["state"]), "serving");
    assert_ne!(host.supervisor(), supervisor);
    assert_eq!(board(&shop)["promoted"]["counter"], 3);
    // And forward again.
    shop.world.json(&["rollback", "shop@staging"]).ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
    let loaded = load.end();
    assert_eq!(loaded.lost, 0, "of {}", loaded.asked);
    // In a freeze too, where nothing else starts.
    shop.world.change_delivery("environments/staging/environment.yaml", |text| {
        format!("{}\nfreeze: [{{from: \"Mon 00:00\", to: \"Sun 23:59\", zone: UTC}}]\n", text.trim_end())
    });
    shop.commit_version("v3");
    shop.world.plimsoll(&["run"]).ok();
    promote(&shop).refused(&["E-FREEZE"]);
    shop.world.json(&["rollback", "shop@staging"]).ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
}

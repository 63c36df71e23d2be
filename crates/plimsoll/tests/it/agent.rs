//! An agent: what the delivery repository says is what runs, continuously, and nothing else ever starts.

use crate::{
    host::{
        Host, Load, Loaded, board, commit_delivery, deliver, delivery_head, hosted, problem, promote, serving,
    },
    processes::until,
    world::{Ran, text},
};
use std::{fs, process::Command, time::Duration};

#[test]
fn what_is_promoted_is_what_runs_and_what_is_told() {
    let shop = hosted();
    let mut host = Host::enroll(&shop);
    host.run();
    let first = promote(&shop).ok().value();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
    assert_eq!(text(&first["observation"]["state"]), "serving");
    assert_eq!(text(&first["observation"]["agent"]["name"]), "prod-1");
    deliver(&shop, "v2").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
    let row = board(&shop);
    assert_eq!(row["promoted"]["counter"], 2);
    assert_eq!(row["observation"]["decision"], row["promoted"]["decision"]);
    host.plimsoll(&["stop", "shop@staging"]).ended(2);
    let shown = host.plimsoll(&["agent", "show"]).ok().value();
    assert_eq!(shown["units"]["shop"]["accepted"]["counter"], 2);
}

#[test]
fn an_agent_that_is_killed_or_replaced_drops_nothing_and_goes_on_where_it_was() {
    let (shop, mut host) = serving();
    let before = host.record();
    host.kill();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"), "what runs goes on");
    host.run();
    deliver(&shop, "v2").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
    assert_ne!(host.record()["supervisor"], before["supervisor"]);
}

#[test]
fn a_service_whose_supervisor_was_killed_is_started_again() {
    let (shop, host) = serving();
    let supervisor = host.supervisor();
    assert!(Command::new("kill").args(["-9", &supervisor]).status().unwrap().success());
    until("another supervisor serves", || {
        host.supervisor() != supervisor && shop.answer_at(0).as_deref() == Some("v1")
    });
}

#[test]
fn a_release_that_never_becomes_healthy_does_not_replace_what_runs() {
    let (shop, _host) = serving();
    deliver(&shop, "ill").refused(&["E-HEALTH"]);
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
    let row = board(&shop);
    assert_eq!(row["promoted"]["counter"], 2);
    assert_ne!(row["observation"]["decision"], row["promoted"]["decision"]);
    deliver(&shop, "v3").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v3"));
    assert_eq!(problem(&shop), "");
}

#[test]
fn a_forged_promotion_starts_nothing_and_is_told() {
    let (shop, _host) = serving();
    let own = shop.world.delivery().join("environments/staging/shop");
    // Another release under the decision of this one.
    let release = fs::read_to_string(own.join("release.json")).unwrap();
    fs::write(own.join("release.json"), release.replacen("sha256:", "sha256:0", 1)).unwrap();
    commit_delivery(&shop, "promote shop@staging");
    until("the forged release is told", || problem(&shop) == "E-DELIVERY-COMMIT");
    // A decision that nobody signed.
    let decision = fs::read_to_string(own.join("decision.sigstore.json")).unwrap();
    fs::write(own.join("release.json"), &release).unwrap();
    fs::write(own.join("decision.sigstore.json"), with_another_signature(&decision)).unwrap();
    commit_delivery(&shop, "promote shop@staging");
    until("the forged decision is told", || problem(&shop) == "E-SIGNATURE");
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
    // The benign twin: everything is as it was promoted.
    fs::write(own.join("decision.sigstore.json"), decision).unwrap();
    commit_delivery(&shop, "as it was");
    until("it is over", || problem(&shop).is_empty());
}

/// A bundle whose signature has another letter in its middle.
fn with_another_signature(bundle: &str) -> String {
    let at = bundle.find("\"sig\":\"").unwrap() + 40;
    let letter = if &bundle[at..=at] == "x" { "y" } else { "x" };
    format!("{}{letter}{}", &bundle[..at], &bundle[at + 1..])
}

#[test]
fn a_promotion_that_changes_anything_else_does_not_count() {
    let (shop, mut host) = serving();
    host.kill();
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    // Whoever can write to the repository adds to the promotion what nobody decided about.
    let promotion = shop.world.spawn(&["--json", "promote", "shop", "--to", "staging"]);
    until("it is promoted", || board(&shop)["promoted"]["counter"] == 2);
    shop.world.change_delivery_by_amending("environments/staging/shop/target.yaml", "# changed\n");
    host.run();
    until("it is told", || problem(&shop) == "E-DELIVERY-COMMIT");
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
    drop(promotion.wait_with_output());
}

#[test]
fn a_repository_that_was_rewound_changes_nothing() {
    let (shop, mut host) = serving();
    deliver(&shop, "v2").ok();
    let git = |arguments: &[&str]| {
        let output = shop.world.repository.command(&shop.world.delivery()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    git(&["reset", "-q", "--hard", "HEAD~1"]);
    until("it is told", || problem(&shop) == "E-DELIVERY-REWIND");
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
    // An agent that starts now finds the same.
    host.kill();
    host.run();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
    git(&["reset", "-q", "--hard", "ORIG_HEAD"]);
    until("it goes on", || problem(&shop).is_empty());
}

#[test]
fn a_repository_that_is_out_of_reach_stops_nothing() {
    let (shop, host) = serving();
    let away = shop.world.delivery().with_extension("away");
    fs::rename(shop.world.delivery(), &away).unwrap();
    until("the agent tells", || host.told().contains("trouble"));
    let supervisor = host.supervisor();
    assert!(Command::new("kill").args(["-9", &supervisor]).status().unwrap().success());
    until("it is started again all the same", || {
        host.supervisor() != supervisor && shop.answer_at(0).as_deref() == Some("v1")
    });
    fs::rename(&away, shop.world.delivery()).unwrap();
    deliver(&shop, "v2").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
}

#[test]
fn a_release_that_fails_in_its_confirm_window_gives_way_and_no_request_is_lost() {
    for version in ["dies", "sickens"] {
        let shop = hosted();
        shop.world.change_delivery("environments/staging/environment.yaml", |text| {
            format!("{}\nrollback: {{automatic: true, on: [start, health], confirm: 5m}}\n", text.trim_end())
        });
        let mut host = Host::enroll(&shop);
        host.run();
        promote(&shop).ok();
        let load = Load::on(shop.port);
        // It serves for a moment; whoever promoted it may have been told so.
        deliver(&shop, version);
        until("it is taken back", || problem(&shop) == "E-FALLBACK");
        let row = board(&shop);
        assert_eq!(text(&row["observation"]["state"]), "fell-back");
        assert_ne!(row["observation"]["decision"], row["promoted"]["decision"]);
        assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
        // Nor is it tried again after a repair.
        let supervisor = host.supervisor();
        host.tamper();
        until("it is repaired", || host.supervisor() != supervisor);
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(problem(&shop), "E-FALLBACK");
        assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
        let Loaded { asked, lost, .. } = load.end();
        // The one request that a process had taken when it died has nobody to answer it.
        let taken = u32::from(version == "dies");
        assert!(asked > 20 && lost <= taken, "{version}: {lost} of {asked} requests lost");
        // The next one is tried.
        deliver(&shop, "v3").ok();
        assert_eq!(shop.answer_at(0).as_deref(), Some("v3"));
        assert_eq!(problem(&shop), "");
    }
}

#[test]
fn what_somebody_changes_by_hand_is_told_and_repaired() {
    let (shop, host) = serving();
    let supervisor = host.supervisor();
    host.tamper();
    until("it is repaired", || host.supervisor() != supervisor);
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
    assert!(host.told().contains("repair    shop@staging"), "{}", host.told());
    until("it is in order", || board(&shop)["observation"]["drift"] == serde_json::json!([]));
}

#[test]
fn what_somebody_changes_in_a_freeze_is_told_and_waits() {
    let (shop, host) = serving();
    shop.world.change_delivery("environments/staging/environment.yaml", |text| {
        format!("{}\nfreeze: [{{from: \"Mon 00:00\", to: \"Sun 23:59\", zone: UTC}}]\n", text.trim_end())
    });
    until("the agent follows", || host.told().contains(&format!("follow    {}", delivery_head(&shop))));
    let supervisor = host.supervisor();
    host.tamper();
    until("it is told", || board(&shop)["observation"]["drift"][0]["code"] == "E-DRIFT");
    assert_eq!(host.supervisor(), supervisor, "nothing is repaired in a freeze");
}

#[test]
fn what_the_store_does_not_have_waits_for_it() {
    let shop = hosted();
    let mut host = Host::named(&shop.world, "host");
    let copy = host.home.join("copy");
    let layout = shop.world.state().join("layout");
    let synchronize = || {
        let copied = Command::new("cp").args(["-rfT"]).args([&layout, &copy]).status();
        assert!(copied.unwrap().success());
    };
    synchronize();
    let (delivery, store) = (shop.world.delivery(), copy.clone());
    let [delivery, store] = [&delivery, &store].map(|path| path.to_str().unwrap());
    let enroll = ["agent", "enroll", "prod-1", "--environment", "staging"];
    host.plimsoll(&[&enroll[..], &["--delivery", delivery, "--artifacts", store]].concat()).ok();
    host.believed(&shop.world);
    host.run();
    let promotion = shop.world.spawn(&["--json", "promote", "shop", "--to", "staging"]);
    until("it is told", || host.told().contains("E-STORE-MISSING"));
    assert_eq!(shop.answer_at(0), None);
    synchronize();
    Ran::from(promotion.wait_with_output().unwrap()).ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
}

#[test]
fn an_older_memory_follows_the_chain_once_more() {
    let (shop, mut host) = serving();
    host.kill();
    let memory = host.state.join("agent/agent.json");
    let old = fs::read(&memory).unwrap();
    host.run();
    deliver(&shop, "v2").ok();
    deliver(&shop, "v3").ok();
    host.kill();
    fs::write(&memory, old).unwrap();
    host.run();
    deliver(&shop, "v4").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v4"));
    assert_eq!(problem(&shop), "");
}

#[test]
fn a_promotion_that_people_merged_into_their_work_counts() {
    let (shop, mut host) = serving();
    host.kill();
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    let promotion = shop.world.spawn(&["--json", "promote", "shop", "--to", "staging"]);
    until("it is promoted", || board(&shop)["promoted"]["counter"] == 2);
    let git = |arguments: &[&str]| {
        let status = shop.world.repository.command(&shop.world.delivery()).args(arguments).status();
        assert!(status.unwrap().success());
    };
    git(&["checkout", "-q", "-b", "side", "HEAD~1"]);
    fs::write(shop.world.delivery().join("README.md"), "ours").unwrap();
    commit_delivery(&shop, "a README");
    git(&["merge", "-q", "--no-edit", "main"]);
    git(&["checkout", "-q", "-B", "main", "side"]);
    host.run();
    Ran::from(promotion.wait_with_output().unwrap()).ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
}

#[test]
fn what_nobody_wants_any_more_is_stopped() {
    let (shop, _host) = serving();
    let target = shop.world.delivery().join("environments/staging/shop/target.yaml");
    let text = fs::read_to_string(&target).unwrap();
    fs::write(&target, text.replace("prod-1", "prod-2")).unwrap();
    commit_delivery(&shop, "it moves");
    until("it stops", || shop.answer_at(0).is_none());
    fs::write(&target, text).unwrap();
    commit_delivery(&shop, "it moves back");
    until("it serves again", || shop.answer_at(0).as_deref() == Some("v1"));
}

#[test]
fn two_agents_of_one_name_are_told() {
    let (shop, _host) = serving();
    let mut other = Host::named(&shop.world, "other");
    other.enrolled(&shop).ok();
    other.believed(&shop.world);
    other.run();
    until("the other one tells", || other.told().contains("E-AGENT-TWICE"));
    assert!(!other.told().contains("start "), "the other one starts nothing: {}", other.told());
    // The first one goes on as before.
    deliver(&shop, "v2").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
}

#[test]
fn what_an_agent_is_asked_wrongly() {
    let shop = hosted();
    let host = Host::named(&shop.world, "host");
    host.plimsoll(&["agent", "run"]).ended(2);
    host.plimsoll(&["agent", "show"]).ended(2);
    let delivery = shop.world.delivery();
    let enroll = ["agent", "enroll", "prod-1", "--environment", "staging"];
    let with = |more: &[&str]| host.plimsoll(&[&enroll[..], more].concat());
    let delivery = ["--delivery", delivery.to_str().unwrap()];
    with(&delivery).ended(2);
    with(&["--artifacts", "/nowhere"]).ended(2);
    let layout = shop.world.state().join("layout");
    let layout = ["--artifacts", layout.to_str().unwrap()];
    with(&layout).ended(2);
    let nowhere = ["agent", "enroll", "prod-1", "--environment", "nowhere"];
    host.plimsoll(&[&nowhere[..], &delivery, &layout].concat()).ended(2);
    with(&[delivery, layout].concat()).ok();
    with(&[delivery, layout].concat()).ended(2);
    // One process is the agent.
    let mut host = host;
    host.run();
    until("it runs", || host.told().contains("agent"));
    host.plimsoll(&["agent", "run"]).refused(&["E-STATE-LOCKED"]);
}

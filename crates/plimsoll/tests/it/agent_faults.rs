//! What goes wrong around an agent, in its services and in what it follows: it is told by its name, what runs goes on,
//! and when it is over the newest promotion serves.

use crate::{
    host::{Host, board, commit_delivery, deliver, hosted, problem, promote, serving},
    processes::{self, until},
    service::{Shop, answer, free_port},
    world::Ran,
};
use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

const TARGET: &str = "environments/staging/shop/target.yaml";
const ENVIRONMENT: &str = "environments/staging/environment.yaml";

fn git(shop: &Shop, arguments: &[&str]) -> String {
    let output = shop.world.repository.command(&shop.world.delivery()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Ends the supervisor that has the traffic, and waits until another one serves.
fn restarted(shop: &Shop, host: &Host, version: &str) {
    let supervisor = host.supervisor();
    processes::kill(supervisor.parse().unwrap());
    until("it is started again", || {
        host.supervisor() != supervisor && shop.answer_at(0).as_deref() == Some(version)
    });
}

#[test]
fn a_delivery_repository_with_a_damaged_object_changes_nothing_until_it_is_whole() {
    let (shop, host) = serving();
    fs::write(shop.world.delivery().join("README.md"), "read me").unwrap();
    commit_delivery(&shop, "a README");
    // Before the agent looks, as likely as not; so it is damaged anew until it was seen.
    let damage = || {
        fs::write(shop.world.delivery().join("README.md"), format!("{:?}", std::time::Instant::now()))
            .unwrap();
        commit_delivery(&shop, "another README");
        let object = git(&shop, &["rev-parse", "HEAD:README.md"]);
        let (directory, name) = object.split_at(2);
        let object = shop.world.delivery().join(".git/objects").join(directory).join(name);
        let whole = fs::read(&object).unwrap();
        fs::set_permissions(&object, fs::Permissions::from_mode(0o644)).unwrap();
        fs::File::options().append(false).write(true).open(&object).unwrap().write_all(b"damaged!").unwrap();
        (object, whole)
    };
    let mut damaged = vec![];
    until("it is told", || {
        if host.told().contains("E-SRC-OBJECT") {
            return true;
        }
        damaged.push(damage());
        thread::sleep(Duration::from_secs(2));
        host.told().contains("E-SRC-OBJECT")
    });
    restarted(&shop, &host, "v1");
    damaged.into_iter().for_each(|(object, whole)| fs::write(object, whole).unwrap());
    deliver(&shop, "v2").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
    assert!(host.told().contains("following again"), "{}", host.told());
}

#[test]
fn of_two_people_who_promote_at_once_one_is_told_and_the_agent_starts_what_the_other_promoted() {
    let (shop, _host) = serving();
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    let slow = Host::named(&shop.world, "colleague");
    assert!(
        Command::new("cp")
            .arg("-a")
            .args([shop.world.state(), slow.state.clone()])
            .status()
            .unwrap()
            .success()
    );
    shop.commit_version("v3");
    shop.world.plimsoll(&["run"]).ok();

    let mut promotion = slow.command(&["--json", "promote", "shop", "--to", "staging"]);
    promotion.current_dir(shop.world.repository.path());
    let promotion = promotion.stdout(std::process::Stdio::piped()).spawn().unwrap();
    // Its signers live for moments, so nobody sleeps between two looks.
    let signers = ["source", "decision:staging"]
        .map(|role| format!("--role\0{role}\0--state\0{}", slow.state.display()));
    let end = Instant::now() + Duration::from_secs(120);
    while signers.iter().all(|signer| processes::with(signer).is_empty()) {
        assert!(Instant::now() < end, "the slow one does not decide");
    }
    processes::signal(promotion.id(), "STOP");
    promote(&shop).ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v3"));
    processes::signal(promotion.id(), "CONT");
    Ran::from(promotion.wait_with_output().unwrap()).ended(1).refused(&["E-REF-MOVED"]);
    assert_eq!(shop.answer_at(0).as_deref(), Some("v3"));
    assert_eq!(board(&shop)["promoted"]["counter"], 2);
}

/// Each hears why within its start-timeout, and what runs goes on.
#[test]
fn a_service_whose_health_endpoint_hangs_redirects_or_never_ends_does_not_replace_what_runs() {
    unhealthy(&[
        ("hangs", "not healthy within 4 s"),
        ("redirects", "answered with status 302"),
        ("streams", "was not answered in HTTP"),
    ]);
}

#[test]
fn a_service_that_ends_at_once_forks_away_or_listens_elsewhere_does_not_replace_what_runs() {
    unhealthy(&[
        ("quits", "the process ended before it was healthy"),
        ("forks", "the process ended before it was healthy"),
        ("elsewhere", "not healthy within 4 s"),
    ]);
}

fn unhealthy(versions: &[(&str, &str)]) {
    let (shop, host) = serving();
    shop.world.change_delivery(TARGET, |target| target.replace("start-timeout: 8s", "start-timeout: 4s"));
    let supervisor = host.supervisor();
    for (version, problem) in versions {
        let refused = deliver(&shop, version).ended(1).refused(&["E-HEALTH"]);
        let told = refused.parameter("E-HEALTH", "problem");
        assert!(told.contains(problem), "{version}: {told}");
        assert_eq!(shop.answer_at(0).as_deref(), Some("v1"), "{version}");
    }
    assert_eq!(host.supervisor(), supervisor);
    let unit = format!("__supervisor\0shop@staging\0--state\0{}", host.state.display());
    until("nothing of them is left", || processes::with(&unit).len() == 1);
    // Whoever gets healthy may take longer for it.
    shop.world.change_delivery(TARGET, |target| target.replace("start-timeout: 4s", "start-timeout: 60s"));
    deliver(&shop, "v2").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
}

#[test]
fn a_service_that_ignores_the_request_to_end_is_replaced_all_the_same() {
    let (shop, host) = serving();
    deliver(&shop, "stubborn").ok();
    let process = u32::try_from(host.record()["process"].as_u64().unwrap()).unwrap();
    deliver(&shop, "v3").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v3"));
    until("it is ended", || !processes::exists(process));
}

#[test]
fn a_port_that_somebody_else_has_is_told_and_taken_when_it_is_free() {
    let shop = hosted();
    let mut host = Host::enroll(&shop);
    let foreign = TcpListener::bind(("127.0.0.1", shop.port)).unwrap();
    host.run();
    let refused = promote(&shop).ended(1).refused(&["E-HEALTH"]);
    let told = refused.parameter("E-HEALTH", "problem");
    assert!(told.contains(&format!("failed to listen on 127.0.0.1:{}", shop.port)), "{told}");
    drop(foreign);
    until("it serves", || shop.answer_at(0).as_deref() == Some("v1"));
    until("it is over", || problem(&shop).is_empty());
    // The port that it moves to is somebody else's too.
    let next = free_port();
    let foreign = TcpListener::bind(("127.0.0.1", next)).unwrap();
    let (old, new) = (format!("listen: {}", shop.port), format!("listen: {next}"));
    shop.world.change_delivery(TARGET, |target| target.replace(&old, &new));
    promote(&shop).refused(&["E-HEALTH"]);
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"), "what runs goes on");
    drop(foreign);
    until("it serves there", || answer(next).as_deref() == Some("v1"));
}

#[test]
fn rules_that_nobody_signed_start_nothing_stop_nothing_and_freeze_nothing() {
    let (shop, host) = serving();
    let file = shop.world.delivery().join(ENVIRONMENT);
    let text = fs::read_to_string(&file).unwrap();
    let freeze = "freeze: [{from: \"Mon 00:00\", to: \"Sun 23:59\", zone: UTC}]";
    fs::write(&file, format!("{}\n{freeze}\n", text.trim_end())).unwrap();
    commit_delivery(&shop, "other rules");
    until("it is told", || problem(&shop) == "E-POLICY-UNSIGNED");
    restarted(&shop, &host, "v1");
    let supervisor = host.supervisor();
    host.tamper();
    until("it is repaired", || host.supervisor() != supervisor);
    // The benign twin: other rules that somebody signed.
    let rollback = "rollback: {automatic: true, on: [start], confirm: 1s}";
    fs::write(&file, format!("{}\n{rollback}\n", text.trim_end())).unwrap();
    commit_delivery(&shop, "yet other rules");
    shop.world.sign_policy();
    until("it is over", || problem(&shop).is_empty());
    deliver(&shop, "v2").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v2"));
}

#[test]
fn another_environment_under_the_same_name_is_not_the_agents() {
    let (shop, host) = serving();
    let file = shop.world.delivery().join(ENVIRONMENT);
    let text = fs::read_to_string(&file).unwrap();
    let id = text.lines().find(|line| line.starts_with("id: ")).unwrap().to_owned();
    let other = id.chars().map(|c| {
        if c == '0' {
            '1'
        } else if c.is_ascii_digit() {
            '0'
        } else {
            c
        }
    });
    let other: String = other.collect();
    shop.world.change_delivery(ENVIRONMENT, |text| text.replace(&id, &other));
    until("it is told", || problem(&shop) == "E-FILE-INVALID");
    // What is promoted to it is signed by the same key, and starts nothing here.
    shop.commit_version("v2");
    shop.world.plimsoll(&["run"]).ok();
    let mut promotion = shop.world.spawn(&["--json", "promote", "shop", "--to", "staging"]);
    until("it is promoted", || {
        board(&shop)["promoted"]["counter"] == 2 || promotion.try_wait().unwrap().is_some()
    });
    thread::sleep(Duration::from_secs(3));
    processes::kill(promotion.id());
    promotion.wait().unwrap();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v1"));
    restarted(&shop, &host, "v1");
    // The benign twin: it is the agent's own again.
    shop.world.change_delivery(ENVIRONMENT, |text| text.replace(&other, &id));
    until("it is over", || problem(&shop).is_empty());
}

#[test]
fn what_a_service_keeps_stays_from_release_to_release_and_through_a_stop() {
    let (shop, host) = serving();
    shop.world.change_delivery(TARGET, |target| format!("{target}  data: [/data]\n"));
    deliver(&shop, "keeps 1").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("keeps 1;"));
    deliver(&shop, "keeps 2").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("keeps 1;keeps 2;"));
    restarted(&shop, &host, "keeps 1;keeps 2;keeps 2;");
    let target = shop.world.delivery().join(TARGET);
    let text = fs::read_to_string(&target).unwrap();
    fs::write(&target, text.replace("prod-1", "prod-2")).unwrap();
    commit_delivery(&shop, "it moves");
    until("it stops", || shop.answer_at(0).is_none());
    fs::write(&target, text).unwrap();
    commit_delivery(&shop, "it moves back");
    until("it serves again", || shop.answer_at(0).as_deref() == Some("keeps 1;keeps 2;keeps 2;keeps 2;"));
}

#[test]
fn a_machine_that_is_restored_from_an_older_copy_catches_up() {
    let (shop, mut host) = serving();
    let copy = host.home.join("copy");
    let stopped = |host: &mut Host| {
        host.kill();
        host.plimsoll(&["stop", "shop@staging"]).ok();
    };
    let copied = |from: &Path, to: &PathBuf| {
        assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    };
    stopped(&mut host);
    copied(&host.state, &copy);
    host.run();
    until("it serves", || shop.answer_at(0).as_deref() == Some("v1"));
    deliver(&shop, "v2").ok();
    stopped(&mut host);
    fs::remove_dir_all(&host.state).unwrap();
    copied(&copy, &host.state);
    host.run();
    until("the newest serves", || shop.answer_at(0).as_deref() == Some("v2"));
    deliver(&shop, "v3").ok();
    assert_eq!(shop.answer_at(0).as_deref(), Some("v3"));
}

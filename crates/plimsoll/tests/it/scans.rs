//! Scans by Plimsoll itself, from the pipeline to the gate and on the command line.

use crate::{
    advisories::{lock, record},
    service::{EXECUTABLE, Shop, service_pipeline},
    world::World,
};
use serde_json::Value;
use std::fs;

const SAFE: &str = "FROM scratch\nCOPY out/service /service\nUSER 10001:10001\nENTRYPOINT [\"/service\"]\n";
/// A finding of severity high, and one of medium that the safe one does not have either.
const RISKY: &str = "FROM scratch\nCOPY out/service /service\nENV API_TOKEN=tr0ub4dor\nUSER 10001:10001\nENTRYPOINT [\"/service\"]\n";

/// A shop whose pipeline looks for risky configuration, and whose environment asks for this of it.
fn shop(require: &str) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + "  - {scan: [config]}\n");
        world.repository.write("Dockerfile", SAFE);
    });
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        assert!(text.contains("scans: {config: {block: high}}"), "{text}");
        text.replace("config: {block: high}", &format!("config: {require}"))
            + if require == "{block: high}" { "# as it was\n" } else { "" }
    });
    shop
}

/// Commits a version with this Dockerfile, runs it, and gives what the scan left in its statement.
fn run(shop: &Shop, version: &str, dockerfile: &str) -> Value {
    shop.world.repository.write("Dockerfile", dockerfile);
    shop.commit_version(version);
    let run = shop.world.json(&["run"]).ok().value();
    assert_eq!(
        run["checks"].as_array().unwrap().iter().find(|c| c["name"] == "config").unwrap()["outcome"],
        "passed"
    );
    run
}

#[test]
fn what_a_scan_finds_blocks_a_release_and_its_repair_lets_it_go() {
    let shop = shop("{block: high}");
    run(&shop, "v1", SAFE);
    shop.promote().ok();
    run(&shop, "v2", RISKY);
    let refused = shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    assert!(refused.stdout.contains("1 findings that block here"), "{refused:#?}");
    assert_eq!(shop.answer().as_deref(), Some("v1"));
    let why = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    for part in ["config/dockerfile-secret-in-env", "Dockerfile:3", "fix: "] {
        assert!(why.contains(part), "{part}: {why}");
    }
    // Silencing it in the source does not help: the environment says what counts.
    let silenced =
        RISKY.replace("ENV API", "# plimsoll:allow config/dockerfile-secret-in-env a test\nENV API");
    run(&shop, "v3", &silenced);
    shop.promote().ended(1).refused(&["E-EVIDENCE-CONFIG"]);
    run(&shop, "v4", SAFE);
    shop.promote().ok();
    assert_eq!(shop.answer().as_deref(), Some("v4"));
}

/// A team with old findings begins by gating on new ones; anybody can check offline what was taken for old.
#[test]
fn what_runs_already_is_not_new() {
    let shop = shop("{block: high}");
    let environment = "environments/local/environment.yaml";
    shop.world.change_delivery(environment, |text| text.replace("{block: high}", "{block: critical}"));
    run(&shop, "v1", RISKY);
    shop.promote().ok();
    shop.world
        .change_delivery(environment, |text| text.replace("{block: critical}", "{block: high, new: 0}"));
    run(&shop, "v2", RISKY);
    shop.promote().ok();
    let file = shop.world.scratch("v2.tar", b"");
    let file = file.to_str().unwrap();
    shop.world.json(&["dossier", "shop@local", "--output", file]).ok();
    shop.world.json(&["verify", file]).ok();
    run(&shop, "v3", &format!("{RISKY}ENV DB_PASSWORD=hunter2\n"));
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    assert_eq!(shop.answer().as_deref(), Some("v2"));
}

/// Whether all that was found is repaired, and the data is young enough, is asked of each release anew.
#[test]
fn a_release_shows_that_it_holds_no_secret_no_known_weakness_and_no_risky_configuration() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world
            .repository
            .write("plimsoll.yaml", service_pipeline() + "  - {scan: [secrets, dependencies, config]}\n");
        world.repository.write("Dockerfile", SAFE);
        world.repository.write("Cargo.lock", lock("1.6.0"));
    });
    let run = |version: &str| {
        shop.commit_version(version);
        shop.world.json(&["run"])
    };
    // Without advisories nothing can be said about dependencies.
    run("v1").ended(1).refused(&["E-EVIDENCE-PARSE"]);
    let records = shop.world.scratch("records", b"").with_file_name("osv");
    fs::create_dir(&records).unwrap();
    let record = record("RUSTSEC-2021-0003", "2023-06-13T13:10:24Z", "1.6.1");
    fs::write(records.join("RUSTSEC-2021-0003.json"), record).unwrap();
    shop.world.json(&["advisories", "import", records.to_str().unwrap()]).ok();
    run("v2").ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let why = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    for part in ["RUSTSEC-2021-0003", "Cargo.lock:", "update smallvec to 1.6.1"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    shop.world.repository.write("Cargo.lock", lock("1.6.1"));
    run("v3").ok();
    shop.promote().ok();
    assert_eq!(shop.answer().as_deref(), Some("v3"));
    // plimsoll:allow secrets/password the canary of this test
    shop.world.repository.write("settings.py", "DATABASE_PASSWORD = \"Qm7xV2tLw9Rk4\"\n");
    run("v4").ok();
    let refused = shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    assert_eq!(refused.parameter("E-EVIDENCE-FAILED", "check"), "secrets");
    let why = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains("settings.py:1") && !why.contains("Qm7xV2tLw9Rk4"), "{why}");
    fs::remove_file(shop.world.repository.path().join("settings.py")).unwrap();
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("dependencies: {block: high}", "dependencies: {block: high, database-age: 24h}")
    });
    run("v5").ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-STALE"]);
    assert_eq!(shop.answer().as_deref(), Some("v3"));
}

#[test]
fn findings_are_shown_with_place_reason_and_fix_and_end_with_1() {
    let world = World::empty();
    world.repository.write("Dockerfile", RISKY);
    let shown = world.plimsoll(&["scan", "config"]).ended(1).stdout;
    for part in ["high:", "--> Dockerfile:3:5", "3 | ENV API_TOKEN", "fix:", "plimsoll explain config/"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let all = world.json(&["scan", "config"]).ended(1).value();
    assert_eq!(all["reports"][0]["verdict"], "findings");
    world.plimsoll(&["scan", "config", "--least", "critical"]).ok();
    let file = world.scratch("report.sarif", b"");
    world.plimsoll(&["scan", "config", "--report", file.to_str().unwrap()]).ok();
    let sarif: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"].as_str().unwrap().split('/').next(), Some("config"));
    world.repository.write("Dockerfile", SAFE);
    world.plimsoll(&["scan", "config", "--least", "medium"]).ok();
}

#[test]
fn a_scan_without_anything_to_look_at_or_used_wrongly_says_so() {
    let world = World::empty();
    world.plimsoll(&["scan", "config"]).ended(3);
    world.plimsoll(&["scan", "config", "nowhere"]).ended(2);
    world.plimsoll(&["scan", "config", "--least", "worst"]).ended(2);
    world.repository.write("Dockerfile", SAFE);
    world.plimsoll(&["scan", "config", "--report", "/nowhere/report.sarif"]).ended(3);
}

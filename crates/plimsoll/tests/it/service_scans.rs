//! Scanners of a running service: the artifact runs in a sandbox, its scanner in another, and nothing but the one address
//! leads from here to there.

use crate::{
    adapters::{ask, equipped},
    service::{EXECUTABLE, Shop, service_pipeline},
    world::{Ran, World},
};
use std::{fs, os::unix::fs::PermissionsExt as _};

/// A scanner that asks the service once and finds what answers with `secret`. What it does beside that is the second word
/// of its manifest's arguments.
const PROBE: &str = r#"#!/bin/sh
result=
case $2 in
idle) ;;
calls-out) curl --silent --max-time 2 http://192.0.2.1/ ;;
esac
if [ "$2" != idle ]; then
    answer=$(curl --silent --show-error --max-time 5 "http://$1/") || exit 3
    case $answer in *secret*) result='{"ruleId":"secret-in-answer","level":"error","message":{"text":"it answers with a secret"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"http://'$1'/"}}}]}' ;; esac
fi
printf '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"probe","version":"1","rules":[{"id":"secret-in-answer"}]}},"results":[%s]}]}' "$result"
"#;

fn manifest(does: &str) -> String {
    format!(
        "version: 1\nname: probe\nabout: What a service answers\ntool: {{executable: probe, install: write it}}\n\
         input: {{kind: service}}\narguments: [\"{{service}}\", {does}]\nreport: {{format: sarif, at: stdout}}\n"
    )
}

const SERVICE: &str = "service: {run: [/artifact/service], port: 8080}";

/// A project that serves, with a probe that does this, and this key in its check.
fn shop(does: &str, service: &str) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("scanners/probe.yaml", manifest(does));
        let check = format!("  - {{adapter: probe, manifest: scanners/probe.yaml, {service}}}\n");
        world.repository.write("plimsoll.yaml", service_pipeline() + &check);
    });
    ask(&shop, "probe: {block: high}");
    shop
}

fn run(shop: &Shop, version: &str) -> Ran {
    let probe = shop.world.scratch("probe", PROBE.as_bytes());
    fs::set_permissions(&probe, fs::Permissions::from_mode(0o755)).unwrap();
    shop.commit_version(version);
    let path = format!("/usr/bin:/bin:{}", probe.parent().unwrap().display());
    Ran::of(shop.world.command(&["--json", "run"]).env("PATH", path))
}

#[test]
fn what_a_running_service_answers_blocks_its_release() {
    let shop = shop("asks", SERVICE);
    run(&shop, "v1").ok();
    shop.promote().ok();
    run(&shop, "secret v2").ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let why = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains("secret-in-answer") && why.contains("it answers with a secret"), "{why}");
    assert_eq!(shop.answer().as_deref(), Some("v1"));
    // One that takes its time is waited for.
    run(&shop, "slow v3").ok();
    shop.promote().ok();
}

/// A version of the service whose answer is an API's document. It says that items are answered with this status, and 200
/// is what they are answered with.
fn api(status: u16) -> String {
    format!(
        r#"{{"openapi":"3.0.0","info":{{"title":"shop","version":"1"}},"paths":{{"/items":{{"get":{{"responses":{{"{status}":{{"description":"all"}}}}}}}}}}}}"#
    )
}

#[test]
fn schemathesis_asks_a_running_api_whether_it_keeps_its_word() {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        let check = format!("  - {{adapter: schemathesis, {SERVICE}}}\n");
        world.repository.write("plimsoll.yaml", service_pipeline() + &check);
    });
    ask(&shop, "schemathesis: {block: high, manifest: ready}");
    let run = |version: &str| {
        shop.commit_version(version);
        equipped(&shop.world, &["run"])
    };
    run(&api(200)).ok();
    shop.promote().ok();
    run(&api(201)).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let why = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains("GET /items") && why.contains("Undocumented status code"), "{why}");
}

#[test]
fn the_reports_of_a_scanner_of_services_are_tried_without_one() {
    let world = World::empty();
    let tried = equipped(&world, &["adapter", "test", "schemathesis"]).ok().value();
    assert_eq!(tried["passed"], true);
    for arguments in [&["adapter", "test", "schemathesis", "."][..], &["adapter", "test", "probe.yaml"]] {
        world.repository.write("probe.yaml", manifest("asks"));
        let said = world.plimsoll(arguments).ended(2).stderr;
        assert!(said.contains("looks at a running service"), "{said}");
    }
}

/// A scanner that prints a clean report about nothing it heard.
#[test]
fn a_service_that_nobody_heard_from_was_not_scanned() {
    let answered = |does: &str, service: &str, version: &str, expect: &str| {
        let shop = shop(does, service);
        let ran = run(&shop, version).ended(1).refused(&["E-EVIDENCE-PARSE"]);
        let run = ran.value()["run"].as_str().unwrap().to_owned();
        let log = shop.world.plimsoll(&["logs", &run, "probe"]).ok().stdout;
        assert!(log.contains(expect), "{log}");
    };
    answered("idle", SERVICE, "v1", "the service never answered the scanner");
    answered("idle", SERVICE, "quits v1", "the service ended before anything answered on port 8080");
    answered("asks", SERVICE, "hangs v1", "the service never answered the scanner");
}

#[test]
fn a_scanner_of_a_service_reaches_nothing_else() {
    let shop = shop("calls-out", SERVICE);
    run(&shop, "v1").ended(1).refused(&["E-EVIDENCE-TAINTED"]);
    shop.promote().ended(1);
}

#[test]
fn a_service_and_its_manifest_belong_together() {
    let with = shop("asks", SERVICE);
    with.world.repository.write(
        "scanners/probe.yaml",
        manifest("asks").replace("kind: service", "kind: any").replace("\"{service}\", ", ""),
    );
    run(&with, "v1").ended(1).refused(&["E-EVIDENCE-EMPTY"]);
    let without = shop("asks", "retry: 0");
    run(&without, "v1").ended(1).refused(&["E-EVIDENCE-EMPTY"]);
}

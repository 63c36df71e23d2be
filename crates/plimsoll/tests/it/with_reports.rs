//! `plimsoll scan --with`: reports of other tools beside our own, each thing shown once. The reports are those that the
//! tools wrote, and damaged ones.

use crate::{secret_modes::Place, world::Ran};
use serde_json::{Value, json};
use std::{fs, process::Command};

const GRYPE: &str = include_str!("../../../../adapters/reports/grype.sarif");
const OSV: &str = include_str!("../../../../adapters/reports/osv-scanner.sarif");
const LOCK: &str = include_str!("../../../../adapters/samples/osv-scanner/package-lock.json");

/// A project with a private key in a file.
fn place() -> Place {
    let place = Place::new();
    place.repository.write("key.pem", &place.secret);
    place
}

/// What gitleaks reports about it.
fn gitleaks() -> String {
    found("gitleaks", "private-key", "warning", "key.pem", 1)
}

/// `plimsoll --json scan` with these reports.
fn scan(place: &Place, engine: &[&str], reports: &[(&str, &str)], more: &[&str]) -> Ran {
    let mut words = [&["--json", "scan"], engine, more].concat();
    let files: Vec<String> = reports
        .iter()
        .map(|(name, text)| {
            let path = place.path(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        })
        .collect();
    words.extend(files.iter().flat_map(|file| ["--with", file.as_str()]));
    place.plimsoll(&words)
}

/// A report of one finding.
fn found(tool: &str, rule: &str, level: &str, path: &str, line: u64) -> String {
    let place = json!({ "physicalLocation": { "artifactLocation": { "uri": path }, "region": { "startLine": line } } });
    let result =
        json!({ "ruleId": rule, "level": level, "message": { "text": "it is so" }, "locations": [place] });
    let driver = json!({ "name": tool, "rules": [{ "id": rule }] });
    json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": driver }, "results": [result] }] }).to_string()
}

#[test]
fn what_another_tool_found_too_is_shown_once_and_names_both() {
    let place = place();
    let ran = scan(&place, &["secrets"], &[("gitleaks.sarif", &gitleaks())], &[]).ended(1).value();
    let ours = &ran["reports"][0]["findings"];
    assert_eq!(ours.as_array().unwrap().len(), 1, "{ran}");
    assert_eq!(ours[0]["also_found_by"], json!(["gitleaks"]));
    let other = &ran["others"][0];
    assert_eq!(
        (&other["tool"], &other["known"], &other["findings"]),
        (&"gitleaks".into(), &1.into(), &json!([]))
    );
    let file = place.path("gitleaks.sarif");
    let file = file.to_str().unwrap();
    let text = place.plimsoll(&["scan", "secrets", "--with", file]).ended(1).stdout;
    assert!(text.contains("also found by gitleaks") && text.contains("1 that others found"), "{text}");
    // What only the other found is one finding more, by its name.
    let more = found("gitleaks", "generic-api-key", "error", "app.py", 3);
    let ran = scan(&place, &["secrets"], &[("more.sarif", &more)], &[]).ended(1).value();
    assert_eq!(ran["reports"][0]["findings"][0]["also_found_by"], Value::Null);
    assert_eq!(ran["others"][0]["findings"][0]["location"]["path"], "app.py");
    let file = place.path("more.sarif");
    let text = place.plimsoll(&["scan", "secrets", "--with", file.to_str().unwrap()]).ended(1).stdout;
    assert!(text.contains("app.py:3") && text.contains("gitleaks, generic-api-key"), "{text}");
}

#[test]
fn two_other_tools_that_name_one_advisory_found_one_thing() {
    let place = Place::new();
    place.repository.write("package-lock.json", LOCK);
    let reports = [("grype.sarif", GRYPE), ("osv.sarif", OSV)];
    let ran = scan(&place, &["config"], &reports, &[]).ended(1).value();
    let [first, second] = [&ran["others"][0], &ran["others"][1]];
    assert_eq!(first["findings"].as_array().unwrap().len(), 1, "{ran}");
    assert_eq!(first["findings"][0]["also_found_by"], json!(["osv-scanner"]));
    assert_eq!(first["findings"][0]["subject"], "pkg:npm/lodash@4.17.20");
    assert_eq!((&second["known"], &second["findings"]), (&1.into(), &json!([])));
}

#[test]
fn a_merged_report_is_sarif_that_is_read_again() {
    let place = place();
    let report = place.path("all.sarif");
    let report = report.to_str().unwrap();
    let other = found("lint", "no-eval", "warning", "app.py", 7);
    let gitleaks = gitleaks();
    let reports = [("gitleaks.sarif", gitleaks.as_str()), ("lint.sarif", &other)];
    scan(&place, &["secrets"], &reports, &["--report", report]).ok();
    let log: Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
    let tools: Vec<_> =
        log["runs"].as_array().unwrap().iter().map(|run| &run["tool"]["driver"]["name"]).collect();
    assert_eq!(tools, ["plimsoll secrets", "gitleaks", "lint"]);
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["properties"]["plimsoll"]["also-found-by"], json!(["gitleaks"]));
    assert_eq!(log["runs"][2]["results"][0]["ruleId"], "no-eval");
    let again = place.plimsoll(&["--json", "scan", "config", "--with", report]).ended(1).value();
    assert_eq!(again["others"][0]["tool"], "plimsoll secrets", "{again}");
}

/// Nothing that counts disappears behind what does not, and only what counts decides how it ends.
#[test]
fn the_least_severity_is_for_all_of_them() {
    let place = Place::new();
    place.repository.write("app.py", "print(1)\n");
    let low = found("lint", "no-eval", "note", "app.py", 1);
    scan(&place, &["secrets"], &[("low.sarif", &low)], &[]).ended(1);
    let ran = scan(&place, &["secrets"], &[("low.sarif", &low)], &["--least", "medium"]).ok().value();
    assert_eq!(ran["others"][0]["findings"], json!([]));
    let high = found("other", "no-eval", "error", "app.py", 1);
    let both = [("low.sarif", low.as_str()), ("high.sarif", &high)];
    let ran = scan(&place, &["secrets"], &both, &["--least", "medium"]).ended(1).value();
    assert_eq!(ran["others"][1]["findings"][0]["severity"], "high", "{ran}");
}

#[test]
fn every_format_is_known_without_a_word() {
    let place = Place::new();
    place.repository.write("app.py", "print(1)\n");
    let sonarqube = include_str!("../../../../adapters/reports/sonarqube.json");
    let zap = include_str!("../../../../adapters/reports/zap.json");
    let junit = "<testsuite name=\"s\" tests=\"1\" failures=\"1\"><testcase classname=\"a\" name=\"b\"><failure/></testcase></testsuite>";
    let cyclonedx = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"bom-ref":"r","name":"a","purl":"pkg:npm/a@1"}],
        "vulnerabilities":[{"id":"CVE-2026-1","affects":[{"ref":"r"}]}]}"#;
    for (name, text) in [("sonarqube", sonarqube), ("zap", zap), ("junit", junit), ("cyclonedx", cyclonedx)] {
        let ran = scan(&place, &["secrets"], &[(name, text)], &[]).ended(1).value();
        assert!(!ran["others"][0]["findings"].as_array().unwrap().is_empty(), "{name}: {ran}");
    }
}

#[test]
fn what_is_no_whole_report_is_bad_use_and_says_which_file() {
    let place = place();
    let whole = gitleaks();
    let twice = whole.replacen("\"version\"", "\"version\":\"2.1.0\",\"version\"", 1);
    for (name, text) in [
        ("empty", ""),
        ("words", "hello"),
        ("object", "{}"),
        ("list", "[]"),
        ("page", "<html><body>Sign in</body></html>"),
        ("cut-off", &whole[..whole.len() / 2]),
        ("key-twice", &twice),
        ("other-version", &whole.replace("2.1.0", "2.0.0")),
        ("deep", &"[".repeat(100_000)),
    ] {
        let file = place.path(name);
        fs::write(&file, text).unwrap();
        let ran = place.plimsoll(&["scan", "secrets", "--with", file.to_str().unwrap()]).ended(2);
        assert!(
            ran.stderr.contains(name) && ran.stderr.contains("no whole report"),
            "{name}: {}",
            ran.stderr
        );
    }
    let huge = place.path("huge");
    fs::File::create(&huge).unwrap().set_len((64 << 20) + 1).unwrap();
    let fifo = place.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (path, problem) in [
        (huge, "more than 67108864 bytes"),
        (fifo, "no file"),
        (place.path(""), "no file"),
        (place.path("nowhere"), "No such file"),
    ] {
        let ran = place.plimsoll(&["scan", "secrets", "--with", path.to_str().unwrap()]).ended(2);
        assert!(ran.stderr.contains(problem), "{problem}: {}", ran.stderr);
    }
}

/// It found nothing, and says itself that it did not come to its end, or looked at nothing.
#[test]
fn a_report_that_came_to_no_answer_is_no_clean_one() {
    let place = Place::new();
    place.repository.write("app.py", "print(1)\n");
    let clean = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","rules":[{"id":"a"}]}},"results":[]}]}"#;
    scan(&place, &["secrets"], &[("clean", clean)], &[]).ok();
    let failed =
        clean.replace("\"results\"", "\"invocations\":[{\"executionSuccessful\":false}],\"results\"");
    for text in [failed.as_str(), &clean.replace(r#"[{"id":"a"}]"#, "[]"), r#"{"version":"2.1.0","runs":[]}"#]
    {
        let ran = scan(&place, &["secrets"], &[("failed", text)], &[]).ended(3).value();
        assert!(ran["others"][0]["problem"].is_string(), "{ran}");
    }
    // Its text drives no terminal.
    let evil = clean.replace("\"lint\"", "\"\\u001b[2Jlint\"");
    let file = place.path("evil");
    fs::write(&file, evil).unwrap();
    let text = place.plimsoll(&["scan", "secrets", "--with", file.to_str().unwrap()]).ok().stdout;
    assert!(!text.contains("\u{1b}[2J"), "{text:?}");
}

//! `docs/policies.md` and `docs/schemas/policy-input.json`: the reference is that of the types, and every example of Rego is
//! run. `UPDATE_GOLDEN=1 cargo test -p plimsoll-policy` writes the generated parts anew.

#![expect(clippy::disallowed_methods, reason = "golden files are files")]

use super::*;
use plimsoll_policy::rego::{input_reference, input_schema};
use std::{fs, path::PathBuf};

const GENERATED: &str = "What follows is written by `UPDATE_GOLDEN=1 cargo test -p plimsoll-policy`.\n";

fn docs(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(path)
}

fn golden(path: &str, text: &str) {
    let path = docs(path);
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        fs::write(&path, text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(
        written == text,
        "{} is out of date: UPDATE_GOLDEN=1 cargo test -p plimsoll-policy",
        path.display()
    );
}

#[test]
fn the_schema_is_that_of_the_input() {
    golden("schemas/policy-input.json", &(serde_json::to_string_pretty(input_schema()).unwrap() + "\n"));
}

#[test]
fn the_reference_is_that_of_the_input() {
    let page = fs::read_to_string(docs("policies.md")).unwrap();
    let (written, _) = page.split_once(GENERATED).unwrap();
    golden("policies.md", &format!("{written}{GENERATED}{}", input_reference()));
}

/// Blocks of Rego with the file that their first line names.
fn examples(page: &str) -> Vec<(&str, &str)> {
    let blocks = page.split("```rego\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks
        .map(|block| {
            let name = block.lines().next().unwrap().strip_prefix("# policies/");
            (name.unwrap_or_else(|| panic!("an example names no file: {block}")), block)
        })
        .collect()
}

#[test]
fn every_example_holds_its_tests_and_refuses_something() {
    let page = fs::read_to_string(docs("policies.md")).unwrap();
    let (tests, policies): (Vec<_>, Vec<_>) =
        examples(&page).into_iter().partition(|(name, _)| name.ends_with("_test.rego"));
    assert!(policies.len() >= 5);
    let report = run_tests(&policies, &tests, &Limits::default());
    let failed: Vec<_> = report.outcomes.iter().filter(|outcome| !outcome.passed).collect();
    assert!(report.passed(), "{failed:?} {:?}", report.untested);
    let named = NamedInput { name: "shop".into(), id: "0".repeat(32) };
    for (name, source) in policies {
        assert_eq!(vacuous(name, source, &named, &named, &Limits::default()), None, "{name}");
        let worst = serde_json::to_value(&PolicyInput::worst(&named, &named)[0]).unwrap();
        let result = evaluate(name, source, &worst, &Limits::default());
        assert!(matches!(result, PolicyResult::Denied { .. }), "{name}: {result:?}");
        let nothing = evaluate(name, source, &json!({}), &Limits::default());
        assert_ne!(nothing, PolicyResult::Passed, "{name} passes over nothing");
    }
}

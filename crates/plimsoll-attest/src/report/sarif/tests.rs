//! What a SARIF log says, case by case.

use super::*;
use serde_json::json;

fn read(log: &Value) -> Result<ScanReport, ReportError> {
    read_sarif(log.to_string().as_bytes(), Limits::default())
}

/// A log of one run with the rules `bad` (error), `mild` (note) and `plain` (nothing said).
fn log(results: Value) -> Value {
    let rules = json!([
        {"id": "bad", "defaultConfiguration": {"level": "error"}},
        {"id": "mild", "defaultConfiguration": {"level": "note"}},
        {"id": "plain"},
    ]);
    json!({"version": "2.1.0", "runs": [
        {"tool": {"driver": {"name": "t", "version": "1", "rules": rules}}, "results": results},
    ]})
}

fn check(result: Value, error: u64, warning: u64, note: u64) {
    let report = read(&log(json!([result]))).unwrap();
    assert_eq!(report.findings, Tally { error, warning, note }, "{result}");
    assert_eq!(report.other, u64::from(error + warning + note == 0), "{result}");
}

fn refused(log: &Value, expect: &str) {
    match read(log) {
        Err(error) => assert!(error.to_string().contains(expect), "{error}\n{log}"),
        Ok(report) => panic!("{report:?} instead of {expect:?}\n{log}"),
    }
}

#[test]
fn recorded_logs_of_real_tools_are_read() {
    let read = |bytes: &[u8]| read_sarif(bytes, Limits::default()).unwrap();
    let semgrep = read(include_bytes!("../testdata/semgrep-fail.sarif"));
    assert_eq!(semgrep.tools, [Tool { name: "Semgrep OSS".into(), version: Some("1.182.0".into()) }]);
    assert_eq!((semgrep.rules, semgrep.empty), (2, None));
    assert_eq!(semgrep.findings, Tally { error: 1, warning: 0, note: 1 });
    assert_eq!(semgrep.suppressed, Tally { error: 1, ..Tally::default() });
    let clean = read(include_bytes!("../testdata/semgrep-clean.sarif"));
    assert_eq!((clean.rules, clean.findings, clean.empty), (2, Tally::default(), None));
    let zizmor = read(include_bytes!("../testdata/zizmor-fail.sarif"));
    assert_eq!(zizmor.findings, Tally { error: 2, warning: 0, note: 0 });
    assert_eq!(zizmor.empty, None);
}

#[test]
fn a_clean_log_that_lists_only_rules_that_fired_says_nothing() {
    for bytes in [
        &include_bytes!("../testdata/zizmor-clean.sarif")[..],
        include_bytes!("../testdata/ruff-clean.sarif"),
    ] {
        let report = read_sarif(bytes, Limits::default()).unwrap();
        assert!(report.empty.unwrap().ends_with("the run has no rules"));
    }
}

#[test]
fn levels_come_from_the_result_then_from_its_rule() {
    check(json!({"ruleId": "mild", "level": "error"}), 1, 0, 0);
    check(json!({"ruleId": "bad"}), 1, 0, 0);
    check(json!({"ruleId": "bad/1/2"}), 1, 0, 0);
    check(json!({"ruleIndex": 1}), 0, 0, 1);
    check(json!({"rule": {"id": "bad", "index": 0}, "ruleIndex": 0, "ruleId": "bad/x"}), 1, 0, 0);
    check(json!({"rule": {"index": 0, "toolComponent": {"name": "t"}}}), 1, 0, 0);
    check(json!({"ruleId": "plain"}), 0, 1, 0);
    check(json!({"ruleId": "unknown", "ruleIndex": -1}), 0, 1, 0);
    check(json!({}), 0, 1, 0);
}

#[test]
fn kinds_are_no_way_to_hide_a_finding() {
    check(json!({"kind": "fail", "ruleId": "bad", "level": "none"}), 0, 0, 1);
    check(json!({"kind": "pass", "level": "error"}), 1, 0, 0);
    check(json!({"kind": "review", "ruleId": "bad"}), 0, 1, 0);
    check(json!({"kind": "open", "level": "none"}), 0, 1, 0);
    check(json!({"kind": "pass", "ruleId": "bad"}), 0, 0, 0);
    check(json!({"kind": "notApplicable", "level": "none"}), 0, 0, 0);
    check(json!({"kind": "informational"}), 0, 0, 0);
    refused(&log(json!([{"kind": "fine"}])), "kind `fine`");
    refused(&log(json!([{"level": "critical"}])), "level `critical`");
}

#[test]
fn an_override_raises_a_rule_and_never_lowers_one() {
    for (id, level, expect) in [
        ("mild", "error", Tally { error: 1, ..Tally::default() }),
        ("bad", "note", Tally { error: 1, ..Tally::default() }),
        ("bad", "none", Tally { error: 1, ..Tally::default() }),
    ] {
        let mut log = log(json!([{"ruleId": id}]));
        log["runs"][0]["invocations"] = json!([{"executionSuccessful": true, "ruleConfigurationOverrides": [
            {"descriptor": {"id": id}, "configuration": {"level": level}},
        ]}]);
        assert_eq!(read(&log).unwrap().findings, expect, "{id} {level}");
    }
}

#[test]
fn a_result_names_one_rule_that_exists() {
    refused(&log(json!([{"ruleIndex": 3}])), "no rule 3");
    refused(&log(json!([{"ruleId": "bad", "ruleIndex": 1}])), "of one result");
    refused(&log(json!([{"ruleId": "badly", "ruleIndex": 0}])), "of one result");
    refused(&log(json!([{"ruleIndex": 0, "rule": {"index": 1}}])), "two rules");
    refused(&log(json!([{"rule": {"toolComponent": {"index": 0}}}])), "tool component");
    refused(&log(json!([{"ruleIndex": -2}])), "another type");
}

#[test]
fn rules_of_extensions_count_and_are_found() {
    let mut log = log(json!([{"rule": {"index": 0, "toolComponent": {"index": 0}}}, {"ruleId": "ext"}]));
    log["runs"][0]["tool"]["extensions"] =
        json!([{"name": "e", "rules": [{"id": "ext", "defaultConfiguration": {"level": "error"}}]}]);
    let report = read(&log).unwrap();
    assert_eq!((report.rules, report.findings.error), (4, 2));
}

#[test]
fn suppressions_are_counted_apart_unless_somebody_objects() {
    for (suppressions, suppressed) in [
        (json!([]), 0),
        (json!(null), 0),
        (json!([{"kind": "inSource"}]), 1),
        (json!([{"kind": "external", "status": "accepted"}]), 1),
        (json!([{"kind": "inSource"}, {"kind": "external", "status": "rejected"}]), 0),
        (json!([{"kind": "external", "status": "underReview"}]), 0),
    ] {
        let report = read(&log(json!([{"ruleId": "bad", "suppressions": suppressions}]))).unwrap();
        assert_eq!((report.suppressed.error, report.findings.error), (suppressed, 1 - suppressed));
    }
    refused(&log(json!([{"suppressions": [{"status": "trust me"}]}])), "trust me");
}

#[test]
fn runs_that_broke_or_looked_at_nothing_say_so() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut log = log(json!([]));
        change(&mut log);
        read(&log).unwrap()
    };
    let notification = |level: &str| {
        let level = level.to_owned();
        move |log: &mut Value| {
            log["runs"][0]["invocations"] = json!([{"executionSuccessful": true,
                "toolConfigurationNotifications": [{"level": level, "message": {"text": "no such rule"}}]}]);
        }
    };
    assert_eq!(with(&|_| {}).broken.or(with(&|_| {}).empty), None);
    assert_eq!(with(&notification("error")).broken.as_deref(), Some("t: no such rule"));
    assert_eq!(with(&notification("warning")).broken, None);
    let failed = with(&|log| log["runs"][0]["invocations"] = json!([{"executionSuccessful": false}]));
    assert!(failed.broken.is_some());
    assert!(with(&|log| log["runs"] = json!([])).empty.is_some());
    assert!(with(&|log| log["runs"][0]["results"] = json!(null)).empty.is_some());
    assert!(with(&|log| log["runs"][0]["artifacts"] = json!([])).empty.is_some());
    assert!(with(&|log| log["runs"][0]["tool"]["driver"]["rules"] = json!([])).empty.is_some());
    let second = with(&|log| {
        let run = json!({"tool": {"driver": {"name": "idle"}}, "results": []});
        log["runs"].as_array_mut().unwrap().push(run);
    });
    assert_eq!(second.empty.as_deref(), Some("idle: the run has no rules"));
}

#[test]
fn what_is_not_a_whole_log_is_refused() {
    refused(&json!([]), "not an object");
    refused(&json!({"version": "2.0.0", "runs": []}), "version 2.1.0");
    refused(&json!({"version": "2.1.0"}), "no `runs`");
    refused(&json!({"version": "2.1.0", "runs": [{}]}), "without `tool`");
    refused(&json!({"version": "2.1.0", "runs": {}}), "another type");
    let mut external = log(json!([]));
    external["runs"][0]["externalPropertyFileReferences"] = json!({"results": [{"location": {"uri": "x"}}]});
    refused(&external, "another file");
    let mut inline = log(json!([]));
    inline["inlineExternalProperties"] = json!([{}]);
    refused(&inline, "another file");
    let text = log(json!([])).to_string();
    assert!(matches!(
        read_sarif(&text.as_bytes()[..text.len() - 1], Limits::default()),
        Err(ReportError::Truncated(_))
    ));
    let twice = text.replacen("{", r#"{"version":"2.1.0","#, 1);
    assert!(matches!(read_sarif(twice.as_bytes(), Limits::default()), Err(ReportError::Malformed(_))));
    let marked = format!("\u{feff}{text}");
    assert!(read_sarif(marked.as_bytes(), Limits::default()).is_ok());
}

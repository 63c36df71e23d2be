//! What real tools make of SARIF, and the other formats, case by case: what is read, and what is refused.

use super::{Limits, Reading, ReportError, ScanReport, format_of, judge_scan, read_scan};
use plimsoll_model::{Code, Outcome, ReportFormat, Severity, SeverityMap};
use proptest::prelude::*;

fn read_as(format: ReportFormat, bytes: &[u8], rules: Option<u64>) -> Result<ScanReport, ReportError> {
    let severity = SeverityMap { property: Some("security-severity".into()), ..SeverityMap::default() };
    let reading =
        Reading { format, tool: "t", severity: &severity, rules, subject: "/src", limits: Limits::default() };
    read_scan(bytes, &reading)
}

fn sarif(bytes: &[u8]) -> ScanReport {
    read_as(ReportFormat::Sarif, bytes, Some(5)).unwrap()
}

macro_rules! quirk {
    ($name:literal) => {
        &include_bytes!(concat!("testdata/quirks/", $name, ".sarif"))[..]
    };
}

/// Rule, place, line and severity of each finding.
fn found(report: &ScanReport) -> Vec<(&str, &str, Option<u64>, Severity)> {
    let results = report.results.iter();
    let shown = results.map(|found| {
        let place = found.place.as_deref().unwrap_or("nowhere");
        (found.rule.as_str(), place, found.line, found.severity)
    });
    shown.collect()
}

#[test]
fn every_way_to_say_the_same_is_read_as_the_same() {
    use Severity::High;
    for bytes in [
        quirk!("rule-index-only"),
        quirk!("byte-order-mark"),
        quirk!("utf-16-le"),
        quirk!("utf-16-be"),
        quirk!("artifact-index"),
    ] {
        assert_eq!(found(&sarif(bytes)), [("bad", "a.c", Some(3), High)]);
    }
    // Without rules nobody says how bad it is: `warning` (section 3.27.10).
    for (bytes, rule) in [(quirk!("no-rules"), "bad"), (quirk!("no-level"), "unlisted")] {
        assert_eq!(found(&sarif(bytes)), [(rule, "a.c", Some(3), Severity::Medium)]);
    }
}

#[test]
fn places_are_those_of_the_subject() {
    let places = |bytes| {
        let report = sarif(bytes);
        assert_eq!(report.elsewhere, None);
        report.results.into_iter().map(|found| found.place.unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(places(quirk!("absolute")), ["a.c", "sub/a b.c"]);
    assert_eq!(places(quirk!("source-root")), ["a.c", "sub/b.c"]);
    assert_eq!(places(quirk!("several-runs")), ["a.c", "b.c"]);
    assert_eq!(places(quirk!("no-location")), [""]);
    assert_eq!(places(quirk!("address")), ["http://127.0.0.1:8080/x"]);
}

#[test]
fn a_finding_in_somebody_elses_file_makes_the_report_one_about_something_else() {
    for bytes in [quirk!("escaping"), quirk!("escaping-encoded"), quirk!("another-machine")] {
        let (outcome, reason) = judge_scan(&Ok(sarif(bytes)), true, None, "c0ffee");
        assert_eq!((outcome, reason.unwrap().code), (Outcome::Errored, Code::EvidenceSubject));
    }
    assert_eq!(judge_scan(&Ok(sarif(quirk!("absolute"))), true, None, "c0ffee").0, Outcome::Passed);
}

#[test]
fn severities_come_from_the_result_then_from_its_rule_then_from_its_level() {
    let severities: Vec<_> = found(&sarif(quirk!("score"))).into_iter().map(|found| found.3).collect();
    assert_eq!(severities, [Severity::Medium, Severity::Critical, Severity::Low]);
    let extension = sarif(quirk!("rules-of-an-extension"));
    assert_eq!(found(&extension), [("ext/one", "a.c", Some(3), Severity::Critical)]);
}

#[test]
fn a_clean_report_without_rules_says_something_only_where_the_manifest_knows_them() {
    let clean = quirk!("clean-no-rules");
    assert_eq!((sarif(clean).rules, sarif(clean).empty), (5, None));
    let unknown = read_as(ReportFormat::Sarif, clean, None).unwrap();
    assert_eq!(judge_scan(&Ok(unknown), true, None, "x").1.unwrap().code, Code::EvidenceEmpty);
    let broken = sarif(quirk!("not-successful"));
    assert_eq!(judge_scan(&Ok(broken), true, None, "x").1.unwrap().code, Code::EvidenceErrored);
}

#[test]
fn suppressed_findings_are_kept_as_such() {
    let report = sarif(quirk!("suppressed"));
    let suppressed: Vec<_> = report.results.iter().map(|found| found.suppressed).collect();
    assert_eq!(suppressed, [true, false]);
    assert_eq!((report.suppressed.error, report.findings.error), (1, 1));
}

#[test]
fn fingerprints_come_from_content_and_a_second_of_the_same_is_another() {
    let print = |text: &str| {
        let report = sarif(text.as_bytes());
        report.results.iter().map(|found| found.fingerprint).collect::<Vec<_>>()
    };
    let text = include_str!("testdata/quirks/twice-the-same.sarif");
    let prints = print(text);
    assert_ne!(prints[0], prints[1]);
    assert_eq!(print(&text.replace("\"startLine\": 3", "\"startLine\": 30")), prints);
    for (from, to) in
        [("a.c", "b.c"), ("found it", "found that"), ("\"ruleId\": \"bad\"", "\"ruleId\": \"mild\"")]
    {
        assert!(text.contains(from));
        assert!(!print(&text.replace(from, to)).contains(&prints[0]), "{to}");
    }
    // A placeholder that every result has identifies none.
    let placeholder = r#""partialFingerprints": {"matchBasedId/v1": "requires login"}, "ruleId""#;
    assert_eq!(print(&text.replace("\"ruleId\"", placeholder)), prints);
}

const CYCLONEDX: &str = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5",
  "metadata": {"tools": {"components": [{"name": "grype", "version": "0.1"}]}},
  "components": [{"bom-ref": "r1", "name": "left-pad", "purl": "pkg:npm/left-pad@1.0.0"}, {"bom-ref": "r2", "name": "../etc"}],
  "vulnerabilities": [
    {"id": "CVE-1", "ratings": [{"severity": "low"}, {"score": 9.1}], "description": "bad", "affects": [{"ref": "r1"}, {"ref": "r2"}]},
    {"id": "CVE-2", "analysis": {"state": "not_affected"}, "affects": [{"ref": "r1"}]},
    {"id": "CVE-3", "ratings": [{"severity": "unknown"}]}
  ]}"#;

#[test]
fn vulnerabilities_of_cyclonedx_are_findings_about_components() {
    use Severity::{Critical, Medium};
    let report = read_as(ReportFormat::Cyclonedx, CYCLONEDX.as_bytes(), Some(1)).unwrap();
    assert_eq!(
        found(&report),
        [
            ("CVE-1", "pkg:npm/left-pad@1.0.0", None, Critical),
            ("CVE-1", "component:../etc", None, Critical),
            ("CVE-2", "pkg:npm/left-pad@1.0.0", None, Medium),
            ("CVE-3", "nowhere", None, Medium),
        ]
    );
    assert!(report.results[2].suppressed);
    assert_eq!((report.findings.error, report.findings.warning, report.elsewhere), (2, 1, None));
    assert_eq!(report.tools[0].name, "grype");
    let read = |text: String| read_as(ReportFormat::Cyclonedx, text.as_bytes(), Some(1));
    let nothing = r#""components": [], "x": ["#;
    assert!(
        read(CYCLONEDX.replace("\"components\": [{\"bom-ref\"", &format!("{nothing}{{\"bom-ref\"")))
            .unwrap()
            .empty
            .is_some()
    );
    assert!(read(CYCLONEDX.replace("\"vulnerabilities\"", "\"others\"")).unwrap().empty.is_some());
    assert!(read(CYCLONEDX.replace("1.5", "2.0")).is_err());
    assert!(read(CYCLONEDX.replace("CycloneDX", "SPDX")).is_err());
    let unsaid = read_as(ReportFormat::Cyclonedx, CYCLONEDX.as_bytes(), None).unwrap();
    assert!(unsaid.empty.is_some(), "nobody says how many rules there were");
}

#[test]
fn cases_of_junit_that_failed_are_findings() {
    let text = "<testsuite tests='3'><testcase classname='ssl' name='old'><failure/></testcase><testcase name='new'/><testcase name='x'><skipped/></testcase></testsuite>";
    let report = read_as(ReportFormat::Junit, text.as_bytes(), None).unwrap();
    assert_eq!((report.results.len(), report.rules, report.other), (1, 2, 2));
    assert_eq!(report.results[0].severity, Severity::High);
    let none = "<testsuite tests='1'><testcase name='x'><skipped/></testcase></testsuite>";
    assert!(read_as(ReportFormat::Junit, none.as_bytes(), Some(9)).unwrap().empty.is_some());
}

const SONARQUBE: &str = r#"{"paging": {"total": 3}, "issues": [
  {"rule": "python:S1", "severity": "HIGH", "component": "a:b:src/x.py", "project": "a:b", "line": 7, "hash": "abc", "message": "m"},
  {"rule": "python:S2", "severity": "LOW", "component": "a:b", "project": "a:b", "status": "RESOLVED", "resolution": "FIXED"},
  {"rule": "python:S3", "severity": "HIGH", "component": "a:b:y", "project": "a:b", "status": "RESOLVED", "resolution": "WONTFIX"}
]}"#;

#[test]
fn issues_of_sonarqube_are_read_where_all_pages_are_there() {
    let read = |text: &str| read_as(ReportFormat::Sonarqube, text.as_bytes(), Some(1));
    let report = read(SONARQUBE).unwrap();
    let expect =
        [("python:S1", "src/x.py", Some(7), Severity::High), ("python:S3", "y", None, Severity::High)];
    assert_eq!(found(&report), expect);
    assert_eq!((report.results[1].suppressed, report.other, report.broken.clone()), (true, 1, None));
    assert!(read(&SONARQUBE.replace("\"total\": 3", "\"total\": 4")).unwrap().broken.is_some());
    assert!(read(&SONARQUBE.replace("\"paging\"", "\"x\"")).is_err());
    let moved = read(&SONARQUBE.replace("\"line\": 7", "\"line\": 70")).unwrap();
    assert_eq!(moved.results[0].fingerprint, report.results[0].fingerprint);
    let outside = read(&SONARQUBE.replace("src/x.py", "../x.py")).unwrap();
    assert!(outside.elsewhere.is_some());
}

const ZAP: &str = r#"{"@programName": "ZAP", "@version": "2.16", "site": [{"@name": "http://x", "alerts": [
  {"pluginid": "1", "alertRef": "1-1", "name": "n", "riskcode": "3", "confidence": "2",
   "instances": [{"uri": "http://x/a", "method": "GET"}, {"uri": "http://x/b", "method": "GET"}]},
  {"pluginid": "2", "name": "n", "riskcode": "0", "confidence": "0"}
]}]}"#;

#[test]
fn alerts_of_zap_are_findings_where_they_were_seen() {
    let read = |text: &str| read_as(ReportFormat::Zap, text.as_bytes(), Some(1));
    let report = read(ZAP).unwrap();
    assert_eq!(
        found(&report),
        [
            ("1-1", "http://x/a", None, Severity::High),
            ("1-1", "http://x/b", None, Severity::High),
            ("2", "nowhere", None, Severity::Info),
        ]
    );
    assert!(report.results[2].suppressed);
    assert!(read(r#"{"@programName": "ZAP", "site": []}"#).unwrap().empty.is_some());
    assert!(read(r#"{"@programName": "ZAP"}"#).is_err());
    assert!(read(&ZAP.replace("\"3\"", "\"9\"")).is_err());
}

proptest! {
    /// Whatever bytes arrive, a reader ends with a report or an error; and a report that is cut off is an error.
    #[test]
    fn damaged_reports_are_errors_or_reports(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        for (format, text) in [
            (ReportFormat::Cyclonedx, CYCLONEDX),
            (ReportFormat::Sonarqube, SONARQUBE),
            (ReportFormat::Zap, ZAP),
            (ReportFormat::Sarif, include_str!("testdata/quirks/score.sarif")),
        ] {
            let mut bytes = text.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = read_as(format, &bytes, Some(1));
            prop_assert_eq!(format_of(text.as_bytes(), Limits::default()), Ok(format));
            let _ = format_of(&bytes, Limits::default());
            let whole = text.trim_end();
            prop_assert!(read_as(format, &whole.as_bytes()[..cut.index(whole.len())], Some(1)).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_report(bytes: Vec<u8>) {
        for format in [ReportFormat::Cyclonedx, ReportFormat::Sonarqube, ReportFormat::Zap, ReportFormat::Junit] {
            prop_assert!(read_as(format, &bytes, Some(1)).is_err());
        }
        // What begins as XML may be tried as such.
        prop_assert!(format_of(&bytes, Limits::default()).is_ok_and(|format| format == ReportFormat::Junit) == bytes.trim_ascii_start().starts_with(b"<"));
    }
}

/// What a finding is about, for exceptions and VEX documents: as the tools that name it write it.
#[test]
fn names_of_advisories_and_packages_are_read_where_tools_put_them() {
    let rule = |extra: &str| {
        format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"t","rules":[{{"id":"CVE-2021-23337-a"{extra}}}]}}}},
            "results":[{{"ruleId":"CVE-2021-23337-a","message":{{"text":"x"}}}}]}}]}}"#
        )
    };
    let about = |text: &str| {
        let report = sarif(text.as_bytes());
        let found = report.results.into_iter().next().unwrap();
        (found.package, found.advisories)
    };
    let cve = || vec!["CVE-2021-23337".to_owned()];
    let package = || Some("pkg:npm/a@1".to_owned());
    assert_eq!(about(&rule("")), (None, cve()));
    let both = vec!["CVE-2021-23337".to_owned(), "GHSA-35jh-r3h4-6jhm".to_owned()];
    assert_eq!(
        about(&rule(r#","deprecatedIds":["GHSA-35jh-r3h4-6jhm","CVE-2021-23337","old-name",7]"#)),
        (None, both)
    );
    assert_eq!(about(&rule(r#","properties":{"purls":["pkg:npm/a@1"]}"#)), (package(), cve()));
    assert_eq!(about(&rule(r#","properties":{"purls":["pkg:npm/a@1","pkg:npm/a@2"]}"#)), (None, cve()));
    assert_eq!(about(&rule(r#","properties":{"purls":["../a"]}"#)), (None, cve()));
    let own = rule("").replace(r#""message""#, r#""properties":{"purl":"pkg:npm/a@1"},"message""#);
    assert_eq!(about(&own), (package(), cve()));
    let long = rule("").replace("CVE-2021-23337", &format!("CVE-2021-{}", "1".repeat(2000)));
    assert_eq!(about(&long), (None, vec![]));
    let bill = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"bom-ref":"r","name":"a","purl":"pkg:npm/a@1"}],
        "vulnerabilities":[{"id":"GHSA-35jh-r3h4-6jhm","references":[{"id":"CVE-2021-23337"},{}],"affects":[{"ref":"r"}]}]}"#;
    let read = read_as(ReportFormat::Cyclonedx, bill.as_bytes(), None).unwrap();
    assert_eq!(read.results[0].package, package());
    assert_eq!(read.results[0].advisories, ["CVE-2021-23337", "GHSA-35jh-r3h4-6jhm"]);
}

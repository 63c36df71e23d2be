//! Foreign scanners behind manifests: which findings block, by which manifest they count, and what is new.

use crate::fixture::{Case, ENVIRONMENT, environment};
use plimsoll_attest::predicate::{
    common::Ending,
    scan::{AdapterScan, OwnResult},
};
use plimsoll_model::{Code, Digest, ReportFormat, Severity};
use std::collections::BTreeSet;

fn result(what: &str, severity: Severity) -> OwnResult {
    OwnResult::new(Digest::of(what.as_bytes()), severity)
}

fn adapter(results: &[OwnResult]) -> AdapterScan {
    AdapterScan {
        name: "lint".parse().unwrap(),
        manifest: Digest::of(b"manifest"),
        ready: true,
        format: ReportFormat::Sarif,
        data: None,
        found: BTreeSet::from([3]),
        results: results.to_vec(),
        unlisted: 0,
    }
}

/// Why the scan does not pass under this requirement; none where it does.
fn judged(require: &str, adapter: AdapterScan) -> Option<Code> {
    ended(require, adapter, Ending::Status(0))
}

fn ended(require: &str, adapter: AdapterScan, exit: Ending) -> Option<Code> {
    let mut case = Case::good();
    case.files.insert(ENVIRONMENT.into(), environment(&format!("  scans: {{lint: {require}}}\n")));
    let says = case.lint.says();
    (says.adapter, says.exit) = (Some(Box::new(adapter)), exit);
    let mut found = case.refusals().into_iter().map(|(gate, _, code)| {
        assert!(gate.starts_with("scans."), "{gate} {code}");
        code
    });
    found.next_back()
}

#[test]
fn a_finding_blocks_by_its_severity_and_not_by_the_level_that_the_tool_gave_it() {
    let found = |severity| adapter(&[result("a", severity)]);
    for (block, severity, expect) in [
        ("critical", Severity::High, None),
        ("critical", Severity::Critical, Some(Code::EvidenceFailed)),
        ("high", Severity::Medium, None),
        ("high", Severity::High, Some(Code::EvidenceFailed)),
        ("low", Severity::Info, Some(Code::EvidenceFailed)),
    ] {
        assert_eq!(judged(&format!("{{block: {block}}}"), found(severity)), expect, "{block} {severity}");
    }
    assert_eq!(judged("{block: low}", adapter(&[])), None);
    assert_eq!(judged("{new: 0}", adapter(&[])), None);
    assert_eq!(
        judged("{new: 0}", found(Severity::Low)),
        Some(Code::EvidenceFailed),
        "nothing runs: all is new"
    );
    assert_eq!(judged("{new: 1}", found(Severity::Low)), None);
}

/// Whoever writes a change cannot choose the rules that it is judged by.
#[test]
fn only_the_manifest_that_the_environment_names_counts() {
    let digest = Digest::of(b"manifest");
    let pinned = format!("{{block: high, manifest: \"{digest}\"}}");
    let ready = "{block: high, manifest: ready}";
    assert_eq!(judged(&pinned, adapter(&[])), None);
    assert_eq!(judged(ready, adapter(&[])), None);
    let own = AdapterScan { ready: false, ..adapter(&[]) };
    assert_eq!(judged(ready, own.clone()), Some(Code::EvidenceTool));
    assert_eq!(judged(&pinned, own), None, "a project's manifest counts where its digest is named");
    let other = AdapterScan { name: "zizmor".parse().unwrap(), ..adapter(&[]) };
    assert_eq!(judged(ready, other), Some(Code::EvidenceTool));
    let changed = AdapterScan { manifest: Digest::of(b"other"), ..adapter(&[]) };
    assert_eq!(judged(&pinned, changed), Some(Code::EvidenceTool));
}

#[test]
fn what_the_tool_counts_as_suppressed_blocks_unless_the_environment_lets_it() {
    let suppressed = OwnResult { suppressed: true, ..result("a", Severity::High) };
    let said = || adapter(std::slice::from_ref(&suppressed));
    assert_eq!(judged("{block: high}", said()), Some(Code::EvidenceConfig));
    assert_eq!(judged("{block: critical}", said()), None);
    assert_eq!(judged("{block: high, comments: true}", said()), None);
}

#[test]
fn findings_that_are_not_listed_are_not_clean() {
    let more = AdapterScan { unlisted: 1, ..adapter(&[]) };
    assert_eq!(judged("{block: high}", more), Some(Code::EvidenceFailed));
}

#[test]
fn the_status_that_means_found_is_no_failure_where_something_was_found() {
    let found = || adapter(&[result("a", Severity::Low)]);
    for (exit, adapter, expect) in [
        (Ending::Status(3), found(), None),
        (Ending::Status(3), adapter(&[]), Some(Code::EvidenceSelf)),
        (Ending::Status(4), found(), Some(Code::EvidenceSelf)),
        (Ending::TimedOut, found(), Some(Code::EvidenceSelf)),
    ] {
        assert_eq!(ended("{block: high}", adapter, exit), expect, "{exit:?}");
    }
}

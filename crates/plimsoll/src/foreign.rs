//! What a foreign scanner found, for people, out of the report that its statement names, whatever its format.

use plimsoll_attest::{
    predicate::{Scan, common::On, scan::AdapterScan},
    report::{Found, Limits, Reading, read_scan},
};
use plimsoll_model::{Digest, Severity, SeverityMap};
use plimsoll_pipeline::adapter::{ARTIFACT, SOURCE};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The findings as SARIF, each with how bad its manifest said that it is. What cannot be read has none: the gate says why.
pub(crate) fn as_sarif(scan: &Scan, adapter: &AdapterScan, report: &[u8]) -> Value {
    let severity = SeverityMap::default();
    let subject = match scan.on {
        On::Source => SOURCE,
        On::Artifact => ARTIFACT,
    };
    let reading = Reading {
        format: adapter.format,
        tool: adapter.name.as_str(),
        severity: &severity,
        rules: Some(scan.rules),
        subject,
        limits: Limits::default(),
    };
    let Ok(read) = read_scan(report, &reading) else { return Value::Null };
    // How bad each is was judged by the manifest, and signed.
    let judged: BTreeMap<Digest, Severity> =
        adapter.results.iter().map(|result| (result.fingerprint, result.severity)).collect();
    let results: Vec<Value> =
        read.results.iter().map(|found| result(found, judged.get(&found.fingerprint))).collect();
    json!({ "runs": [{ "tool": { "driver": { "name": adapter.name } }, "results": results }] })
}

fn result(found: &Found, severity: Option<&Severity>) -> Value {
    let severity = severity.map(|severity| format!(" ({severity})")).unwrap_or_default();
    let place = found.place.as_ref().map(|place| {
        let region = json!({ "startLine": found.line.unwrap_or(1) });
        json!({ "physicalLocation": { "artifactLocation": { "uri": place }, "region": region } })
    });
    json!({
        "ruleId": found.rule,
        "message": { "text": format!("{}{severity}", found.message) },
        "locations": place.into_iter().collect::<Vec<_>>(),
        "properties": { "plimsoll": { "subject": found.package, "aliases": found.advisories } },
    })
}

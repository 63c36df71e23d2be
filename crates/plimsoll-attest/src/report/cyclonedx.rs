//! Vulnerabilities in `CycloneDX` (ECMA-424), 1.4 to 1.6 as JSON: one finding for each component that each of them affects.

use super::{
    ReportError, ScanReport, Tool,
    fields::{Object, list, object, objects, text},
    findings::{About, Collector, Raw, Reading},
    json, malformed,
};
use plimsoll_model::{Severity, reason::printable};
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) fn read(bytes: &[u8], reading: &Reading<'_>) -> Result<ScanReport, ReportError> {
    let document = json::parse(bytes, reading.limits)?;
    let document = document.as_object().ok_or_else(|| malformed("not an object"))?;
    if text(document, "bomFormat")? != Some("CycloneDX") {
        return Err(malformed("`bomFormat` is not CycloneDX"));
    }
    let version = text(document, "specVersion")?.unwrap_or_default();
    if !["1.4", "1.5", "1.6"].contains(&version) {
        return Err(malformed(format!("specification version `{version}`")));
    }
    let mut report = ScanReport { tools: vec![tool(document, reading)?], ..ScanReport::default() };
    let names = components(document)?;
    if names.is_empty() {
        report.empty = Some("it lists no components".to_owned());
    }
    if list(document, "vulnerabilities")?.is_none() {
        report.empty = Some("it has no list of vulnerabilities".to_owned());
    }
    let mut collector = Collector::new(reading);
    for vulnerability in objects(document, "vulnerabilities")? {
        vulnerability_of(vulnerability?, &names, &mut collector, &mut report)?;
    }
    Ok(report)
}

/// Both forms that tools are named in: a list (1.4), and an object with components (1.5).
fn tool(document: &Object, reading: &Reading<'_>) -> Result<Tool, ReportError> {
    let metadata = object(document, "metadata")?;
    let tools = metadata.and_then(|metadata| metadata.get("tools"));
    let list = match tools {
        Some(Value::Object(tools)) => tools.get("components").and_then(Value::as_array),
        Some(Value::Array(tools)) => Some(tools),
        _ => None,
    };
    let first = list.and_then(|list| list.first()).and_then(Value::as_object);
    let said = |key: &str| first.and_then(|tool| tool.get(key)).and_then(Value::as_str);
    let name = printable(said("name").unwrap_or(reading.tool), 100);
    Ok(Tool { name, version: said("version").map(|version| printable(version, 100)) })
}

/// Names by `bom-ref`: package URLs where there are any. Components below others are looked at as well.
fn components(document: &Object) -> Result<BTreeMap<String, String>, ReportError> {
    let mut names = BTreeMap::new();
    let mut left: Vec<&Object> = objects(document, "components")?.collect::<Result<_, _>>()?;
    if let Some(root) =
        object(document, "metadata")?.map(|metadata| object(metadata, "component")).transpose()?
    {
        left.extend(root);
    }
    while let Some(component) = left.pop() {
        let name = text(component, "purl")?.or(text(component, "name")?).unwrap_or_default();
        let reference = text(component, "bom-ref")?.unwrap_or(name);
        names.insert(reference.to_owned(), name.to_owned());
        for inner in objects(component, "components")? {
            left.push(inner?);
        }
    }
    Ok(names)
}

fn vulnerability_of(
    vulnerability: &Object,
    names: &BTreeMap<String, String>,
    collector: &mut Collector<'_>,
    report: &mut ScanReport,
) -> Result<(), ReportError> {
    let id = text(vulnerability, "id")?.ok_or_else(|| malformed("a vulnerability without `id`"))?;
    let severity = severity(vulnerability, collector)?;
    let analysis = object(vulnerability, "analysis")?;
    let state = analysis.map(|analysis| text(analysis, "state")).transpose()?.flatten();
    let suppressed =
        matches!(state, Some("not_affected" | "false_positive" | "resolved" | "resolved_with_pedigree"));
    let message = text(vulnerability, "description")?.or(text(vulnerability, "detail")?).unwrap_or(id);
    let affected =
        objects(vulnerability, "affects")?.map(|one| text(one?, "ref")).collect::<Result<Vec<_>, _>>()?;
    let equal = objects(vulnerability, "references")?.map(|one| text(one?, "id"));
    let equal: Vec<String> =
        equal.filter_map(|id| id.map(|id| id.map(str::to_owned)).transpose()).collect::<Result<_, _>>()?;
    let about = About { package: None, names: &equal };
    let unnamed = affected.is_empty().then_some(None);
    for reference in affected.into_iter().chain(unnamed) {
        let place = reference.map(|reference| names.get(reference).map_or(reference, String::as_str));
        let content = place.unwrap_or_default();
        // What a component is called is no path, whatever it looks like.
        let place = place
            .map(|place| if place.contains(':') { place.to_owned() } else { format!("component:{place}") });
        let raw = Raw {
            rule: id,
            severity,
            message,
            place: place.as_deref(),
            line: None,
            suppressed,
            content,
            about,
        };
        collector.add(&raw, report);
    }
    Ok(())
}

/// The worst of all ratings; what nobody rated is as bad as a warning.
fn severity(vulnerability: &Object, collector: &Collector<'_>) -> Result<Severity, ReportError> {
    let map = collector.severity();
    let mut worst = None;
    for rating in objects(vulnerability, "ratings")? {
        let rating = rating?;
        let said = text(rating, "severity")?.and_then(|word| map.word(word));
        let score = rating.get("score").and_then(Value::as_f64).and_then(plimsoll_model::SeverityMap::score);
        worst = worst.max(said.or(score));
    }
    Ok(worst.unwrap_or(map.warning))
}

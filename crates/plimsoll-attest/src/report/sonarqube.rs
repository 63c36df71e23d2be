//! What SonarQube's web API answers to `api/issues/search`, recorded. An answer that holds only one page of several is no
//! whole report.

use super::{
    ReportError, ScanReport, Tool,
    fields::{Object, list, object, objects, text},
    findings::{About, Collector, Raw, Reading},
    json, malformed,
};
use serde_json::Value;

pub(super) fn read(bytes: &[u8], reading: &Reading<'_>) -> Result<ScanReport, ReportError> {
    let document = json::parse(bytes, reading.limits)?;
    let document = document.as_object().ok_or_else(|| malformed("not an object"))?;
    let issues = list(document, "issues")?.ok_or_else(|| malformed("there is no `issues`"))?;
    let tool = Tool { name: reading.tool.to_owned(), version: None };
    let mut report = ScanReport { tools: vec![tool], ..ScanReport::default() };
    let paging = object(document, "paging")?;
    let total =
        paging.and_then(|paging| paging.get("total")).or(document.get("total")).and_then(Value::as_u64);
    let total = total.ok_or_else(|| malformed("it does not say how many issues there are"))?;
    if total != issues.len() as u64 {
        report.broken = Some(format!("it holds {} of {total} issues: export all pages", issues.len()));
    }
    let mut collector = Collector::new(reading);
    for found in objects(document, "issues")? {
        issue(found?, &mut collector, &mut report)?;
    }
    Ok(report)
}

fn issue(issue: &Object, collector: &mut Collector<'_>, report: &mut ScanReport) -> Result<(), ReportError> {
    let rule = text(issue, "rule")?.ok_or_else(|| malformed("an issue without `rule`"))?;
    let status = text(issue, "issueStatus")?.or(text(issue, "status")?).unwrap_or("OPEN");
    let resolution = text(issue, "resolution")?.unwrap_or_default();
    let suppressed = matches!(status, "ACCEPTED" | "FALSE_POSITIVE")
        || matches!(resolution, "WONTFIX" | "FALSE-POSITIVE" | "ACCEPTED");
    if !suppressed && matches!(status, "CLOSED" | "FIXED" | "RESOLVED") {
        report.other += 1;
        return Ok(());
    }
    let map = collector.severity();
    let message = text(issue, "message")?.unwrap_or(rule);
    // `project:path`, where a project's key can hold colons itself.
    let component = text(issue, "component")?.unwrap_or_default();
    let project = text(issue, "project")?.unwrap_or_default();
    let place = component.strip_prefix(project).and_then(|rest| rest.strip_prefix(':'));
    let raw = Raw {
        rule,
        severity: text(issue, "severity")?.and_then(|word| map.word(word)).unwrap_or(map.warning),
        message,
        place,
        line: issue.get("line").and_then(Value::as_u64),
        suppressed,
        content: text(issue, "hash")?.unwrap_or(message),
        about: About::default(),
    };
    collector.add(&raw, report);
    Ok(())
}

//! ZAP's traditional JSON report: sites, their alerts, and where each of them was seen.

use super::{
    ReportError, ScanReport, Tool,
    fields::{Object, objects, text},
    findings::{About, Collector, Raw, Reading},
    json, malformed,
};
use plimsoll_model::{Severity, reason::printable};
use serde_json::{Map, Value};

pub(super) fn read(bytes: &[u8], reading: &Reading<'_>) -> Result<ScanReport, ReportError> {
    let document = json::parse(bytes, reading.limits)?;
    let document = document.as_object().ok_or_else(|| malformed("not an object"))?;
    let name = text(document, "@programName")?.ok_or_else(|| malformed("there is no `@programName`"))?;
    let version = text(document, "@version")?.map(|version| printable(version, 100));
    let mut report =
        ScanReport { tools: vec![Tool { name: printable(name, 100), version }], ..ScanReport::default() };
    if !document.contains_key("site") {
        return Err(malformed("there is no `site`"));
    }
    let mut collector = Collector::new(reading);
    let mut sites = 0_u64;
    for site in objects(document, "site")? {
        sites += 1;
        for alert in objects(site?, "alerts")? {
            read_alert(alert?, &mut collector, &mut report)?;
        }
    }
    if sites == 0 {
        report.empty = Some("no site was looked at".to_owned());
    }
    Ok(report)
}

fn read_alert(
    alert: &Object,
    collector: &mut Collector<'_>,
    report: &mut ScanReport,
) -> Result<(), ReportError> {
    let plugin = text(alert, "pluginid")?.ok_or_else(|| malformed("an alert without `pluginid`"))?;
    let rule = text(alert, "alertRef")?.unwrap_or(plugin);
    let words = ["info", "low", "medium", "high"];
    let code = text(alert, "riskcode")?.unwrap_or_default();
    let word = code.parse::<usize>().ok().and_then(|code| words.get(code));
    let word = word.ok_or_else(|| malformed(format!("the risk `{}`", printable(code, 20))))?;
    let severity = collector.severity().word(word).unwrap_or(Severity::High);
    // Confidence 0 is what somebody marked as a false positive.
    let suppressed = text(alert, "confidence")? == Some("0");
    let message = text(alert, "name")?.or(text(alert, "alert")?).unwrap_or(rule);
    let instances = objects(alert, "instances")?.collect::<Result<Vec<_>, _>>()?;
    let nowhere: Map<String, Value> = Map::new();
    let unnamed = instances.is_empty().then_some(&nowhere);
    for instance in instances.iter().copied().chain(unnamed) {
        let part = |key| text(instance, key).map(Option::unwrap_or_default);
        let content = format!("{} {}", part("method")?, part("param")?);
        let place = text(instance, "uri")?;
        let raw = Raw {
            rule,
            severity,
            message,
            place,
            line: None,
            suppressed,
            content: &content,
            about: About::default(),
        };
        collector.add(&raw, report);
    }
    Ok(())
}

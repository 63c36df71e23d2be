//! `plimsoll why`: each gate of the newest decision, with the reasons of those that did not pass.

use crate::{
    cli::{ProjectAt, Why},
    context::Context,
    failure::Failure,
    output::Output,
    records::{self, DecisionRecord},
};
use plimsoll_attest::{
    Statement, Verified,
    predicate::{Scan, scan::OwnResult},
    verify,
};
use plimsoll_engine::ports::Blobs as _;
use plimsoll_model::{Outcome, Role, reason::printable};
use plimsoll_policy::{
    Decision, Gate, Summary, Verdict,
    decision::{Excused, ExcusedBy},
};
use plimsoll_store::StateDir;
use serde_json::Value;
use std::collections::BTreeSet;

/// Bytes of a bundle.
const LIMIT: u64 = 64 << 20;
/// Findings of one scan that are shown.
const SHOWN: usize = 20;

pub(crate) fn why(context: &Context, arguments: &Why, output: &Output) -> Result<(), Failure> {
    let unit = &arguments.of.unit;
    let state = context.reader()?;
    let record = records::newest_decision(&state, &unit.to_string())?;
    let statement = verified(context, &state, unit, &record)?;
    let summary = &statement.value().predicate;
    let decision = &summary.decision;
    if arguments.exceptions {
        return exceptions(context, &state, &record, decision, output);
    }
    let verdict = match decision.verdict {
        Verdict::Allow => "allowed",
        Verdict::Refuse => "refused",
    };
    let mut text = format!(
        "{unit}  {verdict}  {}\nrun       {}\nartifact  {}\ndelivery  {}\ndecision  {}\n",
        summary.time_verified,
        decision.run,
        decision.release.artifact,
        decision.delivery_commit,
        statement.payload_digest()
    );
    for gate in &decision.gates {
        text.push_str(&gate_text(gate));
        let excused = decision.excused.iter().filter(|excused| excused.gate == gate.name);
        text.extend(excused.map(excused_text));
        if gate.outcome != Outcome::Passed && gate.name.starts_with("scans.") {
            text.push_str(&found(context, &state, &record, gate)?);
        }
    }
    output.result(&text, summary);
    Ok(())
}

/// The decision behind a record, verified with the role that its verdict asks for.
pub(crate) fn verified(
    context: &Context,
    state: &StateDir,
    unit: &ProjectAt,
    record: &DecisionRecord,
) -> Result<Verified<Statement<Summary>>, Failure> {
    let bundle = state.layout().read(&record.bundle, LIMIT)?;
    let role = if record.allowed { Role::Decision(unit.environment.clone()) } else { Role::Refusal };
    Ok(verify(&bundle, &context.trust()?, &role)?)
}

/// Entries of `exceptions.yaml` for everything that a scan found where its gate did not pass, as far as they are no
/// attacks. Who answers for each, why and how long is for people to write.
fn exceptions(
    context: &Context,
    state: &StateDir,
    record: &DecisionRecord,
    decision: &Decision,
    output: &Output,
) -> Result<(), Failure> {
    let mut entries = BTreeSet::new();
    for gate in decision.gates.iter().filter(|gate| gate.outcome != Outcome::Passed) {
        let Some(name) = gate.name.strip_prefix("scans.") else { continue };
        let Some((_, scan)) = scan_of(context, state, record, gate)? else { continue };
        let passed = |finding| decision.excused.iter().any(|e| (&e.gate, e.finding) == (&gate.name, finding));
        let results = scan.value().predicate.own.iter().flat_map(|own| &own.results);
        let open = results.filter(|result| !passed(result.fingerprint));
        entries.extend(open.filter_map(|result| entry(name, result)));
    }
    let list =
        if entries.is_empty() { " []\n".to_owned() } else { format!("\n{}", String::from_iter(entries)) };
    let text = format!("version: 1\nexceptions:{list}");
    output.result(text.trim_end(), &serde_json::json!({ "exceptions": text }));
    Ok(())
}

/// A finding that can be excepted, by the words that people know it by.
fn entry(scan: &str, result: &OwnResult) -> Option<String> {
    let rule = result.rule.as_deref().filter(|rule| *rule != plimsoll_dependencies::rules::MALICIOUS.id)?;
    let quoted = |text: &str| Value::from(text).to_string();
    let (advisory, package) = (result.advisories.first(), result.package.as_deref());
    let named = match (advisory, package) {
        (Some(advisory), Some(package)) => {
            format!("advisory: {}\n    package: {}", quoted(advisory), quoted(package))
        }
        _ => format!("finding: {}", quoted(&result.fingerprint.to_string())),
    };
    let place = result.path.as_deref().or(package).unwrap_or_default();
    let place = printable(place, 200);
    Some(format!(
        "  # {} {rule} {place}\n  - scan: {scan}\n    {named}\n    owner:\n    reason:\n    expires:\n",
        result.severity
    ))
}

type Scanned = Verified<Statement<Scan>>;

/// The statement of the scan behind a gate, with the name that its run gave it.
fn scan_of(
    context: &Context,
    state: &StateDir,
    record: &DecisionRecord,
    gate: &Gate,
) -> Result<Option<(String, Scanned)>, Failure> {
    let run = records::find(state, record.run.as_str())?.record;
    let made = run.iter().flat_map(|run| &run.statements).find(|made| Some(made.statement) == gate.evidence);
    let Some(made) = made else { return Ok(None) };
    let bundle = state.layout().read(&made.bundle, LIMIT)?;
    Ok(Some((made.name.clone(), verify::<Scan>(&bundle, &context.trust()?, &Role::Scanner)?)))
}

/// What the scan behind a gate found, each with its place and what to do.
fn found(
    context: &Context,
    state: &StateDir,
    record: &DecisionRecord,
    gate: &Gate,
) -> Result<String, Failure> {
    let Some((name, scan)) = scan_of(context, state, record, gate)? else { return Ok(String::new()) };
    let Some(report) = scan.value().predicate.report else { return Ok(String::new()) };
    let bytes = state.layout().read(&report, LIMIT)?;
    let Ok(log) = serde_json::from_slice::<Value>(&bytes) else { return Ok(String::new()) };
    let runs = log["runs"].as_array().into_iter().flatten();
    let results: Vec<_> = runs.flat_map(|run| run["results"].as_array().into_iter().flatten()).collect();
    let mut text: String = results.iter().take(SHOWN).map(|result| result_text(result)).collect();
    if results.len() > SHOWN {
        text.push_str(&format!(
            "     and {} more: plimsoll logs {} {}\n",
            results.len() - SHOWN,
            record.run,
            name
        ));
    }
    Ok(text)
}

/// One result of a SARIF report, which no one needs to have written well.
fn result_text(result: &Value) -> String {
    let text = |value: &Value| printable(value.as_str().unwrap_or_default(), 300);
    let place = &result["locations"][0]["physicalLocation"];
    let mut line = format!("     {} {}", text(&result["ruleId"]), text(&result["message"]["text"]));
    if let Some(uri) = place["artifactLocation"]["uri"].as_str() {
        line.push_str(&format!(
            "  {}:{}",
            printable(uri, 300),
            place["region"]["startLine"].as_u64().unwrap_or(1)
        ));
    }
    line.push('\n');
    if let Some(fix) = result["properties"]["plimsoll"]["fix"].as_str() {
        line.push_str(&format!("       fix: {}\n", printable(fix, 300)));
    }
    line
}

/// A finding that may stand, and by whose word.
fn excused_text(excused: &Excused) -> String {
    let what = excused.advisories.first().or(excused.rule.as_ref()).map_or("", String::as_str);
    let what =
        format!("{} {}", printable(what, 100), printable(excused.package.as_deref().unwrap_or(""), 200));
    match &excused.by {
        ExcusedBy::Exception { owner, reason, until } => format!(
            "     {} ({}) stands until {until} by {}: {}\n",
            what.trim(),
            excused.finding.short(),
            printable(owner, 100),
            printable(reason, 300)
        ),
    }
}

fn gate_text(gate: &Gate) -> String {
    let mark = if gate.outcome == Outcome::Passed { "ok " } else { "NO " };
    let evidence = gate.evidence.map_or_else(|| "nothing".to_owned(), |digest| digest.short());
    let mut text = format!("{mark} {:<20} {:<8} by {evidence}\n", gate.name, gate.outcome);
    for reason in &gate.reasons {
        text.push_str(&format!("     {reason}\n     next  {}\n", reason.next()));
    }
    text
}

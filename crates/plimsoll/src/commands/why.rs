//! `plimsoll why`: each gate of the newest decision, with the reasons of those that did not pass.

mod excused;

use crate::{
    cli::{ProjectAt, Why},
    context::Context,
    failure::Failure,
    foreign,
    merged::{self, Group},
    output::Output,
    records::{self, DecisionRecord},
};
use plimsoll_attest::{Statement, Verified, predicate::Scan, verify};
use plimsoll_engine::ports::Blobs as _;
use plimsoll_model::{Outcome, Role, reason::printable};
use plimsoll_policy::{Gate, Summary, Verdict};
use plimsoll_store::StateDir;
use serde_json::Value;

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
        return excused::exceptions(context, &state, &record, decision, output);
    }
    if let Some(format) = arguments.vex {
        excused::vex(format, summary, output);
        return Ok(());
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
    let reports = reports(context, &state, &record, &decision.gates)?;
    let found = found(&reports);
    let same: Vec<_> =
        found.iter().map(|one| merged::Found::in_sarif(one.scan, one.tool, one.result)).collect();
    let groups = merged::merged(&same);
    for gate in &decision.gates {
        text.push_str(&gate_text(gate));
        let excused = decision.excused.iter().filter(|excused| excused.gate == gate.name);
        text.extend(excused.map(excused::line));
        text.push_str(&found_text(&found, &groups, gate, &record));
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

/// The report of the scan behind a gate that did not pass.
struct Report {
    gate: String,
    scan: String,
    runs: Vec<Value>,
}

/// The reports behind the gates of scans that did not pass, as far as they are there and are JSON.
fn reports(
    context: &Context,
    state: &StateDir,
    record: &DecisionRecord,
    gates: &[Gate],
) -> Result<Vec<Report>, Failure> {
    let mut reports = Vec::new();
    for gate in gates.iter().filter(|gate| gate.outcome != Outcome::Passed && gate.name.starts_with("scans."))
    {
        let Some((scan, statement)) = scan_of(context, state, record, gate)? else { continue };
        let Some(report) = statement.value().predicate.report else { continue };
        let bytes = state.layout().read(&report, LIMIT)?;
        let predicate = &statement.value().predicate;
        let log = match &predicate.adapter {
            Some(adapter) => foreign::as_sarif(predicate, adapter, &bytes),
            None => serde_json::from_slice::<Value>(&bytes).unwrap_or_default(),
        };
        let runs = log["runs"].as_array().cloned().unwrap_or_default();
        reports.push(Report { gate: gate.name.clone(), scan, runs });
    }
    Ok(reports)
}

/// A result of one scan.
struct Found<'r> {
    gate: &'r str,
    scan: &'r str,
    /// The tool, by its own word.
    tool: &'r str,
    /// Of whatever shape.
    result: &'r Value,
}

fn found(reports: &[Report]) -> Vec<Found<'_>> {
    reports.iter().flat_map(|report| report.runs.iter().flat_map(move |run| results(report, run))).collect()
}

fn results<'r>(report: &'r Report, run: &'r Value) -> impl Iterator<Item = Found<'r>> {
    let tool = run["tool"]["driver"]["name"].as_str().unwrap_or_default();
    let results = run["results"].as_array().into_iter().flatten();
    results.map(move |result| Found { gate: &report.gate, scan: &report.scan, tool, result })
}

/// What the scan behind a gate found first, each with its place and what to do.
fn found_text(found: &[Found<'_>], groups: &[Group<'_>], gate: &Gate, record: &DecisionRecord) -> String {
    let all = groups.iter().map(|group| (&found[group.first], group));
    let own: Vec<_> = all.filter(|(first, _)| first.gate == gate.name).collect();
    let mut text: String = own.iter().take(SHOWN).map(|(first, group)| group_text(first, group)).collect();
    if let Some((more, _)) = own.get(SHOWN) {
        let scan = more.scan;
        text.push_str(&format!("     and {} more: plimsoll logs {} {scan}\n", own.len() - SHOWN, record.run));
    }
    text
}

fn group_text(first: &Found<'_>, group: &Group<'_>) -> String {
    let mut text = result_text(first.result);
    if !group.others.is_empty() {
        let others = group.others.iter().map(|scan| printable(scan, 100)).collect::<Vec<_>>().join(", ");
        text.push_str(&format!("       also found by {others}\n"));
    }
    text
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

fn gate_text(gate: &Gate) -> String {
    let mark = if gate.outcome == Outcome::Passed { "ok " } else { "NO " };
    let evidence = gate.evidence.map_or_else(|| "nothing".to_owned(), |digest| digest.short());
    let mut text = format!("{mark} {:<20} {:<8} by {evidence}\n", gate.name, gate.outcome);
    for reason in &gate.reasons {
        text.push_str(&format!("     {reason}\n     next  {}\n", reason.next()));
    }
    text
}

//! `plimsoll why`: each gate of the newest decision, with the reasons of those that did not pass.

use crate::{
    cli::ProjectAt,
    context::Context,
    failure::Failure,
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

pub(crate) fn why(context: &Context, unit: &ProjectAt, output: &Output) -> Result<(), Failure> {
    let state = context.reader()?;
    let record = records::newest_decision(&state, &unit.to_string())?;
    let statement = verified(context, &state, unit, &record)?;
    let summary = &statement.value().predicate;
    let decision = &summary.decision;
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

/// What the scan behind a gate found, each with its place and what to do.
fn found(
    context: &Context,
    state: &StateDir,
    record: &DecisionRecord,
    gate: &Gate,
) -> Result<String, Failure> {
    let run = records::find(state, record.run.as_str())?.record;
    let made = run.iter().flat_map(|run| &run.statements).find(|made| Some(made.statement) == gate.evidence);
    let Some(made) = made else { return Ok(String::new()) };
    let bundle = state.layout().read(&made.bundle, LIMIT)?;
    let scan = verify::<Scan>(&bundle, &context.trust()?, &Role::Scanner)?;
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
            made.name
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

fn gate_text(gate: &Gate) -> String {
    let mark = if gate.outcome == Outcome::Passed { "ok " } else { "NO " };
    let evidence = gate.evidence.map_or_else(|| "nothing".to_owned(), |digest| digest.short());
    let mut text = format!("{mark} {:<20} {:<8} by {evidence}\n", gate.name, gate.outcome);
    for reason in &gate.reasons {
        text.push_str(&format!("     {reason}\n     next  {}\n", reason.next()));
    }
    text
}

//! `plimsoll why`: each gate of the newest decision, with the reasons of those that did not pass.

use crate::{
    cli::ProjectAt,
    context::Context,
    failure::Failure,
    output::Output,
    records::{self, DecisionRecord},
};
use plimsoll_attest::{Statement, Verified, verify};
use plimsoll_engine::ports::Blobs as _;
use plimsoll_model::{Outcome, Role};
use plimsoll_policy::{Gate, Summary, Verdict};
use plimsoll_store::StateDir;

/// Bytes of a bundle.
const LIMIT: u64 = 32 << 20;

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
    text.extend(decision.gates.iter().map(gate_text));
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

fn gate_text(gate: &Gate) -> String {
    let mark = if gate.outcome == Outcome::Passed { "ok " } else { "NO " };
    let evidence = gate.evidence.map_or_else(|| "nothing".to_owned(), |digest| digest.short());
    let mut text = format!("{mark} {:<20} {:<8} by {evidence}\n", gate.name, gate.outcome);
    for reason in &gate.reasons {
        text.push_str(&format!("     {reason}\n     next  {}\n", reason.next()));
    }
    text
}

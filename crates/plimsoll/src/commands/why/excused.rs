//! Findings that may stand, or could: entries of `exceptions.yaml` to fill in, what a decision let pass, and the same as
//! VEX for other tools.

use crate::{cli::VexFormat, context::Context, failure::Failure, output::Output, records::DecisionRecord};
use plimsoll_attest::predicate::scan::OwnResult;
use plimsoll_dependencies::vex::{Outgoing, Status, write_cyclonedx, write_openvex};
use plimsoll_model::{Outcome, ScanEngine, reason::printable};
use plimsoll_policy::{
    Decision, Summary,
    decision::{Excused, ExcusedBy},
    may_be_malicious,
};
use plimsoll_store::StateDir;
use serde_json::Value;
use std::collections::BTreeSet;

/// Entries of `exceptions.yaml` for everything that a scan found where its gate did not pass, as far as they are no
/// attacks. Who answers for each, why and how long is for people to write.
pub(super) fn exceptions(
    context: &Context,
    state: &StateDir,
    record: &DecisionRecord,
    decision: &Decision,
    output: &Output,
) -> Result<(), Failure> {
    let mut entries = BTreeSet::new();
    for gate in decision.gates.iter().filter(|gate| gate.outcome != Outcome::Passed) {
        let Some(name) = gate.name.strip_prefix("scans.") else { continue };
        let Some((_, scan)) = super::scan_of(context, state, record, gate)? else { continue };
        let passed = |finding| decision.excused.iter().any(|e| (&e.gate, e.finding) == (&gate.name, finding));
        let scan = &scan.value().predicate;
        let own = scan.own.iter().flat_map(|own| &own.results);
        let results = own.chain(scan.adapter.iter().flat_map(|adapter| &adapter.results));
        let open = results.filter(|result| !passed(result.fingerprint));
        let open = open.filter(|result| !may_be_malicious(ScanEngine::of_check(name), result));
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
    let rule = printable(result.rule.as_deref()?, 200);
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

/// A finding that may stand, and by whose word.
pub(super) fn line(excused: &Excused) -> String {
    let what = excused.advisories.first().or(excused.rule.as_ref()).map_or("", String::as_str);
    let what =
        format!("{} {}", printable(what, 100), printable(excused.package.as_deref().unwrap_or(""), 200));
    let (what, finding) = (what.trim(), excused.finding.short());
    match &excused.by {
        ExcusedBy::Exception { owner, reason, until, .. } => format!(
            "     {what} ({finding}) stands until {until} by {}: {}\n",
            printable(owner, 100),
            printable(reason, 300)
        ),
        ExcusedBy::Vex { document, person, status, reason } => format!(
            "     {what} ({finding}) is {} by {} in the VEX document {}: {}\n",
            printable(status, 20),
            printable(person, 100),
            document.short(),
            printable(reason, 300)
        ),
    }
}

/// What the decision let pass of vulnerabilities, as a document whose author is the project in its environment. An exception
/// without a justification says that the vulnerability matters and is accepted.
pub(super) fn vex(format: VexFormat, summary: &Summary, output: &Output) {
    let decision = &summary.decision;
    let said: Vec<Outgoing> = decision.excused.iter().filter_map(outgoing).collect();
    let author = format!("{}@{}", decision.project.name, decision.environment.name);
    let write = match format {
        VexFormat::Openvex => write_openvex,
        VexFormat::Cyclonedx => write_cyclonedx,
    };
    let document = write(&said, &author, summary.time_verified);
    output.result(&format!("{document:#}"), &document);
}

fn outgoing(excused: &Excused) -> Option<Outgoing> {
    let package = excused.package.clone()?;
    let names = Some(excused.advisories.clone()).filter(|names| !names.is_empty())?;
    let (status, justification, reason) = match &excused.by {
        ExcusedBy::Exception { owner, reason, justification, until } => {
            let status = if justification.is_some() { Status::NotAffected } else { Status::Affected };
            (status, justification.clone(), format!("{reason} ({owner}, until {until})"))
        }
        ExcusedBy::Vex { person, status, reason, .. } => {
            let fixed = status == Status::Fixed.as_str();
            let status = if fixed { Status::Fixed } else { Status::NotAffected };
            (status, None, format!("{reason} ({person})"))
        }
    };
    Some(Outgoing { names, package, status, justification, reason })
}

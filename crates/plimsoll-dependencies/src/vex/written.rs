//! What is known about vulnerabilities that do not hold a release back, as documents for other tools: OpenVEX 0.2.0 and
//! CycloneDX 1.6. Equal knowledge gives equal bytes, but for the time.

use super::Status;
use plimsoll_model::{Digest, Timestamp};
use serde_json::{Map, Value, json};

/// What is said about one vulnerability in one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Names of the vulnerability, that of the finding first; at least one.
    pub names: Vec<String>,
    /// Package URL.
    pub package: String,
    /// What is said.
    pub status: Status,
    /// Why it does not matter, by the word that OpenVEX has for it.
    pub justification: Option<String>,
    /// Why, for people.
    pub reason: String,
}

/// An OpenVEX document (specification 0.2.0). Its name is the digest of what it says; `author` is who publishes it.
#[must_use]
pub fn openvex(said: &[Outgoing], author: &str, now: Timestamp) -> Value {
    let statements: Vec<Value> = said.iter().map(statement).collect();
    let statements = Value::from(statements);
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("https://openvex.dev/docs/public/vex-{}", name(&statements).hex()),
        "author": author,
        "timestamp": now.to_string(),
        "version": 1,
        "statements": statements,
    })
}

fn name(content: &Value) -> Digest {
    Digest::of(content.to_string().as_bytes())
}

fn statement(said: &Outgoing) -> Value {
    let (id, aliases) = said.names.split_first().map_or(("", &[][..]), |(id, rest)| (id.as_str(), rest));
    let mut statement = json!({
        "vulnerability": { "name": id, "aliases": aliases },
        "products": [{ "@id": said.package }],
        "status": said.status.as_str(),
    });
    // "Status Justifications": one of these stands beside `not_affected`, an action beside `affected`.
    match said.status {
        Status::NotAffected => {
            statement["impact_statement"] = json!(said.reason);
            if let Some(justification) = &said.justification {
                statement["justification"] = json!(justification);
            }
        }
        Status::Affected => statement["action_statement"] = json!(said.reason),
        Status::Fixed | Status::UnderInvestigation => statement["status_notes"] = json!(said.reason),
    }
    statement
}

/// A CycloneDX document (1.6) with an analysis of each vulnerability.
#[must_use]
pub fn cyclonedx(said: &[Outgoing], author: &str, now: Timestamp) -> Value {
    let vulnerabilities: Vec<Value> = said.iter().map(vulnerability).collect();
    let vulnerabilities = Value::from(vulnerabilities);
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": serial(&name(&vulnerabilities)),
        "version": 1,
        "metadata": { "timestamp": now.to_string(), "authors": [{ "name": author }] },
        "vulnerabilities": vulnerabilities,
    })
}

fn vulnerability(said: &Outgoing) -> Value {
    let (id, aliases) = said.names.split_first().map_or(("", &[][..]), |(id, rest)| (id.as_str(), rest));
    let mut analysis = Map::from_iter([("detail".to_owned(), json!(said.reason))]);
    let state = match said.status {
        Status::NotAffected => "not_affected",
        Status::Fixed => "resolved",
        Status::Affected => "exploitable",
        Status::UnderInvestigation => "in_triage",
    };
    analysis.insert("state".to_owned(), json!(state));
    if said.status == Status::Affected {
        analysis.insert("response".to_owned(), json!(["will_not_fix"]));
    }
    let justification = said.justification.as_deref().and_then(cyclonedx_word);
    analysis.extend(justification.map(|word| ("justification".to_owned(), json!(word))));
    json!({
        "id": id,
        "references": aliases.iter().map(|alias| json!({ "id": alias, "source": { "name": source(alias) } })).collect::<Vec<_>>(),
        "analysis": analysis,
        "affects": [{ "ref": said.package }],
    })
}

/// The justification of CycloneDX that is nearest to one of OpenVEX.
fn cyclonedx_word(justification: &str) -> Option<&'static str> {
    match justification {
        "component_not_present" | "vulnerable_code_not_present" => Some("code_not_present"),
        "vulnerable_code_not_in_execute_path" => Some("code_not_reachable"),
        "vulnerable_code_cannot_be_controlled_by_adversary" => Some("requires_environment"),
        "inline_mitigations_already_exist" => Some("protected_by_mitigating_control"),
        _ => None,
    }
}

fn source(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// A UUID (RFC 9562, version 8) of a digest.
fn serial(digest: &Digest) -> String {
    let hex = digest.hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("urn:uuid:{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

//! Vulnerabilities with their analysis in a CycloneDX document (1.4 to 1.7): what they affect is named by a reference to a
//! component of the same document, or by a package URL.

use super::{MAX_STATEMENTS, Statement, Status, VexError, from_value};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    serial_number: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref")]
    reference: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: Option<String>,
    #[serde(default)]
    references: Vec<Named>,
    analysis: Option<Analysis>,
    #[serde(default)]
    affects: Vec<Affected>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

#[derive(Deserialize)]
struct Analysis {
    #[serde(default)]
    state: String,
    #[serde(default)]
    justification: String,
    #[serde(default)]
    detail: String,
}

#[derive(Deserialize)]
struct Affected {
    #[serde(rename = "ref")]
    reference: String,
}

pub(super) fn read(value: Value) -> Result<Vec<Statement>, VexError> {
    let document: Document = from_value(value)?;
    let mut purls = BTreeMap::new();
    document
        .metadata
        .component
        .into_iter()
        .chain(document.components)
        .for_each(|one| collect(one, &mut purls));
    let mut found = Vec::new();
    for vulnerability in document.vulnerabilities {
        let Some((analysis, status)) =
            vulnerability.analysis.and_then(|one| Some((status(&one)?, one))).map(swap)
        else {
            continue;
        };
        let references = vulnerability.references.into_iter().map(|reference| reference.id);
        let names: Vec<String> = vulnerability.id.into_iter().chain(references).collect();
        let reasons = [analysis.justification, analysis.detail].into_iter();
        let reason = reasons.filter(|reason| !reason.is_empty()).collect::<Vec<_>>().join(": ");
        for affected in vulnerability.affects {
            if found.len() >= MAX_STATEMENTS {
                return Err(VexError::TooLarge);
            }
            let Some(product) = resolved(&affected.reference, &purls) else { continue };
            found.push(Statement {
                vulnerabilities: names.clone(),
                product,
                component: None,
                status,
                reason: reason.clone(),
                document: document.serial_number.clone(),
            });
        }
    }
    Ok(found)
}

fn swap<A, B>((a, b): (A, B)) -> (B, A) {
    (b, a)
}

fn collect(component: Component, purls: &mut BTreeMap<String, String>) {
    if let (Some(reference), Some(purl)) = (component.reference, component.purl) {
        purls.insert(reference, purl);
    }
    component.components.into_iter().for_each(|component| collect(component, purls));
}

fn status(analysis: &Analysis) -> Option<Status> {
    match analysis.state.as_str() {
        "not_affected" | "false_positive" => Some(Status::NotAffected),
        "resolved" | "resolved_with_pedigree" => Some(Status::Fixed),
        "exploitable" => Some(Status::Affected),
        "in_triage" => Some(Status::UnderInvestigation),
        _ => None,
    }
}

/// A reference is to a component of the document, to one of another document behind a `#`, or a package URL itself.
fn resolved(reference: &str, purls: &BTreeMap<String, String>) -> Option<String> {
    let linked = reference.strip_prefix("urn:cdx:").and_then(|rest| Some(rest.split_once('#')?.1));
    let own = purls.get(reference).cloned();
    own.or_else(|| linked.or(Some(reference)).filter(|text| text.starts_with("pkg:")).map(str::to_owned))
}

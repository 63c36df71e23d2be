//! OpenVEX (specification 0.2.0).

use super::{MAX_STATEMENTS, Statement, Status, VexError, from_value};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@id")]
    id: String,
    #[serde(default)]
    statements: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    vulnerability: Vulnerability,
    #[serde(default)]
    products: Vec<Product>,
    status: String,
    #[serde(default)]
    justification: String,
    #[serde(default)]
    impact_statement: String,
}

/// Version 0.0.1 of the specification writes the name alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Vulnerability {
    Name(String),
    Names {
        name: String,
        #[serde(default)]
        aliases: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Product {
    Id(String),
    Named {
        #[serde(rename = "@id", default)]
        id: String,
        #[serde(default)]
        identifiers: Identifiers,
        #[serde(default)]
        subcomponents: Vec<Component>,
    },
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "@id", default)]
    id: String,
    #[serde(default)]
    identifiers: Identifiers,
}

#[derive(Deserialize, Default)]
struct Identifiers {
    purl: Option<String>,
}

pub(super) fn read(value: Value) -> Result<Vec<Statement>, VexError> {
    let document: Document = from_value(value)?;
    let mut found = Vec::new();
    for said in document.statements {
        let status = status(&said.status)?;
        let vulnerabilities = match said.vulnerability {
            Vulnerability::Name(name) => vec![name],
            Vulnerability::Names { name, aliases } => [vec![name], aliases].concat(),
        };
        let reasons = [said.justification, said.impact_statement].into_iter();
        let reason = reasons.filter(|reason| !reason.is_empty()).collect::<Vec<_>>().join(": ");
        for (product, component) in said.products.into_iter().flat_map(products) {
            if found.len() >= MAX_STATEMENTS {
                return Err(VexError::TooLarge);
            }
            found.push(Statement {
                vulnerabilities: vulnerabilities.clone(),
                product,
                component,
                status,
                reason: reason.clone(),
                document: document.id.clone(),
            });
        }
    }
    Ok(found)
}

fn status(text: &str) -> Result<Status, VexError> {
    let all = [Status::NotAffected, Status::Fixed, Status::Affected, Status::UnderInvestigation];
    let known = all.into_iter().find(|status| status.as_str() == text);
    known.ok_or_else(|| VexError::Malformed(format!("`{text}` is no status")))
}

/// A product and each of its parts that a statement names.
fn products(product: Product) -> Vec<(String, Option<String>)> {
    match product {
        Product::Id(id) => vec![(id, None)],
        Product::Named { id, identifiers, subcomponents } => {
            let product = identifiers.purl.unwrap_or(id);
            if subcomponents.is_empty() {
                return vec![(product, None)];
            }
            let parts = subcomponents.into_iter().map(|part| part.identifiers.purl.unwrap_or(part.id));
            parts.map(|part| (product.clone(), Some(part))).collect()
        }
    }
}

//! The VEX profile of CSAF (2.0, section 4.5): products by their ids in the product tree, statuses in lists of ids.

use super::{MAX_STATEMENTS, Statement, Status, VexError, from_value};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Document {
    document: About,
    #[serde(default)]
    product_tree: Branch,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct About {
    tracking: Tracking,
}

#[derive(Deserialize)]
struct Tracking {
    id: String,
}

/// The tree, and each of its branches.
#[derive(Deserialize, Default)]
struct Branch {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    full_product_names: Vec<Product>,
    product: Option<Product>,
}

#[derive(Deserialize)]
struct Product {
    product_id: String,
    #[serde(default)]
    product_identification_helper: Helper,
}

#[derive(Deserialize, Default)]
struct Helper {
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    cve: Option<String>,
    #[serde(default)]
    ids: Vec<Id>,
    #[serde(default)]
    product_status: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    flags: Vec<Flag>,
}

#[derive(Deserialize)]
struct Id {
    text: String,
}

/// Why products are not affected.
#[derive(Deserialize)]
struct Flag {
    label: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

pub(super) fn read(value: Value) -> Result<Vec<Statement>, VexError> {
    let Document { document, product_tree, vulnerabilities } = from_value(value)?;
    let mut purls = BTreeMap::new();
    collect(product_tree, &mut purls);
    let mut found = Vec::new();
    for vulnerability in vulnerabilities {
        let ids = vulnerability.ids.iter().map(|id| id.text.clone());
        let names: Vec<String> = vulnerability.cve.iter().cloned().chain(ids).collect();
        for (id, status) in statuses(&vulnerability.product_status) {
            // A product without package URL is none that a lock file names.
            let Some(product) = purls.get(id) else { continue };
            let flag = vulnerability.flags.iter().find(|flag| flag.product_ids.contains(id));
            if found.len() >= MAX_STATEMENTS {
                return Err(VexError::TooLarge);
            }
            found.push(Statement {
                vulnerabilities: names.clone(),
                product: product.clone(),
                component: None,
                status,
                reason: flag.map(|flag| flag.label.clone()).unwrap_or_default(),
                document: document.tracking.id.clone(),
            });
        }
    }
    Ok(found)
}

fn collect(branch: Branch, purls: &mut BTreeMap<String, String>) {
    for product in branch.product.into_iter().chain(branch.full_product_names) {
        if let Some(purl) = product.product_identification_helper.purl {
            purls.insert(product.product_id, purl);
        }
    }
    branch.branches.into_iter().for_each(|branch| collect(branch, purls));
}

fn statuses(lists: &BTreeMap<String, Vec<String>>) -> impl Iterator<Item = (&String, Status)> {
    let status = |list: &str| match list {
        "known_not_affected" => Some(Status::NotAffected),
        "fixed" | "first_fixed" => Some(Status::Fixed),
        "known_affected" | "first_affected" | "last_affected" => Some(Status::Affected),
        "under_investigation" => Some(Status::UnderInvestigation),
        _ => None,
    };
    let known = lists.iter().filter_map(move |(list, ids)| Some((ids, status(list)?)));
    known.flat_map(|(ids, status)| ids.iter().map(move |id| (id, status)))
}

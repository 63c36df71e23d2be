//! CycloneDX 1.6 (ECMA-424) as JSON. How complete the list is stands in `compositions`; why it is not, in properties of the
//! metadata, since the format has no place for reasons. The serial number comes from the content.

use super::{Bill, Entry, address, expression, shortcomings};
use crate::component::{Algorithm, Completeness, Scope, Source};
use plimsoll_model::{Digest, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;

/// Reference of the subject.
const SUBJECT: &str = "subject";
/// Characters of a version (bom-1.6.schema.json, "#/definitions/version").
const MAX_VERSION: usize = 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Listed<'a>>,
    dependencies: Vec<Dependency<'a>>,
    compositions: Vec<Composition<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    tools: Tools,
    component: Main<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Tools {
    components: [Tool; 1],
}

#[derive(Serialize)]
struct Tool {
    r#type: &'static str,
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Main<'a> {
    r#type: &'static str,
    #[serde(rename = "bom-ref")]
    reference: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    r#type: &'static str,
    #[serde(rename = "bom-ref")]
    reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<License<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<External>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence<'a>>,
}

#[derive(Serialize)]
struct Content<'a> {
    alg: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum License<'a> {
    #[serde(untagged)]
    Expression { expression: &'a str },
    #[serde(untagged)]
    Named { license: Name<'a> },
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct External {
    r#type: &'static str,
    url: String,
}

#[derive(Serialize)]
struct Evidence<'a> {
    occurrences: Vec<Occurrence<'a>>,
}

#[derive(Serialize)]
struct Occurrence<'a> {
    location: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    r#ref: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<&'a str>,
}

#[derive(Serialize)]
struct Composition<'a> {
    aggregate: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assemblies: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<&'a str>,
}

pub(super) fn write(bill: &Bill, created: Option<Timestamp>) -> Result<Vec<u8>, serde_json::Error> {
    let mut document = Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: None,
        version: 1,
        metadata: metadata(bill, created),
        components: bill.entries.values().map(listed).collect(),
        dependencies: dependencies(bill),
        compositions: compositions(bill),
    };
    let content = Digest::of(&serde_json::to_vec(&document)?);
    document.serial_number = Some(serial(&content));
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A UUID of version 8 (RFC 9562, section 5.8) from the beginning of a digest.
fn serial(content: &Digest) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&content.as_bytes()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!("urn:uuid:{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn metadata(bill: &Bill, created: Option<Timestamp>) -> Metadata<'_> {
    let tool = Tool { r#type: "application", name: "plimsoll", version: env!("CARGO_PKG_VERSION") };
    let why = |(path, why): (&str, &str)| Property {
        name: format!("plimsoll:incomplete:{path}"),
        value: why.to_owned(),
    };
    Metadata {
        timestamp: created.map(|time| time.to_string()),
        tools: Tools { components: [tool] },
        component: Main {
            r#type: "application",
            reference: SUBJECT,
            name: &bill.subject.name,
            version: version(&bill.subject.version),
        },
        properties: shortcomings(bill).map(why).collect(),
    }
}

fn listed(entry: &Entry) -> Listed<'_> {
    let (group, name) = match entry.name.rsplit_once([':', '/']) {
        Some((group, name)) if !entry.is_own() => (Some(group), name),
        _ => (None, entry.name.as_str()),
    };
    let property = |name: &str, value: String| Property { name: format!("plimsoll:{name}"), value };
    let properties = [
        entry.observed.map(|observed| property("fetched-by-build", observed.to_string())),
        (!entry.distribution.is_empty()).then(|| property("distribution", entry.distribution.clone())),
        entry.origin.as_ref().map(|origin| property("source-package", origin.name.clone())),
        entry.origin.as_ref().map(|origin| property("source-version", origin.version.clone())),
    ];
    let occurrences = entry
        .occurrences
        .iter()
        .map(|(path, line)| Occurrence { location: path, line: (*line > 0).then_some(*line) });
    Listed {
        r#type: "library",
        reference: &entry.reference,
        group,
        name,
        version: version(&entry.version),
        scope: scope(entry.scope),
        hashes: entry
            .hashes
            .iter()
            .map(|hash| Content { alg: algorithm(hash.algorithm), content: &hash.hex })
            .collect(),
        licenses: entry.license.as_deref().map(license).into_iter().collect(),
        purl: entry.purl.as_deref(),
        external_references: external(&entry.source).into_iter().collect(),
        properties: properties.into_iter().flatten().collect(),
        evidence: (!entry.occurrences.is_empty()).then(|| Evidence { occurrences: occurrences.collect() }),
    }
}

/// The format has no version that is longer; the whole stands in the package URL.
fn version(text: &str) -> &str {
    if text.chars().count() > MAX_VERSION { "" } else { text }
}

/// `excluded` is what is only for development (CycloneDX 1.6, "components[].scope").
fn scope(scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::Runtime => Some("required"),
        Scope::Optional => Some("optional"),
        Scope::Development => Some("excluded"),
        Scope::Unknown => None,
    }
}

fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "MD5",
        Algorithm::Sha1 => "SHA-1",
        Algorithm::Sha256 => "SHA-256",
        Algorithm::Sha384 => "SHA-384",
        Algorithm::Sha512 => "SHA-512",
    }
}

fn license(text: &str) -> License<'_> {
    match expression(text) {
        Some(expression) => License::Expression { expression },
        None => License::Named { license: Name { name: text } },
    }
}

fn external(source: &Source) -> Option<External> {
    let at = |r#type, address: &str| Some(External { r#type, url: address::uri(address) });
    match source {
        Source::Registry | Source::Path(_) => None,
        Source::RegistryAt(url) | Source::Url(url) => at("distribution", url),
        Source::Git(url) => at("vcs", url),
    }
}

fn dependencies(bill: &Bill) -> Vec<Dependency<'_>> {
    let main = Dependency { r#ref: SUBJECT, depends_on: bill.roots.iter().map(String::as_str).collect() };
    let others = bill.asked().into_iter().map(|(from, to)| Dependency { r#ref: from, depends_on: to });
    std::iter::once(main).chain(others).collect()
}

/// One for the whole, and one for each file; of those that say the same, one (the format wants them to differ).
fn compositions(bill: &Bill) -> Vec<Composition<'_>> {
    let whole = Composition {
        aggregate: aggregate(&bill.completeness()),
        assemblies: Vec::new(),
        dependencies: vec![SUBJECT],
    };
    let parts = bill.parts.iter().filter(|part| !part.members.is_empty()).map(|part| Composition {
        aggregate: aggregate(&part.completeness),
        assemblies: part.members.iter().map(String::as_str).collect(),
        dependencies: Vec::new(),
    });
    let mut said = BTreeSet::new();
    let differing = parts.filter(|one| said.insert((one.aggregate, one.assemblies.clone())));
    std::iter::once(whole).chain(differing).collect()
}

fn aggregate(completeness: &Completeness) -> &'static str {
    match completeness {
        Completeness::Complete => "complete",
        Completeness::Incomplete(_) => "incomplete",
        Completeness::Unknown(_) => "unknown",
    }
}

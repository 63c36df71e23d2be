//! SPDX 2.3 as JSON. The format has no field for completeness: it is in the comment of the creation, and packages whose
//! dependencies are not known have a relationship to `NOASSERTION`.

use super::{Bill, Entry, address, expression, shortcomings};
use crate::component::{Algorithm, Completeness, Scope, Source};
use plimsoll_model::{Digest, Timestamp};
use serde::Serialize;

/// Identifier of the subject.
const SUBJECT: &str = "SPDXRef-Subject";
/// What SPDX writes where nothing is said.
const NOTHING: &str = "NOASSERTION";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: &'a str,
    document_namespace: String,
    creation_info: Creation,
    packages: Vec<Package<'a>>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct Creation {
    created: String,
    creators: [String; 1],
    comment: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package<'a> {
    name: &'a str,
    #[serde(rename = "SPDXID")]
    id: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    version_info: &'a str,
    download_location: String,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum<'a>>,
    license_concluded: &'static str,
    license_declared: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_comments: Option<String>,
    copyright_text: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<External<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum<'a> {
    algorithm: &'static str,
    checksum_value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct External<'a> {
    reference_category: &'static str,
    reference_type: &'static str,
    reference_locator: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
}

pub(super) fn write(bill: &Bill, created: Option<Timestamp>) -> Result<Vec<u8>, serde_json::Error> {
    let subject = Package { id: SUBJECT.to_owned(), ..empty(&bill.subject.name, &bill.subject.version) };
    let mut document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: "SPDXRef-DOCUMENT",
        name: &bill.subject.name,
        document_namespace: String::new(),
        creation_info: Creation {
            created: time(created),
            creators: [format!("Tool: plimsoll-{}", env!("CARGO_PKG_VERSION"))],
            comment: comment(bill),
        },
        packages: std::iter::once(subject).chain(bill.entries.values().map(package)).collect(),
        relationships: relationships(bill),
    };
    let content = Digest::of(&serde_json::to_vec(&document)?);
    document.document_namespace = format!("urn:plimsoll:sbom:{content}");
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// In whole seconds, as the specification demands ("Created field").
fn time(created: Option<Timestamp>) -> String {
    let seconds = created.map_or(0, |time| time.as_second());
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

fn comment(bill: &Bill) -> String {
    let word = match bill.completeness() {
        Completeness::Complete => "complete",
        Completeness::Incomplete(_) => "incomplete",
        Completeness::Unknown(_) => "unknown",
    };
    let reasons = shortcomings(bill).map(|(path, why)| format!("; {path}: {why}"));
    format!("completeness: {word}{}", reasons.collect::<String>())
}

fn empty<'a>(name: &'a str, version: &'a str) -> Package<'a> {
    Package {
        name,
        id: String::new(),
        version_info: version,
        download_location: NOTHING.to_owned(),
        files_analyzed: false,
        checksums: Vec::new(),
        license_concluded: NOTHING,
        license_declared: NOTHING,
        license_comments: None,
        copyright_text: NOTHING,
        external_refs: Vec::new(),
        comment: None,
    }
}

fn package(entry: &Entry) -> Package<'_> {
    let purl = entry.purl.as_deref().map(|purl| External {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl,
    });
    let declared = entry.license.as_deref().and_then(declared);
    let stated = entry.license.as_ref().filter(|_| declared.is_none());
    Package {
        id: id(&entry.reference),
        download_location: download(&entry.source).unwrap_or_else(|| NOTHING.to_owned()),
        checksums: entry
            .hashes
            .iter()
            .map(|hash| Checksum { algorithm: algorithm(hash.algorithm), checksum_value: &hash.hex })
            .collect(),
        license_declared: declared.unwrap_or(NOTHING),
        license_comments: stated.map(|license| format!("stated as: {license}")),
        external_refs: purl.into_iter().collect(),
        comment: note(entry),
        ..empty(&entry.name, &entry.version)
    }
}

/// Identifiers may only have letters, digits, dots and hyphens.
fn id(reference: &str) -> String {
    format!("SPDXRef-{}", &Digest::of(reference.as_bytes()).hex()[..32])
}

fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Md5 => "MD5",
        Algorithm::Sha1 => "SHA1",
        Algorithm::Sha256 => "SHA256",
        Algorithm::Sha384 => "SHA384",
        Algorithm::Sha512 => "SHA512",
    }
}

/// The licence as SPDX takes it: an expression that refers to nothing outside SPDX's list, since a document would have to
/// hold the text of that ("Other licensing information detected section").
fn declared(license: &str) -> Option<&str> {
    expression(license).filter(|expression| !expression.contains("Ref-"))
}

/// An address of a repository or an archive (SPDX 2.3, "Package download location field"); a registry's is none.
fn download(source: &Source) -> Option<String> {
    match source {
        Source::Git(address) if address.starts_with("git+") => address::download(address),
        Source::Git(address) => address::download(address).map(|address| format!("git+{address}")),
        Source::Url(address) => address::download(address),
        _ => None,
    }
}

fn note(entry: &Entry) -> Option<String> {
    let places = entry.occurrences.iter().map(|(path, line)| format!("named by {path}:{line}"));
    let observed = entry.observed.map(|observed| match observed {
        true => "fetched by the build".to_owned(),
        false => "not fetched by the build".to_owned(),
    });
    let elsewhere = match &entry.source {
        source @ (Source::Git(address) | Source::Url(address)) if download(source).is_none() => Some(address),
        _ => None,
    };
    let elsewhere = elsewhere.map(|address| format!("comes from {address}"));
    let notes: Vec<String> = places.chain(observed).chain(elsewhere).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

fn relationships(bill: &Bill) -> Vec<Relationship> {
    let relate = |from: String, relationship_type, to: String| Relationship {
        spdx_element_id: from,
        relationship_type,
        related_spdx_element: to,
    };
    let mut all = vec![relate("SPDXRef-DOCUMENT".to_owned(), "DESCRIBES", SUBJECT.to_owned())];
    all.extend(bill.roots.iter().map(|root| relate(SUBJECT.to_owned(), "DEPENDS_ON", id(root))));
    if bill.completeness() != Completeness::Complete {
        all.push(relate(SUBJECT.to_owned(), "DEPENDS_ON", NOTHING.to_owned()));
    }
    for (from, to) in &bill.edges {
        // A development dependency points the other way (SPDX 2.3, "Relationships between SPDX elements").
        match bill.entries.get(to).map(|entry| entry.scope) {
            Some(Scope::Development) => all.push(relate(id(to), "DEV_DEPENDENCY_OF", id(from))),
            _ => all.push(relate(id(from), "DEPENDS_ON", id(to))),
        }
    }
    all
}

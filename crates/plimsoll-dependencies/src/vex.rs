//! Statements of people that a vulnerability does not matter: OpenVEX, CSAF and CycloneDX in, OpenVEX and CycloneDX out. Whoever calls
//! this has verified who says so; a statement of somebody whom nobody named must not come here.

mod csaf;
mod cyclonedx;
mod openvex;
mod together;
mod written;

pub use together::{Said, said};
pub use written::{Outgoing, cyclonedx as write_cyclonedx, openvex as write_openvex};

use std::fmt;

/// Bytes of one document.
pub const MAX_BYTES: usize = 16 << 20;
/// Statements of one document, each about one product.
pub const MAX_STATEMENTS: usize = 100_000;

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VexError {
    /// None of the three formats.
    #[error("it is neither OpenVEX nor CSAF nor CycloneDX")]
    Unknown,
    /// Larger than [`MAX_BYTES`], or more statements than [`MAX_STATEMENTS`].
    #[error("it is too large")]
    TooLarge,
    /// Not of the shape that its format describes.
    #[error("{0}")]
    Malformed(String),
}

/// What somebody says about one vulnerability in one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Names of the vulnerability.
    pub vulnerabilities: Vec<String>,
    /// Package URL of what it is about.
    pub product: String,
    /// Package URL of the part of the product that has the vulnerability; none where it is the product itself.
    pub component: Option<String>,
    /// What is said.
    pub status: Status,
    /// Why, in the words of whoever says it.
    pub reason: String,
    /// The document, by its own name.
    pub document: String,
}

/// What a statement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It does not matter there.
    NotAffected,
    /// It is mended there.
    Fixed,
    /// It matters.
    Affected,
    /// Nobody knows yet.
    UnderInvestigation,
}

impl Status {
    /// Its name in OpenVEX.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::UnderInvestigation => "under_investigation",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Statement {
    /// Whether it says that a vulnerability, by any of its names, does not matter in the package `purl`. A statement about
    /// a part of a product counts in that product alone.
    #[must_use]
    pub fn clears(&self, names: &[&str], purl: &str, product: Option<&str>) -> bool {
        let clears = matches!(self.status, Status::NotAffected | Status::Fixed);
        clears && self.is_named(names) && self.is_about(purl, product)
    }
}

/// Whether a package URL in a statement means the package `purl`: without a version it means all of them. Qualifiers and
/// the spelling of escapes count for nothing.
fn covers(stated: &str, purl: &str) -> bool {
    let ((name, version), (own_name, own_version)) = (parts(stated), parts(purl));
    name.starts_with("pkg:") && name == own_name && (version.is_empty() || version == own_version)
}

/// A package URL's name and version.
fn parts(purl: &str) -> (String, String) {
    let purl = purl.split(['?', '#']).next().unwrap_or_default();
    let slash = purl.rfind('/').map_or(0, |at| at + 1);
    match purl[slash..].rfind('@').filter(|at| *at > 0) {
        Some(at) => (decoded(&purl[..slash + at]), decoded(&purl[slash + at + 1..])),
        None => (decoded(purl), String::new()),
    }
}

/// Text without percent encoding (RFC 3986, section 2.1).
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let hex = more.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = if byte.is_some() { &more[2..] } else { more };
        bytes.push(byte.unwrap_or(*first));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads a document in whichever of the three formats it is.
///
/// # Errors
/// When it is none, is damaged, or goes beyond the limits.
pub fn read(bytes: &[u8]) -> Result<Vec<Statement>, VexError> {
    if bytes.len() > MAX_BYTES {
        return Err(VexError::TooLarge);
    }
    let value: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| VexError::Malformed(error.to_string()))?;
    let context = value.get("@context").and_then(|context| context.as_str()).unwrap_or_default();
    let statements = if context.starts_with("https://openvex.dev/ns") {
        openvex::read(value)
    } else if value.get("bomFormat").and_then(|format| format.as_str()) == Some("CycloneDX") {
        cyclonedx::read(value)
    } else if value.pointer("/document/csaf_version").is_some() {
        csaf::read(value)
    } else {
        Err(VexError::Unknown)
    }?;
    if statements.len() > MAX_STATEMENTS { Err(VexError::TooLarge) } else { Ok(statements) }
}

fn from_value<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, VexError> {
    serde_json::from_value(value).map_err(|error| VexError::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests;

//! The dossier: an OCI layout in a tar with a decision and everything that it names, and nothing else, so that anybody
//! can recompute it. Equal parts give equal bytes, and only those bytes are read.

use plimsoll_attest::Bundle;
use plimsoll_model::{Code, Digest, Reason};
use std::collections::{BTreeMap, BTreeSet};

mod layout;
mod recompute;
mod replay;

pub use recompute::recompute;
pub use replay::{Replay, replay};

/// Bytes of a dossier.
pub const MAX_DOSSIER: usize = 256 << 20;
/// Parts of a dossier.
pub const MAX_PARTS: usize = 4096;

/// What a dossier holds. Nothing of it has been verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DossierParts {
    /// The decision's bundle.
    pub decision: Vec<u8>,
    /// The run statement's bundle.
    pub run: Vec<u8>,
    /// The bundles of the statements that the run statement and the decision name, in any order.
    pub statements: BTreeSet<Vec<u8>>,
    /// The bundle of the decision that stood when this one was made; none before the first.
    pub standing: Option<Vec<u8>>,
    /// What the decision read of the delivery repository, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// `trust/root.json`.
    pub root: Vec<u8>,
    /// Texts of the files with its signatures.
    pub root_signatures: BTreeSet<String>,
    /// The artifact's manifest.
    pub manifest: Vec<u8>,
}

/// The bytes of a dossier.
///
/// # Errors
/// `E-DOSSIER-PARSE` for what could not be read again: more than [`MAX_DOSSIER`] bytes or [`MAX_PARTS`] parts.
pub fn write(parts: &DossierParts) -> Result<Vec<u8>, Reason> {
    let blobs = parts.list();
    if blobs.len() > MAX_PARTS {
        return Err(unreadable(format!("more than {MAX_PARTS} parts")));
    }
    let bytes = layout::write(&blobs).map_err(unreadable)?;
    if bytes.len() > MAX_DOSSIER { Err(unreadable(too_large())) } else { Ok(bytes) }
}

/// Reads a dossier.
///
/// # Errors
/// `E-DOSSIER-PARSE` for bytes that [`write`] does not write.
pub fn read(bytes: &[u8]) -> Result<DossierParts, Reason> {
    if bytes.len() > MAX_DOSSIER {
        return Err(unreadable(too_large()));
    }
    let blobs = layout::read(bytes).map_err(unreadable)?;
    let parts = DossierParts::from_list(blobs).map_err(unreadable)?;
    // One form: nothing hides in padding, in the order of entries, or under a second name.
    if write(&parts)? == bytes {
        Ok(parts)
    } else {
        Err(unreadable("it is not in the one form that is written"))
    }
}

fn too_large() -> String {
    format!("more than {MAX_DOSSIER} bytes")
}

fn unreadable(problem: impl std::fmt::Display) -> Reason {
    Code::DossierParse.reason().with("problem", problem)
}

/// A part by its name.
type Part = (String, Vec<u8>);

const DECISION: &str = "decision.sigstore.json";
const RUN: &str = "run.sigstore.json";
const STANDING: &str = "standing.sigstore.json";
const ROOT: &str = "trust/root.json";
const MANIFEST: &str = "artifact/manifest.json";
/// Before the payload digest of a statement.
const STATEMENTS: &str = "statements/";
/// Before the digest of the text.
const SIGNATURES: &str = "trust/signatures/";
/// Before the path in the delivery repository.
const DELIVERY: &str = "delivery/";

impl DossierParts {
    /// Every part by its name, in order of the names.
    fn list(&self) -> Vec<Part> {
        let one = [
            (DECISION.to_owned(), &self.decision),
            (RUN.to_owned(), &self.run),
            (ROOT.to_owned(), &self.root),
            (MANIFEST.to_owned(), &self.manifest),
        ];
        let one = one.into_iter().map(|(name, bytes)| (name, bytes.clone()));
        let statements = self
            .statements
            .iter()
            .map(|bundle| (format!("{STATEMENTS}{}", payload_digest(bundle).hex()), bundle.clone()));
        let files = self.files.iter().map(|(path, bytes)| (format!("{DELIVERY}{path}"), bytes.clone()));
        let signatures = self.root_signatures.iter().map(|text| {
            let bytes = text.as_bytes().to_vec();
            (format!("{SIGNATURES}{}", Digest::of(&bytes).hex()), bytes)
        });
        let standing = self.standing.iter().map(|bundle| (STANDING.to_owned(), bundle.clone()));
        let mut all: Vec<_> = one.chain(standing).chain(statements).chain(files).chain(signatures).collect();
        all.sort();
        all
    }

    fn from_list(blobs: Vec<Part>) -> Result<Self, String> {
        let mut parts = Self::default();
        let mut seen = BTreeSet::new();
        for (name, bytes) in blobs {
            parts.add(&name, bytes)?;
            seen.insert(name);
        }
        match [DECISION, RUN, ROOT, MANIFEST].iter().find(|name| !seen.contains(**name)) {
            Some(missing) => Err(format!("{missing} is missing")),
            None => Ok(parts),
        }
    }

    fn add(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), String> {
        let twice = match name {
            DECISION => !std::mem::replace(&mut self.decision, bytes).is_empty(),
            RUN => !std::mem::replace(&mut self.run, bytes).is_empty(),
            ROOT => !std::mem::replace(&mut self.root, bytes).is_empty(),
            MANIFEST => !std::mem::replace(&mut self.manifest, bytes).is_empty(),
            STANDING => self.standing.replace(bytes).is_some(),
            _ if name.starts_with(STATEMENTS) => !self.statements.insert(bytes),
            _ if name.starts_with(SIGNATURES) => {
                let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not text"))?;
                !self.root_signatures.insert(text)
            }
            _ => match name.strip_prefix(DELIVERY) {
                Some(path) => self.files.insert(path.to_owned(), bytes).is_some(),
                None => return Err(format!("{name} is no part of a dossier")),
            },
        };
        if twice { Err(format!("{name} stands twice")) } else { Ok(()) }
    }
}

/// The digest that a statement is named by; for what is no bundle, that of its bytes.
fn payload_digest(bundle: &[u8]) -> Digest {
    Bundle::parse(bundle).map_or_else(|_| Digest::of(bundle), |bundle| Digest::of(&bundle.envelope().payload))
}

//! VEX documents of the delivery repository: signed by people whom an environment names, they say that a vulnerability does
//! not matter in a package. A document that nobody of those signed says nothing.

use crate::{decide::Inputs, gather::Document};
use plimsoll_attest::sshsig::{self, SshKey};
use plimsoll_dependencies::vex::{self, Said, Statement};
use plimsoll_model::{Digest, removed};
use plimsoll_pipeline::Person;
use std::collections::BTreeSet;

/// Namespace of signatures over VEX documents, for `ssh-keygen -Y sign -n`.
pub const VEX_NAMESPACE: &str = "plimsoll-vex";
/// Signatures beside one document that are looked at.
const MAX_SIGNATURES: usize = 16;

/// A document that somebody signed who may.
#[derive(Debug)]
pub(super) struct SignedVex {
    /// SHA-256 of its bytes.
    pub(super) digest: Digest,
    /// Who signed it, each of them by name.
    people: BTreeSet<String>,
    statements: Vec<Statement>,
}

/// The documents of an environment, and why others do not count.
#[derive(Debug, Default)]
pub(super) struct Documents {
    signed: Vec<SignedVex>,
    /// The first that does not count, and why.
    pub(super) problem: Option<String>,
}

/// A statement that lets a finding stand.
pub(super) struct Cleared<'d> {
    /// The document.
    pub(super) document: &'d SignedVex,
    /// Who of those whom the environment names signed it.
    pub(super) person: &'d str,
    /// The statement.
    pub(super) statement: &'d Statement,
}

impl Documents {
    /// Reads and verifies every document by the keys of everybody whom some scan of the environment names.
    pub(super) fn of(inputs: &Inputs) -> Self {
        let scans = inputs.declared.require.scans.values();
        let named: BTreeSet<&String> = scans.flat_map(|scan| &scan.vex).collect();
        let people: Vec<&Person> =
            inputs.people.people.iter().filter(|person| named.contains(&person.name)).collect();
        let mut documents = Self::default();
        for document in &inputs.vex {
            match signed(document, &people) {
                Ok(document) => documents.signed.push(document),
                Err(problem) if documents.problem.is_none() => {
                    let name = Digest::of(&document.bytes).short();
                    documents.problem = Some(format!("the VEX document {name} does not count: {problem}"));
                }
                Err(_) => {}
            }
        }
        documents
    }

    /// What the documents of these `people` say about a package in a product.
    pub(super) fn said<'d>(
        &'d self,
        people: &'d BTreeSet<String>,
        names: &[&str],
        package: &str,
        product: &str,
    ) -> Result<Option<Cleared<'d>>, &'static str> {
        let signer = |document: &'d SignedVex| people.intersection(&document.people).next();
        let believed = || self.signed.iter().filter_map(|document| Some((document, signer(document)?)));
        let statements = believed().flat_map(|(document, _)| &document.statements);
        match vex::said(statements, names, package, Some(product)) {
            Said::Nothing => Ok(None),
            Said::Disputed => Err("VEX statements contradict each other"),
            Said::Clears(statement) => {
                let holds =
                    |document: &SignedVex| document.statements.iter().any(|one| std::ptr::eq(one, statement));
                let of = believed().find(|(document, _)| holds(document));
                Ok(of.map(|(document, person)| Cleared { document, person, statement }))
            }
        }
    }
}

fn signed(document: &Document, people: &[&Person]) -> Result<SignedVex, String> {
    let keys: Vec<SshKey> =
        people.iter().flat_map(|person| &person.ssh_keys).filter_map(|key| key.line.parse().ok()).collect();
    let mut signers = BTreeSet::new();
    let mut problem = "nobody signed it".to_owned();
    for armor in sshsig::armors(&document.signatures).take(MAX_SIGNATURES) {
        match sshsig::verify(&keys, VEX_NAMESPACE, &document.bytes, armor) {
            Ok(key) => {
                signers.extend(people.iter().filter(|person| has(person, &key)).map(|p| p.name.clone()))
            }
            Err(error) => problem = error.to_string(),
        }
    }
    if removed!("vex-signer") {
        signers.extend(people.iter().map(|person| person.name.clone()));
    }
    if signers.is_empty() {
        return Err(problem);
    }
    let statements = vex::read(&document.bytes).map_err(|error| error.to_string())?;
    Ok(SignedVex { digest: Digest::of(&document.bytes), people: signers, statements })
}

fn has(person: &Person, fingerprint: &str) -> bool {
    person.ssh_keys.iter().any(|key| key.fingerprint == fingerprint)
}

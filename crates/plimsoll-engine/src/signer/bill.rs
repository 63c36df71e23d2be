//! The list of what an artifact is made of. The files that name packages were read in a sandbox; what the build fetched and
//! which files the artifact has, the builder signed. The signer puts the two together and writes the document itself.

use super::{
    memory,
    protocol::CloseCheck,
    session::{OpenRun, unobserved},
};
use crate::{
    ports::{Blobs, JournalEntry},
    run::RunError,
};
use plimsoll_attest::statement::MAX_STATEMENT;
use plimsoll_attest::{
    Statement,
    predicate::{Provenance, Sbom, common::ResourceDigest, sbom::Hash},
};
use plimsoll_dependencies::sbom::{Bill, Subject};
use plimsoll_model::{Code, Digest, Reason, record::Material};

/// The statement, or why there is nothing that could be signed.
///
/// # Errors
/// When the journal names no provenance, or its bytes are not there.
pub(super) fn statement(
    run: &OpenRun,
    close: &CloseCheck,
    report: Option<&[u8]>,
    blobs: &dyn Blobs,
    entries: &[JournalEntry],
) -> Result<Result<Statement<Sbom>, Reason>, RunError> {
    let provenance = provenance(run, blobs, entries)?;
    Ok(listed(run, close, report, &provenance).and_then(|statement| match statement.to_bytes() {
        Ok(_) => Ok(statement),
        Err(error) => Err(refused(run, close, Code::EvidenceParse, &error)),
    }))
}

/// What the builder signed about the artifact of this run. That it did so stands in the journal, under the digest of the
/// bytes.
fn provenance(
    run: &OpenRun,
    blobs: &dyn Blobs,
    entries: &[JournalEntry],
) -> Result<Statement<Provenance>, RunError> {
    let digest = memory::provenance(run, entries)
        .ok_or_else(|| unobserved("the builder signed nothing about the artifact"))?;
    let bytes = blobs.read(&digest, MAX_STATEMENT as u64)?;
    Statement::from_bytes(&bytes).map_err(|error| RunError::internal("read the provenance", &error))
}

fn listed(
    run: &OpenRun,
    close: &CloseCheck,
    report: Option<&[u8]>,
    provenance: &Statement<Provenance>,
) -> Result<Statement<Sbom>, Reason> {
    if !close.observed.exit.is_success() {
        return Err(refused(run, close, Code::EvidenceErrored, &"its command ended with an error"));
    }
    let unreadable = |error: &dyn std::fmt::Display| refused(run, close, Code::EvidenceParse, error);
    let bytes = report.ok_or_else(|| unreadable(&"it left none"))?;
    let mut bill = Bill::from_json(bytes).map_err(|error| unreadable(&error))?;
    let (project, commit) = (&run.derived.plan.project, &run.open.commit);
    bill.subject = Subject { name: project.to_string(), version: commit.to_string() };
    bill.observe(&fetched(&provenance.predicate));
    let document = bill.cyclonedx(None).map_err(|error| unreadable(&error))?;
    let mut predicate: Sbom = serde_json::from_slice(&document).map_err(|error| unreadable(&error))?;
    predicate
        .metadata
        .tools
        .components
        .iter_mut()
        .for_each(|tool| tool.hashes = close.tool.iter().map(hash).collect());
    Ok(Statement { subject: provenance.subject.clone(), predicate })
}

/// What came in while the build could reach the network.
fn fetched(provenance: &Provenance) -> Vec<Material> {
    let inputs = provenance.build_definition.resolved_dependencies.iter();
    let materials = inputs.filter_map(|input| match (&input.uri, &input.digest) {
        (Some(uri), ResourceDigest::Sha256(digest)) => Some(Material { uri: uri.clone(), digest: *digest }),
        _ => None,
    });
    materials.collect()
}

fn hash(digest: &Digest) -> Hash {
    Hash { alg: "SHA-256".to_owned(), content: digest.hex() }
}

fn refused(run: &OpenRun, close: &CloseCheck, code: Code, problem: &dyn std::fmt::Display) -> Reason {
    let reason = code.reason().with("check", &close.check).with("detail", problem);
    reason.with("run", &run.open.run)
}

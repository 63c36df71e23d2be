//! Artifacts out of frozen outputs, and back.

use super::StoreError;
use crate::signer::protocol::ArtifactRecord;
use plimsoll_model::{Digest, Timestamp, Tree};
use plimsoll_pipeline::ArtifactSpec;

/// Assembles artifacts. The same arguments give the same digest on every machine.
pub trait Assemble: Send + Sync {
    /// Assembles an artifact from outputs whose content is in the store.
    ///
    /// # Errors
    /// `E-OUT-MISSING`, `E-OUT-KIND`, `E-ART-INTERPRETER`, `E-ART-BASE`, and failures of the store.
    fn assemble(
        &self,
        spec: &ArtifactSpec,
        outputs: &Tree,
        created: Timestamp,
    ) -> Result<ArtifactRecord, StoreError>;

    /// The files of an artifact, as they are unpacked.
    ///
    /// # Errors
    /// When the artifact is not in the store or cannot be read.
    fn tree(&self, manifest: &Digest) -> Result<Tree, StoreError>;
}

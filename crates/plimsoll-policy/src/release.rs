//! What would run: a release, by digest.

use plimsoll_model::{Digest, jcs};
use serde::{Deserialize, Serialize};

/// Everything that would run, and nothing that names it. Its digest is that of its canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Manifest of the artifact.
    pub artifact: Digest,
    /// The tree below `config/` of this project@environment.
    pub config: Digest,
    /// `target.yaml` of this project@environment, as bytes.
    pub target: Digest,
    /// Manifests for the target, by digest, in order.
    pub manifests: Vec<Digest>,
    /// Names of secrets that the release refers to, sorted; never their values.
    pub secrets: Vec<String>,
}

impl Release {
    /// The digest that decisions, permits and supervisors name.
    ///
    /// # Errors
    /// Never in practice: every part has a JSON form.
    pub fn digest(&self) -> Result<Digest, jcs::JcsError> {
        jcs::digest(self)
    }
}

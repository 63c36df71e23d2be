//! Short ways to say why a repository is refused.

use gix_hash::ObjectId;
use plimsoll_engine::ports::SourceError;
use plimsoll_model::{Code, CommitId};
use std::{fmt::Display, path::Path};

/// `E-SRC-OBJECT` about one object.
pub(crate) fn bad_object(id: &ObjectId, problem: impl Display) -> SourceError {
    Code::SrcObject.reason().with("object", id).with("problem", problem).into()
}

/// `E-SRC-PATH`: `path` may be foreign bytes, which the reason disarms.
pub(crate) fn bad_path(commit: &CommitId, path: impl Display) -> SourceError {
    Code::SrcPath.reason().with("commit", commit).with("path", path).into()
}

/// `E-SRC-REVISION`.
pub(crate) fn bad_revision(revision: impl Display, path: &Path) -> SourceError {
    Code::SrcRevision.reason().with("revision", revision).with("path", path.display()).into()
}

/// A failure that is not a refusal.
pub(crate) fn failed(action: impl Into<String>, problem: impl Display) -> SourceError {
    SourceError::Failed { action: action.into(), problem: problem.to_string() }
}

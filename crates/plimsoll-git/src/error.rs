//! Short ways to say why a repository is refused.

use gix_hash::ObjectId;
use plimsoll_engine::ports::SourceError;
use plimsoll_model::{Code, CommitId};
use std::{fmt::Display, io, path::Path};

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

/// A failure to write below `directory`. A disk that takes nothing more is `E-STATE-FULL`.
pub(crate) fn not_stored(action: &str, directory: &Path, error: &io::Error) -> SourceError {
    let problem = match error.kind() {
        io::ErrorKind::StorageFull => FULL,
        io::ErrorKind::QuotaExceeded => "the disk quota is used up",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        io::ErrorKind::FileTooLarge => "the file would be larger than allowed",
        _ => return failed(action, error),
    };
    full(directory, problem)
}

/// `E-STATE-FULL`.
pub(crate) fn full(directory: &Path, problem: &str) -> SourceError {
    Code::StateFull.reason().with("path", directory.display()).with("problem", problem).into()
}

/// What is said of a disk without room.
pub(crate) const FULL: &str = "no space is left on the device";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_takes_nothing_more_is_a_refusal_and_nothing_else_is() {
        let code = |errno| match not_stored("store", Path::new("/m"), &io::Error::from_raw_os_error(errno)) {
            SourceError::Refused(reason) => Some(reason.code),
            SourceError::Failed { .. } => None,
        };
        for (name, errno) in [("EFBIG", 27), ("ENOSPC", 28), ("EROFS", 30), ("EDQUOT", 122)] {
            assert_eq!(code(errno), Some(Code::StateFull), "{name}");
        }
        assert_eq!((code(2), code(5), code(13)), (None, None, None));
    }
}

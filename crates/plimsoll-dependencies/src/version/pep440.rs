//! Python's versions (PEP 440, "Version scheme").

pub(super) use pep440_rs::Version;

/// Reads a version in any spelling that PEP 440 normalises.
pub(super) fn parse(text: &str) -> Option<Version> {
    text.parse().ok()
}

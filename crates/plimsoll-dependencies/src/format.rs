//! The formats that are read: how each is told from others, and which reader takes it.

use crate::{component::Graph, inventory::MAX_BYTES, lock};

/// Why a file could not be read: one line, for the coverage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

impl Unreadable {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// `Cargo.lock`
    CargoLock,
}

impl Format {
    /// The format of the file at `path`, by its name.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name {
            "Cargo.lock" => Some(Self::CargoLock),
            _ => None,
        }
    }

    /// The format of a file, by its name or by how it begins.
    pub(crate) fn of(path: &str, _bytes: &[u8]) -> Option<Self> {
        Self::of_path(path)
    }

    /// Its name for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CargoLock => "Cargo.lock",
        }
    }

    pub(crate) fn read(self, path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
        if bytes.len() > MAX_BYTES {
            return Err(Unreadable::new(format!("it has {} bytes; {MAX_BYTES} are read", bytes.len())));
        }
        match self {
            Self::CargoLock => lock::cargo::read(path, bytes),
        }
    }
}

//! The tools behind foreign scanners, as this machine has them.

use super::Mount;
use plimsoll_model::Digest;
use plimsoll_pipeline::adapter::AdapterTool;
use std::path::PathBuf;

/// A tool that was found and hashed.
#[derive(Debug, Clone)]
pub struct FoundTool {
    /// The executable inside the sandbox, absolute.
    pub program: String,
    /// What of the host the tool needs beside the toolchain, read-only.
    pub mounts: Vec<Mount>,
    /// SHA-256 of what its manifest says identifies it.
    pub digest: Digest,
}

/// Why a tool cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ToolProblem(pub String);

/// Finds tools. What it hashes is what it gives to be mounted.
pub trait Tools: Send + Sync {
    /// The tool of a manifest.
    ///
    /// # Errors
    /// When it is not on this machine, or cannot be told apart from what is not part of it.
    fn find(&self, tool: &AdapterTool) -> Result<FoundTool, ToolProblem>;

    /// A directory of data, to be mounted, and its digest.
    ///
    /// # Errors
    /// When it is not there.
    fn data(&self, directory: &str) -> Result<(PathBuf, Digest), ToolProblem>;
}

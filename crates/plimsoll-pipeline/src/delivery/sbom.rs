//! `require: sbom:`: whether a release must list what it is made of, and how complete that list must be.

use crate::read::words;
use serde::{Deserialize, Serialize};

/// What is asked of the list of what an artifact is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequireSbom {
    /// There is one; what it lacks, it says.
    Any,
    /// There is one that lacks nothing.
    Complete,
}

words!(RequireSbom { "any" => Self::Any, "complete" => Self::Complete });

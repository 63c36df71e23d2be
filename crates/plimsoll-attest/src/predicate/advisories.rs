//! A compiled index of advisories, as it was made on one machine. The subject is the file of the index.

use super::Predicate;
use crate::limits;
use plimsoll_model::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// Ecosystems, and sources, that one statement lists.
pub const MAX_LISTED: usize = 1000;

/// One import of advisories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advisories {
    /// Version of this shape; 1.
    #[serde(deserialize_with = "limits::version")]
    pub schema: u32,
    /// Digest of the head of the index, which decides every byte of it and is its name in reports.
    pub index: Digest,
    /// When its newest record was changed at its source.
    pub updated: Timestamp,
    /// When it was made, by the local clock.
    pub imported: Timestamp,
    /// What it was made from, for people: a commit, or the digest of an archive.
    #[serde(deserialize_with = "limits::list::<MAX_LISTED, _, _>")]
    pub sources: Vec<String>,
    /// Ecosystems that it is about.
    #[serde(deserialize_with = "limits::list::<MAX_LISTED, _, _>")]
    pub ecosystems: Vec<String>,
    /// Advisories in it.
    pub advisories: u64,
    /// Records that were left out because their publisher took them back.
    pub withdrawn: u64,
    /// Records that were left out because they could not be read.
    pub unreadable: u64,
    /// Vulnerabilities that are known to be exploited, of those that were asked about.
    pub exploited: u64,
    /// Vulnerabilities with a prediction.
    pub predicted: u64,
}

impl Predicate for Advisories {
    const TYPE: &'static str = "https://plimsoll.dev/advisories/v1";
}

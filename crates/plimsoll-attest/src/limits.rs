//! Limits on what is read into predicates and signed documents: versions, lengths and counts. They hold for writing too,
//! since both are written only if reading them gives the same value.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::{BTreeMap, BTreeSet};

/// Characters of one line of foreign text; what makes text printable cuts it there, and adds a sign that it did.
const MAX_TEXT: usize = 1001;

/// The one version of a shape that is known.
pub(crate) fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        1 => Ok(1),
        other => Err(D::Error::custom(format!("version {other} of its form is not known: expected 1"))),
    }
}

/// A text of at most [`MAX_TEXT`] characters.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.chars().nth(MAX_TEXT) {
        None => Ok(text),
        Some(_) => Err(D::Error::custom(format!("a text has more than {MAX_TEXT} characters"))),
    }
}

/// A list of at most `N` items.
pub(crate) fn list<'de, const N: usize, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let items = Vec::deserialize(deserializer)?;
    if items.len() > N { Err(too_many(N)) } else { Ok(items) }
}

/// A set of at most `N` texts.
pub(crate) fn set<'de, const N: usize, D: Deserializer<'de>, T: Deserialize<'de> + Ord>(
    deserializer: D,
) -> Result<BTreeSet<T>, D::Error> {
    let items = BTreeSet::deserialize(deserializer)?;
    if items.len() > N { Err(too_many(N)) } else { Ok(items) }
}

/// A map of at most `N` entries.
pub(crate) fn map<'de, const N: usize, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let items = BTreeMap::deserialize(deserializer)?;
    if items.len() > N { Err(too_many(N)) } else { Ok(items) }
}

fn too_many<E: serde::de::Error>(limit: usize) -> E {
    E::custom(format!("a list has more than {limit} entries"))
}

//! Limits on what is read into a predicate: versions, lengths and counts. They hold for writing too, since a statement
//! is written only if reading it gives the same value.

use serde::{Deserialize, Deserializer, de::Error as _};
use std::collections::BTreeSet;

/// Characters of one line of foreign text; what makes text printable cuts it there, and adds a sign that it did.
const MAX_TEXT: usize = 1001;

/// The one version of the shape that is known.
pub(super) fn schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        1 => Ok(1),
        other => Err(D::Error::custom(format!("schema {other} is not known: expected 1"))),
    }
}

/// A text of at most [`MAX_TEXT`] characters.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.chars().nth(MAX_TEXT) {
        None => Ok(text),
        Some(_) => Err(D::Error::custom(format!("a text has more than {MAX_TEXT} characters"))),
    }
}

/// A list of at most `N` items.
pub(super) fn list<'de, const N: usize, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let items = Vec::deserialize(deserializer)?;
    if items.len() > N { Err(too_many(N)) } else { Ok(items) }
}

/// A set of at most `N` texts.
pub(super) fn set<'de, const N: usize, D: Deserializer<'de>, T: Deserialize<'de> + Ord>(
    deserializer: D,
) -> Result<BTreeSet<T>, D::Error> {
    let items = BTreeSet::deserialize(deserializer)?;
    if items.len() > N { Err(too_many(N)) } else { Ok(items) }
}

fn too_many<E: serde::de::Error>(limit: usize) -> E {
    E::custom(format!("a list has more than {limit} entries"))
}

//! History by parents alone: neither grafts nor the commit graph nor any date is believed.

use crate::{Limits, commit::Parsed, error::bad_object, objects::Objects};
use gix_hash::ObjectId;
use gix_object::Kind;
use plimsoll_engine::ports::SourceError;
use std::collections::HashSet;

/// Whether `ancestor` is `commit` or reachable from it.
///
/// # Errors
/// `E-SRC-OBJECT` when a commit on the way is missing or not what its id says, or there are more than `limits.history`.
pub(crate) fn is_ancestor(
    objects: &Objects,
    ancestor: ObjectId,
    commit: ObjectId,
    limits: Limits,
) -> Result<bool, SourceError> {
    objects.read(&ancestor, Kind::Commit)?;
    let mut seen = HashSet::from([commit]);
    let mut open = vec![commit];
    while let Some(id) = open.pop() {
        if id == ancestor {
            return Ok(true);
        }
        if seen.len() > limits.history {
            return Err(bad_object(&id, format!("its history has more than {} commits", limits.history)));
        }
        let content = objects.read(&id, Kind::Commit)?;
        open.extend(Parsed::new(id, &content)?.parents().filter(|parent| seen.insert(*parent)));
    }
    Ok(false)
}

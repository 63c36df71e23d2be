//! The journal as a stranger checks it: every line names the digest of the line before it.

use crate::world::{World, text};
use plimsoll_model::Digest;
use serde_json::Value;
use std::fs;

/// The entries of a journal whose chain holds.
pub(crate) fn entries(world: &World) -> Vec<Value> {
    let bytes = fs::read_to_string(world.state().join("journal.jsonl")).expect("a journal");
    let mut previous = Digest::of(b"").to_string();
    let mut entries = Vec::new();
    for line in bytes.lines() {
        let entry: Value = serde_json::from_str(line).expect("an entry");
        assert_eq!(text(&entry["previous"]), previous, "entry {}", entries.len());
        assert_eq!(entry["index"], entries.len());
        previous = Digest::of(line.as_bytes()).to_string();
        entries.push(entry);
    }
    entries
}

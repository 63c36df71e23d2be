//! The reader against real repositories, made by the real `git` and then, often, tampered with.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a scenario that cannot be set up must fail")]

mod blobs;
mod changes;
mod configuration;
mod corruption;
mod discovery;
mod export;
mod history;
mod listing;
mod mirror;
mod paths;
mod revisions;
mod signatures;
mod staged;
mod support;
mod uncommitted;

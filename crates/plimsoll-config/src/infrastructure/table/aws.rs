//! Amazon Web Services.

mod compute;
mod containers;
mod data;
mod identity;
mod keys;
mod network;
mod storage;

use super::Entry;

/// In order of the service.
pub(super) static ENTRIES: [&[Entry]; 7] = [
    storage::ENTRIES,
    compute::ENTRIES,
    data::ENTRIES,
    keys::ENTRIES,
    containers::ENTRIES,
    network::ENTRIES,
    identity::ENTRIES,
];

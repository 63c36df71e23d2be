//! Brings in what lock files pin, and nothing else (docs/concepts.md, "Fetch"). No project code and no configuration of
//! a project meets a network here; what comes out is hashed against the lock file before anything uses it.

mod archives;
pub mod cargo;
mod error;
pub mod lock;
mod manifests;
pub mod registries;
#[cfg(test)]
mod tests;

pub use cargo::CargoFetch;
pub use error::FetchError;
pub use lock::{Lock, LockedPackage};
pub use registries::{BuiltIn, ClientConfig, Registries};

use plimsoll_model::record::{IsolationRecord, Material, NetworkEvent, NetworkMode};
use std::path::PathBuf;

/// What a fetch brought in.
#[derive(Debug)]
pub struct Fetched {
    /// Every archive, sorted; each is in the store.
    pub materials: Vec<Material>,
    /// How it came in.
    pub network: NetworkMode,
    /// The packages on the host, and the client's configuration that makes a build use them; none where nothing is
    /// needed.
    pub vendor: Option<(PathBuf, String)>,
    /// Every connection that was asked for.
    pub events: Vec<NetworkEvent>,
    /// How many connections there were beyond those that are recorded.
    pub unrecorded: u64,
    /// How the client was isolated; none where nothing was started.
    pub isolation: Option<IsolationRecord>,
}

impl Fetched {
    /// What a project without foreign packages gets.
    const fn nothing() -> Self {
        Self {
            materials: Vec::new(),
            network: NetworkMode::None,
            vendor: None,
            events: Vec::new(),
            unrecorded: 0,
            isolation: None,
        }
    }
}

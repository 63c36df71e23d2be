//! Runs plans. The engine owns the port traits that adapters implement, the one run loop, and the derivations that a
//! signer makes for itself. It never prints, never reads flags or the environment, and never talks to a vendor.

pub mod conformance;
pub mod delivery;
pub mod delta;
pub mod derive;
pub mod fetch;
pub mod gate;
pub mod ports;
pub mod promoted;
pub mod run;
pub mod signer;

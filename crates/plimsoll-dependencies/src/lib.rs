//! What a tree or an artifact depends on, read from lock files without executing anything; the SBOM that says so, with how
//! complete it is; and what advisories know about it, by their own version ranges.

mod artifact;
pub mod component;
mod format;
pub mod inventory;
mod lock;
pub mod purl;
pub mod sbom;
mod tree;

pub mod advisory;
pub mod index;
pub mod license;
pub mod matching;
pub mod rules;
pub mod version;
pub mod vex;

pub use component::{Completeness, Component, Ecosystem, Graph, Scope, Source};
pub use format::{Format, Unreadable};
pub use index::{Bytes, Index, IndexError};
pub use inventory::{Found, Inventory};
pub use rules::rules;

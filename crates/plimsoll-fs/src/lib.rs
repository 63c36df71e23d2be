//! The one walker (docs/concepts.md, "Freezing"): freezes what a step left behind, writes trees out again, hands out
//! executables whose bytes cannot change any more, and lists files for whoever only looks. Every path is opened below a descriptor with `openat2(2)`; no
//! symbolic link is ever followed and no mount ever crossed.

mod beneath;
mod directory;
mod error;
mod freeze;
mod list;
mod own;
mod seal;
mod write;

pub use beneath::{Opened, open_beneath};
pub use directory::{create_directory, remove_tree};
pub use error::FsError;
pub use freeze::{HardLinks, Limits, Select, Sink, freeze, hash_tree};
pub use list::{Listing, Standing, list, open_directory, open_listed};
pub use own::{make_own, open_own, open_own_beneath};
pub use seal::{open_and_hash, sealed_copy};
pub use write::{Contents, settle, write_tree};

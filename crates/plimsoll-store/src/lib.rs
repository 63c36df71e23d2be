//! The state directory: content by digest in one valid OCI image layout, the journal, and the records of runs; and the
//! assembly of artifacts out of content. Everything here survives `kill -9` as the old or the new state.
//!
//! ```text
//! <state>/format.json      {"version":1}
//! <state>/lock             held by the one writer; its process id and command
//! <state>/index.lock       held while the layout's index is replaced
//! <state>/journal.jsonl    one line of canonical JSON per entry, hash-chained
//! <state>/layout/          an OCI image layout: oci-layout, index.json, blobs/sha256/<hex>
//! <state>/runs/<run id>/   documents and logs of one run
//! <state>/tmp/             what is not whole yet; emptied by the next writer
//! ```

pub mod artifact;
mod blob;
mod durable;
mod export;
mod hashed;
mod index;
mod journal;
mod layout;
pub mod oci;
mod referrer;
mod runs;
mod staging;
mod state;

pub use index::IndexEntry;
pub use journal::FileJournal;
pub use layout::Layout;
pub use referrer::{Referrer, bundle_referrer, dossier_referrer};
pub use runs::{RunDirectory, Runs};
pub use staging::Staging;
pub use state::StateDir;

//! Reads commits, files and signatures from a git repository that nobody trusts. The repository's configuration,
//! hooks, filters, replace refs, grafts and commit graph are never read; every object is hashed again and compared with
//! the id that named it. Nothing of the repository is ever executed. The delivery repository is mirrored and proposed to
//! by the real git, behind the same reader.

mod ancestry;
mod changes;
mod commit;
mod discover;
mod error;
mod export;
mod history;
mod hooks;
mod limits;
mod listing;
mod mirror;
mod objects;
mod origin;
mod process;
mod range;
mod refs;
mod signature;
mod small;
mod source;
mod staged;
mod status;
mod tree;

pub use history::{Base, Blob, Change, History, Hit, Look, Pushed};
pub use hooks::{Hooks, hooks};
pub use limits::Limits;
pub use listing::{listed, unsaved};
pub use mirror::{Bounds, DeliveryMirror, Identity, Place, Proposal, ProposeError, Transport};
pub use source::GitSource;
pub use staged::{Staged, staged};

//! Role keys and the signer process: the one place that holds secret keys, and the pipe through which it is asked.
//! What is signed is decided by the engine's `signer` module, never here; this crate has no way to sign given bytes
//! for a caller in another process.

pub mod keys;
pub mod process;

pub use keys::{KeyError, RoleKey, RoleKeys};
pub use process::{SignerProcess, serve};

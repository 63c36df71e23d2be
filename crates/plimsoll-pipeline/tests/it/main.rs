//! What needs the work tree or a real peer: golden files in `docs/`, and the binaries that Cargo itself would build.
#![expect(
    clippy::disallowed_methods,
    reason = "these tests read files and start cargo; the library does not"
)]

mod cargo;
mod golden;

/// How a test ends that needs the operating system.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

//! Readers over lock files of the real tools, and what is written from them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "fixtures are files, and one that cannot be read must fail"
)]

mod artifacts;
mod hostile;
mod oracle;
mod readers;
mod sample;
mod show;

//! Runs one command in fresh Linux namespaces, with nothing in reach but what the plan lists. This crate implements the
//! engine's `Sandbox` port; all unsafe code of the project lives here. It never looks at what a command means.
//!
//! Every binary that starts sandboxes must call [`init_if_asked`] first thing in `main`: the sandbox's own processes are
//! the same binary, started again.

mod cgroup;
mod channel;
mod diagnose;
mod inside;
mod linux;
mod manifest;
mod running;
mod seccomp;
mod sys;
pub mod toolchain;
mod tools;
mod wire;

pub use inside::{INIT_ARGUMENT, init_if_asked};
pub use linux::{LinuxSandbox, Options, RESERVED_ID};
pub use manifest::ToolchainManifest;
pub use tools::HostTools;

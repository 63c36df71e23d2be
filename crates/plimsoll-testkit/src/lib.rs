//! Fixtures that tests of several crates share: throw-away git repositories made by the real `git`, and SSH keys made
//! by the real `ssh-keygen`. A fixture that cannot be made panics, since the test behind it could say nothing.
#![expect(clippy::expect_used, clippy::panic, reason = "a fixture that cannot be made must end its test")]

mod command;
mod key;
mod repository;

pub use key::SshKey;
pub use repository::GitFixture;

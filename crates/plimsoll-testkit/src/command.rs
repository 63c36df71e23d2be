//! Starts the real tools with an environment that holds nothing of the caller's.

use std::{ffi::OsStr, path::Path, process::Command};

/// A command for `program` with an empty environment, except for a search path and a `HOME` of its own.
pub(crate) fn isolated(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", home)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC");
    command
}

/// Runs the command to its end and gives what it wrote.
///
/// # Panics
/// When the command does not start or does not succeed.
pub(crate) fn output(command: &mut Command) -> Vec<u8> {
    let output =
        command.output().unwrap_or_else(|error| panic!("{} does not start: {error}", shown(command)));
    assert!(
        output.status.success(),
        "{} ended with {}: {}",
        shown(command),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

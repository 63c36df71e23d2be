//! Runs the real `git` for what is only shown to people, where nothing of a repository can make it run anything.

use crate::error::failed;
use plimsoll_engine::ports::SourceError;
use std::{
    io::{Read, Write},
    path::Path,
    process::{Command, Stdio},
};

/// Most bytes of an answer.
const ANSWER_LIMIT: u64 = 64 << 20;

/// A `git` that reads no configuration of the system, the user or the environment, and asks nobody anything. `home` is
/// its working directory as well, and should be empty.
pub(crate) fn git(home: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(home)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", home)
        .env("LC_ALL", "C")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_CEILING_DIRECTORIES", "/")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        // A missing object is not fetched: no transport is allowed.
        .env("GIT_ALLOW_PROTOCOL", "")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .args(["--no-pager", "--no-optional-locks"]);
    command
}

/// Gives `input` to the command and takes what it writes, if it succeeds.
///
/// # Errors
/// When it does not start, fails, or writes more than 64 MiB.
pub(crate) fn answer(command: &mut Command, input: &[u8]) -> Result<Vec<u8>, SourceError> {
    let problem = |error: std::io::Error| failed("ask git", error);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(problem)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A git that does not read to the end has its reason, which its exit status tells.
        stdin.write_all(input).ok();
    }
    let mut written = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(ANSWER_LIMIT + 1).read_to_end(&mut written).map_err(problem)?;
    }
    if written.len() as u64 > ANSWER_LIMIT {
        child.kill().map_err(problem)?;
    }
    let status = child.wait().map_err(problem)?;
    if !status.success() {
        return Err(failed("ask git", format!("it ended with {status}")));
    }
    Ok(written)
}

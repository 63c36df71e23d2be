//! Runs the real git where it speaks with another repository: in a process group of its own, for a bounded time, with a
//! bounded answer, and watching how much it stores.

use super::Bounds;
use crate::error::failed;
use plimsoll_engine::ports::SourceError;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    fs,
    io::Read,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Most bytes of each stream of an answer. A git that writes more loses its reader and ends.
const ANSWER: u64 = 16 << 20;
/// How often time and size are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How a git ended by itself.
pub(crate) struct Finished {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the command to its end. Whatever it started ends with it.
///
/// # Errors
/// When it does not start, or is stopped because it took longer or stored more below `watched` than `bounds` allow.
pub(crate) fn run(command: &mut Command, watched: &Path, bounds: Bounds) -> Result<Finished, SourceError> {
    let problem = |problem: &dyn std::fmt::Display| failed("run git", problem);
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| problem(&error))?;
    let (running, ended) = channel();
    let stdout = child.stdout.take().map(|stream| collect(stream, running.clone()));
    let stderr = child.stderr.take().map(|stream| collect(stream, running));
    let stopped = watch(&ended, watched, bounds);
    if stopped.is_err() {
        // It may have ended between the look and this.
        kill_process_group(Pid::from_child(&child), Signal::KILL).ok();
    }
    let status = child.wait().map_err(|error| problem(&error))?;
    let text = |reader: Option<JoinHandle<Vec<u8>>>| {
        let bytes = reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (stdout, stderr) = (text(stdout), text(stderr));
    stopped.map_err(|stopped| problem(&stopped))?;
    Ok(Finished { success: status.success(), stdout, stderr })
}

/// Reads a stream to its end, which is when every process that could write to it has ended.
fn collect(stream: impl Read + Send + 'static, running: Sender<()>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is all there is to show.
        stream.take(ANSWER).read_to_end(&mut bytes).ok();
        drop(running);
        bytes
    })
}

fn watch(ended: &Receiver<()>, watched: &Path, bounds: Bounds) -> Result<(), String> {
    let started = Instant::now();
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK) {
        if started.elapsed() > bounds.time {
            return Err(format!("it did not end within {} s", bounds.time.as_secs_f32()));
        }
        if stored(watched) > bounds.bytes {
            return Err(format!("the repository sends more than {} bytes", bounds.bytes));
        }
    }
    Ok(())
}

/// Sum of the files below a directory that others change at the same time.
fn stored(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => stored(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

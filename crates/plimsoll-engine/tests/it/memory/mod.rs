//! The ports of the engine, in memory.

mod sandbox;
mod source;
mod store;

pub(crate) use sandbox::{Act, Scripted, isolation};
pub(crate) use source::{Commit, MemorySource, commit_id};
pub(crate) use store::{MemoryAssemble, MemoryBlobs, MemoryJournal};

use plimsoll_engine::ports::{Egress, EgressRules, EgressSession, FoundTool, ToolProblem, Tools};
use plimsoll_model::{Digest, RelPath, Timestamp};
use plimsoll_pipeline::adapter::AdapterTool;
use std::{
    io,
    net::TcpListener,
    path::PathBuf,
    sync::atomic::{AtomicI64, Ordering},
};

pub(crate) fn path(text: &str) -> RelPath {
    text.parse().unwrap()
}

/// A clock that goes on by a second whenever somebody looks.
pub(crate) fn clock() -> Timestamp {
    static SECONDS: AtomicI64 = AtomicI64::new(1_800_000_000);
    Timestamp::from_second(SECONDS.fetch_add(1, Ordering::Relaxed)).unwrap()
}

/// There is no way out.
pub(crate) struct NoEgress;

/// A machine without foreign scanners.
pub(crate) struct NoTools;

impl Tools for NoTools {
    fn find(&self, _: &AdapterTool) -> Result<FoundTool, ToolProblem> {
        Err(ToolProblem("it is in no directory of PATH".into()))
    }

    fn data(&self, directory: &str) -> Result<(PathBuf, Digest), ToolProblem> {
        Err(ToolProblem(format!("{directory} is not there")))
    }
}

impl Egress for NoEgress {
    fn serve(&self, _: TcpListener, _: EgressRules) -> io::Result<Box<dyn EgressSession>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

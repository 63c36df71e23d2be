//! Unpacking an artifact in a process of its own: archives are foreign bytes, so whoever reads them has nothing. It runs
//! in a sandbox that shows it the blobs of this one artifact and a directory to write to. What it took out of them is
//! read back here by the one walker, which believes nothing but digests.

use crate::{data, failure::Failure};
use plimsoll_engine::ports::{Blobs as _, Exit, Limits, Mount, Network, Sandbox, SandboxPlan};
use plimsoll_fs::{FsError, Opened, open_beneath, remove_tree};
use plimsoll_model::{Digest, Reason, RelPath, Tree, reason::printable};
use plimsoll_sandbox::toolchain::toolchain_mounts;
use plimsoll_store::{Layout, StateDir, artifact};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
    time::Duration,
};

/// Where the unpacker finds the artifact's blobs, and where it puts what it takes out of them.
const BLOBS: &str = "/blobs";
const OUT: &str = "/unpacked";
/// The directory of one unpacker beside the release that it is for.
const DIRECTORY: &str = "unpacked";
/// The file with the tree.
pub(crate) const TREE: &str = "tree.json";
/// Bytes of that file.
const TREE_LIMIT: u64 = 256 << 20;
/// Bytes that an unpacker may say.
const LOG: u64 = 1 << 20;
/// Characters of a problem.
const PROBLEM: usize = 500;

/// What an unpacker says on its standard output when it does not come to its end.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Told {
    Refused { reasons: Vec<Reason> },
    Broken { problem: String },
}

/// What was taken out of an artifact. Dropping it removes it.
pub(crate) struct Unpacked<'a> {
    state: &'a StateDir,
    above: OwnedFd,
    directory: OwnedFd,
    /// The artifact's files, as the unpacker says.
    pub(crate) tree: Tree,
}

impl<'a> Unpacked<'a> {
    /// Unpacks an artifact into a directory of its own below `above`, which is also known as `path`. All of it, or
    /// nothing.
    ///
    /// # Errors
    /// What the unpacker refuses, as `E-DIGEST` and `E-STATE-FULL`; archives that hold what has no place in a tree; when
    /// it was killed or its sandbox cannot be made.
    pub(crate) fn unpack(
        state: &'a StateDir,
        artifact: &Digest,
        sandbox: &dyn Sandbox,
        (above, path): (OwnedFd, &Path),
    ) -> Result<Self, Failure> {
        let failed = |error: &(dyn std::error::Error + 'static)| broken(error);
        data::make(&path.join(DIRECTORY)).map_err(|error| failed(&error))?;
        let directory = open_beneath(above.as_fd(), &name(DIRECTORY)?, Opened::Directory)?;
        let mut unpacked = Self { state, above, directory, tree: Tree::default() };
        run(sandbox, &plan(state.layout(), artifact, &path.join(DIRECTORY))?)?;
        let file = File::from(open_beneath(unpacked.directory.as_fd(), &name(TREE)?, Opened::File)?);
        let mut text = Vec::new();
        file.take(TREE_LIMIT).read_to_end(&mut text).map_err(|error| failed(&error))?;
        unpacked.tree = serde_json::from_slice(&text).map_err(|error| failed(&error))?;
        Ok(unpacked)
    }

    /// The content of a file of the artifact, unchecked.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn content(&self, digest: &Digest) -> Result<Box<dyn Read>, FsError> {
        let unpacked =
            digest.hex().parse().map_err(|error| FsError::io("name a file", io::Error::other(error)));
        match unpacked.and_then(|name| open_beneath(self.directory.as_fd(), &name, Opened::File)) {
            Ok(file) => Ok(Box::new(File::from(file))),
            // The files of an artifact of files are blobs themselves.
            Err(_) => Ok(Box::new(self.state.layout().open(digest)?)),
        }
    }
}

impl Drop for Unpacked<'_> {
    fn drop(&mut self) {
        // What cannot be removed goes with the release.
        let _ = name(DIRECTORY).map(|name| remove_tree(self.above.as_fd(), &name));
    }
}

fn name(name: &str) -> Result<RelPath, Failure> {
    name.parse().map_err(|error| broken(&error))
}

fn broken(error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::broken("the artifact cannot be unpacked", error)
}

/// The blobs of one artifact to read, one directory to write, and the host's libraries for this program itself.
fn plan(layout: &Layout, artifact: &Digest, directory: &Path) -> Result<SandboxPlan, Failure> {
    let mut mounts = toolchain_mounts(&[], None).map_err(|error| broken(&error))?;
    let content = r#"{"imageLayoutVersion":"1.0.0"}"#.to_owned();
    mounts.push(Mount::File { target: format!("{BLOBS}/oci-layout"), content });
    let blobs = artifact::blobs(layout, artifact)?.into_iter().map(|digest| Mount::ReadOnly {
        source: layout.blob(&digest),
        target: format!("{BLOBS}/blobs/sha256/{}", digest.hex()),
    });
    mounts.extend(blobs);
    mounts.push(Mount::Persistent { source: directory.to_owned(), target: OUT.into() });
    let argv =
        ["plimsoll", "--state", "/", "__unpacker", &artifact.to_string(), "--from", BLOBS, "--to", OUT];
    Ok(SandboxPlan {
        argv: argv.map(str::to_owned).into(),
        env: BTreeMap::new(),
        cwd: "/".into(),
        mounts,
        network: Network::None,
        limits: Limits {
            wall: Some(Duration::from_secs(30 * 60)),
            memory: 2 << 30,
            processes: 16,
            log: LOG,
            output: 1 << 20,
            output_entries: 100,
        },
    })
}

/// Runs the unpacker to its end.
fn run(sandbox: &dyn Sandbox, plan: &SandboxPlan) -> Result<(), Failure> {
    let this = File::open("/proc/self/exe").map_err(|error| broken(&error))?;
    let running = sandbox.start(plan, Some(this.into()))?;
    let mut said = Vec::new();
    let finished = running.wait(&mut |_, bytes| said.extend_from_slice(bytes))?;
    match (finished.exit, serde_json::from_slice(&said)) {
        (Exit::Status(0), _) => Ok(()),
        (Exit::Status(_), Ok(Told::Refused { reasons })) => Err(Failure::Refused(reasons)),
        (Exit::Status(_), Ok(Told::Broken { problem })) => {
            Err(Failure::Broken { what: printable(&problem, PROBLEM), next: None })
        }
        (exit, _) => {
            let said = printable(&String::from_utf8_lossy(&said), PROBLEM);
            Err(Failure::Broken { what: format!("the unpacker ended: {exit}: {said}"), next: None })
        }
    }
}

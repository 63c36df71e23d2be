//! Plimsoll's sandbox, driven through its crate as the engine drives it: from a process that is already warm.

use super::{
    Bench, Measurement,
    case::{Case, Side},
    peers,
};
use crate::project::Result;
use plimsoll_engine::ports::{Exit, Limits, Mount, Network, Sandbox, SandboxPlan};
use std::{collections::BTreeMap, path::Path};

/// `/bin/true` in a fresh sandbox.
pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    Ok(vec![
        start(Some(1.2), 101, peers::bubblewrap())?,
        start(None, 51, peers::runc(&bench.scratch)?)?,
        start(Some(0.05), 31, peers::podman(&bench.scratch)?)?,
    ])
}

fn start(limit: Option<f64>, pairs: usize, peer: Side) -> Result<Measurement> {
    let ours = sandboxed(plan(&["/bin/true"]))?;
    let what = "start of /bin/true, isolated".to_owned();
    Ok(Measurement::Case(Case { name: "sandbox-start", what, limit, pairs, ours, peer }))
}

/// A command that must succeed, in a fresh sandbox each time.
pub(super) fn sandboxed(plan: SandboxPlan) -> Result<Side> {
    let sandbox = plimsoll_sandbox::LinuxSandbox::new(plimsoll_sandbox::Options::default())?;
    Ok(Side::new("plimsoll", move || {
        let mut said = Vec::new();
        let finished = sandbox.start(&plan, None)?.wait(&mut |_, bytes| said.extend_from_slice(bytes))?;
        match finished.exit {
            Exit::Status(0) => Ok(()),
            exit => Err(format!("{exit:?}: {}", String::from_utf8_lossy(&said)).into()),
        }
    }))
}

/// A plan that sees the host's `/usr` and nothing else.
pub(super) fn plan(argv: &[&str]) -> SandboxPlan {
    let links = peers::ROOT_LINKS.iter();
    let links =
        links.map(|(to, target)| Mount::Symlink { target: (*target).to_owned(), to: (*to).to_owned() });
    let mut mounts = vec![read_only(Path::new("/usr"))];
    mounts.extend(links);
    SandboxPlan {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        env: BTreeMap::new(),
        cwd: "/".to_owned(),
        mounts,
        network: Network::None,
        limits: Limits::default(),
    }
}

pub(super) fn read_only(path: &Path) -> Mount {
    Mount::ReadOnly { source: path.to_owned(), target: path.display().to_string() }
}

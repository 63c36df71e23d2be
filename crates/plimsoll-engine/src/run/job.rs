//! From a step or check to the sandbox it runs in: pure.

use super::fetching::VENDOR;
use crate::ports::{Limits, Mount, Network, SandboxPlan};
use plimsoll_model::{CommitId, RelPath, Timestamp};
use std::{collections::BTreeMap, path::PathBuf};

/// Where the source appears in every sandbox.
pub(crate) const SOURCE: &str = "/src";
/// Where the frozen artifact appears for checks of the artifact.
pub(crate) const ARTIFACT: &str = "/artifact";
/// An empty directory of every sandbox, where it can write.
pub(crate) const SCRATCH: &str = "/tmp";
/// Home directory of every sandbox.
const HOME: &str = "/home/build";

/// What all sandboxes of one run have in common.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// Mounts of the toolchain.
    pub(crate) toolchain: Vec<Mount>,
    /// `PATH` inside.
    pub(crate) path: String,
    /// The exported source on the host.
    pub(crate) source: PathBuf,
    /// Fetched packages on the host, and the client's configuration that points to [`VENDOR`].
    pub(crate) vendor: Option<(PathBuf, String)>,
    /// The commit that is built.
    pub(crate) commit: CommitId,
    /// Its time, for `SOURCE_DATE_EPOCH`.
    pub(crate) committed: Timestamp,
}

/// One command to run.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The command and its arguments.
    pub(crate) argv: Vec<String>,
    /// Variables that the user asked for.
    pub(crate) env: BTreeMap<String, String>,
    /// Directories below the source that start empty and can be written.
    pub(crate) writable: Vec<RelPath>,
    /// Frozen outputs of earlier steps: where they are on the host, and where below the source they appear.
    pub(crate) inputs: Vec<(PathBuf, RelPath)>,
    /// What else it sees, beside the source.
    pub(crate) mounts: Vec<Mount>,
    /// The unpacked artifact on the host.
    pub(crate) artifact: Option<PathBuf>,
    /// Where it starts.
    pub(crate) cwd: &'static str,
    /// What it may use up.
    pub(crate) limits: Limits,
    /// The service that it looks at.
    pub(crate) service: Option<Box<ServiceJob>>,
}

/// A service that a scanner looks at.
#[derive(Debug, Clone)]
pub(crate) struct ServiceJob {
    /// What runs it; without a service of its own.
    pub(crate) job: Job,
    /// The port that it listens on.
    pub(crate) port: u16,
}

impl Job {
    /// The sandbox for this job. The user's variables come first, so that none of them replaces one of Plimsoll's.
    pub(crate) fn sandbox(&self, around: &Surroundings) -> SandboxPlan {
        let mut mounts = around.toolchain.clone();
        mounts.push(Mount::ReadOnly { source: around.source.clone(), target: SOURCE.into() });
        mounts.push(Mount::Scratch { target: SCRATCH.into() });
        mounts.push(Mount::Scratch { target: HOME.into() });
        if let Some((packages, config)) = &around.vendor {
            mounts.push(Mount::ReadOnly { source: packages.clone(), target: VENDOR.into() });
            let target = format!("{HOME}/.cargo/config.toml");
            mounts.push(Mount::File { target, content: config.clone() });
        }
        for path in &self.writable {
            mounts.push(Mount::Writable { name: path.to_string(), target: format!("{SOURCE}/{path}") });
        }
        for (source, path) in &self.inputs {
            mounts.push(Mount::ReadOnly { source: source.clone(), target: format!("{SOURCE}/{path}") });
        }
        if let Some(artifact) = &self.artifact {
            mounts.push(Mount::ReadOnly { source: artifact.clone(), target: ARTIFACT.into() });
        }
        mounts.extend(self.mounts.iter().cloned());
        SandboxPlan {
            argv: self.argv.clone(),
            env: self.environment(around),
            cwd: self.cwd.into(),
            mounts,
            network: if self.service.is_some() { Network::Gateway } else { Network::None },
            limits: self.limits,
        }
    }

    fn environment(&self, around: &Surroundings) -> BTreeMap<String, String> {
        let mut env = self.env.clone();
        let own = [
            ("PATH", around.path.clone()),
            ("HOME", HOME.into()),
            ("CARGO_HOME", format!("{HOME}/.cargo")),
            ("TMPDIR", SCRATCH.into()),
            ("LANG", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            ("SOURCE_DATE_EPOCH", around.committed.as_second().to_string()),
            ("PLIMSOLL_REVISION", around.commit.to_string()),
        ];
        env.extend(own.map(|(name, value)| (name.to_owned(), value)));
        env
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Surroundings {
        Surroundings {
            toolchain: vec![],
            path: "/usr/bin".into(),
            source: "/run/src".into(),
            vendor: None,
            commit: "0123456789abcdef0123456789abcdef01234567".parse().unwrap(),
            committed: Timestamp::from_second(1_700_000_000).unwrap(),
        }
    }

    fn job() -> Job {
        Job {
            argv: vec!["true".into()],
            env: BTreeMap::new(),
            writable: vec!["target".parse().unwrap()],
            mounts: vec![],
            inputs: vec![("/run/outs/a/x".into(), "target/x".parse().unwrap())],
            artifact: None,
            cwd: SOURCE,
            limits: Limits::within(1),
            service: None,
        }
    }

    #[test]
    fn a_job_sees_its_source_read_only_and_writes_only_where_it_said() {
        let plan = job().sandbox(&around());
        assert_eq!(plan.network, Network::None);
        let writable: Vec<_> = plan
            .mounts
            .iter()
            .filter_map(|mount| match mount {
                Mount::Writable { target, .. } | Mount::Scratch { target } => Some(target.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(writable, ["/tmp", "/home/build", "/src/target"]);
    }

    #[test]
    fn outputs_of_earlier_steps_lie_above_scratch_directories() {
        let plan = job().sandbox(&around());
        let at = |wanted: &str| plan.mounts.iter().position(|m| format!("{m:?}").contains(wanted)).unwrap();
        assert!(at("/src/target/x") > at("\"/src/target\""));
    }

    #[test]
    fn a_variable_of_the_user_cannot_replace_one_of_plimsoll() {
        let mut job = job();
        job.env =
            BTreeMap::from([("PLIMSOLL_REVISION".into(), "forged".into()), ("MINE".into(), "1".into())]);
        let env = job.sandbox(&around()).env;
        assert_eq!(env["PLIMSOLL_REVISION"], around().commit.as_str());
        assert_eq!(env["MINE"], "1");
    }
}

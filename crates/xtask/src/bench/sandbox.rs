//! Plimsoll's sandbox, driven through its crate as the engine drives it: from a process that is already warm.

use super::{
    Bench,
    case::{Case, Side, succeed},
    machine::said,
    peers,
};
use crate::project::Result;
use plimsoll_engine::ports::{Exit, Limits, Mount, Network, Sandbox, SandboxPlan};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// `/bin/true` in a fresh sandbox.
pub(super) fn start_cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    Ok(vec![
        start(Some(1.2), 101, peers::bubblewrap())?,
        start(None, 51, peers::runc(&bench.scratch)?)?,
        start(Some(0.05), 31, peers::podman(&bench.scratch)?)?,
    ])
}

fn start(limit: Option<f64>, pairs: usize, peer: Side) -> Result<Case> {
    let ours = ours(plan(&["/bin/true"]))?;
    Ok(Case {
        name: "sandbox-start",
        what: "start of /bin/true, isolated".to_owned(),
        limit,
        pairs,
        ours,
        peer,
    })
}

/// `cargo build` of one of this project's crates with its dependencies, from nothing.
pub(super) fn build_cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let build = Build::new(bench)?;
    let what = "cargo build of plimsoll-model and its dependencies, from nothing".to_owned();
    let peer = build.on_host();
    Ok(vec![Case { name: "build", what, limit: Some(1.05), pairs: 15, ours: ours(build.plan())?, peer }])
}

fn ours(plan: SandboxPlan) -> Result<Side> {
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
fn plan(argv: &[&str]) -> SandboxPlan {
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

fn read_only(path: &Path) -> Mount {
    Mount::ReadOnly { source: path.to_owned(), target: path.display().to_string() }
}

/// The same build on both sides: same compiler, sources, packages and environment.
struct Build {
    root: PathBuf,
    toolchain: PathBuf,
    cargo_home: PathBuf,
    target: PathBuf,
    argv: Vec<String>,
}

impl Build {
    fn new(bench: &Bench<'_>) -> Result<Self> {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
        let toolchain = PathBuf::from(said(Command::new("rustc").args(["--print", "sysroot"])));
        let cargo = toolchain.join("bin/cargo").display().to_string();
        let words = ["build", "--quiet", "--locked", "--offline", "--package", "plimsoll-model"];
        Ok(Self {
            root: bench.project.root().to_owned(),
            cargo_home: home.ok_or("there is no CARGO_HOME and no HOME")?,
            target: bench.scratch.join("target"),
            argv: std::iter::once(cargo).chain(words.map(str::to_owned)).collect(),
            toolchain,
        })
    }

    fn env(&self, target: &str, home: &str) -> BTreeMap<String, String> {
        let path = format!("{}/bin:/usr/bin:/bin", self.toolchain.display());
        let cargo_home = self.cargo_home.display().to_string();
        let pairs = [
            ("PATH", path.as_str()),
            ("CARGO_HOME", &cargo_home),
            ("CARGO_TARGET_DIR", target),
            ("HOME", home),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn plan(&self) -> SandboxPlan {
        let scratch = ["/target", "/home", "/tmp"].map(|target| Mount::Scratch { target: target.to_owned() });
        let mut plan = plan(&[]);
        plan.argv.clone_from(&self.argv);
        plan.env = self.env("/target", "/home");
        plan.cwd = self.root.display().to_string();
        plan.mounts.extend(scratch);
        let seen = [&self.root, &self.toolchain, &self.cargo_home].map(|path| read_only(path));
        plan.mounts.extend(seen);
        plan.mounts.push(read_only(Path::new("/etc/alternatives")));
        plan
    }

    fn on_host(&self) -> Side {
        let target = self.target.clone();
        let mut command = Command::new(&self.argv[0]);
        command.args(&self.argv[1..]).current_dir(&self.root).env_clear();
        command.envs(self.env(&target.display().to_string(), "/nonexistent"));
        Side::new("host, without isolation", move || succeed(&mut command)).prepared(move || {
            match std::fs::remove_dir_all(&target) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            }
        })
    }
}

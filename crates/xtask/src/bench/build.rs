//! `cargo build` of a published program in the sandbox and on the host: same compiler, sources, packages and
//! environment, from an empty target folder. Each side has the folder that it would have in earnest: the sandbox its
//! scratch, the host its disk.

use super::{
    Bench, Measurement,
    case::{Case, Side, succeed},
    machine::said,
    sandbox::{plan, read_only, sandboxed},
};
use crate::project::Result;
use plimsoll_engine::ports::{Mount, SandboxPlan};
use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::Command,
};

/// Of `dev/third-party/packages.txt`.
const PROGRAM: &str = "hexyl";

pub(super) fn measurements(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let (build, version) = Build::new(bench)?;
    let what = format!("cargo build of {PROGRAM} {version} with its dependencies, from nothing");
    let (ours, peer) = (sandboxed(build.plan())?, build.on_host());
    Ok(vec![Measurement::Case(Case { name: "build", what, limit: Some(1.05), pairs: 15, ours, peer })])
}

struct Build {
    source: PathBuf,
    toolchain: PathBuf,
    cargo_home: PathBuf,
    target: PathBuf,
    argv: Vec<String>,
}

impl Build {
    /// Obtains the program and everything that it depends on, so that neither side needs a network. Gives its version.
    fn new(bench: &Bench<'_>) -> Result<(Self, String)> {
        let third_party = bench.project.root().join("dev/third-party");
        let version = version(&std::fs::read_to_string(third_party.join("packages.txt"))?)?;
        let source = bench.scratch.join("source");
        let mut fetch = Command::new(third_party.join("fetch.sh"));
        succeed(fetch.args([PROGRAM, &version]).arg(&source))?;
        let toolchain = PathBuf::from(said(Command::new("rustc").args(["--print", "sysroot"])));
        let cargo = toolchain.join("bin/cargo");
        succeed(Command::new(&cargo).args(["fetch", "--quiet", "--locked"]).current_dir(&source))?;
        let words = ["build", "--quiet", "--locked", "--offline"].map(str::to_owned);
        let argv = std::iter::once(cargo.display().to_string()).chain(words).collect();
        let target = bench.scratch.join("target");
        Ok((Self { source, toolchain, cargo_home: cargo_home()?, target, argv }, version))
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
        plan.cwd = self.source.display().to_string();
        plan.mounts.extend(scratch);
        let seen = [&self.source, &self.toolchain, &self.cargo_home].map(|path| read_only(path));
        plan.mounts.extend(seen);
        plan.mounts.push(read_only(Path::new("/etc/alternatives")));
        plan
    }

    fn on_host(&self) -> Side {
        let target = self.target.clone();
        let mut command = Command::new(&self.argv[0]);
        command.args(&self.argv[1..]).current_dir(&self.source).env_clear();
        command.envs(self.env(&target.display().to_string(), "/nonexistent"));
        Side::new("the host", move || succeed(&mut command)).prepared(move || {
            match std::fs::remove_dir_all(&target) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
                _ => Ok(()),
            }
        })
    }
}

fn version(packages: &str) -> Result<String> {
    let line = packages.lines().find_map(|line| line.strip_prefix(PROGRAM)?.strip_prefix(' '));
    let version = line.and_then(|rest| rest.split(' ').next());
    Ok(version.ok_or_else(|| format!("packages.txt has no {PROGRAM}"))?.to_owned())
}

fn cargo_home() -> Result<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    Ok(home.ok_or("there is no CARGO_HOME and no HOME")?)
}

//! From a permitted release to a sandbox: exactly the artifact, run from the very bytes that were hashed, with nothing
//! beside it that the release does not name.

use crate::{cli::ProjectAt, context::Context, data, failure::Failure, unpacker::Unpacked};
use plimsoll_engine::{
    derive::required,
    ports::{Blobs, Limits, Mount, Network, Sandbox, SandboxPlan, Source as _},
};
use plimsoll_fs::FsError;
use plimsoll_host::{Fallback, HealthCheck, Service, Trigger};
use plimsoll_model::{Code, Digest, Entry, RelPath, Tree};
use plimsoll_pipeline::{Environment, FailureKind, ServiceTarget, Target, loader_variable};
use plimsoll_policy::{
    Decision, DeliveryFiles, Permit, gather,
    repository::{environment_path, target_path},
};
use plimsoll_sandbox::toolchain::toolchain_mounts;
use plimsoll_store::{StateDir, artifact};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    time::Duration,
};

/// Where the files of a `files` artifact appear.
const ARTIFACT: &str = "/artifact";
/// Where the configuration of a release appears.
const CONFIG: &str = "/config";
/// Bytes of an executable.
const EXECUTABLE_LIMIT: u64 = 2 << 30;
/// What the directories of unpacked releases begin with.
const UNPACKED: &str = "release-";

/// target.yaml of a project@environment at the newest commit of the delivery repository.
pub(crate) fn target(context: &Context, unit: &ProjectAt) -> Result<Target, Failure> {
    let delivery = context.delivery()?;
    let head = delivery.resolve("HEAD")?.commit;
    let path = target_path(&unit.project, &unit.environment);
    let bytes = required(&delivery, &head, &path)?;
    Target::read(&path, &bytes).map_err(|errors| Failure::Refused(errors.reasons()))
}

/// A release and where it comes from.
pub(crate) struct Permitted<'a> {
    pub(crate) permit: &'a Permit,
    /// The decision behind the permit.
    pub(crate) decision: &'a Decision,
    /// The files of the delivery repository that it names by digest.
    pub(crate) files: &'a DeliveryFiles,
}

/// Prepares the service of a permitted release.
pub(crate) fn prepare(
    context: &Context,
    state: &StateDir,
    sandbox: &dyn Sandbox,
    unit: &ProjectAt,
    permitted: &Permitted<'_>,
) -> Result<Service, Failure> {
    let Permitted { permit, decision, files } = *permitted;
    let target = read(files, &target_path(&unit.project, &unit.environment), Target::read)?;
    let Target::Service(target) = target else {
        return Err(Failure::Usage(format!("{unit} is no service: its target is a directory")));
    };
    let environment = read(files, &environment_path(&unit.environment), Environment::read)?;
    let release = ReleaseDirectory::make(&context.services().join(unit.to_string()))?;
    let unpacked = release.unpack(state, permit.artifact(), sandbox)?;
    let start = Start::of(state, permit.artifact(), &unpacked.tree)?.with(&target)?;
    release.write("root", &unpacked.tree, &|digest| unpacked.content(digest))?;
    let root = release.path.join("root");
    let config = release.config(&gather::config(files, &unit.project, &unit.environment))?;
    let mut plan = start.plan(&root, config.as_ref().map(|(path, _)| path), &unpacked.tree)?;
    plan.mounts.extend(data::mounts(&context.state.join("data").join(unit.to_string()), &target.data)?);
    let mut content = unpacked.content(&start.executable)?;
    let executable = plimsoll_fs::sealed_copy(&mut content, &start.executable, EXECUTABLE_LIMIT);
    let timeout = Duration::from_secs(target.start_timeout_seconds);
    Ok(Service {
        plan,
        executable: executable
            .map_err(|error| Failure::broken("the executable cannot be prepared", &error))?,
        executable_digest: start.executable,
        root: Some((root, unpacked.tree.clone())),
        config,
        health: HealthCheck { port: target.port, path: target.health.clone(), timeout },
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, target.listen)),
        project: unit.project.clone(),
        environment: unit.environment.clone(),
        fallback: decision.fallback.zip(environment.rollback).map(|(to, rollback)| Fallback {
            to,
            on: rollback.on.iter().map(trigger).collect(),
            confirm: Duration::from_secs(rollback.confirm_seconds),
        }),
    })
}

fn trigger(kind: &FailureKind) -> Trigger {
    match kind {
        FailureKind::Start => Trigger::Start,
        FailureKind::Health => Trigger::Health,
    }
}

/// A file of a release.
pub(crate) fn read<T>(
    files: &DeliveryFiles,
    path: &str,
    read: impl Fn(&str, &[u8]) -> Result<T, Box<plimsoll_pipeline::FileErrors>>,
) -> Result<T, Failure> {
    let bytes = files.files.get(path).map(Vec::as_slice);
    let bytes = bytes.ok_or_else(|| Failure::from(Code::FileMissing.reason().with("file", path)))?;
    read(path, bytes).map_err(|errors| Failure::Refused(errors.reasons()))
}

/// What is executed, and how.
struct Start {
    /// Digest of the file that is executed.
    executable: Digest,
    argv: Vec<String>,
    env: BTreeMap<String, String>,
    cwd: String,
    /// Whether the artifact is the whole root, as an image is.
    image: bool,
}

impl Start {
    fn of(state: &StateDir, manifest: &Digest, tree: &Tree) -> Result<Self, Failure> {
        match artifact::image_command(state.layout(), manifest)? {
            Some(command) => {
                let program = command.argv.first().cloned().unwrap_or_default();
                let executable = file(tree, program.trim_start_matches('/'))?;
                let cwd =
                    if command.working_directory.is_empty() { "/".into() } else { command.working_directory };
                Ok(Self { executable, argv: command.argv, env: command.env, cwd, image: true })
            }
            None => {
                let name = only_file(tree)?;
                let argv = vec![format!("{ARTIFACT}/{name}")];
                let env = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/tmp"), ("LANG", "C.UTF-8")];
                let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
                Ok(Self {
                    executable: file(tree, name.as_str())?,
                    argv,
                    env,
                    cwd: ARTIFACT.into(),
                    image: false,
                })
            }
        }
    }

    /// Adds what the target says. Variables that would load other code are refused where they come from an image; the
    /// target's own were refused when it was read.
    fn with(mut self, target: &ServiceTarget) -> Result<Self, Failure> {
        if let Some(name) = self.env.keys().find(|name| loader_variable(name)) {
            return Err(Code::Loader
                .reason()
                .with("name", name)
                .with("where", "the image's configuration")
                .into());
        }
        self.env.extend(target.env.clone());
        self.argv.extend(target.args.iter().cloned());
        Ok(self)
    }

    /// An image sees only itself; a `files` artifact also sees the host's /usr, read-only.
    fn plan(&self, root: &Path, config: Option<&PathBuf>, tree: &Tree) -> Result<SandboxPlan, Failure> {
        let mut mounts = if self.image {
            let names: BTreeSet<&str> =
                tree.entries.keys().filter_map(|path| path.components().next()).collect();
            let shown = names.into_iter().filter(|name| !["proc", "dev", "tmp", "sys"].contains(name));
            shown.map(|name| mount(root, tree, name)).collect()
        } else {
            let mut mounts = toolchain_mounts(&[], None)
                .map_err(|error| Failure::broken("failed to read the host's toolchain", &error))?;
            mounts.push(Mount::ReadOnly { source: root.to_owned(), target: ARTIFACT.into() });
            mounts
        };
        mounts.extend(config.map(|source| Mount::ReadOnly { source: source.clone(), target: CONFIG.into() }));
        mounts.push(Mount::Scratch { target: "/tmp".into() });
        Ok(SandboxPlan {
            argv: self.argv.clone(),
            env: self.env.clone(),
            cwd: self.cwd.clone(),
            mounts,
            network: Network::None,
            limits: Limits { wall: None, log: u64::MAX, output: 1 << 30, ..Limits::default() },
        })
    }
}

fn mount(root: &Path, tree: &Tree, name: &str) -> Mount {
    let target = format!("/{name}");
    let link = name.parse::<RelPath>().ok().and_then(|path| match tree.entries.get(&path) {
        Some(Entry::Symlink { target }) => Some(target.clone()),
        _ => None,
    });
    match link {
        Some(to) => Mount::Symlink { target, to },
        None => Mount::ReadOnly { source: root.join(name), target },
    }
}

fn file(tree: &Tree, path: &str) -> Result<Digest, Failure> {
    let found = path.parse().ok().and_then(|path: RelPath| tree.entries.get(&path));
    match found {
        Some(Entry::File { digest, .. }) => Ok(*digest),
        _ => Err(Failure::Usage(format!("the artifact has no file {path} to start"))),
    }
}

fn only_file(tree: &Tree) -> Result<&RelPath, Failure> {
    let mut files = tree.entries.iter().filter(|(_, entry)| matches!(entry, Entry::File { .. }));
    match (files.next(), files.next()) {
        (Some((path, _)), None) => Ok(path),
        _ => Err(Failure::Usage(
            "a service is an artifact of exactly one file, or an image with an entrypoint".into(),
        )),
    }
}

/// The content of a file of an artifact, unchecked.
pub(crate) fn content(state: &StateDir, digest: &Digest) -> Result<Box<dyn io::Read>, FsError> {
    let file = state.layout().open(digest);
    Ok(Box::new(file.map_err(|error| FsError::io("open a blob", io::Error::other(error)))?))
}

/// The directory of one start: the artifact's files and the configuration. Each start has its own, because the release
/// before may still run from its.
struct ReleaseDirectory {
    path: PathBuf,
    directory: OwnedFd,
}

impl ReleaseDirectory {
    fn make(parent: &Path) -> Result<Self, Failure> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Failure::broken("the release cannot be unpacked", error)
        };
        let above = File::open(parent).map_err(|error| failed(&error))?;
        let name = format!("{UNPACKED}{}", std::process::id());
        let relative: RelPath = name.parse().map_err(|error| failed(&error))?;
        // Left by a process that had the same id and was killed.
        plimsoll_fs::remove_tree(above.as_fd(), &relative).map_err(|error| failed(&error))?;
        let directory =
            plimsoll_fs::create_directory(above.as_fd(), &relative).map_err(|error| failed(&error))?;
        readable(&directory)?;
        Ok(Self { path: parent.join(name), directory })
    }

    /// What the artifact consists of.
    fn unpack<'a>(
        &self,
        state: &'a StateDir,
        artifact: &Digest,
        sandbox: &dyn Sandbox,
    ) -> Result<Unpacked<'a>, Failure> {
        let above = self.directory.try_clone();
        let above = above.map_err(|error| Failure::broken("the release cannot be unpacked", &error))?;
        Unpacked::unpack(state, artifact, sandbox, (above, &self.path))
    }

    /// The directory of the configuration and its files; none where the release has none.
    fn config(&self, files: &BTreeMap<&str, &[u8]>) -> Result<Option<(PathBuf, Tree)>, Failure> {
        if files.is_empty() {
            return Ok(None);
        }
        let mut tree = Tree::default();
        let mut contents = BTreeMap::new();
        for (path, bytes) in files {
            let path: RelPath = path
                .parse()
                .map_err(|error| Failure::broken("the configuration cannot be unpacked", &error))?;
            let digest = Digest::of(bytes);
            tree.entries.insert(path, Entry::File { digest, size: bytes.len() as u64, executable: false });
            contents.insert(digest, *bytes);
        }
        let contents = |digest: &Digest| -> Result<Box<dyn io::Read>, FsError> {
            let bytes = contents.get(digest).copied().unwrap_or_default();
            Ok(Box::new(io::Cursor::new(bytes.to_vec())))
        };
        self.write("config", &tree, &contents)?;
        Ok(Some((self.path.join("config"), tree)))
    }

    fn write(&self, name: &str, tree: &Tree, contents: &plimsoll_fs::Contents<'_>) -> Result<(), Failure> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Failure::broken("the release cannot be unpacked", error)
        };
        let name: RelPath = name.parse().map_err(|error| failed(&error))?;
        let directory =
            plimsoll_fs::create_directory(self.directory.as_fd(), &name).map_err(|error| failed(&error))?;
        readable(&directory)?;
        plimsoll_fs::write_tree(tree, &contents, directory.as_fd(), 0).map_err(|error| failed(&error))
    }
}

/// The service can run as another user than the supervisor; the directory around keeps others out.
fn readable(directory: &OwnedFd) -> Result<(), Failure> {
    rustix::fs::fchmod(directory, rustix::fs::Mode::from_raw_mode(0o755))
        .map_err(|error| Failure::broken("the release cannot be unpacked", &io::Error::from(error)))
}

/// Removes what this process unpacked, once it serves no more.
pub(crate) fn remove_own(context: &Context, unit: &ProjectAt) -> io::Result<()> {
    let above = File::open(context.services().join(unit.to_string()))?;
    let own = format!("{UNPACKED}{}", std::process::id());
    let own = own.parse().map_err(io::Error::other)?;
    plimsoll_fs::remove_tree(above.as_fd(), &own).map_err(io::Error::other)
}

/// Removes what earlier starts unpacked, once nothing of them runs any more.
pub(crate) fn sweep(context: &Context, unit: &ProjectAt) -> io::Result<()> {
    let parent = context.services().join(unit.to_string());
    let above = File::open(&parent)?;
    let own = format!("{UNPACKED}{}", std::process::id());
    for entry in fs::read_dir(&parent)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Another supervisor may just be about to start from its own.
        let alive = name.strip_prefix(UNPACKED).is_some_and(|pid| Path::new("/proc").join(pid).exists());
        if name.starts_with(UNPACKED)
            && name != own
            && !alive
            && let Ok(name) = name.parse()
        {
            plimsoll_fs::remove_tree(above.as_fd(), &name).map_err(io::Error::other)?;
        }
    }
    Ok(())
}

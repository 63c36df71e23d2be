//! From a permitted release to a sandbox: exactly the artifact, run from the very bytes that were hashed, with nothing
//! beside it that the release does not name.

use crate::{cli::ProjectAt, context::Context, failure::Failure};
use plimsoll_engine::{
    gate,
    ports::{Assemble, Blobs, Limits, Mount, Network, SandboxPlan, Source as _},
};
use plimsoll_host::{HealthCheck, Service};
use plimsoll_model::{Digest, Entry, RelPath, Tree};
use plimsoll_pipeline::{Place, Target};
use plimsoll_policy::{Permit, gather::target_path};
use plimsoll_sandbox::toolchain::toolchain_mounts;
use plimsoll_store::{StateDir, artifact};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::AsFd,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where the files of a `files` artifact appear.
const ARTIFACT: &str = "/artifact";
/// Bytes of an executable.
const EXECUTABLE_LIMIT: u64 = 2 << 30;

/// target.yaml of a project@environment at the newest commit of the delivery repository. That it is the one that was
/// decided follows from the permit, which names its digest.
pub(crate) fn target(context: &Context, unit: &ProjectAt) -> Result<Target, Failure> {
    let delivery = context.pinned()?.ok_or_else(crate::context::not_pinned)?.delivery()?;
    let head = delivery.resolve("HEAD")?.commit;
    let files = gate::read_delivery(&delivery, &head, &unit.project, &unit.environment)?;
    let path = target_path(&unit.project, &unit.environment);
    let bytes = files.files.get(&path).map(Vec::as_slice).unwrap_or_default();
    Target::read(&path, bytes).map_err(|errors| Failure::Refused(errors.reasons()))
}

/// A service that can start.
pub(crate) struct Prepared {
    pub(crate) service: Service,
    /// Holds its files until this is dropped.
    pub(crate) files: File,
}

/// Prepares the service of a permitted release.
pub(crate) fn prepare(
    context: &Context,
    state: &StateDir,
    assemble: &dyn Assemble,
    permit: &Permit,
    target: &Target,
    unit: &ProjectAt,
) -> Result<Prepared, Failure> {
    if let Place::Host { agent } = &target.place {
        return Err(Failure::Usage(format!("{unit} runs where the agent {agent} is, not on this machine")));
    }
    let tree = assemble.tree(permit.artifact())?;
    let mut start = Start::of(state, permit.artifact(), &tree)?;
    start.env.extend(target.env.clone());
    start.argv.extend(target.args.iter().cloned());
    let (root, files) = unpack(context, state, &tree, unit, permit.artifact())?;
    let timeout = Duration::from_secs(target.start_timeout_seconds);
    let mut content = state.layout().open(&start.executable)?;
    let executable = plimsoll_fs::sealed_copy(&mut content, &start.executable, EXECUTABLE_LIMIT);
    let service = Service {
        project: unit.project.clone(),
        environment: unit.environment.clone(),
        plan: start.plan(&root, &tree)?,
        executable: executable
            .map_err(|error| Failure::broken("the executable cannot be prepared", &error))?,
        executable_digest: start.executable,
        health: HealthCheck { port: target.port, path: target.health.clone(), timeout },
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, target.listen)),
        fallback: None,
    };
    Ok(Prepared { service, files })
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

    /// An image sees only itself; a `files` artifact also sees the host's /usr, read-only.
    fn plan(&self, root: &Path, tree: &Tree) -> Result<SandboxPlan, Failure> {
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

/// Removes the files that no supervisor holds. Each has files of its own: two of them can run the same artifact, one with
/// the traffic and one that waits for it, or keeps itself ready to have it back.
pub(crate) fn sweep(context: &Context, unit: &ProjectAt) -> io::Result<()> {
    let above = File::open(context.services().join(unit.to_string()))?;
    above.lock()?;
    sweep_below(&above, &context.services().join(unit.to_string()))
}

/// Under the lock, so that no directory is met between its making and its maker's hold on it.
fn sweep_below(above: &File, parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("root-")
            && File::open(entry.path())?.try_lock().is_ok()
            && let Ok(name) = name.parse()
        {
            plimsoll_fs::remove_tree(above.as_fd(), &name).map_err(io::Error::other)?;
        }
    }
    Ok(())
}

/// Writes the artifact's files for its sandbox, into a directory that is held as long as the descriptor.
fn unpack(
    context: &Context,
    state: &StateDir,
    tree: &Tree,
    unit: &ProjectAt,
    artifact: &Digest,
) -> Result<(PathBuf, File), Failure> {
    let parent = context.services().join(unit.to_string());
    let name = format!("root-{}.{}", artifact.short(), std::process::id());
    let failed = |error: &dyn std::error::Error| Failure::broken("the artifact cannot be unpacked", error);
    let relative: RelPath = name.parse().map_err(|error| failed(&error))?;
    let above = File::open(&parent).map_err(|error| failed(&error))?;
    above.lock().map_err(|error| failed(&error))?;
    // What cannot be removed is removed by the next; only the name of this one must be free.
    let _ = sweep_below(&above, &parent);
    plimsoll_fs::remove_tree(above.as_fd(), &relative).map_err(|error| failed(&error))?;
    let descriptor =
        plimsoll_fs::create_directory(above.as_fd(), &relative).map_err(|error| failed(&error))?;
    let descriptor = File::from(descriptor);
    descriptor.lock().map_err(|error| failed(&error))?;
    above.unlock().map_err(|error| failed(&error))?;
    // The service can run as another user than the supervisor; the directory around keeps others out.
    rustix::fs::fchmod(&descriptor, rustix::fs::Mode::from_raw_mode(0o755))
        .map_err(|error| failed(&error))?;
    let contents = |digest: &Digest| -> Result<Box<dyn io::Read>, plimsoll_fs::FsError> {
        let file = state.layout().open(digest);
        Ok(Box::new(file.map_err(|error| plimsoll_fs::FsError::io("open a blob", io::Error::other(error)))?))
    };
    plimsoll_fs::write_tree(tree, &contents, descriptor.as_fd(), 0).map_err(|error| failed(&error))?;
    Ok((parent.join(name), descriptor))
}

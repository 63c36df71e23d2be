//! Releases that are no service: from a decision to the files in the directory that their target names, and how these
//! files stand now.

use crate::{
    assembler::Assembler,
    cli::ProjectAt,
    commands::{stop, why},
    context::Context,
    door::{self, Admitted, Why},
    failure::Failure,
    highest,
    records::{self, DecisionRecord},
    service,
};
use plimsoll_engine::{
    delivery,
    ports::{Assemble as _, Blobs as _},
};
use plimsoll_fs::Limits;
use plimsoll_host::{Installation, Installed, ServiceDirectory, ServiceState, install, may_install};
use plimsoll_model::{CommitId, Digest, Entry, Reason, RelPath, Timestamp};
use plimsoll_pipeline::Target;
use plimsoll_policy::{DeliveryFiles, dossier::MAX_DOSSIER, gather, repository::target_path};
use plimsoll_store::{StateDir, artifact};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
};

/// Whether an artifact can be installed as the delivery repository says at `head`. Asked before anything is decided:
/// afterwards it would be promoted.
///
/// # Errors
/// `E-TARGET-PATH` for a directory that cannot be used, and a sentence for an artifact or target that is a service's.
pub(crate) fn suits(
    context: &Context,
    state: &StateDir,
    unit: &ProjectAt,
    artifact: Option<&Digest>,
    head: &CommitId,
) -> Result<(), Failure> {
    let service = stop::directory(context, unit)?.read();
    if service.is_some_and(|s| matches!(s.state, ServiceState::Serving | ServiceState::Restarting)) {
        return Err(Failure::Usage(format!("{unit} still runs here as a service: plimsoll stop {unit}")));
    }
    let files = delivery::files(&context.delivery()?, head, &unit.project, &unit.environment)?;
    directory(state, unit, artifact, &files).map(|_| ())
}

/// The directory that a release is to be installed in, if it can be.
fn directory(
    state: &StateDir,
    unit: &ProjectAt,
    artifact: Option<&Digest>,
    files: &DeliveryFiles,
) -> Result<PathBuf, Failure> {
    let target = target_path(&unit.project, &unit.environment);
    let Target::Directory { path } = service::read(files, &target, Target::read)? else {
        return Err(Failure::Usage(format!("{unit} is a service: {target} names no directory")));
    };
    if !gather::config(files, &unit.project, &unit.environment).is_empty() {
        let problem = format!("{unit} has a configuration, and nothing passes one to what is only installed");
        return Err(Failure::Usage(format!("{problem}: put it into the artifact, or remove it")));
    }
    if let Some(artifact) = artifact
        && artifact::image_command(state.layout(), artifact)?.is_some()
    {
        return Err(Failure::Usage(format!("the artifact is an image: {path} takes an artifact of `files`")));
    }
    let broken = |error| Failure::broken("the unit cannot be named", &error);
    let (project, environment) =
        gather::identities(files, &unit.project, &unit.environment).map_err(broken)?;
    may_install(Path::new(&path), &project, &environment)?;
    Ok(path.into())
}

/// Installs the release of a decision, through the door.
///
/// # Errors
/// Whatever the door refuses, and whatever keeps the files from their place; then the release before stays in place.
pub(crate) fn install_release(
    context: &Context,
    state: &StateDir,
    unit: &ProjectAt,
    decided: &DecisionRecord,
) -> Result<Installed, Failure> {
    let record = stop::directory(context, unit)?;
    let Admitted { permit, statement, files } =
        door::admit(context, state, &record, unit, &decided.dossier, Why::New)?;
    let judged = &statement.value().predicate.decision;
    let path = directory(state, unit, Some(permit.artifact()), &files)?;
    let tree = assembler(context, state).tree(permit.artifact())?;
    let installation = Installation {
        path: &path,
        project: &judged.project,
        environment: &judged.environment,
        tree: &tree,
        contents: &|digest| service::content(state, digest),
        dossier: &state.layout().read(&decided.dossier, MAX_DOSSIER as u64)?,
    };
    let installed = install(permit, &installation, &record, Timestamp::now())?;
    // A mark that is not written lets the same decision be installed again, and no other.
    drop(highest::raise(&record, judged.counter.unwrap_or_default()));
    Ok(installed)
}

fn assembler<'a>(context: &Context, state: &'a StateDir) -> Assembler<'a> {
    Assembler { blobs: state.layout(), project: context.state.clone() }
}

/// What is installed for a unit, unless a service took its place since.
pub(crate) fn of(directory: &ServiceDirectory) -> Option<Installed> {
    let since = directory.read().map(|service| service.since);
    directory.installed().filter(|installed| since.is_none_or(|since| since < installed.at))
}

/// Every unit that is installed here.
pub(crate) fn all(context: &Context) -> Result<Vec<(ProjectAt, Installed)>, Failure> {
    let entries = match fs::read_dir(context.services()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        other => other.map_err(|error| Failure::broken("failed to list what is installed", &error))?,
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let unit = entry.file_name().to_str().and_then(|name| name.parse::<ProjectAt>().ok());
        if let Some(unit) = unit
            && let Some(installed) = of(&stop::directory(context, &unit)?)
        {
            found.push((unit, installed));
        }
    }
    found.sort_by_key(|(unit, _)| unit.to_string());
    Ok(found)
}

/// An installed release as its files stand now.
#[derive(Debug, Serialize)]
pub(crate) struct Seen {
    pub(crate) unit: String,
    pub(crate) path: PathBuf,
    pub(crate) decision: Digest,
    pub(crate) release: Digest,
    pub(crate) since: Timestamp,
    pub(crate) dossier: PathBuf,
    /// Whether `current` leads to it.
    pub(crate) current: bool,
    /// Every file by its path, with the digest of what it holds now; empty where they cannot be read.
    pub(crate) files: BTreeMap<PathBuf, Digest>,
    /// How that differs from what was decided.
    pub(crate) drift: Vec<Reason>,
}

/// Reads every installed file, and compares it with the artifact that the signed decision names.
pub(crate) fn look(
    context: &Context,
    state: &StateDir,
    unit: &ProjectAt,
    installed: &Installed,
) -> Result<Seen, Failure> {
    let decided = records::decision(state, &installed.decision)?;
    let decided = decided.ok_or_else(|| {
        let what = format!("decision {}, under which {unit} was installed, is not here", installed.decision);
        Failure::Broken { what, next: None }
    })?;
    // A record is only believed as far as the signed decision behind it.
    let decision = why::verified(context, state, unit, &decided)?;
    let artifact = decision.value().predicate.decision.release.artifact;
    let tree = assembler(context, state).tree(&artifact)?;
    let difference = plimsoll_host::drift::inspect_files(&installed.files(), &tree);
    let difference =
        difference.map_err(|error| Failure::broken("what is installed cannot be read", &error))?;
    Ok(Seen {
        unit: unit.to_string(),
        path: installed.path.clone(),
        decision: installed.decision,
        release: installed.release,
        since: installed.at,
        dossier: installed.dossier(),
        current: installed.is_current(),
        files: files(&installed.files()),
        drift: difference.map(|drift| drift.reason(unit)).into_iter().collect(),
    })
}

fn files(directory: &Path) -> BTreeMap<PathBuf, Digest> {
    let tree = File::open(directory).ok().and_then(|directory| {
        let limits = Limits { bytes: u64::MAX, ..Limits::default() };
        plimsoll_fs::hash_tree(directory.as_fd(), limits).ok()
    });
    let file = |(path, entry): (RelPath, Entry)| match entry {
        Entry::File { digest, .. } => Some((directory.join(path.as_str()), digest)),
        Entry::Symlink { .. } | Entry::EmptyDirectory => None,
    };
    tree.map(|tree| tree.entries.into_iter().filter_map(file).collect()).unwrap_or_default()
}

impl Seen {
    /// The only file, if there is one.
    pub(crate) fn executable(&self) -> Option<Digest> {
        let mut files = self.files.values();
        files.next().copied().filter(|_| files.next().is_none())
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut found: Vec<String> = self.drift.iter().map(Reason::sentence).collect();
        if !self.current {
            found.push(format!("{} does not lead to it", self.path.join("current").display()));
        }
        let fits = if found.is_empty() {
            "as decided".to_owned()
        } else {
            format!("NOT AS DECIDED: {}", found.join("; "))
        };
        let release = self.release.short();
        let mut text =
            format!("installed {}  {}  release {release}  {fits}\n", self.unit, self.path.display());
        let file = |(path, digest): (&PathBuf, &Digest)| format!("  file    {digest}  {}\n", path.display());
        text.extend(self.files.iter().map(file));
        text
    }
}

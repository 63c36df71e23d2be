//! Installing a release that is no service: its files appear below a directory that people named, all at once. At every
//! instant the link `current` leads to the whole release before or to the whole new one, whenever the machine stops.
//! Nothing that Plimsoll did not put there is replaced or removed.

use crate::record::{InstallRecord, Installed, ServiceDirectory};
use plimsoll_fs::{Contents, FsError, Opened};
use plimsoll_model::{Code, Digest, EnvironmentName, ProjectName, RelPath, Timestamp, Tree};
use plimsoll_policy::{Named, Permit};
use rustix::{
    fs::{
        AtFlags, Dir, FileType, FlockOperation, Mode, OFlags, RenameFlags, fchmod, flock, fsync, openat,
        readlinkat, renameat, renameat_with, statat, symlinkat, unlinkat,
    },
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::{AsFd as _, OwnedFd},
    path::{Path, PathBuf},
};

/// The directory of releases, and the link that leads to one of them.
const RELEASES: &str = "releases";
const CURRENT: &str = "current";
/// In the directory of releases: whose they are.
const OWNER: &str = "unit.json";
/// What follows the digest of a release in the name of its dossier.
const DOSSIER: &str = ".dossier.tar";
/// What is made before it gets its name: a release, a link, a file. Left behind by whoever was killed.
const NEW_RELEASE: &str = ".new";
const NEW_LINK: &str = ".current";
const NEW_FILE: &str = ".file";
/// Modification time of what is installed, in seconds since 1970: the same on every machine.
const TIME: i64 = 0;
/// Bytes of [`OWNER`].
const OWNER_LIMIT: u64 = 4096;

/// What is installed, and where.
pub struct Installation<'a> {
    /// The directory: absolute and normalized.
    pub path: &'a Path,
    /// Whose releases these are.
    pub project: &'a Named<ProjectName>,
    /// In which environment.
    pub environment: &'a Named<EnvironmentName>,
    /// The files of the artifact that the permit names.
    pub tree: &'a Tree,
    /// Their bytes, unchecked.
    pub contents: &'a Contents<'a>,
    /// The dossier of the decision behind the permit.
    pub dossier: &'a [u8],
}

/// Whose releases a directory holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Owner {
    version: u32,
    project: Named<ProjectName>,
    environment: Named<EnvironmentName>,
}

/// The directory, opened and judged.
struct Site<'a> {
    path: &'a Path,
    directory: OwnedFd,
    releases: OwnedFd,
}

/// Whether a release of this unit could be installed in a directory. Changes nothing.
///
/// # Errors
/// `E-TARGET-PATH` where others have a hand in it, or something is there that Plimsoll did not put there for this unit;
/// [`FsError::Io`] when it cannot be read.
pub fn may_install(
    path: &Path,
    project: &Named<ProjectName>,
    environment: &Named<EnvironmentName>,
) -> Result<(), FsError> {
    let Some(directory) = plimsoll_fs::open_own(path)? else { return Ok(()) };
    current(path, &directory)?;
    match plimsoll_fs::open_own_beneath(path, directory.as_fd(), RELEASES) {
        Ok(releases) => {
            let site = Site { path, directory, releases };
            site.only_ours(project, environment).map(|_| ())
        }
        Err(error) if is_missing(&error) => match current(path, &directory)? {
            None => Ok(()),
            Some(_) => Err(refused(path, "current leads to releases that are not there")),
        },
        Err(error) => Err(error),
    }
}

/// Installs the release of a permit: writes its files, each checked against its digest, and its dossier beside them,
/// makes all of it read-only and durable, and then lets `current` lead there. The release before stays; older ones are
/// removed.
///
/// # Errors
/// Those of [`may_install`], `E-DIGEST` for content that is not what the artifact names, and [`FsError::Io`]. Then
/// `current` leads where it led before.
pub fn install(
    permit: Permit,
    installation: &Installation<'_>,
    record: &ServiceDirectory,
    now: Timestamp,
) -> Result<Installed, FsError> {
    let Installation { path, project, environment, .. } = *installation;
    may_install(path, project, environment)?;
    let site = Site::make(path)?;
    flock(&site.releases, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| refused(path, "another promotion installs there"))?;
    if !site.only_ours(project, environment)? {
        site.sign(project, environment)?;
    }
    let installed = Installed {
        path: path.to_owned(),
        decision: *permit.decision(),
        release: *permit.release(),
        at: now,
    };
    let name = permit.release().hex();
    let before = current(path, &site.directory)?;
    site.put_release(&name, installation)?;
    site.put_file(&format!("{name}{DOSSIER}"), installation.dossier)?;
    fsync(&site.releases).map_err(|errno| failed("sync the releases", errno))?;
    note(record, &installed)?;
    site.switch(&name)?;
    site.sweep(&name, before.as_deref());
    Ok(installed)
}

/// Remembers what `current` is about to lead to beside what it leads to: whichever it is when the machine stops here, the
/// record has it.
fn note(record: &ServiceDirectory, installed: &Installed) -> Result<(), FsError> {
    let before = record.installed();
    let record = record.write_installed(&InstallRecord { version: 1, newest: installed.clone(), before });
    record.map_err(|error| FsError::io("remember what is installed", error))
}

impl<'a> Site<'a> {
    fn make(path: &'a Path) -> Result<Self, FsError> {
        let directory = plimsoll_fs::make_own(path)?;
        let mode = Mode::from_raw_mode(0o755);
        match rustix::fs::mkdirat(&directory, RELEASES, mode) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed("make the directory of releases", errno)),
        }
        let releases = plimsoll_fs::open_own_beneath(path, directory.as_fd(), RELEASES)?;
        Ok(Self { path, directory, releases })
    }

    /// Whether the directory says that it is this unit's: if not, it must be empty.
    fn only_ours(
        &self,
        project: &Named<ProjectName>,
        environment: &Named<EnvironmentName>,
    ) -> Result<bool, FsError> {
        let names = self.names()?;
        if !names.iter().any(|name| name == OWNER) {
            let found = names.iter().find(|name| *name != NEW_FILE).map(|name| format!("{RELEASES}/{name}"));
            let found = found.or(current(self.path, &self.directory)?.map(|_| CURRENT.to_owned()));
            return match found {
                None => Ok(false),
                Some(name) => Err(refused(self.path, format!("{name} is not of Plimsoll"))),
            };
        }
        let owner = self.owner()?;
        if (&owner.project.id, &owner.environment.id) != (&project.id, &environment.id) {
            let Owner { project, environment, .. } = owner;
            let problem = format!("it belongs to {}@{}", project.name, environment.name);
            return Err(refused(self.path, problem));
        }
        match names.iter().find(|name| !is_ours(name)) {
            None => Ok(true),
            Some(name) => Err(refused(self.path, format!("{RELEASES}/{name} is not of Plimsoll"))),
        }
    }

    fn owner(&self) -> Result<Owner, FsError> {
        let file = plimsoll_fs::open_beneath(self.releases.as_fd(), &relative(OWNER)?, Opened::File)?;
        let mut bytes = Vec::new();
        let read = File::from(file).take(OWNER_LIMIT).read_to_end(&mut bytes);
        read.map_err(|error| FsError::io("read whose the releases are", error))?;
        let owner = serde_json::from_slice::<Owner>(&bytes).ok().filter(|owner| owner.version == 1);
        owner.ok_or_else(|| refused(self.path, format!("{RELEASES}/{OWNER} cannot be understood")))
    }

    fn sign(
        &self,
        project: &Named<ProjectName>,
        environment: &Named<EnvironmentName>,
    ) -> Result<(), FsError> {
        let owner = Owner { version: 1, project: project.clone(), environment: environment.clone() };
        let bytes = serde_json::to_vec_pretty(&owner);
        let bytes = bytes.map_err(|error| FsError::io("say whose the releases are", error))?;
        self.put_file(OWNER, &bytes)
    }

    fn names(&self) -> Result<Vec<String>, FsError> {
        let list = |errno| failed("list the releases", errno);
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.releases).map_err(list)? {
            let name = entry.map_err(list)?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Puts a release under its name, whole. One that has the name already gives way, since it may have been changed.
    fn put_release(&self, name: &str, installation: &Installation<'_>) -> Result<(), FsError> {
        let new = relative(NEW_RELEASE)?;
        plimsoll_fs::remove_tree(self.releases.as_fd(), &new)?;
        let directory = plimsoll_fs::create_directory(self.releases.as_fd(), &new)?;
        let written =
            plimsoll_fs::write_tree(installation.tree, installation.contents, directory.as_fd(), TIME)
                .and_then(|()| plimsoll_fs::settle(installation.tree, directory.as_fd()));
        if written.is_err() {
            // What is left of it may be what fills the disk.
            let _ = plimsoll_fs::remove_tree(self.releases.as_fd(), &new);
        }
        written?;
        let there = statat(&self.releases, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
        let flags = if there { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        renameat_with(&self.releases, NEW_RELEASE, &self.releases, name, flags)
            .map_err(|errno| failed("put the release in its place", errno))?;
        plimsoll_fs::remove_tree(self.releases.as_fd(), &new)
    }

    /// Puts a file under its name, whole and read-only.
    fn put_file(&self, name: &str, content: &[u8]) -> Result<(), FsError> {
        let write = |errno| failed(&format!("write {RELEASES}/{name}"), errno);
        remove_if_there(&self.releases, NEW_FILE).map_err(write)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.releases, NEW_FILE, flags, Mode::from_raw_mode(0o600)).map_err(write)?;
        let mut file = File::from(file);
        let written = file.write_all(content);
        written.map_err(|error| FsError::io(format!("write {RELEASES}/{name}"), error))?;
        fchmod(&file, Mode::from_raw_mode(0o444)).map_err(write)?;
        fsync(&file).map_err(write)?;
        renameat(&self.releases, NEW_FILE, &self.releases, name).map_err(write)
    }

    /// Lets `current` lead to a release: the one moment at which anything changes for whoever uses it.
    fn switch(&self, name: &str) -> Result<(), FsError> {
        let switch = |errno| failed("let current lead to the release", errno);
        remove_if_there(&self.releases, NEW_LINK).map_err(switch)?;
        symlinkat(format!("{RELEASES}/{name}"), &self.releases, NEW_LINK).map_err(switch)?;
        renameat(&self.releases, NEW_LINK, &self.directory, CURRENT).map_err(switch)?;
        fsync(&self.directory).map_err(switch)
    }

    /// Removes releases other than this one and the one before. Where that is not known, because the same release came
    /// again, nothing is removed. What cannot be removed is removed by the next.
    fn sweep(&self, name: &str, before: Option<&str>) {
        let Some(before) = before.filter(|before| *before != name) else { return };
        let kept = |of: &str| of == name || of == before;
        for found in self.names().unwrap_or_default() {
            match found.strip_suffix(DOSSIER) {
                Some(of) if !kept(of) => drop(unlinkat(&self.releases, &*found, AtFlags::empty())),
                None if is_digest(&found) && !kept(&found) => {
                    let path = relative(&found);
                    drop(path.and_then(|path| plimsoll_fs::remove_tree(self.releases.as_fd(), &path)));
                }
                Some(_) | None => {}
            }
        }
    }
}

impl Installed {
    /// Whether `current` leads to it.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let link = std::fs::read_link(self.path.join(CURRENT));
        link.is_ok_and(|link| link == Path::new(RELEASES).join(self.release.hex()))
    }

    /// Where its files are.
    #[must_use]
    pub fn files(&self) -> PathBuf {
        self.path.join(RELEASES).join(self.release.hex())
    }

    /// Its dossier.
    #[must_use]
    pub fn dossier(&self) -> PathBuf {
        self.path.join(RELEASES).join(format!("{}{DOSSIER}", self.release.hex()))
    }
}

/// The name of the release that `current` leads to.
fn current(path: &Path, directory: &OwnedFd) -> Result<Option<String>, FsError> {
    let look = |errno| failed("look at current", errno);
    match statat(directory, CURRENT, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_symlink() => {}
        Ok(_) => return Err(refused(path, format!("{CURRENT} is not of Plimsoll"))),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(look(errno)),
    }
    let target = readlinkat(directory, CURRENT, Vec::new()).map_err(look)?;
    let target = target.to_string_lossy().into_owned();
    let name = target.strip_prefix(RELEASES).and_then(|rest| rest.strip_prefix('/'));
    match name.filter(|name| is_digest(name)) {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(refused(path, format!("{CURRENT} leads to {target}, which is not of Plimsoll"))),
    }
}

/// Whether Plimsoll puts something under this name into the directory of releases.
fn is_ours(name: &str) -> bool {
    [OWNER, NEW_RELEASE, NEW_LINK, NEW_FILE].contains(&name)
        || is_digest(name.strip_suffix(DOSSIER).unwrap_or(name))
}

fn is_digest(name: &str) -> bool {
    format!("sha256:{name}").parse::<Digest>().is_ok()
}

fn remove_if_there(directory: &OwnedFd, name: &str) -> Result<(), Errno> {
    match unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn relative(name: &str) -> Result<RelPath, FsError> {
    name.parse().map_err(|error| FsError::io(format!("name {name}"), std::io::Error::other(error)))
}

fn is_missing(error: &FsError) -> bool {
    matches!(error, FsError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}

fn failed(action: &str, errno: Errno) -> FsError {
    FsError::io(action, errno)
}

fn refused(path: &Path, problem: impl std::fmt::Display) -> FsError {
    Code::TargetPath.reason().with("path", path.display()).with("problem", problem).into()
}

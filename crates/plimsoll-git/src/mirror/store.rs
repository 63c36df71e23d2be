//! The files of a mirror. What is read is a bare repository that no git writes to: git works in a directory of its own
//! that is thrown away, and what it brought is moved over, packs first, then all refs at once by one rename. A lock file
//! of git that somebody killed left behind is therefore in nobody's way.

use super::{Bounds, Location};
use crate::{
    error::{failed, not_stored},
    process, small,
};
use plimsoll_engine::ports::SourceError;
use plimsoll_model::CommitId;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write as _,
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Write},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::DirBuilderExt,
    },
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Largest `packed-refs`, in bytes.
const REFS_LIMIT: u64 = 64 << 20;
/// More packs than this are put into one.
const PACKS: usize = 64;
/// Prefix of directories that git works in.
const WORK: &str = "work-";

/// Full names of refs, and where they point.
pub(crate) type Refs = BTreeMap<String, CommitId>;

/// The directory of a mirror.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    directory: PathBuf,
}

/// Held by whoever changes the mirror; it ends with the process, however that ends.
pub(crate) struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the open file")] File);

impl Store {
    /// Makes what is missing of the mirror in `directory`, which only its owner may enter.
    ///
    /// # Errors
    /// When that cannot be written.
    pub(crate) fn prepare(directory: &Path, location: &Location) -> Result<Self, SourceError> {
        Self::make(directory, location)
            .map_err(|error| not_stored(&format!("prepare {}", directory.display()), directory, &error))
    }

    fn make(directory: &Path, location: &Location) -> io::Result<Self> {
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(directory)?;
        // git works elsewhere, and is told absolute paths.
        let made = Self { directory: fs::canonicalize(directory)? };
        for path in ["repository/objects/pack", "repository/objects/info", "repository/refs"] {
            private.create(made.directory.join(path))?;
        }
        let url = quoted(&location.to_string());
        let config = format!("[core]\n\tbare = true\n[remote \"origin\"]\n\turl = {url}\n");
        // Whoever only reads needs no room on the disk.
        if fs::read(made.repository().join("config")).ok().as_deref() != Some(config.as_bytes()) {
            replace(&made.repository(), "config", config.as_bytes())?;
        }
        Ok(made)
    }

    /// Where it is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The bare repository.
    pub(crate) fn repository(&self) -> PathBuf {
        self.directory.join("repository")
    }

    fn packs(&self) -> PathBuf {
        self.repository().join("objects/pack")
    }

    /// Waits until nobody else changes the mirror, and removes what somebody who was killed left behind.
    ///
    /// # Errors
    /// When that takes longer than `patience`.
    pub(crate) fn lock(&self, patience: Duration) -> Result<Lock, SourceError> {
        let problem =
            |problem: &dyn std::fmt::Display| failed("use the mirror of the delivery repository", problem);
        let file = File::create(self.directory.join("lock")).map_err(|error| problem(&error))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => {
                    thread::sleep(Duration::from_millis(10));
                }
                Err(TryLockError::WouldBlock) => return Err(problem(&"another command is using it")),
                Err(TryLockError::Error(error)) => return Err(problem(&error)),
            }
        }
        self.clear(&self.directory, &[WORK]).map_err(|error| problem(&error))?;
        self.clear(&self.packs(), &["tmp_", ".tmp-"]).map_err(|error| problem(&error))?;
        Ok(Lock(file))
    }

    fn clear(&self, directory: &Path, prefixes: &[&str]) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
            if !prefixes.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                continue;
            }
            // A git that outlived its parent may still be writing there; the next lock removes the rest.
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.ok();
        }
        Ok(())
    }

    /// The branch that is followed; none before the first contact.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn branch(&self) -> Result<Option<String>, SourceError> {
        let head = small::read(&self.repository(), "HEAD", 4096)
            .map_err(|error| failed("read the mirror", error))?;
        let branch = head.and_then(|head| String::from_utf8(head).ok());
        Ok(branch.and_then(|head| head.strip_prefix("ref: ").map(|name| name.trim_end().to_owned())))
    }

    /// All refs as the last fetch found them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn refs(&self) -> Result<Refs, SourceError> {
        let text = small::read(&self.repository(), "packed-refs", REFS_LIMIT);
        let text = text.map_err(|error| failed("read the mirror", error))?.unwrap_or_default();
        parse_refs(&String::from_utf8_lossy(&text))
    }

    /// A directory for one git to work in, which knows the objects and refs of the mirror.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn work(&self, _: &Lock, sha256: bool, safe: &[String]) -> Result<Work, SourceError> {
        let refs = self.refs()?;
        let made = tempfile::Builder::new().prefix(WORK).tempdir_in(&self.directory);
        let work = made.map(|directory| Work { directory, objects: self.repository().join("objects") });
        let work = work.and_then(|work| work.fill(&refs, sha256, safe).map(|()| work));
        work.map_err(|error| not_stored("prepare a directory for git", &self.directory, &error))
    }

    /// Makes what a git brought readable: all of it, or nothing but objects that no ref names.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(crate) fn publish(
        &self,
        _: &Lock,
        work: &Work,
        branch: &str,
        refs: &Refs,
    ) -> Result<(), SourceError> {
        let mut packed = String::new();
        for (name, id) in refs {
            let _ = writeln!(packed, "{id} {name}");
        }
        self.move_packs(&work.git_dir().join("objects/pack"))
            .and_then(|()| replace(&self.repository(), "HEAD", format!("ref: {branch}\n").as_bytes()))
            .and_then(|()| replace(&self.repository(), "packed-refs", packed.as_bytes()))
            .map_err(|error| not_stored("store what was fetched", &self.directory, &error))
    }

    /// An index is what makes a pack known, so it comes after its pack.
    fn move_packs(&self, from: &Path) -> io::Result<()> {
        let names: Vec<_> =
            fs::read_dir(from)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
        for suffix in [".pack", ".idx"] {
            for name in names.iter().filter(|name| name.to_string_lossy().ends_with(suffix)) {
                fs::rename(from.join(name), self.packs().join(name))?;
            }
        }
        File::open(self.packs())?.sync_all()
    }

    /// Whether there are so many packs that reading slows down.
    pub(crate) fn is_scattered(&self) -> bool {
        fs::read_dir(self.packs()).is_ok_and(|entries| entries.count() > 2 * PACKS)
    }
}

/// Where one git works. It is removed with the value, and by the next lock if this process is killed.
pub(crate) struct Work {
    directory: TempDir,
    /// The objects of the mirror.
    objects: PathBuf,
}

impl Work {
    fn fill(&self, refs: &Refs, sha256: bool, safe: &[String]) -> io::Result<()> {
        let git_dir = self.git_dir();
        for path in ["objects/pack", "objects/info", "refs"] {
            fs::create_dir_all(git_dir.join(path))?;
        }
        fs::write(git_dir.join("HEAD"), "ref: refs/heads/none\n")?;
        fs::write(git_dir.join("config"), config(sha256))?;
        let mut seen = String::new();
        for (number, id) in refs.values().enumerate() {
            let _ = writeln!(seen, "{id} refs/seen/{number:09}");
        }
        fs::write(git_dir.join("packed-refs"), seen)?;
        let safe: String = safe.iter().map(|path| format!("\tdirectory = {}\n", quoted(path))).collect();
        fs::write(self.directory.path().join("gitconfig"), format!("[safe]\n{safe}"))
    }

    /// The git directory.
    pub(crate) fn git_dir(&self) -> PathBuf {
        self.directory.path().join("git")
    }

    /// A git that stores new objects here and may speak the one `protocol`.
    pub(crate) fn git(&self, protocol: &str) -> Command {
        let git_dir = self.git_dir();
        let mut git = process::git(self.directory.path());
        git.env("GIT_CONFIG_GLOBAL", self.directory.path().join("gitconfig"))
            .env("GIT_ALLOW_PROTOCOL", protocol)
            .env("GIT_OBJECT_DIRECTORY", git_dir.join("objects"))
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", one_path(&self.objects))
            .env("GIT_DIR", git_dir);
        git
    }

    /// Puts all packs of the mirror into one, with what no ref names any more: a rewind must stay visible.
    pub(crate) fn repack(&self, bounds: Bounds) -> Result<(), SourceError> {
        let mut git = self.git("");
        git.env("GIT_OBJECT_DIRECTORY", &self.objects).env_remove("GIT_ALTERNATE_OBJECT_DIRECTORIES");
        git.args(["repack", "-a", "-d", "-k", "-n", "-q"]);
        super::transport::run(&mut git, &self.git_dir(), bounds).map(drop)
    }
}

/// Lines of `id name`, as in `packed-refs`.
///
/// # Errors
/// When a line is none.
pub(crate) fn parse_refs(text: &str) -> Result<Refs, SourceError> {
    let parse = |line: &str| {
        let (id, name) = line.split_once(' ')?;
        gix_validate::reference::name(name.into()).ok()?;
        Some((name.to_owned(), id.parse().ok()?))
    };
    let bad = |line| failed("read the refs of the delivery repository", format!("{line:?} is not a ref"));
    text.lines().map(|line| parse(line).ok_or_else(|| bad(line))).collect()
}

/// What git obeys, beside what the command line says.
fn config(sha256: bool) -> String {
    let (version, format) = if sha256 { (1, "sha256") } else { (0, "sha1") };
    let extension = if sha256 { format!("[extensions]\n\tobjectFormat = {format}\n") } else { String::new() };
    format!(
        "[core]\n\trepositoryFormatVersion = {version}\n\tbare = true\n\thooksPath = /dev/null\n\tfsmonitor = false\n\
         \tlogAllRefUpdates = false\n{extension}\
         [transfer]\n\tfsckObjects = true\n\tcredentialsInUrl = die\n\tbundleURI = false\n\
         [fetch]\n\tfsckObjects = true\n\tunpackLimit = 1\n\trecurseSubmodules = false\n\
         [push]\n\trecurseSubmodules = no\n\
         [pack]\n\twriteReverseIndex = false\n\
         [repack]\n\twriteBitmaps = false\n\
         [gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n\
         [http]\n\tfollowRedirects = false\n\tlowSpeedLimit = 100\n\tlowSpeedTime = 60\n"
    )
}

/// A list of one path for git, which separates paths by colons unless they are quoted (git(1)).
fn one_path(path: &Path) -> OsString {
    let escape = |byte: &u8| match byte {
        b'"' | b'\\' => vec![b'\\', *byte],
        b'\n' => b"\\n".to_vec(),
        _ => vec![*byte],
    };
    let escaped = path.as_os_str().as_bytes().iter().flat_map(escape);
    OsString::from_vec([b'"'].into_iter().chain(escaped).chain([b'"']).collect())
}

/// A value of git-config(1).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Puts a file in the place of another, whole and on the disk.
fn replace(directory: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(directory.join(name)).map_err(|error| error.error)?;
    File::open(directory)?.sync_all()
}

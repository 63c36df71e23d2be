//! The files of a directory as they lie there: what a project has where git can say that, and everything but `.git`
//! elsewhere. What should be read and cannot be is a gap, never silence.

use crate::failure::Failure;
use plimsoll_fs::{Standing, list, open_directory, open_listed};
use plimsoll_model::reason::printable;
use plimsoll_scan::{Coverage, Gap};
use std::{
    fs,
    io::Read as _,
    os::fd::{AsFd as _, OwnedFd},
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Largest file that is read, in bytes.
pub(crate) const FILE_LIMIT: u64 = 32 << 20;
/// What git keeps of its own.
const GIT: [&str; 1] = [".git"];
/// Longest path that is shown, in characters.
const SHOWN: usize = 4096;
/// Threads that read at once; a third one adds little where a disk is behind it.
const THREADS: usize = 2;

/// The files below a directory, in order of their paths, and what could not be looked into.
pub(crate) struct Files {
    root: OwnedFd,
    paths: Vec<PathBuf>,
    gaps: Vec<Gap>,
}

impl Files {
    /// The files at or below `path`. In a git work tree they are what is in the index and what is neither there nor
    /// ignored; where that gives nothing, what was named is looked at as it lies there.
    ///
    /// # Errors
    /// `path` is neither a file nor a directory that can be opened.
    pub(crate) fn at(path: &Path) -> Result<Self, Failure> {
        let found = named(path)?;
        if let Some(files) = lone(&found)? {
            return Ok(files);
        }
        let mut files = Self { root: open_directory(&found)?, paths: vec![], gaps: vec![] };
        // Where git cannot say what belongs to the project, more is looked at, not less.
        match plimsoll_git::listed(&found) {
            Ok(Some(paths)) if !paths.is_empty() => files.take(paths),
            Ok(_) | Err(_) => files.everything(Path::new("."), &GIT),
        }
        Ok(files)
    }

    /// Every file at or below `path`, whatever git would say.
    ///
    /// # Errors
    /// Those of [`Files::at`].
    pub(crate) fn everything_at(path: &Path) -> Result<Self, Failure> {
        let found = named(path)?;
        match lone(&found)? {
            Some(files) => Ok(files),
            None => {
                let mut files = Self { root: open_directory(&found)?, paths: vec![], gaps: vec![] };
                files.everything(Path::new("."), &[]);
                Ok(files)
            }
        }
    }

    /// The paths, as they are shown.
    pub(crate) fn paths(&self) -> impl ExactSizeIterator<Item = String> + '_ {
        self.paths.iter().map(|path| shown(path))
    }

    /// What could not be looked into.
    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Takes what git listed; a submodule, or a repository inside this one, is listed as a directory.
    fn take(&mut self, paths: Vec<PathBuf>) {
        for path in paths {
            let is_directory =
                fs::symlink_metadata(self.shown_root().join(&path)).is_ok_and(|data| data.is_dir());
            match is_directory {
                true => self.everything(&path, &GIT),
                false => self.paths.push(path),
            }
        }
        self.paths.sort_unstable();
    }

    /// The root by a path that stays the same directory whatever is renamed.
    fn shown_root(&self) -> PathBuf {
        use std::os::fd::AsRawFd as _;
        format!("/proc/self/fd/{}", self.root.as_raw_fd()).into()
    }

    fn everything(&mut self, below: &Path, skip: &[&str]) {
        let listing = list(self.root.as_fd(), below, skip);
        self.paths.extend(listing.files);
        self.gaps
            .extend(listing.problems.into_iter().map(|(path, problem)| Gap { path: shown(&path), problem }));
        self.paths.sort_unstable();
    }

    /// Opens one of the files; none where there is nothing to read any more.
    ///
    /// # Errors
    /// In one line, when it cannot be opened.
    pub(crate) fn open(&self, index: usize) -> Result<Option<fs::File>, String> {
        let Some(path) = self.paths.get(index) else { return Ok(None) };
        match open_listed(self.root.as_fd(), path)? {
            Standing::File(file, _) => Ok(Some(file)),
            Standing::Directory | Standing::Other | Standing::Nothing => Ok(None),
        }
    }

    /// Gives each file to `take`, on as many threads as help. The answers come in the order of the paths whatever the
    /// threads did.
    pub(crate) fn each<T: Send>(&self, take: impl Fn(&str, Result<fs::File, String>) -> T + Sync) -> Vec<T> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(path) = self.paths.get(index).map(|path| shown(path)) else { return done };
                if let Some(file) = self.open(index).transpose() {
                    done.push((index, take(&path, file)));
                }
            }
        };
        // How many there are takes reading a dozen files of the system to find out.
        let threads = match self.paths.len() {
            0 | 1 => 1,
            _ => THREADS.min(thread::available_parallelism().map_or(1, usize::from)),
        };
        let mut done = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut done = work();
            for other in others {
                // What a thread that panicked has seen is lost: the panic goes on here.
                done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            done
        });
        done.sort_unstable_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, answer)| answer).collect()
    }
}

fn named(path: &Path) -> Result<PathBuf, Failure> {
    fs::canonicalize(path)
        .map_err(|_| Failure::Usage(format!("there is no file or directory {}", path.display())))
}

/// A path that is no directory, as the one file beside which nothing is looked at.
fn lone(path: &Path) -> Result<Option<Files>, Failure> {
    match (path.is_dir(), path.parent(), path.file_name()) {
        (false, Some(parent), Some(name)) => {
            Ok(Some(Files { root: open_directory(parent)?, paths: vec![name.into()], gaps: vec![] }))
        }
        _ => Ok(None),
    }
}

/// Reads the wanted files at or below `path` one by one, by their paths below it, in order.
///
/// # Errors
/// Those of [`Files::at`]; what cannot be read further down is a gap of the coverage.
pub(crate) fn walk(
    path: &Path,
    wanted: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(&str, &[u8]),
) -> Result<Coverage, Failure> {
    let files = Files::at(path)?;
    let mut coverage = Coverage { gaps: files.gaps.clone(), ..Coverage::default() };
    for (index, path) in files.paths().enumerate().filter(|(_, path)| wanted(path)) {
        match files.open(index).and_then(|file| file.map(bounded).transpose()) {
            Ok(Some(content)) => {
                coverage.files += 1;
                coverage.bytes += content.len() as u64;
                take(&path, &content);
            }
            Ok(None) => {}
            Err(problem) => coverage.gaps.push(Gap { path, problem }),
        }
    }
    Ok(coverage)
}

/// Reads a file, and nothing of one that is too large.
fn bounded(file: fs::File) -> Result<Vec<u8>, String> {
    let too_large = |size| format!("it has {size} bytes; more than {FILE_LIMIT} are not read");
    let size = file.metadata().map_or(0, |data| data.len());
    if size > FILE_LIMIT {
        return Err(too_large(size));
    }
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    match file.take(FILE_LIMIT + 1).read_to_end(&mut content) {
        Ok(count) if count as u64 > FILE_LIMIT => Err(too_large(count as u64)),
        Ok(_) => Ok(content),
        Err(error) => Err(error.to_string()),
    }
}

/// A path for people and reports: disarmed, with `\u{fffd}` for what is no text.
fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy(), SHOWN)
}

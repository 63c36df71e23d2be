//! Looking at a tree that nobody trusts without keeping any of it: what is there, and each file opened once. No link is
//! followed and no mount crossed, as in freezing; but what cannot be read is named and passed by, since whoever looks has
//! to go on.

use crate::{FsError, beneath};
use rustix::{
    fs::{Dir, FileType, fstat, openat2},
    io::Errno,
};
use std::{
    ffi::{CString, OsString},
    fs::File,
    os::{
        fd::{BorrowedFd, OwnedFd},
        unix::ffi::OsStringExt as _,
    },
    path::{Path, PathBuf},
};

/// Most files of one listing.
const FILES: usize = 5_000_000;
/// Deepest directory that is looked into.
const DEPTH: usize = 256;

/// The regular files below a directory.
#[derive(Debug, Default)]
pub struct Listing {
    /// Their paths below it, in no order.
    pub files: Vec<PathBuf>,
    /// What could not be looked into, and why.
    pub problems: Vec<(PathBuf, String)>,
}

/// What stands at a path.
#[derive(Debug)]
pub enum Standing {
    /// A regular file, open for reading, and its size in bytes.
    File(File, u64),
    /// A directory.
    Directory,
    /// A link, or something that has no content of its own, as a socket.
    Other,
    /// Nothing.
    Nothing,
}

/// Opens a directory that people name, through whatever links they name it by.
///
/// # Errors
/// [`FsError::Io`].
pub fn open_directory(path: &Path) -> Result<OwnedFd, FsError> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::empty());
    opened.map_err(|errno| FsError::io(format!("open {}", path.display()), errno))
}

/// The regular files at or below `start`, a directory below `root` (`.` for itself), except what has a name that `skip`
/// holds. Neither the depth of the tree nor its width can exhaust descriptors: one directory is open at a time.
#[must_use]
pub fn list(root: BorrowedFd<'_>, start: &Path, skip: &[&str]) -> Listing {
    let mut listing = Listing::default();
    let mut open = vec![start.to_owned()];
    while let Some(directory) = open.pop() {
        if directory.components().count() > DEPTH {
            listing.problems.push((directory, format!("it is more than {DEPTH} directories deep")));
            continue;
        }
        if listing.files.len() > FILES {
            listing.problems.push((directory, format!("there are more than {FILES} files")));
            break;
        }
        if let Err(errno) = look_into(root, &directory, skip, &mut listing.files, &mut open) {
            listing.problems.push((directory, said(errno)));
        }
    }
    listing
}

fn look_into(
    root: BorrowedFd<'_>,
    directory: &Path,
    skip: &[&str],
    files: &mut Vec<PathBuf>,
    open: &mut Vec<PathBuf>,
) -> Result<(), Errno> {
    let descriptor = beneath::directory(root, directory)?;
    let here = directory.strip_prefix(".").unwrap_or(directory);
    for entry in Dir::read_from(&descriptor)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..")
            || skip.iter().any(|skip| skip.as_bytes() == name.to_bytes())
        {
            continue;
        }
        let path = here.join(OsString::from_vec(name.to_bytes().to_vec()));
        match kind(&descriptor, entry.file_type(), name.to_owned())? {
            FileType::RegularFile => files.push(path),
            FileType::Directory => open.push(path),
            _ => {}
        }
    }
    Ok(())
}

/// The kind of an entry; some file systems do not say it in their listing.
fn kind(directory: &OwnedFd, listed: FileType, name: CString) -> Result<FileType, Errno> {
    use std::os::fd::AsFd as _;
    match listed {
        FileType::Unknown => {
            let handle = beneath::handle(directory.as_fd(), name.as_c_str())?;
            Ok(FileType::from_raw_mode(fstat(&handle)?.st_mode))
        }
        known => Ok(known),
    }
}

/// What stands at `path` below `root`.
///
/// # Errors
/// In one line, when something stands there and cannot be opened, or lies behind a link or on another file system.
pub fn open_listed(root: BorrowedFd<'_>, path: &Path) -> Result<Standing, String> {
    match beneath::file(root, path) {
        Ok((file, stat)) => Ok(Standing::File(File::from(file), u64::try_from(stat.st_size).unwrap_or(0))),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(Standing::Nothing),
        Err(Errno::INVAL) => match beneath::directory_handle(root, path) {
            Ok(_) => Ok(Standing::Directory),
            Err(_) => Ok(Standing::Other),
        },
        Err(errno) => Err(said(errno)),
    }
}

fn said(errno: Errno) -> String {
    match errno {
        Errno::LOOP => "it lies behind a symbolic link".into(),
        Errno::XDEV => "it is on another file system".into(),
        Errno::ACCESS | Errno::PERM => "it may not be read".into(),
        Errno::STALE | Errno::AGAIN => "it changed while it was read".into(),
        Errno::NAMETOOLONG => "its path is too long".into(),
        errno => std::io::Error::from(errno).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs,
        os::{fd::AsFd as _, unix::fs::symlink},
    };

    #[test]
    fn only_files_are_listed_and_only_files_are_opened() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("a/.git")).unwrap();
        fs::create_dir(root.join("a/b")).unwrap();
        for file in ["top", "a/b/deep", "a/.git/config"] {
            fs::write(root.join(file), file).unwrap();
        }
        symlink("/etc", root.join("a/etc")).unwrap();
        symlink("top", root.join("link")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), FileType::Fifo, rustix::fs::Mode::RWXU, 0)
            .unwrap();

        let opened = open_directory(root).unwrap();
        let mut listing = list(opened.as_fd(), Path::new("."), &[".git"]);
        listing.files.sort();
        assert_eq!(listing.files, [PathBuf::from("a/b/deep"), PathBuf::from("top")]);
        assert_eq!(listing.problems, []);
        let below = list(opened.as_fd(), Path::new("a"), &[]);
        assert_eq!(below.files.len(), 2, "{below:?}");

        let check = |path: &str, expect: &str| {
            let standing = match open_listed(opened.as_fd(), Path::new(path)) {
                Ok(Standing::File(_, size)) => format!("file of {size}"),
                Ok(Standing::Directory) => "directory".into(),
                Ok(Standing::Other) => "other".into(),
                Ok(Standing::Nothing) => "nothing".into(),
                Err(problem) => problem,
            };
            assert_eq!(standing, expect, "{path}");
        };
        check("a/b/deep", "file of 8");
        check("a/b", "directory");
        check("link", "other");
        check("pipe", "other");
        check("gone/deeper", "nothing");
        check("a/etc/passwd", "it lies behind a symbolic link");
        check("../x", "it is on another file system");
    }

    #[test]
    fn a_deep_tree_needs_one_descriptor_and_ends_with_a_problem() {
        let directory = tempfile::tempdir().unwrap();
        let mut deep = directory.path().to_owned();
        (0..DEPTH + 4).for_each(|_| deep.push("d"));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "").unwrap();
        let opened = open_directory(directory.path()).unwrap();
        let listing = list(opened.as_fd(), Path::new("."), &[]);
        assert_eq!((listing.files.len(), listing.problems.len()), (0, 1));
    }
}

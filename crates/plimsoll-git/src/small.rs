//! Reads the small files of a git directory: never through a symbolic link, never from anything but a regular file, and
//! never more than a limit, so that neither a pipe nor `/dev/zero` can hold up the reader.

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2},
    io::Errno,
};
use std::{
    fs::File,
    io::{Error, ErrorKind, Read, Result},
    os::fd::OwnedFd,
    path::Path,
};

/// The content of the regular file `name` below `directory`; none if there is no such file, or a directory in its
/// place.
///
/// # Errors
/// When it is of another kind, lies behind a symbolic link, has more than `limit` bytes or cannot be read.
pub(crate) fn read(directory: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
    let Some(file) = open(directory, name)? else { return Ok(None) };
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::RegularFile => read_within(File::from(file), limit).map(Some),
        FileType::Directory => Ok(None),
        _ => Err(Error::new(ErrorKind::InvalidData, "it is not a regular file")),
    }
}

fn open(directory: &Path, name: &str) -> Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let base = match openat2(
        CWD,
        directory,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::empty(),
    ) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        base => base?,
    };
    match openat2(base, name, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS) {
        Ok(file) => Ok(Some(file)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Ok(None),
        Err(Errno::LOOP) => Err(Error::new(ErrorKind::InvalidData, "it lies behind a symbolic link")),
        Err(error) => Err(error.into()),
    }
}

fn read_within(file: File, limit: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(Error::new(ErrorKind::InvalidData, format!("it has more than {limit} bytes")));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_regular_files_within_the_limit_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir(root.join("directory")).unwrap();
        std::fs::write(root.join("directory/file"), "12345").unwrap();
        symlink("directory", root.join("linked-directory")).unwrap();
        symlink("/dev/zero", root.join("endless")).unwrap();
        rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();

        let check = |name: &str, limit, expect: Option<Option<&str>>| {
            let actual =
                read(root, name, limit).ok().map(|content| content.map(|c| c.escape_ascii().to_string()));
            assert_eq!(actual, expect.map(|content| content.map(str::to_owned)), "{name}");
        };
        check("directory/file", 5, Some(Some("12345")));
        check("directory/file", 4, None);
        check("directory", 5, Some(None));
        check("missing/file", 5, Some(None));
        check("directory/file/below", 5, Some(None));
        check("linked-directory/file", 5, None);
        check("endless", 5, None);
        check("pipe", 5, None);
        check("../escape", 5, None);
    }
}

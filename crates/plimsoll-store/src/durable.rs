//! Making things durable: files replaced whole, and what a full disk is called.

use plimsoll_engine::ports::StoreError;
use plimsoll_model::{Code, Reason};
use rustix::io::Errno;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The error of doing `action` to `path`. A file system that takes nothing more is `E-STATE-FULL`.
pub(crate) fn failed(action: &str, path: &Path, source: io::Error) -> StoreError {
    if let Some(reason) = full(path, &source) {
        return reason.into();
    }
    StoreError::Io { action: format!("{action} {}", path.display()), source }
}

/// `E-STATE-FULL`, if that is what the error is about.
pub(crate) fn full(path: &Path, error: &io::Error) -> Option<Reason> {
    let problem = match Errno::from_io_error(error)? {
        Errno::NOSPC => "no space is left on the device",
        Errno::DQUOT => "the disk quota is used up",
        Errno::ROFS => "the file system is read-only",
        Errno::FBIG => "the file would be larger than allowed",
        _ => return None,
    };
    Some(Code::StateFull.reason().with("path", path.display()).with("problem", problem))
}

/// A name in `directory` that nobody else uses.
pub(crate) fn unused_name(directory: &Path) -> Result<PathBuf, StoreError> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)
        .map_err(|error| failed("name a file in", directory, io::Error::other(error.to_string())))?;
    Ok(directory.join(format!("{}-{:016x}", std::process::id(), u64::from_le_bytes(random))))
}

/// Replaces `path` by `bytes`: whoever reads it, at any instant, gets the old file or the new one. `temporary` is a
/// directory of the same file system.
pub(crate) fn replace(temporary: &Path, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let unfinished = unused_name(temporary)?;
    let result = write_new(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, path));
    if let Err(error) = result {
        let _ = fs::remove_file(&unfinished);
        return Err(failed("write", path, error));
    }
    path.parent().map_or(Ok(()), sync_directory)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes renames in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(|error| failed("sync", path, error))
}

/// Makes a directory if it is not there, and that durable.
pub(crate) fn ensure_directory(path: &Path) -> Result<(), StoreError> {
    match fs::create_dir(path) {
        Ok(()) => path.parent().map_or(Ok(()), sync_directory),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("make the directory", path, error)),
    }
}

/// Reads a file of at most `limit` bytes; none if it is not there.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let error = |error| failed("read", path, error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(other) => return Err(error(other)),
    };
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > limit {
        return Err(error(io::Error::other(format!("it has more than {limit} bytes"))));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_nothing_more_is_full_and_nothing_else_is() {
        let code = |errno: Errno| full(Path::new("/state"), &errno.into()).map(|reason| reason.code);
        for errno in [Errno::NOSPC, Errno::DQUOT, Errno::ROFS, Errno::FBIG] {
            assert_eq!(code(errno), Some(Code::StateFull));
        }
        for errno in [Errno::ACCESS, Errno::IO, Errno::NOENT] {
            assert_eq!(code(errno), None);
        }
    }
}

//! Executing what was hashed: a copy in memory that nobody can write to any more, hashed after it was sealed.

use crate::{FsError, freeze::hash};
use plimsoll_model::Digest;
use rustix::{
    fs::{MemfdFlags, Mode, SealFlags, fchmod, fcntl_add_seals, memfd_create},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::FileExt,
    },
};

/// No write, no other size, and no seal less than these.
const SEALS: SealFlags =
    SealFlags::WRITE.union(SealFlags::SHRINK).union(SealFlags::GROW).union(SealFlags::SEAL);

/// Copies at most `limit` bytes into memory, seals them, and hashes the sealed bytes. The descriptor is executable
/// (`fexecve(3)`, or `/proc/self/fd/N` before an `exec` in the child) and close-on-exec.
///
/// # Errors
/// `E-DIGEST` when the bytes are not those of `expected`; [`FsError::Io`] when there are more than `limit`, or they
/// cannot be read, kept or sealed.
pub fn sealed_copy(reader: &mut dyn Read, expected: &Digest, limit: u64) -> Result<OwnedFd, FsError> {
    let failed = |error: io::Error| FsError::io(format!("copy {expected} into memory"), error);
    let mut file = File::from(executable_memory().map_err(|errno| failed(errno.into()))?);
    copy(reader, &mut file, limit).map_err(failed)?;
    fchmod(&file, Mode::from_raw_mode(0o555)).map_err(|errno| failed(errno.into()))?;
    fcntl_add_seals(&file, SEALS).map_err(|errno| failed(errno.into()))?;
    let actual = open_and_hash(file.as_fd())?;
    if actual != *expected {
        return Err(FsError::digest("the executable", &actual, expected));
    }
    Ok(file.into())
}

/// The digest of the whole file behind a descriptor, whatever its position; the position stays.
///
/// # Errors
/// [`FsError::Io`] when it cannot be read.
pub fn open_and_hash(fd: BorrowedFd<'_>) -> Result<Digest, FsError> {
    let failed = |error| FsError::io("read an open file", error);
    let file = File::from(fd.try_clone_to_owned().map_err(failed)?);
    hash(&mut FromStart { file: &file, offset: 0 }).map_err(failed)
}

fn executable_memory() -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create("plimsoll", flags | MemfdFlags::EXEC) {
        // Kernels before 6.3 do not know the flag, and make every such file executable.
        Err(Errno::INVAL) => memfd_create("plimsoll", flags),
        result => result,
    }
}

fn copy(reader: &mut dyn Read, file: &mut File, limit: u64) -> io::Result<()> {
    let copied = io::copy(&mut reader.take(limit.saturating_add(1)), file)?;
    if copied > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} bytes")));
    }
    file.flush()
}

struct FromStart<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

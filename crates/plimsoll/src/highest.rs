//! How far the chain of decisions of a service came on this machine. A decision at or before that place never starts
//! again as a new one, whatever the delivery repository says.

use crate::failure::Failure;
use plimsoll_host::ServiceDirectory;
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::PathBuf,
};

/// The place of the newest decision that came to serve; 0 before the first.
pub(crate) fn read(directory: &ServiceDirectory) -> Result<u64, Failure> {
    let path = path(directory);
    let broken = |error: &(dyn std::error::Error + 'static)| {
        Failure::broken(format!("failed to read {}", path.display()), error)
    };
    match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map_err(|error| broken(&error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(broken(&error)),
    }
}

/// Notes that the decision at this place serves.
///
/// # Errors
/// When it cannot be written; the old place stays.
pub(crate) fn raise(directory: &ServiceDirectory, counter: u64) -> io::Result<()> {
    let path = path(directory);
    if read(directory).is_ok_and(|highest| highest >= counter) {
        return Ok(());
    }
    let temporary = path.with_extension(std::process::id().to_string());
    let mut file = File::create(&temporary)?;
    writeln!(file, "{counter}")?;
    file.sync_all()?;
    fs::rename(&temporary, &path)
}

fn path(directory: &ServiceDirectory) -> PathBuf {
    directory.log().with_file_name("highest")
}

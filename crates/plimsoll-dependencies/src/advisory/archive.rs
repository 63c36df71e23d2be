//! Records out of a ZIP archive, as OSV publishes one for each ecosystem. What an archive claims about sizes is not
//! believed: bytes are counted as they come out.

use super::MAX_RECORD;
use std::io::{Read, Seek};
use zip::ZipArchive;

/// Files of one archive. All of OSV has fewer than a million.
pub const MAX_FILES: usize = 4_000_000;
/// Bytes of all files of one archive after unpacking.
pub const MAX_TOTAL: u64 = 16 << 30;

/// Why an archive cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// No ZIP archive, or a damaged one.
    #[error("it is no intact ZIP archive: {0}")]
    Malformed(String),
    /// More files than [`MAX_FILES`].
    #[error("it has more than {MAX_FILES} files")]
    TooMany,
    /// More than the limit comes out of it.
    #[error("more than {0} bytes come out of it")]
    TooLarge(u64),
}

/// Gives each file of the archive that can be a record, with its name; `limit` is for the bytes of all of them, at most
/// [`MAX_TOTAL`]. A file larger than a record may be is given cut off right behind that size, so that it is refused as a
/// record.
///
/// # Errors
/// When the archive is damaged or goes beyond a limit; what was given before then is part of nothing.
pub fn records(
    archive: impl Read + Seek,
    limit: u64,
    mut record: impl FnMut(&str, &[u8]),
) -> Result<(), ArchiveError> {
    let malformed = |error: &dyn std::fmt::Display| ArchiveError::Malformed(error.to_string());
    let mut archive = ZipArchive::new(archive).map_err(|error| malformed(&error))?;
    if archive.len() > MAX_FILES {
        return Err(ArchiveError::TooMany);
    }
    let (limit, mut total) = (limit.min(MAX_TOTAL), 0);
    let mut bytes = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).map_err(|error| malformed(&error))?;
        let name = file.name().map_err(|error| malformed(&error))?.into_owned();
        if file.is_dir() || !is_record(&name) {
            continue;
        }
        bytes.clear();
        let most = (MAX_RECORD as u64 + 1).min(limit - total + 1);
        let read = Read::by_ref(&mut file).take(most).read_to_end(&mut bytes);
        total += read.map_err(|error| malformed(&error))? as u64;
        if total > limit {
            return Err(ArchiveError::TooLarge(limit));
        }
        record(&name, &bytes);
    }
    Ok(())
}

/// Whether a file can be a record by its name.
#[must_use]
pub fn is_record(name: &str) -> bool {
    [".json", ".yaml", ".yml"].iter().any(|ending| name.ends_with(ending))
}

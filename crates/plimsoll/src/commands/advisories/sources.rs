//! Where records come from: an archive, a directory, or a commit of a git repository. Links are not followed, and nothing
//! that is found is executed.

use crate::failure::Failure;
use plimsoll_dependencies::{
    advisory::{MAX_RECORD, archive},
    index::Compiler,
};
use plimsoll_engine::ports::Source as _;
use plimsoll_git::GitSource;
use plimsoll_model::{Digest, Hasher};
use std::{
    fs::{self, File},
    io::{self, BufReader, Read as _, Seek as _},
    path::Path,
};

/// Directories within each other.
const MAX_DEPTH: usize = 32;

/// Gives every record of a source to the compiler, and says what the source was.
///
/// # Errors
/// When the source cannot be read, is damaged, or goes beyond a limit.
pub(super) fn read(path: &Path, revision: Option<&str>, compiler: &mut Compiler) -> Result<String, Failure> {
    let metadata = fs::metadata(path).map_err(|error| usage(path, &error))?;
    if metadata.is_file() {
        let digest = zip(path, compiler)?;
        return Ok(format!("archive {digest}"));
    }
    if revision.is_some() || is_repository(path) {
        return git(path, revision.unwrap_or("HEAD"), compiler);
    }
    let mut files = 0;
    directory(path, MAX_DEPTH, compiler, &mut files)?;
    Ok(format!("directory with {files} files"))
}

fn usage(path: &Path, problem: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("{}: {problem}", path.display()))
}

/// A work tree's root, or a bare repository.
fn is_repository(path: &Path) -> bool {
    path.join(".git").exists() || (path.join("HEAD").is_file() && path.join("objects").is_dir())
}

fn git(path: &Path, revision: &str, compiler: &mut Compiler) -> Result<String, Failure> {
    let source = GitSource::open(path)?;
    let commit = source.resolve(revision)?.commit;
    let tree = source.tree(&commit, source.prefix())?;
    for name in tree.entries.keys().filter(|name| archive::is_record(name.as_str())) {
        let whole = source.prefix().map_or_else(|| name.clone(), |prefix| prefix.join(name));
        let bytes = source.file(&commit, &whole, MAX_RECORD as u64)?;
        if let Some(bytes) = bytes {
            compiler.add(name.as_str(), &bytes);
        }
    }
    Ok(format!("commit {commit}"))
}

fn zip(path: &Path, compiler: &mut Compiler) -> Result<Digest, Failure> {
    let mut file = File::open(path).map_err(|error| usage(path, &error))?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(usage(path, &error)),
        }
    }
    file.rewind().map_err(|error| usage(path, &error))?;
    archive::records(BufReader::new(file), archive::MAX_TOTAL, |name, bytes| compiler.add(name, bytes))
        .map_err(|error| usage(path, &error))?;
    Ok(hasher.finish())
}

/// Records and archives of a directory; OSV's own layout has an archive for each ecosystem.
fn directory(path: &Path, depth: usize, compiler: &mut Compiler, files: &mut u64) -> Result<(), Failure> {
    if depth == 0 {
        return Err(usage(path, &"too many directories within each other"));
    }
    let mut entries = fs::read_dir(path)
        .and_then(|entries| entries.collect::<Result<Vec<_>, _>>())
        .map_err(|error| usage(path, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type().map_err(|error| usage(path, &error))?);
        let name = path.to_string_lossy();
        if kind.is_dir() {
            directory(&path, depth - 1, compiler, files)?;
        } else if kind.is_file() && name.ends_with(".zip") {
            zip(&path, compiler)?;
            *files += 1;
        } else if kind.is_file() && archive::is_record(&name) {
            let file = File::open(&path).map_err(|error| usage(&path, &error))?;
            let mut bytes = Vec::new();
            let read = file.take(MAX_RECORD as u64 + 1).read_to_end(&mut bytes);
            read.map_err(|error| usage(&path, &error))?;
            compiler.add(&name, &bytes);
            *files += 1;
        }
    }
    Ok(())
}

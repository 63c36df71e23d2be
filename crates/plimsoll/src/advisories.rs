//! The index of advisories in use. The journal says which one that is, a statement of this machine's scanner signs it, and
//! the file has the digest that both name; whatever does not fit is refused.

use crate::{context::Context, failure::Failure};
use plimsoll_attest::{Statement, Subject, predicate::Advisories, seal, verify};
use plimsoll_dependencies::{Bytes, Index, IndexError};
use plimsoll_engine::{
    ports::{Event, Journal as _, Mount},
    signer::Key as _,
};
use plimsoll_model::{Code, Digest, Reason, Role, Timestamp};
use plimsoll_store::StateDir;
use std::{
    error::Error,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

/// Where a scan in a sandbox finds the index, below its state directory.
const MOUNTED: &str = "advisories/mounted.index";
/// The file that every state directory has.
const FORMAT: &str = "format.json";
/// Bytes of an index. All of OSV makes some 200 MiB.
const MAX_INDEX: u64 = 2 << 30;
/// Bytes of a statement.
const MAX_BUNDLE: u64 = 1 << 20;

/// The index in use, with what was signed about it.
pub(crate) struct InUse {
    pub(crate) index: Index,
    pub(crate) statement: Advisories,
}

/// What the journal says is in use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noted {
    pub(crate) index: Digest,
    pub(crate) updated: Timestamp,
    statement: Digest,
}

/// The index in use.
///
/// # Errors
/// `E-ADVISORY-INDEX` where there is none, or it is not the one that was signed and noted.
pub(crate) fn in_use(context: &Context) -> Result<InUse, Failure> {
    let none = || refused("none was imported here yet").into();
    if !context.state.join(FORMAT).exists() {
        return Err(none());
    }
    let noted = noted(&context.reader()?)?.ok_or_else(none)?;
    let trust = context.own_trust(&[Role::Scanner])?;
    let bundle = read(&file(context, &noted.index, "sigstore.json"), MAX_BUNDLE)?;
    let signed = verify::<Advisories>(&bundle, &trust, &Role::Scanner)
        .map_err(|reason| refused(format!("its statement does not count: {reason}")))?;
    let statement = signed.value().predicate.clone();
    if *signed.payload_digest() != noted.statement || statement.index != noted.index {
        return Err(refused("its statement is another than the one that was noted").into());
    }
    let index = open(&file(context, &noted.index, "index"))?;
    match index.database() {
        database if database.digest == noted.index && database.updated == statement.updated => {
            Ok(InUse { index, statement })
        }
        database => {
            let problem = format!("it is {}, and {} was signed", database.digest, noted.index);
            Err(refused(problem).into())
        }
    }
}

/// The index for a scan. In a sandbox there is no journal and no key: there it is the one that was put beside the scan by
/// whoever had verified it.
///
/// # Errors
/// Those of [`in_use`].
pub(crate) fn for_scan(context: &Context) -> Result<Index, Failure> {
    let mounted = context.state.join(MOUNTED);
    if mounted.is_file() && !context.state.join(FORMAT).exists() {
        return open(&mounted);
    }
    Ok(in_use(context)?.index)
}

/// The index in use; none where none was imported.
///
/// # Errors
/// Those of [`in_use`] otherwise.
pub(crate) fn if_imported(context: &Context) -> Result<Option<Index>, Failure> {
    if !context.state.join(FORMAT).exists() || noted(&context.reader()?)?.is_none() {
        return Ok(None);
    }
    Ok(Some(in_use(context)?.index))
}

/// The index in use as a scan in a sandbox sees it; none where there is none that can be believed, so that the scan says
/// so.
pub(crate) fn mount(context: &Context, state: &str) -> Option<Mount> {
    let verified = in_use(context).ok()?;
    let source = file(context, &verified.statement.index, "index");
    Some(Mount::ReadOnly { source, target: format!("{state}/{MOUNTED}") })
}

/// What the journal says is in use; none before the first import.
pub(crate) fn noted(state: &StateDir) -> Result<Option<Noted>, Failure> {
    let entries = state.journal().entries()?;
    let newest = entries.iter().rev().find_map(|entry| match entry.event {
        Event::Advisories { index, updated, statement } => Some(Noted { index, updated, statement }),
        _ => None,
    });
    Ok(newest)
}

/// Signs an index and takes it into use. The one in use before it stays; older ones are removed.
///
/// # Errors
/// When there is no key, or the disk takes nothing more: then the old one stays in use.
pub(crate) fn take_into_use(
    context: &Context,
    state: &StateDir,
    bytes: &[u8],
    statement: Advisories,
) -> Result<(), Failure> {
    let failed = |error: &(dyn Error + 'static)| Failure::broken("the index was not taken into use", error);
    let before = noted(state)?.map(|noted| noted.index);
    let key = context.keys().load_or_create(&Role::Scanner).map_err(|error| failed(&error))?;
    let (index, updated) = (statement.index, statement.updated);
    let subject = vec![Subject::new("advisories", Digest::of(bytes))];
    let payload = Statement { subject, predicate: statement }.to_bytes().map_err(|error| failed(&error))?;
    let bundle = seal(&payload, key.public(), |message| Ok::<_, Failure>(key.sign(message)))?;
    fs::create_dir_all(directory(context)).map_err(|error| failed(&error))?;
    for (ending, content) in [("index", bytes), ("sigstore.json", bundle.as_slice())] {
        write(context, &file(context, &index, ending), content).map_err(|error| failed(&error))?;
    }
    let event = Event::Advisories { index, updated, statement: Digest::of(&payload) };
    state.journal().append(&Role::Scanner, Timestamp::now(), event)?;
    let kept: Vec<String> = before.iter().chain([&index]).map(Digest::hex).collect();
    remove_others(context, &kept).map_err(|error| failed(&error))
}

fn directory(context: &Context) -> PathBuf {
    context.state.join("advisories")
}

fn file(context: &Context, index: &Digest, ending: &str) -> PathBuf {
    directory(context).join(format!("{}.{ending}", index.hex()))
}

fn open(path: &Path) -> Result<Index, Failure> {
    let (file, length) = opened(path, MAX_INDEX)?;
    Ok(Index::open(Stored { file, length }).map_err(|error| damaged(&error))?)
}

/// The file of an index, of which pages are read as they are asked for. Whoever changes it meanwhile changes a page that
/// has another digest then.
#[derive(Debug)]
struct Stored {
    file: File,
    length: u64,
}

impl Bytes for Stored {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> bool {
        self.file.read_exact_at(buffer, offset).is_ok()
    }
}

/// A refusal of an index that cannot be used.
pub(crate) fn damaged(error: &IndexError) -> Reason {
    refused(error)
}

fn refused(problem: impl ToString) -> Reason {
    Code::AdvisoryIndex.reason().with("problem", problem.to_string())
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let (file, length) = opened(path, limit)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::broken(format!("failed to read {}", path.display()), &error))?;
    if bytes.len() as u64 > limit { Err(too_large(path, limit)) } else { Ok(bytes) }
}

/// A file with its size.
fn opened(path: &Path, limit: u64) -> Result<(File, u64), Failure> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    match opened {
        Ok((length, _)) if length > limit => Err(too_large(path, limit)),
        Ok((length, file)) => Ok((file, length)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(refused(format!("{} is not there", path.display())).into())
        }
        Err(error) => Err(Failure::broken(format!("failed to read {}", path.display()), &error)),
    }
}

fn too_large(path: &Path, limit: u64) -> Failure {
    refused(format!("{} has more than {limit} bytes", path.display())).into()
}

/// The file appears whole, or not at all.
fn write(context: &Context, path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = context.state.join("tmp").join("advisories");
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(directory(context))?.sync_all()
}

fn remove_others(context: &Context, kept: &[String]) -> io::Result<()> {
    for entry in fs::read_dir(directory(context))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !kept.iter().any(|kept| name.starts_with(kept.as_str())) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

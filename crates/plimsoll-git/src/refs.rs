//! What a name stands for: loose refs and `packed-refs`, read as files (gitrepository-layout(5)).

use crate::{
    Limits,
    discover::Layout,
    error::{bad_object, bad_revision, failed},
    objects::{Objects, commit_id},
    small,
};
use gix_hash::ObjectId;
use gix_object::{Kind, TagRefIter};
use plimsoll_engine::ports::{Resolved, SourceError};
use std::{collections::BTreeMap, fs, io, path::Path};

/// Longest loose ref, in bytes.
const LOOSE_LIMIT: u64 = 4096;
/// Longest `packed-refs`, in bytes.
const PACKED_LIMIT: u64 = 256 << 20;
/// Most refs.
const REFS: usize = 2_000_000;
/// Most symbolic refs in a row, as in git, and most tags of tags.
const HOPS: usize = 5;

/// Looks up a full commit id, `HEAD`, a full ref, a branch or a tag, in this order.
///
/// # Errors
/// `E-SRC-REVISION`, `E-SRC-OBJECT`, and those of [`Layout::check_complete`].
pub(crate) fn resolve(layout: &Layout, revision: &str, limits: Limits) -> Result<Resolved, SourceError> {
    layout.check_complete()?;
    let unknown = || bad_revision(revision, layout.shown());
    let full_id = is_full_id(revision).then(|| ObjectId::from_hex(revision.as_bytes()));
    let (reference, id) = match full_id {
        Some(id) => (None, id.map_err(|_| unknown())?),
        None => named(layout, revision)?,
    };
    let objects = Objects::open(layout, &id, limits)?;
    if reference.is_none() && objects.find(&id)?.is_none() {
        return Err(unknown());
    }
    let commit = peel(&objects, id)?.ok_or_else(unknown)?;
    Ok(Resolved { requested: revision.to_owned(), reference, commit: commit_id(&commit)? })
}

fn is_full_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn named(layout: &Layout, revision: &str) -> Result<(Option<String>, ObjectId), SourceError> {
    check_format(layout)?;
    for name in candidates(revision) {
        if gix_validate::reference::name(name.as_str().into()).is_err() {
            continue;
        }
        if let Some((reference, id)) = follow(layout, name)? {
            return Ok((reference.starts_with("refs/").then_some(reference), id));
        }
    }
    let abbreviated = (4..64).contains(&revision.len()) && is_hex(revision);
    let hint = if abbreviated { " (an id must be given in full: 40 or 64 digits)" } else { "" };
    Err(bad_revision(format_args!("{revision}{hint}"), layout.shown()))
}

fn check_format(layout: &Layout) -> Result<(), SourceError> {
    let problem = "they are in the reftable format, which this version does not read";
    if layout.common_dir.join("reftable").exists() { Err(failed("read the refs", problem)) } else { Ok(()) }
}

/// What a directory holds, with the kind of each; nothing where there is no such directory.
fn entries(directory: &Path) -> Result<Vec<(String, fs::FileType)>, SourceError> {
    let problem = |error: io::Error| failed(format!("list {}", directory.display()), error);
    let listed = match directory.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        listed => listed.map_err(problem)?,
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry.map_err(problem)?;
        // git writes no name that is not UTF-8, and reads none.
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, entry.file_type().map_err(problem)?));
        }
    }
    Ok(entries)
}

fn candidates(revision: &str) -> Vec<String> {
    if revision == "HEAD" || revision.starts_with("refs/") {
        return vec![revision.to_owned()];
    }
    vec![format!("refs/heads/{revision}"), format!("refs/tags/{revision}")]
}

/// The id behind a full name, as it is stored; none for a branch without a commit.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn id_of(layout: &Layout, name: &str) -> Result<Option<ObjectId>, SourceError> {
    Ok(follow(layout, name.to_owned())?.map(|(_, id)| id))
}

/// Follows symbolic refs from `name` to the ref that holds an id.
fn follow(layout: &Layout, mut name: String) -> Result<Option<(String, ObjectId)>, SourceError> {
    for _ in 0..=HOPS {
        match read(layout, &name)? {
            None => return Ok(None),
            Some(Value::Id(id)) => return Ok(Some((name, id))),
            Some(Value::Symbolic(target)) => name = target,
        }
    }
    Err(failed(format!("read the ref {name}"), "too many symbolic refs in a row"))
}

enum Value {
    Id(ObjectId),
    Symbolic(String),
}

fn read(layout: &Layout, name: &str) -> Result<Option<Value>, SourceError> {
    let problem = |problem: &str| failed(format!("read the ref {name}"), problem);
    let own = !name.starts_with("refs/") || per_work_tree(name);
    let directory = if own { &layout.git_dir } else { &layout.common_dir };
    match small::read(directory, name, LOOSE_LIMIT).map_err(|error| problem(&error.to_string()))? {
        Some(content) => parse(&content).map(Some).ok_or_else(|| problem("it names neither an id nor a ref")),
        None if own => Ok(None),
        None => packed(layout, name),
    }
}

fn per_work_tree(name: &str) -> bool {
    ["refs/bisect/", "refs/worktree/", "refs/rewritten/"].iter().any(|prefix| name.starts_with(prefix))
}

fn parse(content: &[u8]) -> Option<Value> {
    let content = content.trim_ascii_end();
    let Some(target) = content.strip_prefix(b"ref:") else {
        return ObjectId::from_hex(content).ok().map(Value::Id);
    };
    let target = std::str::from_utf8(target.trim_ascii()).ok()?;
    let valid = target.starts_with("refs/") && gix_validate::reference::name(target.into()).is_ok();
    valid.then(|| Value::Symbolic(target.to_owned()))
}

/// Every ref of `packed-refs`; those stored by themselves count before them.
fn packed_all(layout: &Layout) -> Result<BTreeMap<String, ObjectId>, SourceError> {
    let problem = |problem: &str| failed("read packed-refs", problem);
    let content = small::read(&layout.common_dir, "packed-refs", PACKED_LIMIT);
    let content = content.map_err(|error| problem(&error.to_string()))?.unwrap_or_default();
    let mut all = BTreeMap::new();
    for line in
        content.split(|&b| b == b'\n').filter(|line| !matches!(line.first(), None | Some(b'#' | b'^')))
    {
        let (id, name) = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.split_once(' '))
            .ok_or_else(|| problem("a line is no ref"))?;
        let id = ObjectId::from_hex(id.as_bytes())
            .map_err(|_| problem(&format!("the line of {name} has no id")))?;
        all.insert(name.to_owned(), id);
    }
    Ok(all)
}

fn packed(layout: &Layout, name: &str) -> Result<Option<Value>, SourceError> {
    let problem = |problem: &str| failed("read packed-refs", problem);
    let content = small::read(&layout.common_dir, "packed-refs", PACKED_LIMIT);
    let Some(content) = content.map_err(|error| problem(&error.to_string()))? else { return Ok(None) };
    for line in content.split(|&b| b == b'\n') {
        let Some(id) = line.strip_suffix(name.as_bytes()).and_then(|rest| rest.strip_suffix(b" ")) else {
            continue;
        };
        let id = ObjectId::from_hex(id).map_err(|_| problem(&format!("the line of {name} has no id")))?;
        return Ok(Some(Value::Id(id)));
    }
    Ok(None)
}

/// Follows annotated tags to the commit behind them; none if there is another object.
fn peel(objects: &Objects, id: ObjectId) -> Result<Option<ObjectId>, SourceError> {
    let (id, kind) = peeled(objects, id)?;
    Ok((kind == Kind::Commit).then_some(id))
}

/// Follows annotated tags to what is behind them, and gives its kind; after five of them, the next.
///
/// # Errors
/// `E-SRC-OBJECT`.
pub(crate) fn peeled(objects: &Objects, mut id: ObjectId) -> Result<(ObjectId, Kind), SourceError> {
    let mut hops = 0;
    loop {
        let (kind, content) = objects.read_any(&id)?;
        if kind != Kind::Tag || hops == HOPS {
            return Ok((id, kind));
        }
        let target = TagRefIter::from_bytes(&content, id.kind()).target_id();
        id = target.map_err(|error| bad_object(&id, error))?;
        hops += 1;
    }
}

/// What `HEAD`, every ref and the `HEAD` of every linked work tree stand for, by their names; a branch without a commit is
/// left out.
///
/// # Errors
/// When a ref cannot be read, or the refs are in a format that is not read here.
pub(crate) fn all(layout: &Layout) -> Result<BTreeMap<String, ObjectId>, SourceError> {
    check_format(layout)?;
    let mut all = BTreeMap::new();
    let mut open = vec!["refs".to_owned()];
    while let Some(directory) = open.pop() {
        for (name, kind) in entries(&layout.common_dir.join(&directory))? {
            let name = format!("{directory}/{name}");
            if kind.is_dir() {
                open.push(name);
            } else if gix_validate::reference::name(name.as_str().into()).is_ok() {
                all.extend(id_of(layout, &name)?.map(|id| (name, id)));
            }
        }
        if all.len() + open.len() > REFS {
            return Err(failed("list the refs", format!("there are more than {REFS}")));
        }
    }
    // After those that are stored by themselves: packing writes a ref here before it removes it there.
    for (name, id) in packed_all(layout)? {
        all.entry(name).or_insert(id);
    }
    all.extend(id_of(layout, "HEAD")?.map(|id| ("HEAD".to_owned(), id)));
    for (linked, _) in entries(&layout.common_dir.join("worktrees"))? {
        let git_dir = layout.common_dir.join("worktrees").join(&linked);
        let layout = Layout { git_dir, ..layout.clone() };
        all.extend(id_of(&layout, "HEAD")?.map(|id| (format!("worktrees/{linked}/HEAD"), id)));
    }
    Ok(all)
}

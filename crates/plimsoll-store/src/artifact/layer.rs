//! One layer of an image as a tar whose bytes follow from the tree alone. It is not compressed: the output of a
//! compressor depends on its version, and then so would the artifact's digest.

use crate::hashed::Hashed;
use plimsoll_engine::ports::{Blobs, StoreError};
use plimsoll_model::{Code, Digest, Entry, Reason, RelPath, Tree};
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
};
use tar::{Builder, EntryType, Header};

/// Names of this kind remove something from a lower layer (OCI image specification 1.1, "Whiteouts").
pub(super) const WHITEOUT: &str = ".wh.";

/// What the tar holds at a path.
enum Item<'a> {
    Directory,
    Entry(&'a Entry),
}

/// Writes the layer into the store and gives its digest, which is its diff id too, and its length. Directories for
/// which `is_below` is true are in a lower layer already and stay as they are there.
///
/// # Errors
/// `E-OUT-KIND` for names that a layer cannot hold, `E-DIGEST` for content that does not fit its name, failures of the
/// store.
pub(super) fn write_layer(
    blobs: &dyn Blobs,
    tree: &Tree,
    mtime: u64,
    is_below: &dyn Fn(&RelPath) -> bool,
) -> Result<(Digest, u64), StoreError> {
    let mut writer = blobs.writer()?;
    let mut builder = Builder::new(&mut writer);
    for (path, item) in items(tree, is_below)? {
        append(&mut builder, blobs, path, &item, mtime)?;
    }
    builder.finish().map_err(|error| StoreError::io("write a layer", error))?;
    drop(builder);
    writer.finish()
}

/// Entries and the directories they lie in, each directory before what it holds.
fn items<'a>(
    tree: &'a Tree,
    is_below: &dyn Fn(&RelPath) -> bool,
) -> Result<BTreeMap<RelPath, Item<'a>>, Reason> {
    let mut items = BTreeMap::new();
    for (path, entry) in &tree.entries {
        if path.components().any(|component| component.starts_with(WHITEOUT)) {
            let kind = "named like a removal from a lower layer";
            return Err(Code::OutKind.reason().with("path", path).with("kind", kind));
        }
        let mut above = path.parent();
        while let Some(parent) = above {
            above = parent.parent();
            if !is_below(&parent) {
                items.entry(parent).or_insert(Item::Directory);
            }
        }
        if *entry != Entry::EmptyDirectory || !is_below(path) {
            items.insert(path.clone(), Item::Entry(entry));
        }
    }
    Ok(items)
}

fn append(
    builder: &mut Builder<impl Write>,
    blobs: &dyn Blobs,
    path: RelPath,
    item: &Item<'_>,
    mtime: u64,
) -> Result<(), StoreError> {
    let failed = |error| StoreError::io(format!("write {path} into a layer"), error);
    let name = path.as_str();
    match item {
        Item::Directory | Item::Entry(Entry::EmptyDirectory) => {
            let mut header = header(EntryType::Directory, 0o755, 0, mtime);
            builder.append_data(&mut header, format!("{name}/"), io::empty()).map_err(failed)
        }
        Item::Entry(Entry::Symlink { target }) => {
            let mut header = header(EntryType::Symlink, 0o777, 0, mtime);
            builder.append_link(&mut header, name, target).map_err(failed)
        }
        Item::Entry(Entry::File { digest, size, executable }) => {
            let mode = if *executable { 0o755 } else { 0o644 };
            let mut header = header(EntryType::Regular, mode, *size, mtime);
            let mut content = Hashed::new(blobs.open(digest)?.take(*size));
            builder.append_data(&mut header, name, &mut content).map_err(failed)?;
            content.check(digest, *size)
        }
    }
}

/// GNU headers throughout: names of any length without the records of a PAX header, which carry more than is wanted.
pub(crate) fn header(kind: EntryType, mode: u32, size: u64, mtime: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header.set_mtime(mtime);
    header
}

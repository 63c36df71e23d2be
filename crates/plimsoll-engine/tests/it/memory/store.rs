//! Blobs, journal and artifacts.

use plimsoll_engine::{
    ports::{Assemble, BlobWriter, Blobs, Event, Journal, JournalEntry, LogPosition, StoreError},
    signer::protocol::ArtifactRecord,
};
use plimsoll_model::{Code, Digest, Entry, Role, Timestamp, Tree, jcs, record::OutputFile};
use plimsoll_pipeline::ArtifactSpec;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek as _, Write},
    sync::{Arc, Mutex},
};

/// Blobs that can be swapped behind everybody's back.
#[derive(Default, Clone)]
pub(crate) struct MemoryBlobs {
    blobs: Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>,
}

impl MemoryBlobs {
    /// Puts other bytes in place of a blob, as somebody with access to the disk can.
    pub(crate) fn swap(&self, digest: &Digest, bytes: &[u8]) {
        self.blobs.lock().unwrap().insert(*digest, bytes.to_vec()).expect("a blob to swap");
    }

    pub(crate) fn text(&self, digest: &Digest) -> String {
        String::from_utf8(self.read(digest, 1 << 20).unwrap()).unwrap()
    }
}

struct Writer<'a> {
    blobs: &'a MemoryBlobs,
    bytes: Vec<u8>,
}

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for Writer<'_> {
    fn finish(self: Box<Self>) -> Result<(Digest, u64), StoreError> {
        let (digest, length) = (Digest::of(&self.bytes), self.bytes.len() as u64);
        self.blobs.blobs.lock().unwrap().insert(digest, self.bytes);
        Ok((digest, length))
    }
}

impl Blobs for MemoryBlobs {
    fn writer(&self) -> Result<Box<dyn BlobWriter + '_>, StoreError> {
        Ok(Box::new(Writer { blobs: self, bytes: Vec::new() }))
    }

    fn open(&self, digest: &Digest) -> Result<File, StoreError> {
        let blobs = self.blobs.lock().unwrap();
        let bytes = blobs.get(digest).ok_or(StoreError::Missing(*digest))?;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        Ok(file)
    }
}

#[derive(Default)]
pub(crate) struct MemoryJournal {
    entries: Mutex<Vec<JournalEntry>>,
}

impl MemoryJournal {
    pub(crate) fn events(&self) -> Vec<(Role, Event)> {
        self.entries.lock().unwrap().iter().map(|entry| (entry.by.clone(), entry.event.clone())).collect()
    }
}

fn head(entries: &[JournalEntry]) -> LogPosition {
    let head = entries.last().map_or_else(|| Digest::of(b""), |entry| jcs::digest(entry).unwrap());
    LogPosition { size: entries.len() as u64, head }
}

impl Journal for MemoryJournal {
    fn append(&self, by: &Role, time: Timestamp, event: Event) -> Result<LogPosition, StoreError> {
        let mut entries = self.entries.lock().unwrap();
        let LogPosition { size, head: previous } = head(&entries);
        entries.push(JournalEntry { version: 1, index: size, previous, time, by: by.clone(), event });
        Ok(head(&entries))
    }

    fn position(&self) -> Result<LogPosition, StoreError> {
        Ok(head(&self.entries.lock().unwrap()))
    }

    fn entries(&self) -> Result<Vec<JournalEntry>, StoreError> {
        Ok(self.entries.lock().unwrap().clone())
    }
}

/// An artifact is the canonical JSON of its files.
pub(crate) struct MemoryAssemble(pub(crate) MemoryBlobs);

impl Assemble for MemoryAssemble {
    fn assemble(
        &self,
        spec: &ArtifactSpec,
        outputs: &Tree,
        _: Timestamp,
    ) -> Result<ArtifactRecord, StoreError> {
        let mut tree = Tree::default();
        for source in spec.sources() {
            let missing = || Code::OutMissing.reason().with("path", source);
            let entry = outputs.entries.get(source).ok_or_else(missing)?;
            tree.entries.insert(source.clone(), entry.clone());
        }
        let bytes = jcs::to_bytes(&tree).unwrap();
        let files = tree.entries.iter().filter_map(|(path, entry)| match entry {
            Entry::File { digest, size, .. } => {
                Some(OutputFile { path: path.clone(), digest: *digest, size: *size })
            }
            Entry::Symlink { .. } | Entry::EmptyDirectory => None,
        });
        Ok(ArtifactRecord {
            manifest: self.0.put(&bytes)?,
            size: bytes.len() as u64,
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            files: files.collect(),
        })
    }

    fn tree(&self, manifest: &Digest) -> Result<Tree, StoreError> {
        Ok(jcs::from_bytes(&self.0.read(manifest, 1 << 20)?).unwrap())
    }
}

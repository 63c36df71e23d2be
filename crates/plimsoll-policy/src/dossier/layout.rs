//! The outside of a dossier: an OCI image layout 1.1 with one artifact, whose layers are the parts by their names. The
//! tar has only regular files, sorted, without owners and times.

use super::{MAX_PARTS, Part};
use plimsoll_model::{Digest, jcs};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Cursor, Read as _},
};

const LAYOUT: &str = "oci-layout";
const LAYOUT_CONTENT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = "index.json";
const BLOBS: &str = "blobs/sha256/";
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
const EMPTY_CONTENT: &[u8] = b"{}";
const PART_TYPE: &str = "application/octet-stream";
/// `artifactType` of a dossier.
const DOSSIER_TYPE: &str = "application/vnd.plimsoll.dossier.v1";
/// Where OCI clients look for the name of a file.
const TITLE: &str = "org.opencontainers.image.title";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    media_type: String,
    manifests: Vec<Descriptor>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    media_type: String,
    artifact_type: String,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

impl Descriptor {
    fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// The tar with `parts`, which are in order of their names.
pub(super) fn write(parts: &[Part]) -> Result<Vec<u8>, String> {
    let layers = parts.iter().map(|(name, bytes)| {
        let annotations = BTreeMap::from([(TITLE.to_owned(), name.clone())]);
        Descriptor { annotations, ..Descriptor::of(PART_TYPE, bytes) }
    });
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        artifact_type: DOSSIER_TYPE.to_owned(),
        config: Descriptor::of(EMPTY_TYPE, EMPTY_CONTENT),
        layers: layers.collect(),
    };
    let manifest = canonical(&manifest)?;
    let artifact_type = Some(DOSSIER_TYPE.to_owned());
    let entry = Descriptor { artifact_type, ..Descriptor::of(MANIFEST_TYPE, &manifest) };
    let index =
        canonical(&Index { schema_version: 2, media_type: INDEX_TYPE.to_owned(), manifests: vec![entry] })?;
    let blobs = parts.iter().map(|(_, bytes)| bytes.as_slice()).chain([EMPTY_CONTENT, &manifest]);
    let blobs = blobs.map(|bytes| (format!("{BLOBS}{}", Digest::of(bytes).hex()), bytes));
    let documents = [(INDEX.to_owned(), index.as_slice()), (LAYOUT.to_owned(), LAYOUT_CONTENT)];
    tar(&blobs.chain(documents).collect()).map_err(|error| error.to_string())
}

fn canonical<T: Serialize>(document: &T) -> Result<Vec<u8>, String> {
    jcs::to_bytes(document).map_err(|error| error.to_string())
}

fn tar(entries: &BTreeMap<String, &[u8]>) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.set_path(path)?;
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        builder.append(&header, *bytes)?;
    }
    builder.into_inner()
}

/// The parts by their names, from a tar whose blobs all fit their names and are all named.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Part>, String> {
    let mut entries = untar(bytes)?;
    if entries.remove(LAYOUT).is_none_or(|content| content != LAYOUT_CONTENT) {
        return Err(format!("{LAYOUT} is missing or of another version"));
    }
    let index = entries.remove(INDEX).ok_or_else(|| format!("{INDEX} is missing"))?;
    let index: Index = document(&index, INDEX)?;
    let [entry] = index.manifests.as_slice() else {
        return Err(format!("{INDEX} names {} manifests: expected 1", index.manifests.len()));
    };
    let manifest: Manifest = document(blob(&entries, entry)?, "the manifest")?;
    if manifest.layers.len() > MAX_PARTS {
        return Err(format!("more than {MAX_PARTS} parts"));
    }
    all_named(&entries, manifest.layers.iter().chain([entry, &manifest.config]))?;
    let part = |layer: &Descriptor| {
        let name = layer.annotations.get(TITLE).ok_or("a part has no name")?;
        Ok((name.clone(), blob(&entries, layer)?.to_vec()))
    };
    manifest.layers.iter().map(part).collect()
}

type Entries = BTreeMap<String, Vec<u8>>;

fn blob<'a>(entries: &'a Entries, descriptor: &Descriptor) -> Result<&'a [u8], String> {
    let path = format!("{BLOBS}{}", descriptor.digest.hex());
    entries.get(&path).map(Vec::as_slice).ok_or_else(|| format!("{path} is missing"))
}

fn all_named<'a>(entries: &Entries, named: impl Iterator<Item = &'a Descriptor>) -> Result<(), String> {
    let named: BTreeSet<_> = named.map(|descriptor| format!("{BLOBS}{}", descriptor.digest.hex())).collect();
    if named.len() > entries.len() {
        return Err("a part is missing".to_owned());
    }
    match entries.keys().find(|path| !named.contains(*path)) {
        Some(extra) => Err(format!("nothing names {extra}")),
        None => Ok(()),
    }
}

fn document<T: Serialize + DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, String> {
    jcs::from_bytes(bytes).map_err(|error| format!("{what}: {error}"))
}

/// Entries as they stand, without the extensions by which a name or a size could differ from what the header says.
fn untar(bytes: &[u8]) -> Result<Entries, String> {
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    let mut found = Entries::new();
    for entry in archive.entries().map_err(|error| error.to_string())?.raw(true) {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| "a name is not text")?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(format!("{path} is not a regular file"));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|error| error.to_string())?;
        check_name(&path, &content)?;
        if found.insert(path.clone(), content).is_some() {
            return Err(format!("{path} stands twice"));
        }
        if found.len() > MAX_PARTS + 4 {
            return Err(format!("more than {MAX_PARTS} parts"));
        }
    }
    Ok(found)
}

/// Nothing but the two documents and blobs that fit their names.
fn check_name(path: &str, content: &[u8]) -> Result<(), String> {
    if path == LAYOUT || path == INDEX {
        return Ok(());
    }
    let hex = path.strip_prefix(BLOBS).ok_or_else(|| format!("{path} has no place in a dossier"))?;
    let digest = Digest::from_hex(hex).map_err(|error| error.to_string())?;
    if Digest::of(content) == digest { Ok(()) } else { Err(format!("{path} has another content")) }
}

//! What the layers of an image add up to (OCI image specification 1.1, "Applying Changesets"), by reading their tars and
//! unpacking nothing. Layers are foreign: counts and sizes are limited, and what has no place in a tree is refused.

use super::layer::WHITEOUT;
use plimsoll_model::{Digest, Entry, RelPath, Tree, tree::symlink_is_contained};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};
use tar::{Archive, EntryType};

/// More entries than any base image has.
const ENTRY_LIMIT: u64 = 1_000_000;
/// As many links as Linux follows (`path_resolution(7)`).
const LINK_LIMIT: usize = 40;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Directory,
    File { digest: Digest, size: u64, executable: bool },
    Symlink(String),
}

/// Why a layer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum LayerError {
    /// It holds something that Plimsoll does not take.
    #[error("{0}")]
    Content(String),
    /// It could not be read, or its files not be kept.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Keeps the bytes of a file and gives their digest.
pub(super) type Keep<'a> = dyn FnMut(&mut dyn Read) -> io::Result<Digest> + 'a;

/// The file system of an image.
#[derive(Debug, Default)]
pub(super) struct RootFs {
    nodes: BTreeMap<String, Node>,
    entries: u64,
}

impl RootFs {
    /// Puts a layer, uncompressed, on top.
    pub(super) fn apply(&mut self, layer: impl Read, keep: &mut Keep<'_>) -> Result<(), LayerError> {
        let mut archive = Archive::new(layer);
        let mut own = BTreeSet::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            self.entries += 1;
            if self.entries > ENTRY_LIMIT {
                return Err(content(format!("it has more than {ENTRY_LIMIT} entries")));
            }
            let Some(name) = normalized(&entry.path_bytes())? else { continue };
            let kind = entry.header().entry_type();
            if kind == EntryType::XGlobalHeader {
                continue;
            }
            let (directory, last) = name.rsplit_once('/').unwrap_or(("", &name));
            let directory = self.make_directories(directory)?;
            let path = joined(&directory, last);
            if let Some(removed) = last.strip_prefix(WHITEOUT) {
                self.whiteout(&directory, removed, &own);
                continue;
            }
            let node = self.node(&mut entry, kind, &path, keep)?;
            self.insert(path.clone(), node);
            own.insert(path);
        }
        Ok(())
    }

    /// Puts frozen outputs on top.
    pub(super) fn apply_tree(&mut self, tree: &Tree) -> Result<(), LayerError> {
        for (path, entry) in &tree.entries {
            if let Some(parent) = path.parent() {
                self.make_directories(parent.as_str())?;
            }
            let node = match entry {
                Entry::File { digest, size, executable } => {
                    Node::File { digest: *digest, size: *size, executable: *executable }
                }
                Entry::Symlink { target } => Node::Symlink(target.clone()),
                Entry::EmptyDirectory => Node::Directory,
            };
            self.insert(path.to_string(), node);
        }
        Ok(())
    }

    /// What stands at exactly this path; no link is followed.
    pub(super) fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Where `path` leads when links are followed, as a process in the image would: `/` is the root of the image and
    /// `..` stops there. None when something on the way is not there.
    pub(super) fn resolve(&self, path: &str) -> Option<String> {
        let mut followed = 0;
        let mut pending: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at = String::new();
        while let Some(component) = pending.pop() {
            match component.as_str() {
                "" | "." => continue,
                ".." => at = at.rsplit_once('/').map_or(String::new(), |(above, _)| above.to_owned()),
                name => {
                    let next = joined(&at, name);
                    match self.nodes.get(&next)? {
                        Node::Symlink(target) => {
                            followed += 1;
                            if followed > LINK_LIMIT {
                                return None;
                            }
                            if target.starts_with('/') {
                                at.clear();
                            }
                            pending.extend(target.split('/').rev().map(str::to_owned));
                        }
                        Node::Directory | Node::File { .. } => at = next,
                    }
                }
            }
        }
        Some(at)
    }

    /// The tree, with links made relative where they were absolute: what was the root of the image is a directory now.
    pub(super) fn into_tree(self) -> Result<Tree, LayerError> {
        let mut tree = Tree::default();
        for (name, node) in &self.nodes {
            let path: RelPath = name.parse().map_err(|error| content(format!("{error}")))?;
            let entry = match node {
                Node::File { digest, size, executable } => {
                    Entry::File { digest: *digest, size: *size, executable: *executable }
                }
                Node::Symlink(target) => Entry::Symlink { target: self.contained(&path, target)? },
                Node::Directory if self.is_empty(name) => Entry::EmptyDirectory,
                Node::Directory => continue,
            };
            tree.entries.insert(path, entry);
        }
        Ok(tree)
    }

    fn node(
        &self,
        entry: &mut tar::Entry<'_, impl Read>,
        kind: EntryType,
        path: &str,
        keep: &mut Keep<'_>,
    ) -> Result<Node, LayerError> {
        match kind {
            EntryType::Directory => Ok(Node::Directory),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let executable = entry.header().mode()? & 0o100 != 0;
                let size = entry.size();
                Ok(Node::File { digest: keep(entry)?, size, executable })
            }
            EntryType::Symlink => Ok(Node::Symlink(link_name(entry, path)?)),
            EntryType::Link => self.hard_link(&link_name(entry, path)?, path),
            _ => Err(content(format!("{path} is neither a file, a directory nor a link"))),
        }
    }

    fn hard_link(&self, target: &str, path: &str) -> Result<Node, LayerError> {
        let target = normalized(target.as_bytes())?;
        let node = target.as_deref().and_then(|target| self.nodes.get(&self.resolve_parent(target)?));
        match node {
            Some(node @ (Node::File { .. } | Node::Symlink(_))) => Ok(node.clone()),
            Some(Node::Directory) | None => {
                Err(content(format!("{path} is a link to a file that is not there")))
            }
        }
    }

    /// The path with links followed in all components but the last.
    fn resolve_parent(&self, path: &str) -> Option<String> {
        match path.rsplit_once('/') {
            Some((parent, last)) => Some(joined(&self.resolve(parent)?, last)),
            None => Some(path.to_owned()),
        }
    }

    /// Makes what is missing of a directory, following links, and gives its real path.
    fn make_directories(&mut self, path: &str) -> Result<String, LayerError> {
        let mut at = String::new();
        for component in path.split('/').filter(|component| !component.is_empty()) {
            let next = joined(&at, component);
            at = match self.nodes.get(&next) {
                None => {
                    self.nodes.insert(next.clone(), Node::Directory);
                    next
                }
                Some(Node::Directory) => next,
                Some(Node::File { .. }) => return Err(content(format!("{next} is a file and a directory"))),
                Some(Node::Symlink(_)) => match self.resolve(&next) {
                    Some(real) if real.is_empty() || self.nodes.get(&real) == Some(&Node::Directory) => real,
                    _ => return Err(content(format!("{next} is a link that leads to no directory"))),
                },
            };
        }
        Ok(at)
    }

    fn insert(&mut self, path: String, node: Node) {
        if node != Node::Directory || self.nodes.get(&path) != Some(&Node::Directory) {
            self.remove(&path, &BTreeSet::new());
            self.nodes.insert(path, node);
        }
    }

    /// Removes what lower layers have at `name`, or all that they have in the directory when it is opaque.
    fn whiteout(&mut self, directory: &str, name: &str, own: &BTreeSet<String>) {
        if name == ".wh..opq" {
            let inside = self.below(directory);
            self.nodes.retain(|path, _| !inside.contains(path) || is_own(path, own));
        } else {
            self.remove(&joined(directory, name), own);
        }
    }

    fn remove(&mut self, path: &str, own: &BTreeSet<String>) {
        for gone in self.below(path) {
            if !is_own(&gone, own) {
                self.nodes.remove(&gone);
            }
        }
        if !is_own(path, own) {
            self.nodes.remove(path);
        }
    }

    fn below(&self, directory: &str) -> BTreeSet<String> {
        if directory.is_empty() {
            return self.nodes.keys().cloned().collect();
        }
        let range = format!("{directory}/")..format!("{directory}0");
        self.nodes.range(range).map(|(path, _)| path.clone()).collect()
    }

    fn is_empty(&self, directory: &str) -> bool {
        self.nodes.range(format!("{directory}/")..format!("{directory}0")).next().is_none()
    }

    fn contained(&self, link: &RelPath, target: &str) -> Result<String, LayerError> {
        if symlink_is_contained(link, target) {
            return Ok(target.to_owned());
        }
        let parent = link.parent().map_or(String::new(), |parent| parent.to_string());
        let from = if target.starts_with('/') { String::new() } else { parent.clone() };
        let absolute = format!("{from}/{target}");
        let real = self.resolve_parent(absolute.trim_end_matches('/')).unwrap_or_else(|| lexical(&absolute));
        let ups = link.components().count() - 1;
        let relative = format!("{}{}", "../".repeat(ups), real.trim_start_matches('/'));
        let relative = if relative.is_empty() { ".".to_owned() } else { relative };
        if symlink_is_contained(link, &relative) {
            Ok(relative)
        } else {
            Err(content(format!("{link} is a link that leads outside")))
        }
    }
}

/// Whether the layer that is being applied has this path, or something below it.
fn is_own(path: &str, own: &BTreeSet<String>) -> bool {
    own.contains(path) || own.range(format!("{path}/")..format!("{path}0")).next().is_some()
}

/// The path without links followed: what a dangling link means.
fn lexical(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn joined(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

fn content(problem: String) -> LayerError {
    LayerError::Content(problem)
}

/// A name of a tar as a path below the root; none for the root itself.
fn normalized(name: &[u8]) -> Result<Option<String>, LayerError> {
    let shown = String::from_utf8_lossy(name);
    let text = str::from_utf8(name).map_err(|_| content(format!("{shown} is no UTF-8 name")))?;
    let parts: Vec<_> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.is_empty() {
        return Ok(None);
    }
    let path: RelPath = parts.join("/").parse().map_err(|error| content(format!("{error}")))?;
    Ok(Some(path.to_string()))
}

fn link_name(entry: &tar::Entry<'_, impl Read>, path: &str) -> Result<String, LayerError> {
    let bytes = entry.link_name_bytes().unwrap_or_default();
    String::from_utf8(bytes.into_owned()).map_err(|_| content(format!("the link {path} is no UTF-8 text")))
}

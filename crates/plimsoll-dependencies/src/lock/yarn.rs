//! `yarn.lock`, in the own notation of version 1 and in the YAML of later ones. Neither says what the project asks for
//! itself or which packages are only for development; later ones name the projects of the workspace.

use crate::{
    component::{Component, Ecosystem, Graph, Source},
    format::Unreadable,
    lock::{
        Draft,
        draft::{archive, integrity},
        reach::roots_are_unasked,
    },
    tree::Node,
};
use std::{collections::BTreeMap, ops::Range};

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    match draft.lines().any(|(_, line)| line.starts_with("__metadata:")) {
        true => berry(&mut draft)?,
        false => classic(&mut draft)?,
    }
    Ok(draft.finish())
}

/// An entry of version 1.
#[derive(Default)]
struct Block<'a> {
    /// `name@range`, one for each range that this version satisfies.
    descriptors: Vec<&'a str>,
    fields: Vec<(&'a str, &'a str)>,
    asks: Vec<(&'a str, &'a str)>,
    span: Range<usize>,
}

impl<'a> Block<'a> {
    fn field(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    fn component(&self) -> Result<Component, Unreadable> {
        let lacks = |what| Unreadable::new(format!("`{}` has no {what}", self.descriptors[0]));
        let (alias, range) = split(self.descriptors[0]).ok_or_else(|| lacks("range"))?;
        let target = range.strip_prefix("npm:").and_then(split).map(|(name, _)| name);
        let version = self.field("version").ok_or_else(|| lacks("version"))?;
        let mut component = Component::new(Ecosystem::Npm, target.unwrap_or(alias), version);
        component.source = self.field("resolved").map_or(Source::Registry, archive);
        component.hashes = self.field("integrity").map(integrity).unwrap_or_default();
        if component.hashes.is_empty() {
            let sha1 = self.field("resolved").and_then(|address| address.split_once('#'));
            component.hashes.extend(sha1.and_then(|(_, hex)| super::draft::hash(&format!("sha1:{hex}"))));
        }
        Ok(component)
    }
}

/// Name and range of `name@range`, where the name can begin with `@` itself.
fn split(descriptor: &str) -> Option<(&str, &str)> {
    let at = descriptor.get(1..)?.find('@')? + 1;
    Some((&descriptor[..at], &descriptor[at + 1..]))
}

fn classic(draft: &mut Draft<'_>) -> Result<(), Unreadable> {
    let blocks = blocks(draft)?;
    let mut descriptors = BTreeMap::new();
    for block in &blocks {
        let at = draft.add(block.component()?, block.span.clone())?;
        descriptors.extend(block.descriptors.iter().map(|descriptor| (*descriptor, at)));
    }
    for (from, block) in blocks.iter().enumerate() {
        for (name, range) in &block.asks {
            match descriptors.get(format!("{name}@{range}").as_str()) {
                Some(to) => draft.edge(from, *to)?,
                None => draft.graph.completeness.lacks(format!("`{name}@{range}` has no entry")),
            }
        }
    }
    roots_are_unasked(&mut draft.graph);
    Ok(())
}

fn blocks<'a>(draft: &Draft<'a>) -> Result<Vec<Block<'a>>, Unreadable> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let mut in_list = false;
    for (start, line) in draft.lines() {
        let content = line.trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let unexpected = || draft.not_understood(start);
        match (line.len() - content.len(), blocks.last_mut()) {
            (0, _) => {
                let names = content.strip_suffix(':').ok_or_else(unexpected)?;
                let descriptors = names.split(", ").map(unquoted).collect();
                blocks.push(Block { descriptors, span: start..start + line.len(), ..Block::default() });
                in_list = false;
            }
            (2, Some(block)) => {
                block.span.end = start + line.len();
                in_list = matches!(content, "dependencies:" | "optionalDependencies:");
                block.fields.extend(pair(content));
            }
            (4, Some(block)) => {
                block.span.end = start + line.len();
                if in_list {
                    block.asks.push(pair(content).ok_or_else(unexpected)?);
                }
            }
            _ => return Err(unexpected()),
        }
    }
    Ok(blocks)
}

/// `key "value"`, either with quotes or without.
fn pair(content: &str) -> Option<(&str, &str)> {
    let quoted = content.strip_prefix('"').and_then(|rest| rest.split_once("\" "));
    let (key, value) = quoted.or_else(|| content.split_once(' '))?;
    Some((key, unquoted(value)))
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// Version 2 and later ("Berry").
fn berry(draft: &mut Draft<'_>) -> Result<(), Unreadable> {
    let file = Node::yaml(draft.text())?;
    let entries = || file.entries().filter(|(key, _)| *key != "__metadata");
    let mut descriptors = BTreeMap::new();
    for (key, entry) in entries() {
        let component = resolved(&entry.node).ok_or_else(|| {
            Unreadable::new(format!("line {} of it has no resolution", draft.line(entry.span().start)))
        })?;
        let own = matches!(component.source, Source::Path(_));
        let at = draft.add(component, entry.span())?;
        if own {
            draft.graph.roots.push(at);
        }
        descriptors.extend(key.split(", ").map(|descriptor| (descriptor, at)));
    }
    for (from, (_, entry)) in entries().enumerate() {
        for (name, wanted) in entry.node.entries_of("dependencies") {
            let range = wanted.node.text().unwrap_or_default();
            let ways = [format!("{name}@{range}"), format!("{name}@npm:{range}")];
            match ways.iter().find_map(|way| descriptors.get(way.as_str())) {
                Some(to) => draft.edge(from, *to)?,
                None => draft.graph.completeness.lacks(format!("`{name}@{range}` has no entry")),
            }
        }
    }
    Ok(())
}

fn resolved(node: &Node<'_>) -> Option<Component> {
    let (name, locator) = split(node.text_of("resolution")?)?;
    let mut component = Component::new(Ecosystem::Npm, name, node.text_of("version")?);
    component.source = match locator.split_once(':') {
        Some(("workspace", path)) => Source::Path(path.to_owned()),
        // A patched package is still the published one, changed.
        Some(("npm" | "patch" | "virtual", _)) => Source::Registry,
        Some(("file" | "portal" | "link", path)) => Source::Path(path.to_owned()),
        _ => archive(locator),
    };
    Some(component)
}

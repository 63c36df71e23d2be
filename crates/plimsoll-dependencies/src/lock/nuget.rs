//! The three files in which .NET writes what it resolved: `packages.lock.json` beside a project, `project.assets.json` of a
//! restore, and `*.deps.json` beside what was built. Each has a graph for every target framework; here they are one.

use crate::{
    component::{Algorithm, Component, Ecosystem, Graph, Scope, Source},
    format::Unreadable,
    lock::{
        Draft,
        draft::{base64_hash, hash},
        reach::roots_are_unasked,
    },
    tree::{Entry, Node},
};
use std::collections::BTreeMap;

/// Components by name in lower case, since names are compared so, and version.
type Known = BTreeMap<(String, String), usize>;

/// `packages.lock.json`
pub(crate) fn read_lock(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::json(draft.text())?;
    let frameworks = file.get("dependencies").ok_or_else(|| Unreadable::new("it has no `dependencies`"))?;
    let mut known = Known::new();
    for (_, framework) in frameworks.entries() {
        let mut here = BTreeMap::new();
        for (name, entry) in framework.node.entries() {
            let node = &entry.node;
            let version = node.text_of("resolved").unwrap_or_default();
            let mut component = Component::new(Ecosystem::NuGet, name, version);
            component
                .hashes
                .extend(node.text_of("contentHash").and_then(|value| base64_hash(Algorithm::Sha512, value)));
            if node.text_of("type") == Some("Project") {
                component.source = Source::Path(String::new());
            }
            let at = once(&mut draft, &mut known, component, entry)?;
            if matches!(node.text_of("type"), Some("Direct" | "Project")) {
                draft.graph.roots.push(at);
            }
            here.insert(name.to_lowercase(), at);
        }
        for (name, entry) in framework.node.entries() {
            connect(&mut draft, here[&name.to_lowercase()], &entry.node, &here)?;
        }
    }
    Ok(draft.finish())
}

/// `project.assets.json`
pub(crate) fn read_assets(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::json(draft.text())?;
    resolved(&mut draft, &file)?;
    let names: BTreeMap<String, usize> =
        draft.graph.components.iter().enumerate().map(|(at, it)| (it.name.to_lowercase(), at)).collect();
    for (_, group) in file.entries_of("projectFileDependencyGroups") {
        let asked = group.node.items().iter().filter_map(|item| item.text()?.split(' ').next());
        draft.graph.roots.extend(asked.filter_map(|name| names.get(&name.to_lowercase())));
    }
    Ok(draft.finish())
}

/// `*.deps.json`
pub(crate) fn read_deps(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::json(draft.text())?;
    resolved(&mut draft, &file)?;
    for component in &mut draft.graph.components {
        component.scope = Scope::Runtime;
    }
    roots_are_unasked(&mut draft.graph);
    Ok(draft.finish())
}

/// `targets`, with what `libraries` says of each.
fn resolved(draft: &mut Draft<'_>, file: &Node<'_>) -> Result<(), Unreadable> {
    let targets = file.get("targets").ok_or_else(|| Unreadable::new("it has no `targets`"))?;
    let mut known = Known::new();
    for (_, target) in targets.entries() {
        let mut here = BTreeMap::new();
        for (key, entry) in target.node.entries() {
            let (name, version) = key.split_once('/').unwrap_or((key, ""));
            let library = file.at(&["libraries", key]);
            let mut component = Component::new(Ecosystem::NuGet, name, version);
            component.hashes.extend(library.and_then(|library| sha512(library.text_of("sha512")?)));
            let kind = library.and_then(|library| library.text_of("type")).or(entry.node.text_of("type"));
            if kind == Some("project") {
                component.source = Source::Path(String::new());
            }
            here.insert(name.to_lowercase(), once(draft, &mut known, component, entry)?);
        }
        for (key, entry) in target.node.entries() {
            let name = key.split_once('/').map_or(key, |(name, _)| name);
            connect(draft, here[&name.to_lowercase()], &entry.node, &here)?;
        }
    }
    Ok(())
}

/// As base 64, with the function before it or without.
fn sha512(text: &str) -> Option<crate::component::Hash> {
    hash(text).or_else(|| base64_hash(Algorithm::Sha512, text))
}

/// The number of a component, which another framework can have named before.
fn once(
    draft: &mut Draft<'_>,
    known: &mut Known,
    component: Component,
    entry: &Entry<'_>,
) -> Result<usize, Unreadable> {
    let key = (component.name.to_lowercase(), component.version.clone());
    if let Some(at) = known.get(&key) {
        return Ok(*at);
    }
    let at = draft.add(component, entry.span())?;
    known.insert(key, at);
    Ok(at)
}

fn connect(
    draft: &mut Draft<'_>,
    from: usize,
    node: &Node<'_>,
    here: &BTreeMap<String, usize>,
) -> Result<(), Unreadable> {
    for (name, _) in node.entries_of("dependencies") {
        match here.get(&name.to_lowercase()) {
            Some(to) => draft.edge(from, *to)?,
            None => draft.graph.completeness.lacks(format!("`{name}` has no entry")),
        }
    }
    Ok(())
}

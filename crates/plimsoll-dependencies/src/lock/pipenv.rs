//! `Pipfile.lock`, version 6: what to install, in two sections, without what asks for what.

use crate::{
    component::{Graph, Scope, Source},
    format::Unreadable,
    lock::{Draft, draft::hash, python},
    tree::Node,
};

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::json(draft.text())?;
    if file.get("_meta").is_none() {
        return Err(Unreadable::new("it has no `_meta`"));
    }
    for (section, sections) in file.entries().filter(|(section, _)| *section != "_meta") {
        for (name, entry) in sections.node.entries() {
            let node = &entry.node;
            let version = node.text_of("version").and_then(|version| version.strip_prefix("=="));
            let mut component = python::component(name, version.unwrap_or_default());
            component.scope = if section == "default" { Scope::Runtime } else { Scope::Development };
            component.hashes =
                node.items_of("hashes").iter().filter_map(Node::text).filter_map(hash).collect();
            component.source = source(node);
            if component.version.is_empty() && component.is_published() {
                draft.graph.completeness.lacks(format!("`{name}` is not pinned"));
            }
            draft.add(component, entry.span())?;
        }
    }
    Ok(draft.finish())
}

fn source(node: &Node<'_>) -> Source {
    let field = |key| node.text_of(key).map(str::to_owned);
    match (field("git"), field("path"), field("file")) {
        (Some(address), ..) => Source::Git(format!("{address}#{}", field("ref").unwrap_or_default())),
        (_, Some(path), _) => Source::Path(path),
        (.., Some(address)) => Source::Url(address),
        _ => Source::Registry,
    }
}

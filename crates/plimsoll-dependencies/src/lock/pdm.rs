//! `pdm.lock`, version 4. A package stands once for itself and once for each set of its extras; here it is one.

use crate::{
    component::{Component, Graph, Source},
    format::Unreadable,
    lock::{
        Draft,
        python::{self, Names},
        reach::roots_are_unasked,
    },
    tree::Node,
};
use std::collections::BTreeMap;

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::toml(draft.text())?;
    let (mut known, mut all) = (BTreeMap::new(), Vec::new());
    for package in file.items_of("package") {
        let component = component(package)?;
        let key = (component.name.clone(), component.version.clone());
        let at = match known.get(&key) {
            Some(at) => *at,
            None => draft.add_block(component, package)?,
        };
        known.insert(key, at);
        all.push((at, package));
    }
    let names = Names::of(&draft);
    for (from, package) in all {
        for requirement in package.items_of("dependencies").iter().filter_map(Node::text) {
            names.ask(&mut draft, from, &python::required(requirement))?;
        }
    }
    roots_are_unasked(&mut draft.graph);
    Ok(draft.finish())
}

fn component(package: &Node<'_>) -> Result<Component, Unreadable> {
    let mut component = python::named(package)?;
    component.hashes = python::hashes(package.items_of("files"));
    component.scope = python::scope_of_groups(package.items_of("groups"), "default");
    let field = |key| package.text_of(key).map(str::to_owned);
    component.source = match (field("git"), field("path"), field("url")) {
        (Some(address), ..) => Source::Git(format!("{address}#{}", field("revision").unwrap_or_default())),
        (_, Some(path), _) => Source::Path(path),
        (.., Some(address)) => Source::Url(address),
        _ => Source::Registry,
    };
    Ok(component)
}

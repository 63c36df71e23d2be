//! `composer.lock`: what to install, in two lists. What the project asks for itself is in `composer.json`.

use crate::{
    component::{Algorithm, Component, Ecosystem, Graph, Scope, Source},
    format::Unreadable,
    lock::{Draft, draft::hex_hash, reach::roots_are_unasked},
    tree::Node,
};
use std::collections::BTreeMap;

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::json(draft.text())?;
    if file.get("packages").is_none() {
        return Err(Unreadable::new("it has no `packages`"));
    }
    let (mut names, mut all) = (BTreeMap::new(), Vec::new());
    for (key, scope) in [("packages", Scope::Runtime), ("packages-dev", Scope::Development)] {
        for package in file.items_of(key) {
            let component = component(package, scope)?;
            let name = component.name.clone();
            let at = draft.add(component, package.span.clone())?;
            names.insert(name, at);
            let stands_for = package.entries_of("provide").chain(package.entries_of("replace"));
            all.push((at, package, stands_for.map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>()));
        }
    }
    for (at, _, stands_for) in &all {
        for name in stands_for {
            names.entry(name.clone()).or_insert(*at);
        }
    }
    for (from, package, _) in &all {
        for (name, _) in package.entries_of("require") {
            // Without a vendor it is PHP itself or one of its extensions.
            if let Some(to) = names.get(&name.to_lowercase()).filter(|_| name.contains('/')) {
                draft.edge(*from, *to)?;
            }
        }
    }
    roots_are_unasked(&mut draft.graph);
    Ok(draft.finish())
}

fn component(package: &Node<'_>, scope: Scope) -> Result<Component, Unreadable> {
    let name = package.text_of("name").ok_or_else(|| Unreadable::new("a package in it has no `name`"))?;
    let version = package.text_of("version").unwrap_or_default();
    let mut component = Component::new(Ecosystem::Packagist, &name.to_lowercase(), version);
    component.scope = scope;
    let sha1 = package.at(&["dist", "shasum"]).and_then(Node::text);
    component.hashes.extend(sha1.and_then(|hex| hex_hash(Algorithm::Sha1, hex)));
    if let (Some("path"), Some(path)) =
        (package.at(&["dist", "type"]).and_then(Node::text), package.at(&["dist", "url"]))
    {
        component.source = Source::Path(path.text().unwrap_or_default().to_owned());
    }
    let licenses: Vec<&str> = package.items_of("license").iter().filter_map(Node::text).collect();
    // Several mean a choice (composer's schema, "license").
    component.license = (!licenses.is_empty()).then(|| licenses.join(" OR "));
    Ok(component)
}

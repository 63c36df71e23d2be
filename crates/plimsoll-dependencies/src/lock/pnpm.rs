//! `pnpm-lock.yaml`, versions 5, 6 and 9 (pnpm's specification of lock files). A package is keyed by its name, its version
//! and what its peers resolve to; version 9 keeps what a package is and what it asks for apart.

use crate::{
    component::{Component, Ecosystem, Graph, Scope, Source},
    format::Unreadable,
    lock::{Draft, draft::integrity, reach::Reach},
    tree::{Entry, Node},
};
use std::collections::BTreeMap;

/// Under which key a project asks for packages, and what for.
const KINDS: [(&str, Scope); 3] = [
    ("dependencies", Scope::Runtime),
    ("optionalDependencies", Scope::Optional),
    ("devDependencies", Scope::Development),
];

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::yaml(draft.text())?;
    let version = file.text_of("lockfileVersion").unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    if !matches!(major, "5" | "6" | "9") {
        return Err(Unreadable::new(format!("its version is `{version}`; 5, 6 and 9 are read")));
    }
    let mut packages = BTreeMap::new();
    // What is installed has one entry here for each choice of peers; its facts can be those of an entry without.
    let installed = if major == "9" { "snapshots" } else { "packages" };
    for (key, entry) in file.entries_of(installed) {
        let facts = file.at(&["packages", without_peers(key)]).unwrap_or(&entry.node);
        let at = draft.add(component(key, major, facts), entry.span())?;
        packages.insert(key, at);
    }
    let mut reach = Reach::default();
    for (key, entry) in file.entries_of(installed) {
        package_asks(&mut draft, &packages, key, entry, &mut reach)?;
    }
    projects(&mut draft, &packages, &file, &mut reach)?;
    reach.apply(&mut draft.graph);
    Ok(draft.finish())
}

fn without_peers(key: &str) -> &str {
    key.find('(').map_or(key, |at| &key[..at])
}

fn package_asks(
    draft: &mut Draft<'_>,
    packages: &BTreeMap<&str, usize>,
    key: &str,
    entry: &Entry<'_>,
    reach: &mut Reach,
) -> Result<(), Unreadable> {
    let from = packages[key];
    for kind in ["dependencies", "optionalDependencies"] {
        for (name, wanted) in entry.node.entries_of(kind) {
            match find(packages, name, wanted.node.text().unwrap_or_default()) {
                Some(to) => {
                    draft.edge(from, to)?;
                    if kind == "optionalDependencies" {
                        reach.conditional.insert((from, to), Scope::Optional);
                    }
                }
                None if wanted.node.text().is_some_and(|reference| reference.starts_with("link:")) => {}
                None => draft.graph.completeness.lacks(format!("`{name}` has no entry")),
            }
        }
    }
    Ok(())
}

/// The projects of the workspace; without one, the file itself stands for the only project.
fn projects(
    draft: &mut Draft<'_>,
    packages: &BTreeMap<&str, usize>,
    file: &Node<'_>,
    reach: &mut Reach,
) -> Result<(), Unreadable> {
    let importers: Vec<(&str, &Node<'_>, _)> = match file.get("importers") {
        Some(importers) => importers.entries().map(|(key, entry)| (key, &entry.node, entry.span())).collect(),
        None => vec![(".", file, 0..0)],
    };
    let mut own = BTreeMap::new();
    for (path, _, span) in &importers {
        let mut component = Component::new(Ecosystem::Npm, path, "");
        component.source = Source::Path((*path).to_owned());
        let at = draft.add(component, span.clone())?;
        draft.graph.roots.push(at);
        own.insert(*path, at);
    }
    for (path, node, _) in importers {
        for (kind, scope) in KINDS {
            for (name, entry) in node.entries_of(kind) {
                let reference =
                    entry.node.text().or_else(|| entry.node.text_of("version")).unwrap_or_default();
                if reference.starts_with("link:") {
                    continue;
                }
                match find(packages, name, reference) {
                    Some(to) => {
                        draft.edge(own[path], to)?;
                        reach.direct.push((to, scope));
                    }
                    None => draft.graph.completeness.lacks(format!("`{name}` has no entry")),
                }
            }
        }
    }
    Ok(())
}

/// The package that a reference means: a version with peers, or, of an alias, a whole key.
fn find(packages: &BTreeMap<&str, usize>, name: &str, reference: &str) -> Option<usize> {
    let ways =
        [format!("/{name}/{reference}"), format!("/{name}@{reference}"), format!("{name}@{reference}")];
    let found = ways.iter().find_map(|key| packages.get(key.as_str()));
    found.or_else(|| packages.get(reference)).copied()
}

fn component(key: &str, major: &str, facts: &Node<'_>) -> Component {
    let (name, version) = name_and_version(key, major);
    let name = facts.text_of("name").unwrap_or(name);
    let version = facts.text_of("version").unwrap_or(version);
    let mut component = Component::new(Ecosystem::Npm, name, version);
    let resolution = |field| facts.at(&["resolution", field]).and_then(Node::text);
    component.hashes = resolution("integrity").map(integrity).unwrap_or_default();
    component.source = match (resolution("repo"), resolution("directory"), resolution("tarball")) {
        (Some(repository), ..) => {
            Source::Git(format!("{repository}#{}", resolution("commit").unwrap_or_default()))
        }
        (_, Some(directory), _) => Source::Path(directory.to_owned()),
        (_, _, Some(address)) => super::draft::archive(address),
        _ => Source::Registry,
    };
    // Versions 5 and 6 say so; of version 9 it follows from who asks.
    component.scope = match () {
        () if facts.is_true("dev") => Scope::Development,
        () if facts.is_true("optional") => Scope::Optional,
        () => Scope::Unknown,
    };
    component
}

fn name_and_version<'a>(key: &'a str, major: &str) -> (&'a str, &'a str) {
    let key = without_peers(key.strip_prefix('/').unwrap_or(key));
    if major == "5" {
        let scope = if key.starts_with('@') { key.find('/').map_or(0, |at| at + 1) } else { 0 };
        return match key[scope..].find('/') {
            Some(at) => {
                let version = &key[scope + at + 1..];
                (&key[..scope + at], version.split('_').next().unwrap_or(version))
            }
            None => (key, ""),
        };
    }
    match key.get(1..).and_then(|rest| rest.find('@')) {
        Some(at) => (&key[..=at], &key[at + 2..]),
        None => (key, ""),
    }
}

//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3 (npm's documentation, "package-lock.json"). A dependency
//! is looked up as Node.js does: in the `node_modules` of each directory above the one that asks.

use crate::{
    component::{Component, Ecosystem, Graph, Scope, Source},
    format::Unreadable,
    lock::{
        Draft,
        draft::{archive, integrity},
    },
    tree::{Entry, Node},
};
use std::{borrow::Cow, collections::BTreeMap};

/// Directories above each other; each lookup goes through all of them.
const MAX_PARTS: usize = 200;

/// Keys under which a package of the file asks for others.
const ASKS: [&str; 4] = ["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"];

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::json(draft.text())?;
    match file.get("packages") {
        Some(packages) => with_places(&mut draft, packages, &file)?,
        None if file.get("lockfileVersion").is_some() => nested(&mut draft, &file)?,
        None => return Err(Unreadable::new("it has neither `packages` nor `lockfileVersion`")),
    }
    Ok(draft.finish())
}

/// Versions 2 and 3: one map, from the place of each package.
fn with_places(draft: &mut Draft<'_>, packages: &Node<'_>, file: &Node<'_>) -> Result<(), Unreadable> {
    let (mut places, mut links) = (BTreeMap::new(), Vec::new());
    for (place, entry) in packages.entries() {
        if place.split('/').count() > MAX_PARTS {
            return Err(Unreadable::new(format!("a package in it lies deeper than {MAX_PARTS} directories")));
        }
        if entry.node.is_true("link") {
            links.push((place, entry.node.text_of("resolved").unwrap_or_default()));
            continue;
        }
        let at = draft.add(placed(place, &entry.node, file), entry.span())?;
        if !place.contains("node_modules/") {
            draft.graph.roots.push(at);
        }
        places.insert(Cow::Borrowed(place), at);
    }
    for (place, target) in links {
        match places.get(target).copied() {
            Some(at) => drop(places.insert(Cow::Borrowed(place), at)),
            None => draft.graph.completeness.lacks(format!("`{place}` links to what has no entry")),
        }
    }
    for (place, entry) in packages.entries().filter(|(_, entry)| !entry.node.is_true("link")) {
        let Some(from) = places.get(place).copied() else { continue };
        asks(draft, &places, from, place, entry)?;
    }
    Ok(())
}

fn asks(
    draft: &mut Draft<'_>,
    places: &BTreeMap<Cow<'_, str>, usize>,
    from: usize,
    place: &str,
    entry: &Entry<'_>,
) -> Result<(), Unreadable> {
    let node = &entry.node;
    for kind in ASKS {
        for (name, _) in node.entries_of(kind) {
            let may_lack = kind != "dependencies"
                || node.at(&["optionalDependencies", name]).is_some()
                || kind == "devDependencies" && place.contains("node_modules/");
            match lookup(places, place, name) {
                Some(to) => draft.edge(from, to)?,
                None if may_lack => {}
                None => draft.graph.completeness.lacks(format!("`{name}` has no entry")),
            }
        }
    }
    Ok(())
}

/// The package that a file in the directory `place` gets when it asks for `name` (Node.js, "Loading from node_modules").
fn lookup(places: &BTreeMap<Cow<'_, str>, usize>, place: &str, name: &str) -> Option<usize> {
    let mut directory = Some(place);
    while let Some(here) = directory {
        let separator = if here.is_empty() { "" } else { "/" };
        if let Some(at) = places.get(format!("{here}{separator}node_modules/{name}").as_str()) {
            return Some(*at);
        }
        directory = match here.rsplit_once('/') {
            Some((above, "node_modules")) => Some(above),
            Some((above, _)) => Some(above.strip_suffix("/node_modules").unwrap_or(above)),
            None if here.is_empty() => None,
            None => Some(""),
        };
    }
    None
}

fn placed(place: &str, node: &Node<'_>, file: &Node<'_>) -> Component {
    let last = place.rsplit_once("node_modules/").map(|(_, name)| name);
    let own = || if place.is_empty() { file.text_of("name").unwrap_or(".") } else { place };
    // An alias is installed under another name than its own.
    let name = node.text_of("name").or(last).unwrap_or_else(own);
    let mut component = Component::new(Ecosystem::Npm, name, node.text_of("version").unwrap_or_default());
    component.source = match (last, node.text_of("resolved")) {
        (None, _) => Source::Path(place.to_owned()),
        (Some(_), None) => Source::Registry,
        (Some(_), Some(address)) => archive(address),
    };
    fill(component, node)
}

/// What an entry of any version says of its package.
fn fill(mut component: Component, node: &Node<'_>) -> Component {
    component.hashes = node.text_of("integrity").map(integrity).unwrap_or_default();
    component.license = node.text_of("license").map(str::to_owned);
    component.scope = match () {
        () if node.is_true("devOptional") || node.is_true("optional") && !node.is_true("dev") => {
            Scope::Optional
        }
        () if node.is_true("dev") => Scope::Development,
        () => Scope::Runtime,
    };
    component
}

/// A package of version 1, its place as versions 2 and 3 would write it, and its entry.
struct Nested<'a> {
    at: usize,
    place: String,
    node: &'a Node<'a>,
}

/// Version 1: packages in the order in which their directories lie in each other.
fn nested(draft: &mut Draft<'_>, file: &Node<'_>) -> Result<(), Unreadable> {
    let name = file.text_of("name").unwrap_or(".");
    let mut own = Component::new(Ecosystem::Npm, name, file.text_of("version").unwrap_or_default());
    own.source = Source::Path(String::new());
    own.scope = Scope::Runtime;
    let root = draft.add(own, 0..0)?;
    draft.graph.roots.push(root);
    let (mut places, mut all) = (BTreeMap::new(), Vec::new());
    let mut open = vec![(String::new(), file)];
    while let Some((place, node)) = open.pop() {
        for (name, entry) in node.entries_of("dependencies") {
            let below = if place.is_empty() { String::new() } else { format!("{place}/") };
            let place = format!("{below}node_modules/{name}");
            let at = draft.add(unplaced(name, &entry.node), entry.span())?;
            places.insert(Cow::Owned(place.clone()), at);
            open.push((place.clone(), &entry.node));
            all.push(Nested { at, place, node: &entry.node });
        }
    }
    for Nested { at, place, node } in all {
        for (name, _) in node.entries_of("requires") {
            match lookup(&places, &place, name) {
                Some(to) => draft.edge(at, to)?,
                // An optional package of another platform is left out without a trace.
                None => draft.graph.completeness.lacks(format!("`{name}` has no entry")),
            }
        }
    }
    roots_of_version_1(draft, root, &places)
}

/// Version 1 does not say what the project asks for: what lies at the top and nothing else asks for.
fn roots_of_version_1(
    draft: &mut Draft<'_>,
    root: usize,
    places: &BTreeMap<Cow<'_, str>, usize>,
) -> Result<(), Unreadable> {
    let mut asked = vec![false; draft.graph.components.len()];
    for (_, to) in &draft.graph.edges {
        asked[*to] = true;
    }
    let top = places.iter().filter(|(place, at)| place.matches("node_modules/").count() == 1 && !asked[**at]);
    for to in top.map(|(_, at)| *at).collect::<Vec<_>>() {
        draft.edge(root, to)?;
    }
    Ok(())
}

fn unplaced(name: &str, node: &Node<'_>) -> Component {
    let written = node.text_of("version").unwrap_or_default();
    let alias = written.strip_prefix("npm:").and_then(|alias| {
        let at = alias.rfind('@').filter(|at| *at > 0)?;
        Some((&alias[..at], &alias[at + 1..]))
    });
    let (name, version) = alias.unwrap_or((name, written));
    let mut component = Component::new(Ecosystem::Npm, name, version);
    component.source = match node.text_of("resolved") {
        Some(address) => archive(address),
        None if version.contains(['/', ':']) => archive(version),
        None => Source::Registry,
    };
    fill(component, node)
}

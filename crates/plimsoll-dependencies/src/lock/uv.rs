//! `uv.lock`, version 1: the projects of the workspace are packages of the file, and each says what it asks for.

use crate::{
    component::{Component, Graph, Scope, Source},
    format::Unreadable,
    lock::{
        Draft, draft,
        python::{self, Names},
        reach::Reach,
    },
    tree::Node,
};

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::toml(draft.text())?;
    let packages = file.items_of("package");
    for package in packages {
        let component = component(package)?;
        let own = matches!(component.source, Source::Path(_));
        let at = draft.add_block(component, package)?;
        if own {
            draft.graph.roots.push(at);
        }
    }
    let names = Names::of(&draft);
    let mut reach = Reach::default();
    for (from, package) in packages.iter().enumerate() {
        let own = draft.graph.components[from].source.clone();
        if matches!(own, Source::Path(_)) {
            reach.direct.push((from, Scope::Runtime));
        }
        for (kind, list) in asked(package) {
            for to in list.iter().flat_map(|wanted| meant(&names, &draft.graph, wanted)).collect::<Vec<_>>() {
                draft.edge(from, to)?;
                if kind != Scope::Runtime {
                    reach.conditional.insert((from, to), kind);
                }
            }
        }
    }
    reach.apply(&mut draft.graph);
    Ok(draft.finish())
}

/// What a package asks for: always, for an extra, and to be developed.
fn asked<'a>(package: &'a Node<'a>) -> Vec<(Scope, &'a [Node<'a>])> {
    let mut asked = vec![(Scope::Runtime, package.items_of("dependencies"))];
    for (key, scope) in [("optional-dependencies", Scope::Optional), ("dev-dependencies", Scope::Development)]
    {
        asked.extend(package.entries_of(key).map(|(_, entry)| (scope, entry.node.items())));
    }
    asked
}

/// The packages that an entry of a list means: of that name and, where it says one, that version.
fn meant(names: &Names, graph: &Graph, wanted: &Node<'_>) -> Vec<usize> {
    let Some(name) = wanted.text_of("name") else { return Vec::new() };
    let version = wanted.text_of("version");
    let fits = |at: &&usize| version.is_none_or(|version| graph.components[**at].version == version);
    names.all(name).iter().filter(fits).copied().collect()
}

fn component(package: &Node<'_>) -> Result<Component, Unreadable> {
    let mut component = python::named(package)?;
    let source = |key| package.at(&["source", key]).and_then(Node::text).map(str::to_owned);
    let path = ["editable", "virtual", "directory", "path"].into_iter().find_map(source);
    component.source = match (source("registry"), source("git"), source("url")) {
        (Some(address), ..) => Source::RegistryAt(address),
        (_, Some(address), _) => Source::Git(address),
        (.., Some(address)) => Source::Url(address),
        _ => path.map_or(Source::Registry, Source::Path),
    };
    component.hashes = python::hashes(package.items_of("wheels"));
    component.hashes.extend(package.get("sdist").and_then(|sdist| draft::hash(sdist.text_of("hash")?)));
    component.hashes.sort();
    Ok(component)
}

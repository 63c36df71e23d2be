//! `pylock.toml` (PEP 751).

use crate::{
    component::{Algorithm, Component, Graph, Hash, Source},
    format::Unreadable,
    lock::{
        Draft,
        draft::hex_hash,
        python::{self, Names},
        reach::roots_are_unasked,
    },
    tree::Node,
};

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::toml(draft.text())?;
    if file.get("lock-version").is_none() {
        return Err(Unreadable::new("it has no `lock-version`"));
    }
    let packages = file.items_of("packages");
    for package in packages {
        draft.add_block(component(package)?, package)?;
    }
    let names = Names::of(&draft);
    let mut any = false;
    for (from, package) in packages.iter().enumerate() {
        for name in package.items_of("dependencies").iter().filter_map(|wanted| wanted.text_of("name")) {
            any |= names.ask(&mut draft, from, name)?;
        }
    }
    // Who asks for what is optional in this format, and some tools leave it out.
    if any {
        roots_are_unasked(&mut draft.graph);
    }
    Ok(draft.finish())
}

fn component(package: &Node<'_>) -> Result<Component, Unreadable> {
    let mut component = python::named(package)?;
    let at = |way: [&str; 2]| package.at(&way).and_then(Node::text).map(str::to_owned);
    let vcs = at(["vcs", "url"]).or_else(|| at(["vcs", "path"]));
    let archive = at(["archive", "url"]).or_else(|| at(["archive", "path"]));
    component.source = match (vcs, at(["directory", "path"]), archive) {
        (Some(address), ..) => {
            Source::Git(format!("{address}#{}", at(["vcs", "commit-id"]).unwrap_or_default()))
        }
        (_, Some(path), _) => Source::Path(path),
        (.., Some(address)) => Source::Url(address),
        _ => package.text_of("index").map_or(Source::Registry, |index| Source::RegistryAt(index.to_owned())),
    };
    let files = package.items_of("wheels").iter().chain(package.get("sdist")).chain(package.get("archive"));
    component.hashes = files.flat_map(hashes).collect();
    component.hashes.sort();
    component.hashes.dedup();
    Ok(component)
}

fn hashes<'a>(file: &'a Node<'a>) -> impl Iterator<Item = Hash> + 'a {
    Algorithm::ALL
        .into_iter()
        .filter_map(|algorithm| hex_hash(algorithm, file.at(&["hashes", algorithm.as_str()])?.text()?))
}

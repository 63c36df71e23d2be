//! `Cargo.lock`, formats 1 to 4 (the Cargo book, "Cargo.lock"). It holds the packages of every feature, target and
//! purpose together, so that scopes are not known.

use crate::{
    component::{Algorithm, Component, Ecosystem, Graph, Source},
    format::Unreadable,
    lock::{Draft, draft::hex_hash},
    tree::Node,
};
use std::collections::BTreeMap;

/// What cargo writes for its public registry, whichever way it reaches it.
const PUBLIC: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file = Node::toml(draft.text())?;
    // Before format 1 had a name, the project itself stood in a table of its own.
    let nodes = file.get("root").into_iter().chain(file.items_of("package"));
    let packages = nodes.map(Package::read).collect::<Result<Vec<_>, _>>()?;
    let checksums = file.get("metadata");
    for package in &packages {
        let at = draft.add_block(package.component(checksums), package.node)?;
        if package.source.is_none() {
            draft.graph.roots.push(at);
        }
    }
    let names = Names::new(&packages);
    for (from, package) in packages.iter().enumerate() {
        for dependency in package.node.items_of("dependencies").iter().filter_map(Node::text) {
            match names.find(dependency) {
                Some(to) => draft.edge(from, to)?,
                None => draft.graph.completeness.lacks(format!("`{dependency}` has no entry")),
            }
        }
    }
    Ok(draft.finish())
}

struct Package<'a> {
    name: &'a str,
    version: &'a str,
    source: Option<&'a str>,
    node: &'a Node<'a>,
}

impl<'a> Package<'a> {
    fn read(node: &'a Node<'a>) -> Result<Self, Unreadable> {
        let field =
            |key| node.text_of(key).ok_or_else(|| Unreadable::new(format!("a package in it has no `{key}`")));
        Ok(Self { name: field("name")?, version: field("version")?, source: node.text_of("source"), node })
    }

    fn component(&self, checksums: Option<&Node<'_>>) -> Component {
        let mut component = Component::new(Ecosystem::Cargo, self.name, self.version);
        let stated = || {
            let key = format!("checksum {} {} ({})", self.name, self.version, self.source?);
            checksums?.text_of(&key)
        };
        let checksum = self.node.text_of("checksum").or_else(stated);
        component.hashes.extend(checksum.and_then(|hex| hex_hash(Algorithm::Sha256, hex)));
        component.source = source(self.source);
        component
    }
}

fn source(written: Option<&str>) -> Source {
    match written {
        None => Source::Path(String::new()),
        Some(PUBLIC) => Source::Registry,
        Some(source) => match source.split_once('+') {
            Some(("registry" | "sparse", address)) => Source::RegistryAt(address.to_owned()),
            Some(("git", address)) => Source::Git(address.to_owned()),
            _ => Source::Url(source.to_owned()),
        },
    }
}

/// Finds the entry that a dependency means: `name`, `name version` or `name version (source)`, as far as needed.
struct Names<'a> {
    by_name: BTreeMap<&'a str, Vec<usize>>,
    by_version: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    by_source: BTreeMap<(&'a str, &'a str, &'a str), usize>,
}

impl<'a> Names<'a> {
    fn new(packages: &[Package<'a>]) -> Self {
        let mut names =
            Self { by_name: BTreeMap::new(), by_version: BTreeMap::new(), by_source: BTreeMap::new() };
        for (at, Package { name, version, source, .. }) in packages.iter().enumerate() {
            names.by_name.entry(name).or_default().push(at);
            names.by_version.entry((name, version)).or_default().push(at);
            names.by_source.insert((name, version, source.unwrap_or_default()), at);
        }
        names
    }

    fn find(&self, dependency: &str) -> Option<usize> {
        let only = |found: Option<&Vec<usize>>| found.filter(|all| all.len() == 1).map(|all| all[0]);
        let mut words = dependency.splitn(3, ' ');
        match (words.next()?, words.next(), words.next()) {
            (name, None, _) => only(self.by_name.get(name)),
            (name, Some(version), None) => only(self.by_version.get(&(name, version))),
            (name, Some(version), Some(source)) => {
                let source = source.strip_prefix('(')?.strip_suffix(')')?;
                let found = self.by_source.get(&(name, version, source)).copied();
                // Git sources are written without the commit by some versions of cargo.
                found.or_else(|| only(self.by_version.get(&(name, version))))
            }
        }
    }
}

//! `Cargo.lock`, formats 1 to 4 (the Cargo book, "Cargo.lock"). It holds the packages of every feature, target and
//! purpose together, so that scopes are not known.

use crate::{
    component::{Algorithm, Component, Ecosystem, Graph, Source},
    format::Unreadable,
    lock::{Draft, draft::hex_hash},
};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    package: Vec<Package>,
    /// The project itself, before format 1 had a name.
    root: Option<Package>,
    /// Checksums of format 1, by `checksum NAME VERSION (SOURCE)`.
    #[serde(default)]
    metadata: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct Package {
    name: Spanned<String>,
    version: Spanned<String>,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

pub(crate) fn read(path: &str, bytes: &[u8]) -> Result<Graph, Unreadable> {
    let mut draft = Draft::new(path, bytes)?;
    let file: File = toml::from_str(draft.text()).map_err(|error| Unreadable::new(error.message()))?;
    let packages: Vec<_> = file.root.into_iter().chain(file.package).collect();
    for package in &packages {
        let span = package.name.span().start..package.version.span().end;
        let at = draft.add(component(package, &file.metadata), draft.line_of(span))?;
        if package.source.is_none() {
            draft.graph.roots.push(at);
        }
    }
    let names = Names::new(&packages);
    for (from, package) in packages.iter().enumerate() {
        for dependency in &package.dependencies {
            match names.find(dependency) {
                Some(to) => draft.edge(from, to)?,
                None => draft.graph.completeness.lacks(format!("`{dependency}` has no entry")),
            }
        }
    }
    Ok(draft.finish())
}

fn component(package: &Package, metadata: &BTreeMap<String, toml::Value>) -> Component {
    let mut component = Component::new(Ecosystem::Cargo, package.name.get_ref(), package.version.get_ref());
    let stated = || {
        let source = package.source.as_deref()?;
        let key = format!("checksum {} {} ({source})", package.name.get_ref(), package.version.get_ref());
        metadata.get(&key)?.as_str()
    };
    let checksum = package.checksum.as_deref().or_else(stated);
    component.hashes.extend(checksum.and_then(|hex| hex_hash(Algorithm::Sha256, hex)));
    component.source = source(package.source.as_deref());
    component
}

fn source(written: Option<&str>) -> Source {
    const PUBLIC: [&str; 2] =
        ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];
    match written {
        None => Source::Path(String::new()),
        Some(source) if PUBLIC.contains(&source) => Source::Registry,
        Some(source) => match source.split_once('+') {
            Some(("registry" | "sparse", address)) => Source::OtherRegistry(address.to_owned()),
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
    fn new(packages: &'a [Package]) -> Self {
        let mut names =
            Self { by_name: BTreeMap::new(), by_version: BTreeMap::new(), by_source: BTreeMap::new() };
        for (at, package) in packages.iter().enumerate() {
            let (name, version) = (package.name.get_ref().as_str(), package.version.get_ref().as_str());
            names.by_name.entry(name).or_default().push(at);
            names.by_version.entry((name, version)).or_default().push(at);
            names.by_source.insert((name, version, package.source.as_deref().unwrap_or_default()), at);
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

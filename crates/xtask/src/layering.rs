//! The floors of ARCHITECTURE.md, held over `cargo metadata`: dependencies point downward, adapters do not know each
//! other, nothing on the ground floor can do input or output, and only the top floor talks to a terminal.

use crate::project::{Project, Result};
use cargo_metadata::{DependencyKind, Metadata, Node, Package, PackageId, TargetKind};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[cfg(test)]
mod tests;

/// Where a crate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Floor {
    /// Pure: no input or output, clock, randomness or environment.
    Pure,
    /// The engine and the file walker.
    Engine,
    /// One vendor library each; they never know each other.
    Adapter,
    /// Commands: prints, reads flags and the environment.
    Command,
    /// Tests and chores; may use anything, and only tests may use it.
    Development,
}

const FLOORS: &[(&str, Floor)] = &[
    ("plimsoll-model", Floor::Pure),
    ("plimsoll-pipeline", Floor::Pure),
    ("plimsoll-attest", Floor::Pure),
    ("plimsoll-policy", Floor::Pure),
    ("plimsoll-scan", Floor::Pure),
    ("plimsoll-dependencies", Floor::Pure),
    ("plimsoll-config", Floor::Pure),
    ("plimsoll-engine", Floor::Engine),
    ("plimsoll-fs", Floor::Engine),
    ("plimsoll-sandbox", Floor::Adapter),
    ("plimsoll-gateway", Floor::Adapter),
    ("plimsoll-store", Floor::Adapter),
    ("plimsoll-git", Floor::Adapter),
    ("plimsoll-sign", Floor::Adapter),
    ("plimsoll-host", Floor::Adapter),
    ("plimsoll", Floor::Command),
    ("plimsoll-testkit", Floor::Development),
    ("xtask", Floor::Development),
];

/// What nothing below floor 1 may contain, at any depth: runtimes, sockets, system calls, databases, clusters.
const NOT_PURE: &[&str] = &[
    "tokio",
    "async-std",
    "smol",
    "mio",
    "polling",
    "rustix",
    "nix",
    "socket2",
    "hyper",
    "axum",
    "reqwest",
    "ureq",
    "rustls",
    "openssl",
    "sqlx",
    "rusqlite",
    "kube",
    "gix",
    "tempfile",
];

/// What floor 0 may not ask for itself: a library can hold an unused trait for it, our code has no business with it.
const NOT_PURE_DIRECTLY: &[&str] = &["getrandom", "rand", "libc", "uuid"];

/// What only the top floor may depend on.
const TERMINAL: &[&str] = &[
    "clap",
    "anstream",
    "miette",
    "indicatif",
    "owo-colors",
    "comfy-table",
    "dialoguer",
    "console",
    "crossterm",
];

/// Everything that breaks the floors.
pub(crate) fn check(project: &Project) -> Result<Vec<String>> {
    findings(&project.metadata)
}

fn findings(metadata: &Metadata) -> Result<Vec<String>> {
    let graph = Graph::new(metadata)?;
    let mut found = Vec::new();
    for (name, id) in &graph.members {
        match floor(name) {
            None => {
                found.push(format!("{name} has no floor: add it to FLOORS in crates/xtask/src/layering.rs"))
            }
            Some(Floor::Development) => {}
            Some(at) => {
                found.extend(graph.edges(id).filter_map(|edge| against_floors(name, at, &edge)));
                if at == Floor::Pure {
                    found.extend(graph.impurities(name, id));
                }
            }
        }
    }
    let gone = FLOORS.iter().filter(|(name, _)| !graph.members.contains_key(name));
    found.extend(gone.map(|(name, _)| format!("{name} has a floor and does not exist")));
    Ok(found)
}

fn floor(name: &str) -> Option<Floor> {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
}

/// A direct dependency.
struct Edge<'a> {
    to: &'a str,
    /// Only tests, benches and examples use it.
    test_only: bool,
}

fn against_floors(from: &str, at: Floor, edge: &Edge<'_>) -> Option<String> {
    let to = edge.to;
    if at != Floor::Command && !edge.test_only && TERMINAL.contains(&to) {
        return Some(format!("{from} -> {to}: only floor 3 talks to a terminal"));
    }
    if at == Floor::Pure && !edge.test_only && NOT_PURE_DIRECTLY.contains(&to) {
        return Some(format!(
            "{from} -> {to}: floor 0 takes time, randomness and configuration as arguments"
        ));
    }
    match floor(to)? {
        Floor::Development if edge.test_only => None,
        Floor::Development => Some(format!("{from} -> {to}: only tests may use it")),
        Floor::Adapter if at == Floor::Adapter => {
            Some(format!("{from} -> {to}: floor-2 crates never know each other"))
        }
        below if below <= at => None,
        above => Some(format!("{from} -> {to}: upward, from {at:?} to {above:?}")),
    }
}

struct Graph<'a> {
    packages: BTreeMap<&'a PackageId, &'a Package>,
    nodes: BTreeMap<&'a PackageId, &'a Node>,
    members: BTreeMap<&'a str, &'a PackageId>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Metadata) -> Result<Self> {
        let packages: BTreeMap<_, _> = metadata.packages.iter().map(|p| (&p.id, p)).collect();
        let resolve = metadata.resolve.as_ref().ok_or("cargo metadata gave no dependency graph")?;
        let members =
            metadata.workspace_members.iter().filter_map(|id| Some((packages.get(id)?.name.as_str(), id)));
        Ok(Self {
            members: members.collect(),
            nodes: resolve.nodes.iter().map(|node| (&node.id, node)).collect(),
            packages,
        })
    }

    fn edges(&self, id: &'a PackageId) -> impl Iterator<Item = Edge<'a>> {
        let dependencies = self.nodes.get(id).map_or(&[][..], |node| &node.deps);
        dependencies.iter().filter_map(|dependency| {
            let to = self.packages.get(&dependency.pkg)?.name.as_str();
            let test_only = dependency.dep_kinds.iter().all(|kind| kind.kind == DependencyKind::Development);
            Some(Edge { to, test_only })
        })
    }

    /// Packages that become part of `id` when it is compiled: build scripts and procedural macros run elsewhere.
    fn linked(&self, id: &'a PackageId) -> impl Iterator<Item = &'a PackageId> {
        let dependencies = self.nodes.get(id).map_or(&[][..], |node| &node.deps);
        dependencies
            .iter()
            .filter(|dependency| dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal))
            .map(|dependency| &dependency.pkg)
            .filter(|id| self.packages.get(id).is_some_and(|package| !is_macro(package)))
    }

    /// Banned packages in the closure of a floor-0 crate, each with the shortest way that leads to it.
    fn impurities(&self, name: &str, root: &'a PackageId) -> Vec<String> {
        let mut seen = BTreeSet::from([root]);
        let mut open = VecDeque::from([(root, name.to_owned())]);
        let mut found = Vec::new();
        while let Some((id, way)) = open.pop_front() {
            for next in self.linked(id).filter(|next| seen.insert(next)).collect::<Vec<_>>() {
                let name = self.packages[next].name.as_str();
                let way = format!("{way} -> {name}");
                if NOT_PURE.contains(&name) {
                    found.push(format!("{way}: floor 0 holds nothing that can do input or output"));
                } else {
                    open.push_back((next, way));
                }
            }
        }
        found
    }
}

fn is_macro(package: &Package) -> bool {
    package.targets.iter().any(|target| target.kind.contains(&TargetKind::ProcMacro))
}

//! Why a vulnerable package is there, and what to do: the path from the project to it, and the smallest update.

use super::Lookup;
use crate::{
    component::{Component, Graph},
    index::{Index, IndexError},
};
use plimsoll_scan::Finding;

/// One place in which a vulnerability applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Which graph, by its place in the list.
    pub graph: usize,
    /// What was found.
    pub finding: Finding,
    /// `name version` from the project to the package; the package alone where the lock file does not say who asks for
    /// it.
    pub path: Vec<String>,
    /// Whether the path is known from its beginning.
    pub rooted: bool,
    /// The smallest version above that does not have this vulnerability.
    pub fixed: Option<String>,
    /// The smallest version above that no advisory is about.
    pub clean: Option<String>,
}

/// Where the vulnerability `id`, under any of its names or by the fingerprint of a finding, applies in the graphs.
///
/// # Errors
/// When a page of the index was altered.
pub fn explain(graphs: &[Graph], index: &Index, id: &str) -> Result<Vec<Explanation>, IndexError> {
    let mut lookup = Lookup { clean: true, ..Lookup::new(index)? };
    let mut found = Vec::new();
    for (place, graph) in graphs.iter().enumerate() {
        let paths = graph.paths();
        for (at, component) in graph.dependencies().filter(|(_, component)| component.is_published()) {
            for group in lookup.groups(component)?.0 {
                let finding = group.finding(component);
                if !group.is_called(id) && finding.fingerprint.to_string() != id {
                    continue;
                }
                let path = paths.to(at);
                found.push(Explanation {
                    graph: place,
                    rooted: path.is_some(),
                    path: path
                        .unwrap_or_else(|| vec![at])
                        .iter()
                        .filter_map(|at| shown(graph, *at))
                        .collect(),
                    finding,
                    fixed: group.fixed,
                    clean: group.clean,
                });
            }
        }
    }
    Ok(found)
}

fn shown(graph: &Graph, at: usize) -> Option<String> {
    let Component { name, version, .. } = graph.components.get(at)?;
    Some(format!("{name} {version}").trim_end().to_owned())
}

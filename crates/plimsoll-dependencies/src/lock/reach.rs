//! Scopes of formats that do not write them down: what something is needed for follows from what asks for it.

use crate::component::{Graph, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// What a project asks for itself, and which edges are taken only under a condition.
#[derive(Default)]
pub(crate) struct Reach {
    /// Each with what it is needed for.
    pub(crate) direct: Vec<(usize, Scope)>,
    /// Edges of the graph that are not taken to run, with what for.
    pub(crate) conditional: BTreeMap<(usize, usize), Scope>,
}

impl Reach {
    /// Sets the scope of everything that is reached: runtime before optional before development.
    pub(crate) fn apply(mut self, graph: &mut Graph) {
        graph.tidy();
        let mut scopes = vec![None; graph.components.len()];
        for scope in [Scope::Runtime, Scope::Optional, Scope::Development] {
            let starts = self.direct.iter().filter(|(_, of)| *of == scope).map(|(at, _)| *at).collect();
            let ends = self.spread(graph, &mut scopes, starts, scope);
            self.direct.extend(ends);
        }
        for (component, scope) in graph.components.iter_mut().zip(scopes) {
            component.scope = scope.unwrap_or(component.scope);
        }
    }

    /// Gives `scope` to what is reached from `open` and has none. Runtime does not go along conditional edges; their ends
    /// are given.
    fn spread(
        &self,
        graph: &Graph,
        scopes: &mut [Option<Scope>],
        mut open: Vec<usize>,
        scope: Scope,
    ) -> Vec<(usize, Scope)> {
        let mut left = Vec::new();
        while let Some(at) = open.pop() {
            if scopes.get(at).is_none_or(Option::is_some) {
                continue;
            }
            scopes[at] = Some(scope);
            let first = graph.edges.partition_point(|(from, _)| *from < at);
            for edge in graph.edges[first..].iter().take_while(|(from, _)| *from == at) {
                match self.conditional.get(edge) {
                    Some(condition) if scope == Scope::Runtime => left.push((edge.1, *condition)),
                    _ => open.push(edge.1),
                }
            }
        }
        left
    }
}

/// Makes roots of what nothing else asks for, where the file does not say what the project itself asks for.
pub(crate) fn roots_are_unasked(graph: &mut Graph) {
    let asked: BTreeSet<usize> =
        graph.edges.iter().filter(|(from, to)| from != to).map(|(_, to)| *to).collect();
    graph.roots = (0..graph.components.len()).filter(|at| !asked.contains(at)).collect();
}

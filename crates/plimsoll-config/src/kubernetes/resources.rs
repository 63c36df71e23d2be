//! What containers say of the processor time and memory that they need and may take.

use super::graph::{Container, Graph, Role};
use crate::issue::Found;

/// What a container can say of a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Amount {
    /// What it needs; the scheduler goes by it.
    Request,
    /// What it may take at most.
    Limit,
}

impl Amount {
    const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Limit => "limit",
        }
    }

    /// Where a LimitRange says it for containers that do not.
    const fn default_key(self) -> &'static str {
        match self {
            Self::Request => "defaultRequest",
            Self::Limit => "default",
        }
    }

    fn is_stated(self, container: &Container<'_>, resource: &str) -> bool {
        let states = |key| container.at(&["resources", key, resource]).is_some();
        match self {
            // A limit is the request where none is written.
            Self::Request => states("requests") || states("limits"),
            Self::Limit => states("limits"),
        }
    }
}

/// Reports each container for which neither it nor its namespace says this.
pub(crate) fn report_unstated(graph: &Graph, amount: Amount, resource: &str, found: &mut Found<'_>) {
    let word = amount.word();
    for workload in graph.workloads().filter(|one| !graph.has_default(*one, amount.default_key(), resource)) {
        let lasting = workload.containers().filter(|container| container.role != Role::Ephemeral);
        for container in lasting.filter(|container| !amount.is_stated(container, resource)) {
            let message = format!("container `{}` has no {resource} {word}", container.name());
            let fix = format!("set `resources.{word}s.{resource}`, or a LimitRange in the namespace");
            container.report(found, None, message).fix(fix);
        }
    }
}

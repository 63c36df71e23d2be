//! A container that may write over its own programs.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-writable-root",
    title: "container with a writable root",
    severity: Severity::Low,
    help: "\
An intruder who can write next to the programs stays: tools are put there, binaries replaced. With a read-only root
only the mounted volumes can be written. Give `/tmp` an `emptyDir` where it is needed.

Bad:

```yaml
securityContext:
  readOnlyRootFilesystem: false
```

Good:

```yaml
securityContext:
  readOnlyRootFilesystem: true
```",
    references: &["https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers().filter(|container| !container.workload.is_windows()) {
        let node = container.own_security("readOnlyRootFilesystem");
        if node.and_then(Node::truth) != Some(true) {
            let message = format!("container `{}` may write over its own programs", container.name());
            container.harden(found, node, message, ("readOnlyRootFilesystem", "true"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_the_root_can_be_written() {
        fires(&RULE, &container("image: a"), &["6:5"]);
        fires(&RULE, &container("securityContext:\n  readOnlyRootFilesystem: false"), &["8:31"]);
    }

    #[test]
    fn is_silent_where_it_is_read_only() {
        is_silent(&RULE, &container("securityContext:\n  readOnlyRootFilesystem: true"));
    }
    #[test]
    fn the_diff_makes_it_read_only() {
        let text = container("securityContext:\n  readOnlyRootFilesystem: false");
        is_fixed(
            &RULE,
            &text,
            &["-      readOnlyRootFilesystem: false", "+      readOnlyRootFilesystem: true"],
        );
    }
}

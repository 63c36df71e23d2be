//! A container with a user number that the node has too.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-low-user",
    title: "container with a user number of the node",
    severity: Severity::Info,
    help: "\
Users of the node have low numbers. A container that breaks out, or shares a volume of the node, then is one of them.
Numbers from 10000 on belong to nobody.

Bad:

```yaml
securityContext:
  runAsUser: 101
```

Good:

```yaml
securityContext:
  runAsUser: 10001
```",
    references: &["https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        let Some(node) = container.security("runAsUser") else { continue };
        let Some(user) = node.number().filter(|user| (1..10_000).contains(user)) else { continue };
        let message =
            format!("container `{}` runs as user {user}, which the node may have too", container.name());
        container.report(found, Some(node), message).fix("use a number from 10000 on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_low_number() {
        fires(&RULE, &container("securityContext:\n  runAsUser: 101"), &["8:18"]);
    }

    #[test]
    fn is_silent_on_a_high_one_and_on_root_which_is_worse() {
        is_silent(&RULE, &container("securityContext:\n  runAsUser: 10001"));
        is_silent(&RULE, &container("securityContext:\n  runAsUser: 0"));
    }
}

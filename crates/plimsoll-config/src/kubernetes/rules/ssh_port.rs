//! A container into which one logs in.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-ssh-port",
    title: "container that offers SSH",
    severity: Severity::Medium,
    help: "\
There is a way in already, `kubectl exec`, which the cluster checks and logs. An SSH server has its own keys and users
that nobody rotates.

Bad:

```yaml
ports:
- containerPort: 22
```

Good:

```yaml
ports:
- containerPort: 8080
```",
    references: &["https://kubernetes.io/docs/tasks/debug/debug-application/get-shell-running-container/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        for port in container.at(&["ports"]).map_or(&[][..], Node::items) {
            if let Some(node) = port.get("containerPort").filter(|node| node.number() == Some(22)) {
                let message = format!("container `{}` offers SSH", container.name());
                container.report(found, Some(node), message).fix("use `kubectl exec`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_its_port() {
        fires(&RULE, &container("ports:\n- containerPort: 22"), &["8:22"]);
    }

    #[test]
    fn is_silent_on_others() {
        is_silent(&RULE, &container("ports:\n- containerPort: 2222"));
    }
}

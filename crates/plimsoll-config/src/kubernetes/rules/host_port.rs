//! A container that listens on its node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-host-port",
    title: "container that listens on its node",
    severity: Severity::Medium,
    help: "\
The port is open on every address of the node, past services and mostly past network policies, and only one such pod
fits on a node. Use a service.

Bad:

```yaml
ports:
- containerPort: 8080
  hostPort: 8080
```

Good:

```yaml
ports:
- containerPort: 8080
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        // In the network of the node every port is one of the node: that is a finding of its own.
        if container.workload.at(&["hostNetwork"]).and_then(Node::truth) == Some(true) {
            continue;
        }
        for port in container.at(&["ports"]).map_or(&[][..], Node::items) {
            if let Some(node) =
                port.get("hostPort").filter(|node| node.number().is_some_and(|port| port != 0))
            {
                let message = format!("container `{}` listens on its node", container.name());
                container.report(found, Some(node), message).fix("remove `hostPort` and use a service");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_port_of_the_node() {
        fires(&RULE, &container("ports:\n- containerPort: 80\n  hostPort: 80"), &["9:17"]);
    }

    #[test]
    fn is_silent_on_ports_of_the_pod() {
        is_silent(&RULE, &container("ports:\n- containerPort: 80"));
        is_silent(&RULE, &pod("hostNetwork: true\ncontainers:\n- name: c\n  ports: [{hostPort: 80}]"));
    }
}

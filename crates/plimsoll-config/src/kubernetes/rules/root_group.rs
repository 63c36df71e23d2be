//! A container in the group of root.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-root-group",
    title: "container in the group of root",
    severity: Severity::Low,
    help: "\
Group 0 owns much in images and on nodes. A process in it reads and writes what was meant for root's group, through
any volume too.

Bad:

```yaml
securityContext:
  runAsGroup: 0
```

Good:

```yaml
securityContext:
  runAsGroup: 10001
```",
    references: &["https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        if let Some(node) = container.own_security("runAsGroup").filter(|node| node.number() == Some(0)) {
            let message = format!("container `{}` is in the group of root", container.name());
            container.harden(found, Some(node), message, ("runAsGroup", "10001"));
        }
    }
    for workload in graph.workloads() {
        let fields = ["runAsGroup", "fsGroup"]
            .into_iter()
            .filter_map(|field| workload.at(&["securityContext", field]));
        let more = workload.at(&["securityContext", "supplementalGroups"]).map_or(&[][..], Node::items);
        for node in fields.chain(more).filter(|node| node.number() == Some(0)) {
            workload
                .report(found, Some(node), "the pod is in the group of root".to_owned())
                .fix("name another group");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_group_zero() {
        fires(&RULE, &container("securityContext:\n  runAsGroup: 0"), &["8:19"]);
        fires(
            &RULE,
            &pod("securityContext:\n  fsGroup: 0\n  supplementalGroups: [1, 0]\ncontainers: [{name: c}]"),
            &["6:14", "7:29"],
        );
    }

    #[test]
    fn is_silent_on_other_groups() {
        is_silent(&RULE, &container("securityContext:\n  runAsGroup: 7"));
        is_silent(&RULE, &container("image: a"));
    }
}

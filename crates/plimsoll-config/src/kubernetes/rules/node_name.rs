//! A pod that goes around the scheduler.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-node-name",
    title: "pod that is bound to a node",
    severity: Severity::Low,
    help: "\
With `nodeName` the pod starts on that node whatever taints, resources and policies say. Use a selector or affinity.

Bad:

```yaml
spec:
  nodeName: node-1
```

Good:

```yaml
spec:
  nodeSelector: {disk: ssd}
```",
    references: &["https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        if let Some(node) =
            workload.at(&["nodeName"]).filter(|node| node.text().is_some_and(|name| !name.is_empty()))
        {
            workload
                .report(found, Some(node), "the pod goes around the scheduler".to_owned())
                .fix("use `nodeSelector` or affinity");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_node() {
        fires(&RULE, &pod("nodeName: a"), &["5:13"]);
    }

    #[test]
    fn is_silent_on_a_selector() {
        is_silent(&RULE, &pod("nodeSelector: {a: b}"));
    }
}

//! Containers of a pod that see each other's processes.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-shared-processes",
    title: "containers that see each other's processes",
    severity: Severity::Low,
    help: "\
With one process namespace every container of the pod sees the environment and files of the others, secrets included,
and can send them signals. Debug with an ephemeral container instead.

Bad:

```yaml
spec:
  shareProcessNamespace: true
```

Good:

```yaml
spec:
  shareProcessNamespace: false
```",
    references: &["https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        if let Some(node) = workload.at(&["shareProcessNamespace"]).filter(|node| node.truth() == Some(true))
        {
            workload
                .report(found, Some(node), "the containers of the pod see each other's processes".to_owned())
                .fix("remove `shareProcessNamespace`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_it_is_set() {
        fires(&RULE, &pod("shareProcessNamespace: true"), &["5:26"]);
    }

    #[test]
    fn is_silent_where_it_is_not() {
        is_silent(&RULE, &pod("shareProcessNamespace: false"));
    }
}

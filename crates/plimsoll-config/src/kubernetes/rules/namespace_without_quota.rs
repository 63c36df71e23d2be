//! A namespace that may take all of the cluster.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-namespace-without-quota",
    title: "namespace without a quota",
    severity: Severity::Info,
    help: "\
Without a quota or a limit range one namespace takes the memory, the addresses and the storage of all. Say how much is
its share.

Bad:

```yaml
kind: Namespace
```

Good:

```yaml
kind: ResourceQuota
spec:
  hard: {limits.memory: 8Gi, pods: \"40\"}
```",
    references: &["https://kubernetes.io/docs/concepts/policy/resource-quotas/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("Namespace").filter(|object| !object.name.starts_with("kube-")) {
        let mut limits = graph
            .objects
            .iter()
            .filter(|limit| matches!(limit.kind.as_str(), "ResourceQuota" | "LimitRange"));
        if !limits.any(|limit| limit.namespace.is_empty() || limit.namespace == object.name) {
            object.report(found, None, "may take all of the cluster".to_owned()).fix("add a ResourceQuota");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_without_one() {
        fires(&RULE, &object("Namespace", ""), &["4:3"]);
    }

    #[test]
    fn is_silent_with_one() {
        is_silent(&RULE, &all(&[&object("Namespace", ""), &object("ResourceQuota", "  namespace: x\n")]));
    }
}

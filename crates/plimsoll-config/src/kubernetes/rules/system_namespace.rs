//! A workload among the parts of the cluster.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-system-namespace",
    title: "workload among the parts of the cluster",
    severity: Severity::Low,
    help: "\
What runs in `kube-system` is trusted by policies that spare it, and whoever may change one thing there may change the
cluster.

Bad:

```yaml
metadata:
  namespace: kube-system
```

Good:

```yaml
metadata:
  namespace: monitoring
```",
    references: &["https://kubernetes.io/docs/concepts/security/security-checklist/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let Some(node) = workload.object.at(&["metadata", "namespace"]) else { continue };
        if matches!(workload.object.namespace.as_str(), "kube-system" | "kube-public" | "kube-node-lease") {
            workload
                .report(found, Some(node), "runs among the parts of the cluster".to_owned())
                .fix("give it a namespace of its own");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_workload_there() {
        fires(
            &RULE,
            &object("Deployment", "  namespace: kube-system\nspec: {template: {spec: {}}}\n"),
            &["5:14"],
        );
    }

    #[test]
    fn is_silent_on_other_namespaces_and_objects() {
        is_silent(&RULE, &object("Deployment", "  namespace: a\nspec: {template: {spec: {}}}\n"));
        is_silent(&RULE, &object("Role", "  namespace: kube-system\n"));
    }
}

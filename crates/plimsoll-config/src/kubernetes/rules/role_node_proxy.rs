//! A role that talks to the kubelets.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-node-proxy",
    title: "role that talks to the kubelets",
    severity: Severity::High,
    help: "\
Through `nodes/proxy` one talks to the kubelet past the API server: it runs commands in every pod of the node, and
nothing is logged.

Bad:

```yaml
rules:
- apiGroups: ['']
  resources: [nodes/proxy]
  verbs: [get]
```

Good:

```yaml
rules:
- apiGroups: [\"\"]
  resources: [configmaps]
  verbs: [get]
```",
    references: &["https://kubernetes.io/docs/concepts/security/rbac-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for grant in graph.grants() {
        if let Some(node) = grant.of(&["get", "create"], &["nodes/proxy"]) {
            grant
                .object
                .report(found, Some(node), "runs commands in every pod, past the API server".to_owned())
                .fix("use `nodes/metrics` or `nodes/stats`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_right() {
        fires(&RULE, &role("ClusterRole", "''", "nodes/proxy", "get"), &["7:15"]);
    }

    #[test]
    fn is_silent_on_other_rights() {
        is_silent(&RULE, &role("ClusterRole", "''", "configmaps", "get"));
        is_silent(&RULE, &role("ClusterRole", "''", "nodes/proxy", "other"));
    }
}

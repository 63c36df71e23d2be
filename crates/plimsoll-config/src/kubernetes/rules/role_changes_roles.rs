//! A role that hands out rights.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-changes-roles",
    title: "role that hands out rights",
    severity: Severity::Medium,
    help: "\
Who may write roles or bindings can keep what it has for ever and give it to others. Leave it to what sets up
namespaces.

Bad:

```yaml
rules:
- apiGroups: [rbac.authorization.k8s.io]
  resources: [rolebindings]
  verbs: [create]
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
        if let Some(node) = grant.of(
            &["create", "update", "patch"],
            &["roles", "clusterroles", "rolebindings", "clusterrolebindings"],
        ) {
            grant
                .object
                .report(found, Some(node), "hands out rights".to_owned())
                .fix("leave it to what sets up namespaces");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_right() {
        fires(&RULE, &role("ClusterRole", "rbac.authorization.k8s.io", "rolebindings", "create"), &["7:15"]);
    }

    #[test]
    fn is_silent_on_other_rights() {
        is_silent(&RULE, &role("ClusterRole", "''", "configmaps", "create"));
        is_silent(&RULE, &role("ClusterRole", "rbac.authorization.k8s.io", "rolebindings", "other"));
    }
}

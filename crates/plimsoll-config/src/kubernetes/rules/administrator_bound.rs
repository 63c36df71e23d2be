//! Somebody who may do everything in the cluster.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-administrator-bound",
    title: "binding to the administrator",
    severity: Severity::High,
    help: "\
`cluster-admin` may do everything, everywhere. A program with it is the cluster for whoever takes it over. Give it the
role that it needs.

Bad:

```yaml
kind: ClusterRoleBinding
roleRef: {kind: ClusterRole, name: cluster-admin}
```

Good:

```yaml
kind: RoleBinding
roleRef: {kind: Role, name: shop}
```",
    references: &["https://kubernetes.io/docs/concepts/security/rbac-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.bindings() {
        let Some(node) = object.at(&["roleRef", "name"]).filter(|node| node.text() == Some("cluster-admin"))
        else {
            continue;
        };
        let issue = object.report(found, Some(node), "may do everything".to_owned());
        issue.fix("give it the role that it needs");
        if object.kind == "RoleBinding" {
            issue.severity(Severity::Medium);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_administrator() {
        fires(&RULE, &binding("ClusterRoleBinding", "cluster-admin", "kind: User, name: a"), &["5:36"]);
    }

    #[test]
    fn is_silent_on_other_roles() {
        is_silent(&RULE, &binding("ClusterRoleBinding", "view", "kind: User, name: a"));
    }
}

//! A role that gives itself every right.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-escalates",
    title: "role that gives itself every right",
    severity: Severity::High,
    help: "\
`escalate` and `bind` lift the rule that nobody gives what he does not have; `impersonate` makes one somebody else.
Each is the administrator under another name.

Bad:

```yaml
rules:
- apiGroups: [\"\"]
  resources: [users]
  verbs: [impersonate]
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
    for grant in graph.grants().filter(|grant| !grant.is_named()) {
        let rights = grant
            .item("resources", &["roles", "clusterroles", "*"])
            .and_then(|_| grant.item("verbs", &["escalate", "bind"]));
        if let Some(node) = grant.item("verbs", &["impersonate"]).or(rights) {
            let verb = node.text().unwrap_or("");
            grant
                .object
                .report(found, Some(node), format!("`{verb}` gives every right"))
                .fix("remove it, or name for whom with `resourceNames`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_verbs_that_give_all() {
        fires(&RULE, &role("ClusterRole", "''", "users", "impersonate"), &["8:11"]);
        fires(&RULE, &role("Role", "rbac.authorization.k8s.io", "roles", "get, escalate"), &["8:16"]);
    }

    #[test]
    fn is_silent_on_others() {
        is_silent(&RULE, &role("Role", "''", "pods", "get"));
        is_silent(&RULE, &role("Role", "''", "pods", "bind"));
    }
}

//! A role that gets into running pods.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-executes",
    title: "role that gets into running pods",
    severity: Severity::Medium,
    help: "\
With `pods/exec` or `pods/attach` one is inside of any pod of the namespace, as its user, with its secrets.

Bad:

```yaml
rules:
- apiGroups: ['']
  resources: [pods/exec]
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
        if let Some(node) = grant.of(&["create", "get"], &["pods/exec", "pods/attach"]) {
            grant
                .object
                .report(found, Some(node), "gets into every pod".to_owned())
                .fix("remove it; debug with a role that is given for an hour");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_right() {
        fires(&RULE, &role("ClusterRole", "''", "pods/exec", "create"), &["7:15"]);
    }

    #[test]
    fn is_silent_on_other_rights() {
        is_silent(&RULE, &role("ClusterRole", "''", "configmaps", "create"));
        is_silent(&RULE, &role("ClusterRole", "''", "pods/exec", "other"));
    }
}

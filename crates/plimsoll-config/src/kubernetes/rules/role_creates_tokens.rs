//! A role that makes tokens of others.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-creates-tokens",
    title: "role that makes tokens of others",
    severity: Severity::Medium,
    help: "\
Who may create tokens for service accounts can be each of them.

Bad:

```yaml
rules:
- apiGroups: ['']
  resources: [serviceaccounts/token]
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
    for grant in graph.grants().filter(|grant| !grant.is_named()) {
        if let Some(node) = grant.of(&["create"], &["serviceaccounts/token"]) {
            grant
                .object
                .report(found, Some(node), "can be every service account".to_owned())
                .fix("name the accounts with `resourceNames`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_right() {
        fires(&RULE, &role("ClusterRole", "''", "serviceaccounts/token", "create"), &["7:15"]);
    }

    #[test]
    fn is_silent_on_other_rights() {
        is_silent(&RULE, &role("ClusterRole", "''", "configmaps", "create"));
        is_silent(&RULE, &role("ClusterRole", "''", "serviceaccounts/token", "other"));
        is_silent(
            &RULE,
            &object(
                "Role",
                "rules:\n- {apiGroups: [''], resources: [serviceaccounts/token], verbs: [create], resourceNames: [a]}\n",
            ),
        );
    }
}

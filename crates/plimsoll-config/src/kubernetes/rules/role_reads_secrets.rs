//! A role that reads every secret.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-reads-secrets",
    title: "role that reads secrets",
    severity: Severity::Medium,
    help: "\
Whoever reads the secrets of a namespace has the passwords and tokens of everything in it; `list` and `watch` show the
values too. Name the secrets with `resourceNames`.

Bad:

```yaml
rules:
- apiGroups: ['']
  resources: [secrets]
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
    for grant in graph.grants().filter(|grant| !grant.is_named()) {
        if let Some(node) = grant.of(&["get", "list", "watch"], &["secrets"]) {
            grant
                .object
                .report(found, Some(node), "reads every secret".to_owned())
                .fix("name the secrets with `resourceNames`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_right() {
        fires(&RULE, &role("ClusterRole", "''", "secrets", "get"), &["7:15"]);
    }

    #[test]
    fn is_silent_on_other_rights() {
        is_silent(&RULE, &role("ClusterRole", "''", "configmaps", "get"));
        is_silent(&RULE, &role("ClusterRole", "''", "secrets", "other"));
        is_silent(
            &RULE,
            &object(
                "Role",
                "rules:\n- {apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: [a]}\n",
            ),
        );
    }
}

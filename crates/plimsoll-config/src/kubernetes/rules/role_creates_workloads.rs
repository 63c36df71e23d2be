//! A role that starts what it likes.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-creates-workloads",
    title: "role that starts pods",
    severity: Severity::Low,
    help: "\
Who can start a pod can mount every secret of its namespace and use every service account there. It is a right of
deployers, and of nothing that serves requests.

Bad:

```yaml
rules:
- apiGroups: ['']
  resources: [pods]
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
            &["create"],
            &[
                "pods",
                "deployments",
                "daemonsets",
                "statefulsets",
                "jobs",
                "cronjobs",
                "replicasets",
                "replicationcontrollers",
            ],
        ) {
            grant
                .object
                .report(
                    found,
                    Some(node),
                    "starts pods, with every secret and account of the namespace".to_owned(),
                )
                .fix("leave it to what deploys");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_right() {
        fires(&RULE, &role("ClusterRole", "''", "pods", "create"), &["7:15"]);
    }

    #[test]
    fn is_silent_on_other_rights() {
        is_silent(&RULE, &role("ClusterRole", "''", "configmaps", "create"));
        is_silent(&RULE, &role("ClusterRole", "''", "pods", "other"));
    }
}

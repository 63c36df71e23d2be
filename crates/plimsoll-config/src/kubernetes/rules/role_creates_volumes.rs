//! A role that mounts the node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-creates-volumes",
    title: "role that makes persistent volumes",
    severity: Severity::Medium,
    help: "\
A persistent volume can be a folder of the node, so who may create one reads and writes files of nodes. Claims are
enough: a storage class makes their volumes.

Bad:

```yaml
rules:
- apiGroups: ['']
  resources: [persistentvolumes]
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
        if let Some(node) = grant.of(&["create"], &["persistentvolumes"]) {
            grant
                .object
                .report(found, Some(node), "can mount every folder of a node".to_owned())
                .fix("let it make claims only");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_right() {
        fires(&RULE, &role("ClusterRole", "''", "persistentvolumes", "create"), &["7:15"]);
    }

    #[test]
    fn is_silent_on_other_rights() {
        is_silent(&RULE, &role("ClusterRole", "''", "configmaps", "create"));
        is_silent(&RULE, &role("ClusterRole", "''", "persistentvolumes", "other"));
    }
}

//! The group that no policy can stop.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-masters-bound",
    title: "rights for system:masters",
    severity: Severity::High,
    help: "\
Members of `system:masters` pass every check of rights, and removing the binding takes nothing away from them. Never
use the group.

Bad:

```yaml
subjects:
- {kind: Group, name: \"system:masters\"}
```

Good:

```yaml
subjects:
- {kind: Group, name: platform}
```",
    references: &["https://kubernetes.io/docs/concepts/security/rbac-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.bindings().filter(|object| object.name != "cluster-admin") {
        for node in object
            .at(&["subjects"])
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|subject| subject.get("name"))
        {
            if node.text() == Some("system:masters") {
                object
                    .report(found, Some(node), "no policy can stop this group".to_owned())
                    .fix("use a group of your own");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_group() {
        fires(
            &RULE,
            &binding("ClusterRoleBinding", "view", "kind: Group, name: 'system:masters'"),
            &["7:23"],
        );
    }

    #[test]
    fn is_silent_on_others() {
        is_silent(&RULE, &binding("ClusterRoleBinding", "view", "kind: Group, name: a"));
    }
}

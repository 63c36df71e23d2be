//! Rights for everybody who has any login.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-all-users-bound",
    title: "rights for every login",
    severity: Severity::High,
    help: "\
`system:authenticated` and `system:serviceaccounts` are every user, and every pod of the cluster. On some clouds that
is everybody with an account there.

Bad:

```yaml
subjects:
- {kind: Group, name: \"system:authenticated\"}
```

Good:

```yaml
subjects:
- {kind: Group, name: developers}
```",
    references: &["https://kubernetes.io/docs/concepts/security/rbac-good-practices/"],
};

const PUBLIC: &[&str] = &["system:public-info-viewer", "system:discovery", "system:basic-user"];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.bindings() {
        let role = object.at(&["roleRef", "name"]).and_then(Node::text).unwrap_or("");
        for node in object
            .at(&["subjects"])
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|subject| subject.get("name"))
        {
            if matches!(node.text(), Some("system:authenticated" | "system:serviceaccounts"))
                && !PUBLIC.contains(&role)
            {
                object
                    .report(found, Some(node), "every login and every pod may do this".to_owned())
                    .fix("name who may");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_every_login() {
        fires(&RULE, &binding("RoleBinding", "edit", "kind: Group, name: 'system:authenticated'"), &["7:23"]);
    }

    #[test]
    fn is_silent_on_somebody() {
        is_silent(&RULE, &binding("RoleBinding", "edit", "kind: Group, name: a"));
        is_silent(&RULE, &binding("RoleBinding", "edit", "kind: Group, name: 'system:serviceaccounts:n'"));
    }
}

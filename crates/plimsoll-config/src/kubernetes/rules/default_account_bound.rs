//! Rights for every pod that names no account.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-default-account-bound",
    title: "rights for the default service account",
    severity: Severity::Medium,
    help: "\
Every pod of the namespace that names no account has these rights, whoever put it there. Bind an account of the
workload's own.

Bad:

```yaml
subjects:
- {kind: ServiceAccount, name: default, namespace: shop}
```

Good:

```yaml
subjects:
- {kind: ServiceAccount, name: shop, namespace: shop}
```",
    references: &["https://kubernetes.io/docs/concepts/security/rbac-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.bindings() {
        for subject in object.at(&["subjects"]).map_or(&[][..], Node::items) {
            let is_account = subject.get("kind").and_then(Node::text) == Some("ServiceAccount");
            if let Some(node) =
                subject.get("name").filter(|name| is_account && name.text() == Some("default"))
            {
                object
                    .report(found, Some(node), "every pod that names no account may do this".to_owned())
                    .fix("bind an account of its own");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_default() {
        fires(
            &RULE,
            &binding("RoleBinding", "view", "kind: ServiceAccount, name: default, namespace: n"),
            &["7:32"],
        );
    }

    #[test]
    fn is_silent_on_others() {
        is_silent(&RULE, &binding("RoleBinding", "view", "kind: ServiceAccount, name: a, namespace: n"));
        is_silent(&RULE, &binding("RoleBinding", "view", "kind: User, name: default"));
    }
}

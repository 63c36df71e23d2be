//! Rights for everybody who can reach the API server.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-anonymous-bound",
    title: "rights for everybody",
    severity: Severity::Critical,
    help: "\
`system:anonymous` and `system:unauthenticated` are everybody who can open a connection. Whatever the role allows, the
internet may have.

Bad:

```yaml
subjects:
- {kind: Group, name: \"system:unauthenticated\"}
```

Good:

```yaml
subjects:
- {kind: Group, name: developers}
```",
    references: &["https://kubernetes.io/docs/concepts/security/rbac-good-practices/"],
};

/// What the API server itself gives to everybody.
const PUBLIC: &[&str] = &[
    "system:public-info-viewer",
    "system:discovery",
    "system:basic-user",
    "kubeadm:bootstrap-signer-clusterinfo",
];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.bindings() {
        let role = object.at(&["roleRef", "name"]).and_then(Node::text).unwrap_or("");
        for node in object
            .at(&["subjects"])
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|subject| subject.get("name"))
        {
            if matches!(node.text(), Some("system:anonymous" | "system:unauthenticated"))
                && !PUBLIC.contains(&role)
            {
                object
                    .report(
                        found,
                        Some(node),
                        "everybody who can reach the API server may do this".to_owned(),
                    )
                    .fix("name who may");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_everybody() {
        fires(&RULE, &binding("RoleBinding", "view", "kind: User, name: 'system:anonymous'"), &["7:22"]);
    }

    #[test]
    fn is_silent_on_somebody_and_on_what_is_public() {
        is_silent(&RULE, &binding("RoleBinding", "view", "kind: User, name: a"));
        is_silent(
            &RULE,
            &binding("RoleBinding", "'system:discovery'", "kind: Group, name: 'system:unauthenticated'"),
        );
    }
}

//! A binding to a role that is not there.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-unknown-role",
    title: "binding to a role that is not there",
    severity: Severity::Low,
    help: "\
The binding gives nothing now. Whoever makes a role of that name later decides what it gives.

Bad:

```yaml
kind: RoleBinding
roleRef: {kind: Role, name: shpo}
```

Good:

```yaml
kind: RoleBinding
roleRef: {kind: Role, name: shop}
```",
    references: &["https://kubernetes.io/docs/concepts/security/rbac-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.bindings().filter(|object| object.kind == "RoleBinding") {
        let is_role = object.at(&["roleRef", "kind"]).and_then(Node::text) == Some("Role");
        let Some(node) = object.at(&["roleRef", "name"]).filter(|_| is_role) else { continue };
        let beside: Vec<&Object> =
            graph.of_kind("Role").filter(|role| role.namespace == object.namespace).collect();
        // Where no role is among these manifests, they are made elsewhere.
        if !beside.is_empty() && !beside.iter().any(|role| Some(role.name.as_str()) == node.text()) {
            object
                .report(found, Some(node), "no role of these manifests has this name".to_owned())
                .fix("compare it with the names of the roles");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_name_that_is_not_there() {
        fires(
            &RULE,
            &all(&[
                &role("Role", "''", "pods", "get"),
                &object("RoleBinding", "roleRef: {kind: Role, name: y}\n"),
            ]),
            &["14:29"],
        );
    }

    #[test]
    fn is_silent_on_one_that_is_and_where_roles_come_from_elsewhere() {
        is_silent(
            &RULE,
            &all(&[
                &role("Role", "''", "pods", "get"),
                &object("RoleBinding", "roleRef: {kind: Role, name: x}\n"),
            ]),
        );
        is_silent(&RULE, &object("RoleBinding", "roleRef: {kind: Role, name: y}\n"));
        is_silent(
            &RULE,
            &all(&[&role("Role", "''", "pods", "get"), &binding("RoleBinding", "y", "kind: User, name: a")]),
        );
    }
}

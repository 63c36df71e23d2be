//! A secret as plain text in a manifest.

use super::prelude::*;
use crate::names;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-secret-in-env",
    title: "secret as plain text in a manifest",
    severity: Severity::High,
    help: "\
The manifest is in the repository, in the cluster's API for everybody who may read pods, and in every tool in between.
Put it into a secret that does not come from the repository, mount it, and replace the value.

Bad:

```yaml
env:
- name: DB_PASSWORD
  value: hunter2
```

Good:

```yaml
env:
- name: DB_PASSWORD
  valueFrom:
    secretKeyRef: {name: db, key: password}
```",
    references: &["https://kubernetes.io/docs/concepts/security/secrets-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        for variable in container.at(&["env"]).map_or(&[][..], Node::items) {
            let name = variable.get("name").and_then(Node::text).unwrap_or("");
            let Some(node) = variable.get("value") else { continue };
            let value = node.text().unwrap_or("");
            if names::is_secret(name)
                && names::is_secret_value(value)
                && !value.contains("$(")
                && !value.contains("${")
            {
                let message = format!("`{name}` holds a secret as plain text");
                container
                    .report(found, Some(node), message)
                    .identity(name)
                    .hide(&node.span)
                    .fix("take it from a secret, and replace the value");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_secret() {
        fires(&RULE, &container("env:\n- name: DB_PASSWORD\n  value: hunter2"), &["9:14"]);
    }

    #[test]
    fn is_silent_on_references_and_stand_ins() {
        is_silent(
            &RULE,
            &container("env:\n- name: DB_PASSWORD\n  valueFrom: {secretKeyRef: {name: a, key: b}}"),
        );
        is_silent(
            &RULE,
            &container(
                "env:\n- {name: PORT, value: '80'}\n- {name: DB_PASSWORD, value: changeme}\n- {name: TOKEN, value: $(OTHER)}",
            ),
        );
    }
}

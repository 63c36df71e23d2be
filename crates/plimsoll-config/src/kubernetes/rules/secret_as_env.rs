//! A secret as an environment variable.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-secret-as-env",
    title: "secret as an environment variable",
    severity: Severity::Info,
    help: "\
Every process of the container and every crash report sees its environment, and a change needs a restart. A mounted
file is read by who needs it, and is updated in place.

Bad:

```yaml
env:
- name: DB_PASSWORD
  valueFrom:
    secretKeyRef: {name: db, key: password}
```

Good:

```yaml
volumes:
- name: db
  secret: {secretName: db}
```",
    references: &["https://kubernetes.io/docs/concepts/security/secrets-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        let single = container
            .at(&["env"])
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(|v| v.at(&["valueFrom", "secretKeyRef"]));
        let whole =
            container.at(&["envFrom"]).map_or(&[][..], Node::items).iter().filter_map(|v| v.get("secretRef"));
        for node in single.chain(whole) {
            let name = node.get("name").and_then(Node::text).unwrap_or("");
            let message =
                format!("container `{}` has the secret `{name}` in its environment", container.name());
            container.report(found, Some(node), message).identity(name).fix("mount the secret as a file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_variables_from_secrets() {
        fires(
            &RULE,
            &container("env:\n- name: A\n  valueFrom:\n    secretKeyRef: {name: a, key: b}"),
            &["10:23"],
        );
        fires(&RULE, &container("envFrom:\n- secretRef: {name: a}"), &["8:18"]);
    }

    #[test]
    fn is_silent_on_mounted_secrets() {
        is_silent(&RULE, &container("env:\n- {name: A, value: b}"));
        is_silent(&RULE, &pod("volumes: [{name: a, secret: {secretName: b}}]"));
    }
}

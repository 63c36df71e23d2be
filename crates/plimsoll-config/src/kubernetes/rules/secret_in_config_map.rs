//! A secret in a config map.

use super::prelude::*;
use crate::names;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-secret-in-config-map",
    title: "secret in a config map",
    severity: Severity::Medium,
    help: "\
Config maps are for what everybody may read: they are shown in dashboards and logs, and roles give them away freely. A
secret belongs into a `Secret`, and that not into the repository.

Bad:

```yaml
kind: ConfigMap
data:
  db_password: hunter2
```

Good:

```yaml
kind: ConfigMap
data:
  db_host: db.internal
```",
    references: &["https://kubernetes.io/docs/concepts/security/secrets-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("ConfigMap") {
        for (key, value) in object.at(&["data"]).map_or(&[][..], Node::entries) {
            let text = value.text().unwrap_or("");
            if names::is_secret(&key.text)
                && names::is_secret_value(text)
                && !text.contains('\n')
                && !text.contains("${")
            {
                object
                    .report(found, Some(value), format!("`{}` is a secret in a config map", key.text))
                    .identity(&key.text)
                    .hide(&value.span)
                    .fix("put it into a Secret, and replace the value");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_secret() {
        fires(&RULE, &object("ConfigMap", "data:\n  db_password: hunter2\n"), &["6:16"]);
    }

    #[test]
    fn is_silent_on_settings() {
        is_silent(&RULE, &object("ConfigMap", "data:\n  db_host: a\n  password_file: b\n  token: ''\n"));
        is_silent(&RULE, &object("Secret", "stringData:\n  password: ${P}\n"));
    }
}

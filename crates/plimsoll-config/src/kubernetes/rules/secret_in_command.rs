//! A secret in the arguments of a container.

use super::prelude::*;
use crate::names;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-secret-in-command",
    title: "secret in the arguments of a container",
    severity: Severity::High,
    help: "\
Arguments are in the manifest, in the API for everybody who may read pods, and in the process list of the node. Give a
file, mounted from a secret.

Bad:

```yaml
args: [--db-password=hunter2]
```

Good:

```yaml
args: [--db-password-file=/run/secrets/db/password]
```",
    references: &["https://kubernetes.io/docs/concepts/security/secrets-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        for node in
            ["command", "args"].into_iter().filter_map(|key| container.at(&[key])).flat_map(Node::items)
        {
            let Some((flag, value)) =
                node.text().filter(|text| text.starts_with('-')).and_then(|text| text.split_once('='))
            else {
                continue;
            };
            if names::is_secret(flag) && names::is_secret_value(value) && !value.contains('$') {
                let message = format!("`{flag}` is followed by a secret");
                container
                    .report(found, Some(node), message)
                    .identity(flag)
                    .hide(&node.span)
                    .fix("give a file, mounted from a secret; replace the value");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_secret() {
        fires(&RULE, &container("args: [--db-password=hunter2]"), &["7:12"]);
    }

    #[test]
    fn is_silent_on_files_and_references() {
        is_silent(&RULE, &container("args: [--db-password-file=/a, --token=$(TOKEN), --port=80]"));
    }
}

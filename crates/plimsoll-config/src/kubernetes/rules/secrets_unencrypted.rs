//! Secrets that lie in the cluster's database as plain text.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-secrets-unencrypted",
    title: "secrets that are stored as plain text",
    severity: Severity::High,
    help: "\
The first provider is the one that writes. `identity` writes plain text: whoever has a backup of the database has
every secret of the cluster. Put a key management service, or `secretbox`, first.

Bad:

```yaml
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - identity: {}
```

Good:

```yaml
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - kms: {apiVersion: v2, name: vault, endpoint: \"unix:///run/kms.sock\"}
  - identity: {}
```",
    references: &["https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("EncryptionConfiguration") {
        for resource in object.at(&["resources"]).map_or(&[][..], Node::items) {
            let Some(first) = resource.get("providers").and_then(|providers| providers.items().first())
            else {
                continue;
            };
            if first.get("identity").is_some() {
                object
                    .report(found, Some(first), "what is written is written as plain text".to_owned())
                    .fix("put a provider that encrypts first");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_plain_text_comes_first() {
        fires(
            &RULE,
            "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - identity: {}\n  - secretbox: {}\n",
            &["6:5"],
        );
    }

    #[test]
    fn is_silent_where_it_comes_last() {
        is_silent(
            &RULE,
            "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- providers: [{secretbox: {}}, {identity: {}}]\n",
        );
    }
}

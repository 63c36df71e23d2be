//! A token of a service account that never expires.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-lasting-token",
    title: "token that never expires",
    severity: Severity::Medium,
    help: "\
A secret of this type is a token for the API server that is valid until somebody deletes it. Tokens that pods get by
themselves expire within the hour and end with the pod.

Bad:

```yaml
kind: Secret
type: kubernetes.io/service-account-token
```

Good:

```yaml
volumes:
- name: token
  projected:
    sources:
    - serviceAccountToken: {path: token, expirationSeconds: 3600}
```",
    references: &["https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("Secret") {
        if let Some(node) =
            object.at(&["type"]).filter(|node| node.text() == Some("kubernetes.io/service-account-token"))
        {
            object
                .report(found, Some(node), "this token never expires".to_owned())
                .fix("use a projected token");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_its_type() {
        fires(&RULE, &object("Secret", "type: kubernetes.io/service-account-token\n"), &["5:7"]);
    }

    #[test]
    fn is_silent_on_other_secrets() {
        is_silent(&RULE, &object("Secret", "type: Opaque\n"));
    }
}

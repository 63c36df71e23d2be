//! An extension of the API server whose identity nobody checks.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-api-service-unverified",
    title: "API extension without checking its certificate",
    severity: Severity::High,
    help: "\
The API server hands requests of users to this service. Without checking its certificate, whoever stands in between
answers for it.

Bad:

```yaml
kind: APIService
spec:
  insecureSkipTLSVerify: true
```

Good:

```yaml
kind: APIService
spec:
  caBundle: LS0tLS1…
```",
    references: &["https://kubernetes.io/docs/tasks/extend-kubernetes/setup-extension-api-server/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("APIService") {
        if let Some(node) =
            object.at(&["spec", "insecureSkipTLSVerify"]).filter(|node| node.truth() == Some(true))
        {
            object.report(found, Some(node), "nobody checks who answers".to_owned()).fix("set `caBundle`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_it_is_skipped() {
        fires(&RULE, &object("APIService", "spec:\n  insecureSkipTLSVerify: true\n"), &["6:26"]);
    }

    #[test]
    fn is_silent_where_it_is_checked() {
        is_silent(&RULE, &object("APIService", "spec: {caBundle: a}\n"));
    }
}

//! A piece of the proxy's own configuration in an annotation.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-ingress-snippet",
    title: "ingress that configures the proxy itself",
    severity: Severity::Medium,
    help: "\
A snippet is taken over into the configuration of the proxy as it is. Whoever may write it reads the proxy's secrets,
the certificates of all others included (CVE-2021-25742). Controllers refuse it unless told otherwise.

Bad:

```yaml
metadata:
  annotations:
    nginx.ingress.kubernetes.io/configuration-snippet: more_set_headers \"a: b\";
```

Good:

```yaml
metadata:
  annotations:
    nginx.ingress.kubernetes.io/custom-headers: shop/headers
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/ingress-controllers/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("Ingress") {
        for (key, value) in object.at(&["metadata", "annotations"]).map_or(&[][..], Node::entries) {
            if key.text.ends_with("-snippet") && key.text.contains("nginx") {
                object
                    .report(found, Some(value), "configures the proxy itself".to_owned())
                    .identity(&key.text)
                    .fix("use the annotation that is made for it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_snippet() {
        fires(
            &RULE,
            &object("Ingress", "  annotations:\n    nginx.ingress.kubernetes.io/server-snippet: a\n"),
            &["6:49"],
        );
    }

    #[test]
    fn is_silent_on_other_annotations() {
        is_silent(
            &RULE,
            &object("Ingress", "  annotations: {nginx.ingress.kubernetes.io/custom-headers: a/b}\n"),
        );
    }
}

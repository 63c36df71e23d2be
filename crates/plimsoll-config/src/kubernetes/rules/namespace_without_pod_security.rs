//! A namespace that takes every pod.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-namespace-without-pod-security",
    title: "namespace without pod security",
    severity: Severity::Low,
    help: "\
Without a level the namespace takes privileged pods too: every other rule here is only advice. Let the API server
refuse what is below `restricted`, or `baseline` at least.

Bad:

```yaml
kind: Namespace
metadata:
  name: shop
```

Good:

```yaml
kind: Namespace
metadata:
  name: shop
  labels:
    pod-security.kubernetes.io/enforce: restricted
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-admission/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("Namespace") {
        let level = object.at(&["metadata", "labels", "pod-security.kubernetes.io/enforce"]);
        if level.is_none() {
            object
                .report(found, None, "takes privileged pods too".to_owned())
                .fix("add the label `pod-security.kubernetes.io/enforce: restricted`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_without_a_level() {
        fires(&RULE, &object("Namespace", ""), &["4:3"]);
    }

    #[test]
    fn is_silent_with_one() {
        is_silent(&RULE, &object("Namespace", "  labels: {pod-security.kubernetes.io/enforce: baseline}\n"));
        is_silent(&RULE, &object("Service", ""));
    }
}

//! A namespace that takes privileged pods on purpose.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-namespace-privileged",
    title: "namespace for privileged pods",
    severity: Severity::Medium,
    help: "\
The level `privileged` forbids nothing. Keep such a namespace for what manages nodes, and let nobody else deploy
there.

Bad:

```yaml
labels:
  pod-security.kubernetes.io/enforce: privileged
```

Good:

```yaml
labels:
  pod-security.kubernetes.io/enforce: restricted
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-admission/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("Namespace") {
        let level = object.at(&["metadata", "labels", "pod-security.kubernetes.io/enforce"]);
        if let Some(node) = level.filter(|node| node.text() == Some("privileged")) {
            object
                .report(found, Some(node), "takes privileged pods".to_owned())
                .fix("write restricted, or baseline");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_privileged() {
        fires(
            &RULE,
            &object("Namespace", "  labels:\n    pod-security.kubernetes.io/enforce: privileged\n"),
            &["6:41"],
        );
    }

    #[test]
    fn is_silent_on_others() {
        is_silent(&RULE, &object("Namespace", "  labels: {pod-security.kubernetes.io/enforce: baseline}\n"));
    }
}

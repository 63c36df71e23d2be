//! An image that is taken from the node without asking the registry.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-image-never-pulled",
    title: "image that is not asked for at the registry",
    severity: Severity::Low,
    help: "\
`Never` runs whatever image of that name lies on the node, whoever put it there, and without asking whether the pod
may have it.

Bad:

```yaml
imagePullPolicy: Never
```

Good:

```yaml
imagePullPolicy: Always
```",
    references: &["https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        if let Some(node) = container.at(&["imagePullPolicy"]).filter(|node| node.text() == Some("Never")) {
            let message =
                format!("container `{}` runs whatever image of that name lies on the node", container.name());
            container.report(found, Some(node), message).fix("write Always, or IfNotPresent with a digest");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_never() {
        fires(&RULE, &container("imagePullPolicy: Never"), &["7:22"]);
    }

    #[test]
    fn is_silent_on_always() {
        is_silent(&RULE, &container("imagePullPolicy: Always"));
    }
}

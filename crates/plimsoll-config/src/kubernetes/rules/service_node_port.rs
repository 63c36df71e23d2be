//! A service that is open on every node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-service-node-port",
    title: "service on every node",
    severity: Severity::Low,
    help: "\
The port is open on every address of every node, past the ingress with its TLS, logins and limits. Use `ClusterIP`
behind an ingress.

Bad:

```yaml
spec:
  type: NodePort
```

Good:

```yaml
spec:
  type: ClusterIP
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("Service") {
        if let Some(node) = object.at(&["spec", "type"]).filter(|node| node.text() == Some("NodePort")) {
            object
                .report(found, Some(node), "is open on every node".to_owned())
                .fix("use ClusterIP behind an ingress");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_it() {
        fires(&RULE, &object("Service", "spec:\n  type: NodePort\n"), &["6:9"]);
    }

    #[test]
    fn is_silent_on_others() {
        is_silent(&RULE, &object("Service", "spec: {type: ClusterIP}\n"));
    }
}

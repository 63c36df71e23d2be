//! A service that takes over other people's addresses.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-service-external-ips",
    title: "service with external addresses",
    severity: Severity::Medium,
    help: "\
Whoever may make such a service gets the traffic of the cluster to any address it names (CVE-2020-8554). Use a load
balancer or an ingress.

Bad:

```yaml
spec:
  externalIPs: [203.0.113.7]
```

Good:

```yaml
spec:
  type: LoadBalancer
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/service/#external-ips"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("Service") {
        if let Some(node) = object.at(&["spec", "externalIPs"]).filter(|node| !node.items().is_empty()) {
            object
                .report(found, Some(node), "takes over these addresses in the whole cluster".to_owned())
                .fix("use a load balancer or an ingress");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_addresses() {
        fires(&RULE, &object("Service", "spec:\n  externalIPs: [203.0.113.7]\n"), &["6:16"]);
    }

    #[test]
    fn is_silent_without() {
        is_silent(&RULE, &object("Service", "spec: {type: ClusterIP, externalIPs: []}\n"));
    }
}

//! A load balancer that the whole world can reach.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-load-balancer-open",
    title: "load balancer for the whole world",
    severity: Severity::Info,
    help: "\
Without a list of addresses the load balancer takes connections from everywhere. Where that is meant, accept it here;
else name the networks, or make it internal.

Bad:

```yaml
spec:
  type: LoadBalancer
```

Good:

```yaml
spec:
  type: LoadBalancer
  loadBalancerSourceRanges: [198.51.100.0/24]
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("Service") {
        let Some(node) = object.at(&["spec", "type"]).filter(|node| node.text() == Some("LoadBalancer"))
        else {
            continue;
        };
        let ranges = object.at(&["spec", "loadBalancerSourceRanges"]).map_or(&[][..], Node::items);
        let is_open = ranges.is_empty() || ranges.iter().any(|range| range.text() == Some("0.0.0.0/0"));
        let annotations = object.at(&["metadata", "annotations"]).map_or(&[][..], Node::entries);
        let is_internal = annotations.iter().any(|(key, value)| {
            key.text.contains("internal") && value.text() != Some("false")
                || value.text().is_some_and(|text| text.eq_ignore_ascii_case("internal"))
        });
        if is_open && !is_internal {
            object
                .report(found, Some(node), "takes connections from everywhere".to_owned())
                .fix("set `loadBalancerSourceRanges`, or make it internal");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_world() {
        fires(&RULE, &object("Service", "spec:\n  type: LoadBalancer\n"), &["6:9"]);
        fires(
            &RULE,
            &object("Service", "spec:\n  type: LoadBalancer\n  loadBalancerSourceRanges: [0.0.0.0/0]\n"),
            &["6:9"],
        );
    }

    #[test]
    fn is_silent_on_networks_and_internal_ones() {
        is_silent(
            &RULE,
            &object("Service", "spec: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8]}\n"),
        );
        is_silent(
            &RULE,
            "apiVersion: v1\nkind: Service\nmetadata: {annotations: {networking.gke.io/load-balancer-type: Internal}}\nspec: {type: LoadBalancer}\n",
        );
    }
}

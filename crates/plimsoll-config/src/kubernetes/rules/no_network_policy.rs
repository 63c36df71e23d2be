//! Pods that everybody in the cluster can reach.

use super::prelude::*;
use std::collections::BTreeSet;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-no-network-policy",
    title: "namespace without network policies",
    severity: Severity::Low,
    help: "\
Without a policy every pod of the cluster reaches every other: one that is taken over can attack all. Forbid
everything in the namespace, and allow what is needed.

Bad:

```yaml
kind: Deployment
```

Good:

```yaml
kind: NetworkPolicy
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/network-policies/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    let mut seen = BTreeSet::new();
    for workload in graph.workloads() {
        let object = workload.object;
        let mut policies = graph.objects.iter().filter(|policy| NAMES.contains(&policy.kind.as_str()));
        let is_covered = policies.any(|policy| policy.kind.contains("Cluster") || policy.is_beside(object));
        if !is_covered && seen.insert(object.namespace.as_str()) {
            let name =
                if object.namespace.is_empty() { "the namespace of these pods" } else { &object.namespace };
            workload
                .report(
                    found,
                    None,
                    format!("{name} has no network policy: everybody in the cluster reaches its pods"),
                )
                .subject(&object.namespace)
                .fix("add a NetworkPolicy that forbids what is not needed");
        }
    }
}

/// What limits connections, Kubernetes' own and others'.
const NAMES: &[&str] = &[
    "NetworkPolicy",
    "CiliumNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
    "GlobalNetworkPolicy",
    "AdminNetworkPolicy",
    "ClusterNetworkPolicy",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_once_on_a_namespace_without_one() {
        fires(&RULE, &pod("containers: [{name: c}]"), &["3:12"]);
        fires(&RULE, &all(&[&pod("{}\n"), &pod("{}\n")]), &["3:12"]);
    }

    #[test]
    fn is_silent_where_there_is_one() {
        is_silent(
            &RULE,
            &all(&[
                &pod("{}\n"),
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x, namespace: n}\nspec: {podSelector: {}}\n",
            ]),
        );
        is_silent(&RULE, &object("ConfigMap", ""));
    }
}

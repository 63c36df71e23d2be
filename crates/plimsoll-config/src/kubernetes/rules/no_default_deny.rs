//! A namespace whose network policies leave the other pods open.

use super::prelude::*;
use std::collections::BTreeSet;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-no-default-deny",
    title: "namespace that allows what no policy names",
    severity: Severity::Info,
    help: "\
A network policy only limits the pods that it selects. A pod that none selects, the next one that somebody adds, is
open to all. One policy that selects every pod and allows nothing makes the others exceptions.

Bad:

```yaml
kind: NetworkPolicy
spec:
  podSelector: {matchLabels: {app: shop}}
```

Good:

```yaml
kind: NetworkPolicy
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    let policies: Vec<&Object> = graph.of_kind("NetworkPolicy").collect();
    let mut seen = BTreeSet::new();
    let closed: BTreeSet<&str> = policies
        .iter()
        .filter(|policy| selects_all(policy))
        .map(|policy| policy.namespace.as_str())
        .collect();
    for policy in policies.iter().filter(|policy| !closed.contains(policy.namespace.as_str())) {
        if seen.insert(policy.namespace.as_str()) {
            policy
                .report(found, None, "no policy beside this one selects every pod".to_owned())
                .subject(&policy.namespace)
                .fix("add a policy with `podSelector: {}` that allows nothing");
        }
    }
}

fn selects_all(policy: &Object) -> bool {
    policy.at(&["spec", "podSelector"]).is_some_and(|selector| selector.entries().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_only_some_pods_are_selected() {
        fires(&RULE, &object("NetworkPolicy", "spec: {podSelector: {matchLabels: {a: b}}}\n"), &["4:3"]);
    }

    #[test]
    fn is_silent_where_one_policy_selects_all() {
        is_silent(&RULE, &object("NetworkPolicy", "spec: {podSelector: {}}\n"));
        is_silent(
            &RULE,
            &all(&[
                &object("NetworkPolicy", "spec: {podSelector: {}}\n"),
                &object("NetworkPolicy", "spec: {podSelector: {matchLabels: {a: b}}}\n"),
            ]),
        );
        is_silent(&RULE, &object("Service", ""));
    }
}

//! A network policy that selects none of the pods beside it.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-network-policy-without-pods",
    title: "network policy for no pod",
    severity: Severity::Low,
    help: "\
A policy whose selector fits no pod protects nothing: mostly a label was renamed. The pods are open, and everybody
believes that they are not.

Bad:

```yaml
kind: NetworkPolicy
spec:
  podSelector: {matchLabels: {app: shpo}}
```

Good:

```yaml
kind: NetworkPolicy
spec:
  podSelector: {matchLabels: {app: shop}}
```",
    references: &["https://kubernetes.io/docs/concepts/services-networking/network-policies/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("NetworkPolicy") {
        let Some(selector) =
            object.at(&["spec", "podSelector"]).filter(|selector| !selector.entries().is_empty())
        else {
            continue;
        };
        let mut beside = graph.workloads().filter(|workload| workload.object.is_beside(object)).peekable();
        // Where no workload is among these manifests, the pods come from elsewhere.
        if beside.peek().is_some() && !beside.any(|workload| workload.is_selected_by(selector)) {
            object
                .report(found, Some(selector), "fits no pod of these manifests".to_owned())
                .fix("compare it with the labels of the pods");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_selector_that_fits_nothing() {
        fires(
            &RULE,
            &all(&[
                &pod("{}\n"),
                &object("NetworkPolicy", "spec:\n  podSelector: {matchLabels: {app: q}}\n"),
            ]),
            &["12:16"],
        );
    }

    #[test]
    fn is_silent_on_one_that_fits_and_where_the_pods_are_elsewhere() {
        is_silent(
            &RULE,
            &all(&[
                &pod("{}\n"),
                &object("NetworkPolicy", "spec:\n  podSelector: {matchLabels: {app: p}}\n"),
            ]),
        );
        is_silent(
            &RULE,
            &all(&[
                &pod("{}\n"),
                &object(
                    "NetworkPolicy",
                    "spec:\n  podSelector: {matchExpressions: [{key: app, operator: In, values: [p, q]}]}\n",
                ),
            ]),
        );
        is_silent(&RULE, &object("NetworkPolicy", "spec:\n  podSelector: {matchLabels: {app: q}}\n"));
        is_silent(&RULE, &all(&[&pod("{}\n"), &object("NetworkPolicy", "spec: {podSelector: {}}\n")]));
    }
}

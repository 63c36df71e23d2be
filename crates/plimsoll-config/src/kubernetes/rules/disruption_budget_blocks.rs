//! A budget that lets no node be emptied.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-disruption-budget-blocks",
    title: "disruption budget that blocks every eviction",
    severity: Severity::Low,
    help: "\
A budget that allows no pod to be away keeps nodes from being emptied: upgrades with security fixes stand still until
somebody deletes it at night.

Bad:

```yaml
kind: PodDisruptionBudget
spec:
  maxUnavailable: 0
```

Good:

```yaml
kind: PodDisruptionBudget
spec:
  maxUnavailable: 1
```",
    references: &["https://kubernetes.io/docs/tasks/run-application/configure-pdb/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("PodDisruptionBudget") {
        let most =
            object.at(&["spec", "maxUnavailable"]).filter(|node| matches!(node.text(), Some("0" | "0%")));
        let least = object.at(&["spec", "minAvailable"]);
        let all = least.filter(|node| {
            node.text() == Some("100%") || node.number().is_some_and(|least| is_all(graph, object, least))
        });
        if let Some(node) = most.or(all) {
            object
                .report(found, Some(node), "no node with these pods can be emptied".to_owned())
                .fix("let one pod be away");
        }
    }
}

/// Whether the selected workloads have no more replicas than must be there.
fn is_all(graph: &Graph, budget: &Object, least: i64) -> bool {
    let Some(selector) = budget.at(&["spec", "selector"]) else { return false };
    let selected = graph
        .workloads()
        .filter(|workload| workload.object.is_beside(budget) && workload.is_selected_by(selector));
    let replicas: Vec<i64> = selected
        .map(|workload| workload.object.at(&["spec", "replicas"]).and_then(Node::number).unwrap_or(1))
        .collect();
    !replicas.is_empty() && replicas.iter().sum::<i64>() <= least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_no_pod_may_be_away() {
        fires(&RULE, &object("PodDisruptionBudget", "spec:\n  maxUnavailable: 0\n"), &["6:19"]);
        fires(
            &RULE,
            &all(&[
                &object(
                    "Deployment",
                    "spec:\n  replicas: 2\n  template: {metadata: {labels: {app: a}}, spec: {}}\n",
                ),
                &object(
                    "PodDisruptionBudget",
                    "spec:\n  minAvailable: 2\n  selector: {matchLabels: {app: a}}\n",
                ),
            ]),
            &["14:17"],
        );
    }

    #[test]
    fn is_silent_where_one_may() {
        is_silent(&RULE, &object("PodDisruptionBudget", "spec: {maxUnavailable: 1}\n"));
        is_silent(
            &RULE,
            &all(&[
                &object(
                    "Deployment",
                    "spec:\n  replicas: 3\n  template: {metadata: {labels: {app: a}}, spec: {}}\n",
                ),
                &object(
                    "PodDisruptionBudget",
                    "spec:\n  minAvailable: 2\n  selector: {matchLabels: {app: a}}\n",
                ),
            ]),
        );
    }
}

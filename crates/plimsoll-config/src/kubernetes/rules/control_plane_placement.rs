//! A workload beside the control plane.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-control-plane-placement",
    title: "workload beside the control plane",
    severity: Severity::Low,
    help: "\
A pod that breaks out there has the keys of the cluster. Leave the taint of those nodes in force; a toleration of
everything takes that away too.

Bad:

```yaml
tolerations:
- key: node-role.kubernetes.io/control-plane
  effect: NoSchedule
```

Good:

```yaml
tolerations:
- key: dedicated
  value: shop
```",
    references: &["https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"],
};

const KEYS: &[&str] = &["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads().filter(|workload| workload.object.kind != "DaemonSet") {
        for toleration in workload.at(&["tolerations"]).map_or(&[][..], Node::items) {
            let key = toleration.get("key").and_then(Node::text).unwrap_or("");
            let everything =
                key.is_empty() && toleration.get("operator").and_then(Node::text) == Some("Exists");
            if everything || KEYS.contains(&key) {
                workload
                    .report(found, Some(toleration), "the pod may run beside the control plane".to_owned())
                    .fix("remove the toleration");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_their_taint_and_on_everything() {
        fires(&RULE, &pod("tolerations:\n- key: node-role.kubernetes.io/master"), &["6:5"]);
        fires(&RULE, &pod("tolerations: [{operator: Exists}]"), &["5:17"]);
    }

    #[test]
    fn is_silent_on_others_and_on_what_runs_on_every_node() {
        is_silent(&RULE, &pod("tolerations: [{key: a, operator: Exists}]"));
        is_silent(
            &RULE,
            &object("DaemonSet", "spec: {template: {spec: {tolerations: [{operator: Exists}]}}}\n"),
        );
    }
}

//! A pod that nobody starts again.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-bare-pod",
    title: "pod without a controller",
    severity: Severity::Info,
    help: "\
A pod alone is gone when its node is. A deployment or a job starts it again elsewhere.

Bad:

```yaml
kind: Pod
```

Good:

```yaml
kind: Deployment
```",
    references: &["https://kubernetes.io/docs/concepts/workloads/pods/#working-with-pods"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads().filter(|workload| workload.object.kind == "Pod" && !workload.ends()) {
        workload
            .report(found, None, "nobody starts this pod again when its node is gone".to_owned())
            .fix("write a Deployment");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_pod_alone() {
        fires(&RULE, &pod("containers: [{name: c}]"), &["3:12"]);
    }

    #[test]
    fn is_silent_on_what_ends_and_on_deployments() {
        is_silent(&RULE, &pod("restartPolicy: Never"));
        is_silent(&RULE, &object("Deployment", "spec: {template: {spec: {}}}\n"));
    }
}

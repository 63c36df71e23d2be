//! A pod that sees every process of its node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-host-pid",
    title: "pod that sees the processes of its node",
    severity: Severity::High,
    help: "\
The pod sees all processes of its node with their arguments and environment, secrets of other pods included, and with
few rights more it can take them over.

Leave the field out; what really needs it is part of the platform and belongs into a namespace of its own.

Bad:

```yaml
spec:
  hostPID: true
```

Good:

```yaml
spec:
  hostPID: false
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let Some(node) = workload.at(&["hostPID"]).filter(|node| node.truth() == Some(true)) else {
            continue;
        };
        let edit = workload.object.set(workload.spec, &["hostPID"], "false");
        let issue = workload.report(found, Some(node), "the pod sees every process of its node".to_owned());
        issue.fix("remove `hostPID`");
        edit.into_iter().for_each(|edit| {
            issue.edit(edit);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_it_is_set() {
        fires(&RULE, &pod("hostPID: true\ncontainers: [{name: c}]"), &["5:12"]);
        fires(
            &RULE,
            &object("CronJob", "spec:\n  jobTemplate: {spec: {template: {spec: {hostPID: true}}}}\n"),
            &["6:51"],
        );
    }

    #[test]
    fn is_silent_where_it_is_not() {
        is_silent(&RULE, &pod("hostPID: false\ncontainers: [{name: c}]"));
        is_silent(&RULE, &pod("containers: [{name: c}]"));
    }
    #[test]
    fn the_diff_takes_it_away() {
        is_fixed(&RULE, &pod("hostPID: true\ncontainers: []"), &["-  hostPID: true", "+  hostPID: false"]);
    }
}

//! A pod that shares memory with its node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-host-ipc",
    title: "pod that shares memory with its node",
    severity: Severity::High,
    help: "\
The pod can read and write the shared memory of processes on its node, such as databases that keep data there.

Leave the field out; what really needs it is part of the platform and belongs into a namespace of its own.

Bad:

```yaml
spec:
  hostIPC: true
```

Good:

```yaml
spec:
  hostIPC: false
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let Some(node) = workload.at(&["hostIPC"]).filter(|node| node.truth() == Some(true)) else {
            continue;
        };
        let edit = workload.object.set(workload.spec, &["hostIPC"], "false");
        let issue = workload.report(found, Some(node), "the pod shares memory with its node".to_owned());
        issue.fix("remove `hostIPC`");
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
        fires(&RULE, &pod("hostIPC: true\ncontainers: [{name: c}]"), &["5:12"]);
        fires(
            &RULE,
            &object("CronJob", "spec:\n  jobTemplate: {spec: {template: {spec: {hostIPC: true}}}}\n"),
            &["6:51"],
        );
    }

    #[test]
    fn is_silent_where_it_is_not() {
        is_silent(&RULE, &pod("hostIPC: false\ncontainers: [{name: c}]"));
        is_silent(&RULE, &pod("containers: [{name: c}]"));
    }
    #[test]
    fn the_diff_takes_it_away() {
        is_fixed(&RULE, &pod("hostIPC: true\ncontainers: []"), &["-  hostIPC: true", "+  hostIPC: false"]);
    }
}

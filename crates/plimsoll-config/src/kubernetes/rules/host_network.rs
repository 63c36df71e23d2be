//! A pod in the network of its node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-host-network",
    title: "pod in the network of its node",
    severity: Severity::High,
    help: "\
The pod sees and uses every interface of its node: services that listen only locally, the metadata service of the
cloud, other pods' traffic. Network policies do not apply to it.

Leave the field out; what really needs it is part of the platform and belongs into a namespace of its own.

Bad:

```yaml
spec:
  hostNetwork: true
```

Good:

```yaml
spec:
  hostNetwork: false
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let Some(node) = workload.at(&["hostNetwork"]).filter(|node| node.truth() == Some(true)) else {
            continue;
        };
        let edit = workload.object.set(workload.spec, &["hostNetwork"], "false");
        let issue = workload.report(found, Some(node), "the pod is in the network of its node".to_owned());
        issue.fix("remove `hostNetwork`");
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
        fires(&RULE, &pod("hostNetwork: true\ncontainers: [{name: c}]"), &["5:16"]);
        fires(
            &RULE,
            &object("CronJob", "spec:\n  jobTemplate: {spec: {template: {spec: {hostNetwork: true}}}}\n"),
            &["6:55"],
        );
    }

    #[test]
    fn is_silent_where_it_is_not() {
        is_silent(&RULE, &pod("hostNetwork: false\ncontainers: [{name: c}]"));
        is_silent(&RULE, &pod("containers: [{name: c}]"));
    }
    #[test]
    fn the_diff_takes_it_away() {
        is_fixed(
            &RULE,
            &pod("hostNetwork: true\ncontainers: []"),
            &["-  hostNetwork: true", "+  hostNetwork: false"],
        );
    }
}

//! A Windows container that is the node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-host-process",
    title: "Windows container with the rights of its node",
    severity: Severity::High,
    help: "\
A host process container runs on the node itself, without any wall between. Only what manages nodes needs that.

Bad:

```yaml
securityContext:
  windowsOptions: {hostProcess: true}
```

Good:

```yaml
securityContext:
  windowsOptions: {runAsUserName: ContainerUser}
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let way = ["securityContext", "windowsOptions", "hostProcess"];
        let own = workload.containers().filter_map(|container| container.at(&way));
        for node in workload.at(&way).into_iter().chain(own).filter(|node| node.truth() == Some(true)) {
            workload
                .report(found, Some(node), "the container runs on the node itself".to_owned())
                .fix("remove `hostProcess`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_pod_and_container() {
        fires(&RULE, &pod("securityContext: {windowsOptions: {hostProcess: true}}"), &["5:51"]);
        fires(&RULE, &container("securityContext:\n  windowsOptions: {hostProcess: true}"), &["8:37"]);
    }

    #[test]
    fn is_silent_on_other_options() {
        is_silent(&RULE, &container("securityContext:\n  windowsOptions: {runAsUserName: ContainerUser}"));
    }
}

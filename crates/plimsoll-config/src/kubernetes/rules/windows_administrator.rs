//! A Windows container that runs as its administrator.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-windows-administrator",
    title: "Windows container that runs as administrator",
    severity: Severity::Medium,
    help: "\
`ContainerAdministrator` is root of the container. `ContainerUser` is there in every base image of Windows and is
enough for most programs.

Bad:

```yaml
securityContext:
  windowsOptions: {runAsUserName: ContainerAdministrator}
```

Good:

```yaml
securityContext:
  windowsOptions: {runAsUserName: ContainerUser}
```",
    references: &["https://kubernetes.io/docs/tasks/configure-pod-container/configure-runasusername/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let way = ["securityContext", "windowsOptions", "runAsUserName"];
        let own = workload.containers().filter_map(|container| container.at(&way));
        let is_administrator = |node: &&Node| {
            node.text().is_some_and(|name| name.to_ascii_lowercase().ends_with("administrator"))
        };
        for node in workload.at(&way).into_iter().chain(own).filter(is_administrator) {
            workload
                .report(found, Some(node), "the container runs as administrator".to_owned())
                .fix("write ContainerUser");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_administrator() {
        fires(
            &RULE,
            &container("securityContext:\n  windowsOptions: {runAsUserName: ContainerAdministrator}"),
            &["8:39"],
        );
    }

    #[test]
    fn is_silent_on_the_user() {
        is_silent(&RULE, &container("securityContext:\n  windowsOptions: {runAsUserName: ContainerUser}"));
    }
}

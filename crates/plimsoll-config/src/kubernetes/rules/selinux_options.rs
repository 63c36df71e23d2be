//! SELinux options that a container has no business with.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-selinux-options",
    title: "container with SELinux options of its own",
    severity: Severity::Medium,
    help: "\
With a type, user or role of its own a container can leave what SELinux confines containers to. Only the types for
containers are harmless.

Bad:

```yaml
securityContext:
  seLinuxOptions: {type: spc_t}
```

Good:

```yaml
securityContext:
  seLinuxOptions: {type: container_t}
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

const TYPES: &[&str] = &["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let pod = workload.at(&["securityContext", "seLinuxOptions"]);
        let own = workload
            .containers()
            .filter_map(|container| container.at(&["securityContext", "seLinuxOptions"]));
        for options in pod.into_iter().chain(own) {
            for node in dangerous(options) {
                let message = format!(
                    "the SELinux option `{}` leads out of the container's confines",
                    node.text().unwrap_or("")
                );
                workload.report(found, Some(node), message).fix("remove it");
            }
        }
    }
}

fn dangerous(options: &Node) -> impl Iterator<Item = &Node> {
    let kind = options.get("type").filter(|node| node.text().is_some_and(|text| !TYPES.contains(&text)));
    let who = ["user", "role"].into_iter().filter_map(|key| options.get(key));
    kind.into_iter().chain(who.filter(|node| node.text().is_some_and(|text| !text.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_other_types_users_and_roles() {
        fires(&RULE, &container("securityContext:\n  seLinuxOptions: {type: spc_t}"), &["8:30"]);
        fires(&RULE, &pod("securityContext: {seLinuxOptions: {user: root}}"), &["5:44"]);
    }

    #[test]
    fn is_silent_on_types_of_containers() {
        is_silent(&RULE, &container("securityContext:\n  seLinuxOptions: {type: container_t, level: s0}"));
    }
}

//! A container that may make every system call.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-seccomp-missing",
    title: "container without a filter of system calls",
    severity: Severity::Low,
    help: "\
Without a seccomp profile a container may make system calls that no program of its kind uses, and in which kernel bugs
are found. The runtime's default profile costs nothing and is enough.

Bad:

```yaml
securityContext: {}
```

Good:

```yaml
securityContext:
  seccompProfile:
    type: RuntimeDefault
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted", "https://kubernetes.io/docs/tutorials/security/seccomp/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers().filter(|container| !container.workload.is_windows()) {
        if container.security("seccompProfile").is_none() {
            let message = format!("container `{}` may make every system call", container.name());
            container.harden(found, None, message, ("seccompProfile.type", "RuntimeDefault"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_there_is_none() {
        fires(&RULE, &container("image: a"), &["6:5"]);
    }

    #[test]
    fn is_silent_where_pod_or_container_has_one() {
        is_silent(&RULE, &container("securityContext:\n  seccompProfile: {type: RuntimeDefault}"));
        is_silent(
            &RULE,
            &pod("securityContext:\n  seccompProfile: {type: RuntimeDefault}\ncontainers:\n- name: c"),
        );
    }
    #[test]
    fn the_diff_adds_the_default() {
        let changes = ["+    securityContext:", "+      seccompProfile:", "+        type: RuntimeDefault"];
        is_fixed(&RULE, &container("image: a"), &changes);
    }
}

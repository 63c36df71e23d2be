//! A container whose filter of system calls was switched off.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-seccomp-unconfined",
    title: "container without a filter of system calls on purpose",
    severity: Severity::Medium,
    help: "\
`Unconfined` switches the filter of system calls off, also where the cluster would set one. Use `RuntimeDefault`, or a
profile of your own with the one call that is needed.

Bad:

```yaml
seccompProfile:
  type: Unconfined
```

Good:

```yaml
seccompProfile:
  type: RuntimeDefault
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    let is_off = |node: &&Node| node.text() == Some("Unconfined");
    for workload in graph.workloads() {
        if let Some(node) = workload.at(&["securityContext", "seccompProfile", "type"]).filter(is_off) {
            workload
                .report(found, Some(node), "the pod may make every system call".to_owned())
                .fix("write RuntimeDefault");
        }
    }
    for container in graph.containers() {
        if let Some(node) = container.at(&["securityContext", "seccompProfile", "type"]).filter(is_off) {
            let message = format!("container `{}` may make every system call", container.name());
            container.harden(found, Some(node), message, ("seccompProfile.type", "RuntimeDefault"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_unconfined() {
        fires(&RULE, &container("securityContext:\n  seccompProfile:\n    type: Unconfined"), &["9:15"]);
        fires(&RULE, &pod("securityContext: {seccompProfile: {type: Unconfined}}"), &["5:44"]);
    }

    #[test]
    fn is_silent_on_a_profile() {
        is_silent(
            &RULE,
            &container("securityContext:\n  seccompProfile: {type: Localhost, localhostProfile: a}"),
        );
    }
}

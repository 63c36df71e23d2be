//! A container whose processes may get more rights than they began with.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-privilege-escalation",
    title: "container that may gain rights",
    severity: Severity::Low,
    help: "\
Unless it is forbidden, a program with the setuid bit makes a process root inside the container, whatever user it
began as. Nothing that was built for containers needs it. It is explicit here as a higher severity, since somebody
asked for it.

Bad:

```yaml
securityContext:
  allowPrivilegeEscalation: true
```

Good:

```yaml
securityContext:
  allowPrivilegeEscalation: false
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers().filter(|container| !container.workload.is_windows()) {
        let node = container.own_security("allowPrivilegeEscalation");
        if node.and_then(Node::truth) == Some(false) {
            continue;
        }
        let message = format!("container `{}` may gain rights that it did not begin with", container.name());
        let issue = container.harden(found, node, message, ("allowPrivilegeEscalation", "false"));
        if node.is_some() {
            issue.severity(Severity::Medium);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_it_is_allowed_or_not_forbidden() {
        fires(&RULE, &container("image: a"), &["6:5"]);
        fires(&RULE, &container("securityContext:\n  allowPrivilegeEscalation: true"), &["8:33"]);
    }

    #[test]
    fn is_silent_where_it_is_forbidden() {
        is_silent(&RULE, &container("securityContext:\n  allowPrivilegeEscalation: false"));
        is_silent(&RULE, &pod("os: {name: windows}\ncontainers: [{name: c}]"));
    }
    #[test]
    fn the_diff_forbids_it() {
        let changes = ["+    securityContext:", "+      allowPrivilegeEscalation: false"];
        is_fixed(&RULE, &container("image: a"), &changes);
    }
}

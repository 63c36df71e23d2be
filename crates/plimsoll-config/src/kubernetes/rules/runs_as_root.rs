//! A container that runs as root or may do so.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-runs-as-root",
    title: "container that runs as root",
    severity: Severity::Medium,
    help: "\
Whoever takes over a process that is root inside the container is one kernel bug or one careless mount away from the
node. `runAsNonRoot` makes the kubelet refuse to start it as root, whatever the image says.

Bad:

```yaml
securityContext:
  runAsUser: 0
```

Good:

```yaml
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers().filter(|container| !container.workload.is_windows()) {
        let user = container.security("runAsUser");
        let must_not = container.security("runAsNonRoot").and_then(Node::truth) == Some(true);
        let message = match user.and_then(Node::number) {
            Some(0) => format!("container `{}` runs as root", container.name()),
            Some(_) => continue,
            None if must_not => continue,
            None => {
                format!("container `{}` runs as root if its image says so, or says nothing", container.name())
            }
        };
        let place = user.filter(|user| user.number() == Some(0));
        let own = container.own_security("runAsUser").is_some();
        let issue = match place {
            Some(_) if own => container.harden(found, place, message, ("runAsUser", "10001")),
            Some(_) => container.report(found, place, message).fix("set `runAsUser: 10001`"),
            None => container.harden(found, None, message, ("runAsNonRoot", "true")),
        };
        if place.is_none() {
            issue.severity(Severity::Low);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_root_and_on_what_may_be_root() {
        fires(&RULE, &container("image: a"), &["6:5"]);
        fires(&RULE, &container("securityContext:\n  runAsUser: 0"), &["8:18"]);
        fires(&RULE, &pod("securityContext:\n  runAsUser: 0\ncontainers:\n- name: c"), &["6:16"]);
        fires(&RULE, &container("securityContext: {runAsNonRoot: false}"), &["6:5"]);
    }

    #[test]
    fn is_silent_on_another_user_and_on_a_refusal_of_root() {
        is_silent(&RULE, &container("securityContext:\n  runAsNonRoot: true"));
        is_silent(&RULE, &container("securityContext:\n  runAsUser: 1000"));
        is_silent(&RULE, &pod("securityContext: {runAsNonRoot: true}\ncontainers:\n- name: c"));
    }
    #[test]
    fn the_diff_refuses_root() {
        is_fixed(&RULE, &container("image: a"), &["+    securityContext:", "+      runAsNonRoot: true"]);
        let text = container("securityContext:\n  runAsUser: 0");
        is_fixed(&RULE, &text, &["-      runAsUser: 0", "+      runAsUser: 10001"]);
    }
}

//! A container that keeps the capabilities of a runtime's default.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-capabilities-kept",
    title: "container that keeps default capabilities",
    severity: Severity::Low,
    help: "\
By default a container has a dozen capabilities, such as to send forged packets (`NET_RAW`) and to change owners of
files. Most programs need none. Drop all, and add back what is missed.

Bad:

```yaml
securityContext: {}
```

Good:

```yaml
securityContext:
  capabilities:
    drop: [ALL]
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers().filter(|container| !container.workload.is_windows()) {
        let dropped = container.at(&["securityContext", "capabilities", "drop"]);
        if dropped.is_some_and(|node| node.texts().any(|text| text.eq_ignore_ascii_case("all"))) {
            continue;
        }
        let message = format!("container `{}` keeps capabilities that it may not need", container.name());
        container.harden(found, dropped, message, ("capabilities.drop", "[ALL]"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_where_not_all_are_dropped() {
        fires(&RULE, &container("image: a"), &["6:5"]);
        fires(&RULE, &container("securityContext:\n  capabilities:\n    drop: [KILL]"), &["9:15"]);
    }

    #[test]
    fn is_silent_where_all_are() {
        is_silent(&RULE, &container("securityContext:\n  capabilities:\n    drop: [ALL]"));
        is_silent(&RULE, &container("securityContext: {capabilities: {drop: [all]}}"));
    }
    #[test]
    fn the_diff_drops_all() {
        let changes = ["+    securityContext:", "+      capabilities:", "+        drop: [ALL]"];
        is_fixed(&RULE, &container("image: a"), &changes);
    }
}

//! A container that sees the whole of `/proc`.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-proc-unmasked",
    title: "container with an unmasked /proc",
    severity: Severity::High,
    help: "\
The runtime hides the dangerous parts of `/proc`, by which the kernel is configured and read. `Unmasked` shows them.
Only container engines inside of containers need that, with user namespaces.

Bad:

```yaml
securityContext:
  procMount: Unmasked
```

Good:

```yaml
securityContext:
  procMount: Default
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        if let Some(node) = container.own_security("procMount").filter(|node| node.text() == Some("Unmasked"))
        {
            let message = format!("container `{}` sees the whole of /proc", container.name());
            container.harden(found, Some(node), message, ("procMount", "Default"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_unmasked() {
        fires(&RULE, &container("securityContext:\n  procMount: Unmasked"), &["8:18"]);
    }

    #[test]
    fn is_silent_on_the_default() {
        is_silent(&RULE, &container("securityContext:\n  procMount: Default"));
    }
}

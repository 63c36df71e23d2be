//! A container that is root on its node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-privileged",
    title: "container that is root on its node",
    severity: Severity::High,
    help: "\
A privileged container has all capabilities, all devices of the node, and no filter in front of the kernel. Whoever takes it
over has the node, and with it the secrets of every pod there. Almost nothing needs it: name the one capability or the one
device that is needed instead.

Bad:

```yaml
securityContext:
  privileged: true
```

Good:

```yaml
securityContext:
  privileged: false
  capabilities:
    drop: [ALL]
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        let Some(node) = container.own_security("privileged").filter(|node| node.truth() == Some(true))
        else {
            continue;
        };
        let message = format!("container `{}` is privileged: it is root on its node", container.name());
        container.harden(found, Some(node), message, ("privileged", "false"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_privileged_container_of_any_role() {
        fires(&RULE, &container("securityContext:\n  privileged: true\n"), &["8:19"]);
        fires(&RULE, &pod("initContainers:\n- {name: i, securityContext: {privileged: true}}\n"), &["6:45"]);
    }

    #[test]
    fn is_silent_on_an_ordinary_container() {
        is_silent(&RULE, &container("securityContext:\n  privileged: false\n"));
        is_silent(&RULE, &container("image: a\n"));
    }

    #[test]
    fn the_diff_takes_it_away() {
        let text = container("securityContext:\n  privileged: true\n");
        is_fixed(&RULE, &text, &["-      privileged: true", "+      privileged: false"]);
    }
}

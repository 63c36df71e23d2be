//! A container with capabilities that the baseline does not know.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-capabilities-added",
    title: "container with dangerous capabilities",
    severity: Severity::Medium,
    help: "\
Each capability is a part of what root may do. Some of them are all of it: with `SYS_ADMIN`, `SYS_MODULE`,
`SYS_PTRACE`, `BPF` or `DAC_READ_SEARCH` a process gets out of the container; with `NET_ADMIN` it rewrites the network
of its pod. Add the one that is needed, and only from the harmless.

Bad:

```yaml
securityContext:
  capabilities:
    add: [SYS_ADMIN]
```

Good:

```yaml
securityContext:
  capabilities:
    drop: [ALL]
    add: [NET_BIND_SERVICE]
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline", "https://man7.org/linux/man-pages/man7/capabilities.7.html"],
};

/// What the baseline allows.
const HARMLESS: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// What leads out of the container.
const ROOT: &[&str] = &[
    "ALL",
    "SYS_ADMIN",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "BPF",
    "DAC_READ_SEARCH",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "SYS_BOOT",
    "SYSLOG",
];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        let added = container.at(&["securityContext", "capabilities", "add"]).map_or(&[][..], Node::items);
        for node in added {
            let name = node.text().unwrap_or("").to_ascii_uppercase();
            let name = name.strip_prefix("CAP_").unwrap_or(&name);
            if HARMLESS.contains(&name) {
                continue;
            }
            let message = format!("container `{}` has the capability {name}", container.name());
            let issue = container
                .report(found, Some(node), message)
                .fix("remove it, or find the harmless one that is enough");
            if ROOT.contains(&name) {
                issue.severity(Severity::High);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_dangerous_ones() {
        fires(
            &RULE,
            &container("securityContext:\n  capabilities:\n    add: [SYS_ADMIN, CHOWN, NET_RAW]"),
            &["9:15", "9:33"],
        );
    }

    #[test]
    fn is_silent_on_harmless_ones() {
        is_silent(
            &RULE,
            &container("securityContext:\n  capabilities:\n    drop: [ALL]\n    add: [NET_BIND_SERVICE]"),
        );
        is_silent(&RULE, &container("image: a"));
    }
}

//! A kernel setting that is not the pod's alone.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-unsafe-sysctl",
    title: "kernel setting outside of the safe ones",
    severity: Severity::Medium,
    help: "\
Safe settings belong to the pod. Any other can change the node for all of its pods, and the kubelet takes it only
where it was told to.

Bad:

```yaml
securityContext:
  sysctls:
  - {name: kernel.msgmax, value: \"65536\"}
```

Good:

```yaml
securityContext:
  sysctls:
  - {name: net.ipv4.ip_unprivileged_port_start, value: \"0\"}
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline", "https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/"],
};

const SAFE: &[&str] = &[
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        for sysctl in workload.at(&["securityContext", "sysctls"]).map_or(&[][..], Node::items) {
            let Some(node) = sysctl.get("name") else { continue };
            let name = node.text().unwrap_or("");
            if !SAFE.contains(&name) {
                workload
                    .report(found, Some(node), format!("`{name}` is not the pod's alone"))
                    .fix("remove it, or set it on the node");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_other_settings() {
        fires(&RULE, &pod("securityContext:\n  sysctls:\n  - {name: kernel.msgmax, value: '1'}"), &["7:14"]);
    }

    #[test]
    fn is_silent_on_safe_ones() {
        is_silent(
            &RULE,
            &pod("securityContext:\n  sysctls:\n  - {name: net.ipv4.tcp_syncookies, value: '1'}"),
        );
    }
}

//! A probe that asks somebody else.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-probe-host",
    title: "probe that is sent to another host",
    severity: Severity::Medium,
    help: "\
With `host`, the kubelet sends the probe from the node to wherever the manifest says: whoever may write pods scans the
network of the nodes, past every network policy.

Bad:

```yaml
livenessProbe:
  httpGet: {host: 169.254.169.254, path: /, port: 80}
```

Good:

```yaml
livenessProbe:
  httpGet: {path: /health, port: 8080}
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline"],
};

const PLACES: &[&[&str]] = &[
    &["livenessProbe"],
    &["readinessProbe"],
    &["startupProbe"],
    &["lifecycle", "postStart"],
    &["lifecycle", "preStop"],
];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        for probe in PLACES.iter().filter_map(|way| container.at(way)) {
            let hosts = ["httpGet", "tcpSocket"].into_iter().filter_map(|kind| probe.at(&[kind, "host"]));
            for node in hosts.filter(|node| !matches!(node.text(), Some("" | "127.0.0.1" | "localhost"))) {
                let message =
                    format!("the node sends this probe of container `{}` to another host", container.name());
                container.report(found, Some(node), message).fix("remove `host`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_another_host() {
        fires(&RULE, &container("livenessProbe:\n  httpGet:\n    host: 10.0.0.1"), &["9:15"]);
        fires(&RULE, &container("lifecycle:\n  preStop: {httpGet: {host: a}}"), &["8:33"]);
    }

    #[test]
    fn is_silent_on_the_pod_itself() {
        is_silent(&RULE, &container("livenessProbe: {httpGet: {port: 80}}"));
        is_silent(&RULE, &container("readinessProbe: {tcpSocket: {host: 127.0.0.1}}"));
    }
}

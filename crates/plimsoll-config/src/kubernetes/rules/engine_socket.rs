//! A pod that can command the container engine of its node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-engine-socket",
    title: "pod that can command the container engine",
    severity: Severity::High,
    help: "\
Whoever can talk to the socket of the container engine starts a container with the whole node in it. That is root on
the node, with a detour. Build images without an engine, and ask the API server about pods.

Bad:

```yaml
volumes:
- name: docker
  hostPath: {path: /var/run/docker.sock}
```

Good:

```yaml
volumes:
- name: work
  emptyDir: {}
```",
    references: &["https://kubernetes.io/docs/concepts/storage/volumes/#hostpath"],
};

const SOCKETS: &[&str] =
    &["docker.sock", "containerd.sock", "crio.sock", "podman.sock", "cri-dockerd.sock", "dockershim.sock"];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        for node in workload.volumes().iter().filter_map(|volume| volume.at(&["hostPath", "path"])) {
            if node.text().is_some_and(|path| SOCKETS.iter().any(|socket| path.ends_with(socket))) {
                workload
                    .report(
                        found,
                        Some(node),
                        "the pod can command the container engine of its node".to_owned(),
                    )
                    .fix("do without the socket");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_socket() {
        fires(&RULE, &pod("volumes:\n- name: a\n  hostPath:\n    path: /var/run/docker.sock"), &["8:13"]);
    }

    #[test]
    fn is_silent_on_other_paths() {
        is_silent(&RULE, &pod("volumes:\n- name: a\n  hostPath: {path: /data}"));
    }
}

//! A pod that reaches files of its node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-host-path",
    title: "pod that reaches files of its node",
    severity: Severity::Medium,
    help: "\
A mount of the node's files is a way around everything else: logs of other pods, keys of the kubelet, and where it can
be written, programs that the node runs. Use a persistent volume, a config map or an `emptyDir`.

Bad:

```yaml
volumes:
- name: data
  hostPath: {path: /var/lib/data}
```

Good:

```yaml
volumes:
- name: data
  persistentVolumeClaim: {claimName: data}
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline", "https://kubernetes.io/docs/concepts/storage/volumes/#hostpath"],
};

/// What gives away the node, and everything below it.
const NODE: &[&str] = &[
    "/etc",
    "/root",
    "/proc",
    "/dev",
    "/boot",
    "/home",
    "/var/lib/kubelet",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/run",
    "/var/run",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        for node in workload.volumes().iter().filter_map(|volume| volume.at(&["hostPath", "path"])) {
            let path = node.text().unwrap_or("");
            let issue = workload.report(found, Some(node), format!("the pod reaches `{path}` of its node"));
            issue.fix("use a persistent volume, a config map or an emptyDir");
            if is_node(path) {
                issue.severity(Severity::High);
            }
        }
    }
    for object in graph.of_kind("PersistentVolume") {
        if let Some(node) = object.at(&["spec", "hostPath", "path"]) {
            object
                .report(found, Some(node), "this volume is a folder of a node".to_owned())
                .fix("use storage that is made for it");
        }
    }
}

fn is_node(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path.is_empty()
        || NODE.iter().any(|known| {
            path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_files_of_the_node() {
        fires(
            &RULE,
            &pod("volumes:\n- name: a\n  hostPath: {path: /etc}\n- name: b\n  hostPath:\n    path: /data"),
            &["7:22", "10:13"],
        );
        fires(&RULE, &object("PersistentVolume", "spec:\n  hostPath:\n    path: /data\n"), &["7:11"]);
    }

    #[test]
    fn is_silent_on_other_volumes() {
        is_silent(&RULE, &pod("volumes:\n- name: a\n  emptyDir: {}\n- name: b\n  configMap: {name: x}"));
    }
}

//! A volume of a kind that restricted pods have no business with.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-volume-type",
    title: "volume of a kind that reaches past the pod",
    severity: Severity::Low,
    help: "\
Volumes that name a server or a driver in the pod reach past the cluster's storage: whoever may write pods chooses
what is mounted. Let a persistent volume claim say what is wanted, and the platform what that is. `gitRepo` ran
commands as root on the node, and is gone.

Bad:

```yaml
volumes:
- name: data
  nfs: {server: files.internal, path: /}
```

Good:

```yaml
volumes:
- name: data
  persistentVolumeClaim: {claimName: data}
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"],
};

/// What restricted pods may mount; paths of the node are a finding of their own.
const HARMLESS: &[&str] = &[
    "name",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "image",
    "hostPath",
];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        for (key, value) in workload.volumes().iter().flat_map(Node::entries) {
            if HARMLESS.contains(&key.text.as_str()) || value.is_null() {
                continue;
            }
            let issue = workload.report(found, Some(value), format!("a volume of the kind `{}`", key.text));
            issue.identity(&key.text).fix("use a persistent volume claim");
            if key.text == "gitRepo" {
                issue.severity(Severity::High);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_other_kinds() {
        fires(&RULE, &pod("volumes:\n- name: a\n  nfs: {server: b}"), &["7:10"]);
        fires(&RULE, &pod("volumes:\n- name: a\n  gitRepo: {repository: b}"), &["7:14"]);
    }

    #[test]
    fn is_silent_on_kinds_of_the_cluster() {
        is_silent(&RULE, &pod("volumes:\n- name: a\n  emptyDir: {}\n- name: b\n  hostPath: {path: /c}"));
    }
}

//! A part of the control plane with a protection switched off.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-weak-control-plane",
    title: "control plane with a protection switched off",
    severity: Severity::High,
    help: "\
These flags take away what keeps the cluster: logins, rights, or the encryption of connections. None of them has a
place outside of a test machine.

Bad:

```yaml
command:
- kube-apiserver
- --anonymous-auth=true
- --authorization-mode=AlwaysAllow
```

Good:

```yaml
command:
- kube-apiserver
- --anonymous-auth=false
- --authorization-mode=Node,RBAC
```",
    references: &["https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/"],
};

/// Programs, their flags, and the values that take a protection away. An empty value is every one but zero.
const WEAK: &[(&str, &str, &str)] = &[
    ("kube-apiserver", "--authorization-mode", "AlwaysAllow"),
    ("kube-apiserver", "--anonymous-auth", "true"),
    ("kube-apiserver", "--insecure-port", ""),
    ("kube-apiserver", "--insecure-bind-address", ""),
    ("kube-apiserver", "--token-auth-file", ""),
    ("kube-apiserver", "--basic-auth-file", ""),
    ("kube-apiserver", "--enable-admission-plugins", "AlwaysAdmit"),
    ("kube-apiserver", "--kubelet-https", "false"),
    ("kube-apiserver", "--service-account-lookup", "false"),
    ("kube-apiserver", "--profiling", "true"),
    ("kube-controller-manager", "--use-service-account-credentials", "false"),
    ("kube-controller-manager", "--profiling", "true"),
    ("kube-scheduler", "--profiling", "true"),
    ("kubelet", "--anonymous-auth", "true"),
    ("kubelet", "--authorization-mode", "AlwaysAllow"),
    ("kubelet", "--read-only-port", ""),
    ("etcd", "--client-cert-auth", "false"),
    ("etcd", "--auto-tls", "true"),
    ("etcd", "--peer-auto-tls", "true"),
];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        let words: Vec<&Node> = ["command", "args"]
            .into_iter()
            .filter_map(|key| container.at(&[key]))
            .flat_map(Node::items)
            .collect();
        let program =
            words.first().and_then(|word| word.text()).and_then(|text| text.rsplit('/').next()).unwrap_or("");
        for (flag, value, node) in words.iter().filter_map(|word| flag(word)) {
            let weak = |(of, name, bad): &&(&str, &str, &str)| {
                let is_bad =
                    if bad.is_empty() { value != "0" } else { value.split(',').any(|value| value == *bad) };
                *of == program && *name == flag && is_bad
            };
            if WEAK.iter().any(|known| weak(&known)) {
                container
                    .report(found, Some(node), format!("`{flag}={value}` takes a protection away"))
                    .fix("remove it");
            }
        }
    }
}

fn flag(node: &Node) -> Option<(&str, &str, &Node)> {
    let (flag, value) = node.text()?.split_once('=')?;
    Some((flag, value, node))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_weak_flag() {
        fires(&RULE, &container("command: [kube-apiserver, --anonymous-auth=true]"), &["7:31"]);
        fires(&RULE, &container("command: [/bin/kubelet]\nargs:\n- --read-only-port=10255"), &["9:7"]);
    }

    #[test]
    fn is_silent_on_others() {
        is_silent(
            &RULE,
            &container(
                "command: [kube-apiserver, --anonymous-auth=false, '--authorization-mode=Node,RBAC', --insecure-port=0]",
            ),
        );
        is_silent(&RULE, &container("command: [other, --anonymous-auth=true]"));
    }
}

//! A kubelet that lets everybody in.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-weak-kubelet",
    title: "kubelet that lets everybody in",
    severity: Severity::High,
    help: "\
Whoever talks to a kubelet without a login, or with one that allows everything, runs commands in every pod of its
node. The read-only port shows the pods with their environment to everybody.

Bad:

```yaml
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: true}
authorization: {mode: AlwaysAllow}
readOnlyPort: 10255
```

Good:

```yaml
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
authorization: {mode: Webhook}
readOnlyPort: 0
```",
    references: &["https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in graph.of_kind("KubeletConfiguration") {
        let anonymous =
            object.at(&["authentication", "anonymous", "enabled"]).filter(|node| node.truth() == Some(true));
        let everything =
            object.at(&["authorization", "mode"]).filter(|node| node.text() == Some("AlwaysAllow"));
        let port = object.at(&["readOnlyPort"]).filter(|node| node.number().is_some_and(|port| port != 0));
        let weak = [
            (anonymous, "everybody may talk to this kubelet"),
            (everything, "everybody who may talk to this kubelet may do everything"),
            (port, "everybody can read the pods of the node"),
        ];
        for (node, message) in weak {
            if let Some(node) = node {
                object.report(found, Some(node), message.to_owned()).identity(message).fix("remove it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_each_way_in() {
        fires(
            &RULE,
            "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nauthentication:\n  anonymous: {enabled: true}\nauthorization: {mode: AlwaysAllow}\nreadOnlyPort: 10255\n",
            &["4:24", "5:23", "6:15"],
        );
    }

    #[test]
    fn is_silent_where_all_are_closed() {
        is_silent(
            &RULE,
            "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nauthentication: {anonymous: {enabled: false}}\nauthorization: {mode: Webhook}\nreadOnlyPort: 0\n",
        );
    }
}

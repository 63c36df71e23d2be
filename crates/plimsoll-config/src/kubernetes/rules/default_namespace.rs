//! An object in the namespace that everybody shares.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-default-namespace",
    title: "object in the default namespace",
    severity: Severity::Low,
    help: "\
Roles, quotas and network policies are for namespaces. What lies in `default` lies beside everything that somebody
forgot to place.

Bad:

```yaml
metadata:
  namespace: default
```

Good:

```yaml
metadata:
  namespace: shop
```",
    references: &["https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in &graph.objects {
        let Some(node) = object.at(&["metadata", "namespace"]).filter(|_| object.namespace == "default")
        else {
            continue;
        };
        let is_theirs = object.kind == "Service" && object.name == "kubernetes";
        if !is_theirs
            && (object.workload().is_some()
                || matches!(
                    object.kind.as_str(),
                    "Service" | "Secret" | "ConfigMap" | "ServiceAccount" | "Ingress"
                ))
        {
            object
                .report(found, Some(node), "lies in the namespace that everybody shares".to_owned())
                .fix("give it a namespace of its own");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_default() {
        fires(&RULE, &object("Service", "  namespace: default\n"), &["5:14"]);
    }

    #[test]
    fn is_silent_on_others() {
        is_silent(&RULE, &object("Service", "  namespace: shop\n"));
        is_silent(&RULE, &object("Service", ""));
        is_silent(&RULE, &object("RoleBinding", "  namespace: default\n"));
    }
}

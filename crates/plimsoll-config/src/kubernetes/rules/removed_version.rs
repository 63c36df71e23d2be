//! An object of a version that the API server does not know any more.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-removed-version",
    title: "version that was removed",
    severity: Severity::Medium,
    help: "\
The API server refuses it: the release fails in the moment of the cluster's upgrade. Write the version that is served
today.

Bad:

```yaml
apiVersion: extensions/v1beta1
kind: Ingress
```

Good:

```yaml
apiVersion: networking.k8s.io/v1
kind: Ingress
```",
    references: &["https://kubernetes.io/docs/reference/using-api/deprecation-guide/"],
};

/// What was removed, in which version of Kubernetes, and what to write.
const REMOVED: &[(&str, &str, &str, &str)] = &[
    ("extensions/v1beta1", "Ingress", "1.22", "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "Ingress", "1.22", "networking.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "IngressClass", "1.22", "networking.k8s.io/v1"),
    ("extensions/v1beta1", "Deployment", "1.16", "apps/v1"),
    ("extensions/v1beta1", "DaemonSet", "1.16", "apps/v1"),
    ("extensions/v1beta1", "ReplicaSet", "1.16", "apps/v1"),
    ("extensions/v1beta1", "NetworkPolicy", "1.16", "networking.k8s.io/v1"),
    ("apps/v1beta1", "Deployment", "1.16", "apps/v1"),
    ("apps/v1beta2", "Deployment", "1.16", "apps/v1"),
    ("apps/v1beta1", "StatefulSet", "1.16", "apps/v1"),
    ("apps/v1beta2", "StatefulSet", "1.16", "apps/v1"),
    ("apps/v1beta2", "DaemonSet", "1.16", "apps/v1"),
    ("batch/v1beta1", "CronJob", "1.25", "batch/v1"),
    ("policy/v1beta1", "PodDisruptionBudget", "1.25", "policy/v1"),
    ("policy/v1beta1", "PodSecurityPolicy", "1.25", "Pod Security admission"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler", "1.25", "autoscaling/v2"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "1.26", "autoscaling/v2"),
    ("rbac.authorization.k8s.io/v1beta1", "Role", "1.22", "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRole", "1.22", "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "RoleBinding", "1.22", "rbac.authorization.k8s.io/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "ClusterRoleBinding", "1.22", "rbac.authorization.k8s.io/v1"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "1.22", "apiextensions.k8s.io/v1"),
    (
        "admissionregistration.k8s.io/v1beta1",
        "ValidatingWebhookConfiguration",
        "1.22",
        "admissionregistration.k8s.io/v1",
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration",
        "1.22",
        "admissionregistration.k8s.io/v1",
    ),
];

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for object in &graph.objects {
        let Some(node) = object.at(&["apiVersion"]) else { continue };
        let version = node.text().unwrap_or("");
        if let Some((.., since, now)) =
            REMOVED.iter().find(|(old, kind, ..)| *old == version && *kind == object.kind)
        {
            object
                .report(
                    found,
                    Some(node),
                    format!("{} of {version} is gone since Kubernetes {since}", object.kind),
                )
                .fix(format!("use {now}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_version_that_is_gone() {
        fires(&RULE, "apiVersion: extensions/v1beta1\nkind: Ingress\n", &["1:13"]);
    }

    #[test]
    fn is_silent_on_versions_that_are_served() {
        is_silent(&RULE, "apiVersion: networking.k8s.io/v1\nkind: Ingress\n");
    }
}

//! A role that changes what admission does.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-webhooks",
    title: "role that changes admission",
    severity: Severity::Medium,
    help: "\
Who can write admission webhooks sees every object that is written, secrets included, can change it, and can switch
off the policies of others.

Bad:

```yaml
rules:
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  verbs: [update]
```

Good:

```yaml
rules:
- apiGroups: [\"\"]
  resources: [configmaps]
  verbs: [get]
```",
    references: &["https://kubernetes.io/docs/concepts/security/rbac-good-practices/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for grant in graph.grants().filter(|grant| !grant.is_named()) {
        if let Some(node) = grant.of(
            &["create", "update", "patch", "delete"],
            &[
                "validatingwebhookconfigurations",
                "mutatingwebhookconfigurations",
                "validatingadmissionpolicies",
                "validatingadmissionpolicybindings",
            ],
        ) {
            grant
                .object
                .report(found, Some(node), "changes what admission does".to_owned())
                .fix("leave it to the platform; name one with `resourceNames`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_right() {
        fires(
            &RULE,
            &role("ClusterRole", "admissionregistration.k8s.io", "validatingwebhookconfigurations", "update"),
            &["7:15"],
        );
    }

    #[test]
    fn is_silent_on_other_rights() {
        is_silent(&RULE, &role("ClusterRole", "''", "configmaps", "update"));
        is_silent(
            &RULE,
            &role("ClusterRole", "admissionregistration.k8s.io", "validatingwebhookconfigurations", "other"),
        );
        is_silent(
            &RULE,
            &object(
                "Role",
                "rules:\n- {apiGroups: [''], resources: [validatingwebhookconfigurations], verbs: [update], resourceNames: [a]}\n",
            ),
        );
    }
}

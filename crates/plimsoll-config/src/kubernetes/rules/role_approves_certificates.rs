//! A role that makes anybody anybody.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-role-approves-certificates",
    title: "role that approves certificates",
    severity: Severity::Medium,
    help: "\
An approved request for a client certificate is a login, as whoever the request names, the administrators included.

Bad:

```yaml
rules:
- apiGroups: [certificates.k8s.io]
  resources: [certificatesigningrequests/approval]
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
    for grant in graph.grants() {
        if let Some(node) = grant.of(&["update", "patch"], &["certificatesigningrequests/approval"]) {
            grant
                .object
                .report(found, Some(node), "approves logins for anybody".to_owned())
                .fix("leave it to the platform");
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
            &role("ClusterRole", "certificates.k8s.io", "certificatesigningrequests/approval", "update"),
            &["7:15"],
        );
    }

    #[test]
    fn is_silent_on_other_rights() {
        is_silent(&RULE, &role("ClusterRole", "''", "configmaps", "update"));
        is_silent(
            &RULE,
            &role("ClusterRole", "certificates.k8s.io", "certificatesigningrequests/approval", "other"),
        );
    }
}

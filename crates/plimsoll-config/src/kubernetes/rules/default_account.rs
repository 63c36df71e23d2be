//! A pod with rights that belong to nobody in particular.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-default-account",
    title: "pod with the default service account",
    severity: Severity::Low,
    help: "\
All pods that name no account share `default`. What one of them is given, all have, and nobody can say which pod
called. Give each workload an account of its own.

Bad:

```yaml
spec:
  containers: []
```

Good:

```yaml
spec:
  serviceAccountName: shop
  containers: []
```",
    references: &["https://kubernetes.io/docs/concepts/security/security-checklist/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let account = workload.service_account();
        let is_default = account.and_then(Node::text).is_none_or(|name| name == "default");
        let has_token = workload.at(&["automountServiceAccountToken"]).and_then(Node::truth) != Some(false);
        if is_default && has_token {
            workload
                .report(found, account, "the pod shares the default service account".to_owned())
                .fix("name an account of its own, or switch its token off");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_default() {
        fires(&RULE, &pod("containers: [{name: c}]"), &["3:12"]);
        fires(&RULE, &pod("serviceAccountName: default"), &["5:23"]);
    }

    #[test]
    fn is_silent_on_another_and_without_a_token() {
        is_silent(&RULE, &pod("serviceAccountName: a"));
        is_silent(&RULE, &pod("automountServiceAccountToken: false"));
    }
}

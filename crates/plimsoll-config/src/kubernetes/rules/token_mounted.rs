//! A pod with a key to the API server that it does not use.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-token-mounted",
    title: "pod with a key to the API server",
    severity: Severity::Low,
    help: "\
Every pod gets a token for the API server unless it is told not to. A pod whose account was given no rights in these
manifests does not need it; an intruder does.

Bad:

```yaml
spec:
  serviceAccountName: shop
```

Good:

```yaml
spec:
  serviceAccountName: shop
  automountServiceAccountToken: false
```",
    references: &["https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for workload in graph.workloads() {
        let own = workload.at(&["automountServiceAccountToken"]);
        let name = workload.service_account().and_then(Node::text).unwrap_or("default");
        let account = graph
            .of_kind("ServiceAccount")
            .find(|account| account.name == name && account.is_beside(workload.object));
        let setting =
            own.or_else(|| account.and_then(|account| account.at(&["automountServiceAccountToken"])));
        if setting.and_then(Node::truth) == Some(false) || graph.is_bound(workload, name) {
            continue;
        }
        let edit = workload.object.set(workload.spec, &["automountServiceAccountToken"], "false");
        let issue = workload.report(
            found,
            own,
            "the pod gets a key to the API server and was given no rights there".to_owned(),
        );
        issue.fix("set `automountServiceAccountToken: false`");
        edit.into_iter().for_each(|edit| {
            issue.edit(edit);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_pod_that_has_no_use_for_it() {
        fires(&RULE, &pod("containers: [{name: c}]"), &["3:12"]);
        fires(&RULE, &pod("automountServiceAccountToken: true\ncontainers: [{name: c}]"), &["5:33"]);
    }

    #[test]
    fn fires_on_what_openshift_deploys() {
        let spec = "spec: {template: {spec: {containers: [{name: c}]}}}\n";
        fires(&RULE, &object("DeploymentConfig", spec), &["4:3"]);
    }

    #[test]
    fn is_silent_where_it_is_off_and_where_the_account_has_rights() {
        is_silent(&RULE, &pod("automountServiceAccountToken: false\ncontainers: [{name: c}]"));
        is_silent(
            &RULE,
            &all(&[
                &pod("serviceAccountName: a\n"),
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: n}\nautomountServiceAccountToken: false\n",
            ]),
        );
        is_silent(
            &RULE,
            &all(&[
                &pod("serviceAccountName: a\n"),
                &binding("RoleBinding", "view", "kind: ServiceAccount, name: a, namespace: n"),
            ]),
        );
    }
    #[test]
    fn the_diff_switches_it_off() {
        is_fixed(&RULE, &pod("hostname: a\ncontainers: []"), &["+  automountServiceAccountToken: false"]);
    }
}

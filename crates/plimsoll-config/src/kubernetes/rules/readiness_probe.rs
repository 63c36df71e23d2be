//! Service that gets requests before it is ready.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-readiness-probe",
    title: "service that gets requests before it is ready",
    severity: Severity::Info,
    help: "\
Without a probe a pod gets requests from its first moment, and goes on getting them when it cannot answer. During a
release that is an outage.

Bad:

```yaml
containers:
- name: shop
```

Good:

```yaml
containers:
- name: shop
  readinessProbe:
    httpGet: {path: /health, port: 8080}
```",
    references: &["https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        let serves =
            container.role == Role::Main && !container.workload.ends() && container.at(&["ports"]).is_some();
        if serves && container.at(&["readinessProbe"]).is_none() {
            let message = format!("container `{}` has no readinessProbe", container.name());
            container.report(found, None, message).fix("add `readinessProbe`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_service_without_a_probe() {
        fires(&RULE, &container("ports: [{containerPort: 80}]"), &["6:5"]);
    }

    #[test]
    fn is_silent_on_probes_jobs_and_what_serves_nothing() {
        is_silent(&RULE, &container("ports: [{containerPort: 80}]\nreadinessProbe: {httpGet: {port: 80}}"));
        is_silent(&RULE, &container("image: a"));
        is_silent(&RULE, &pod("restartPolicy: Never\ncontainers: [{name: c, ports: []}]"));
    }
}

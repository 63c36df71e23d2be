//! Service that nobody restarts.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-liveness-probe",
    title: "service that nobody restarts",
    severity: Severity::Info,
    help: "\
A service that hangs still has a process. Without a probe the cluster takes it for healthy and lets it hang.

Bad:

```yaml
containers:
- name: shop
```

Good:

```yaml
containers:
- name: shop
  livenessProbe:
    httpGet: {path: /health, port: 8080}
```",
    references: &["https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        let serves =
            container.role == Role::Main && !container.workload.ends() && container.at(&["ports"]).is_some();
        if serves && container.at(&["livenessProbe"]).is_none() {
            let message = format!("container `{}` has no livenessProbe", container.name());
            container.report(found, None, message).fix("add `livenessProbe`");
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
        is_silent(&RULE, &container("ports: [{containerPort: 80}]\nlivenessProbe: {httpGet: {port: 80}}"));
        is_silent(&RULE, &container("image: a"));
        is_silent(&RULE, &pod("restartPolicy: Never\ncontainers: [{name: c, ports: []}]"));
    }
}

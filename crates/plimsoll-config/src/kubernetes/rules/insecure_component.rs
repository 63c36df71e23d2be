//! A component with a history of giving away clusters.

use super::prelude::*;
use crate::dockerfile::image::Image;
pub(crate) static RULE: Rule = Rule {
    id: "config/kubernetes-insecure-component",
    title: "component that gives away the cluster",
    severity: Severity::Medium,
    help: "\
Tiller has the rights of everybody who ever used it, and no login. The dashboard, where it is left open, is a login
without a door. Helm needs no Tiller since version 3; reach the dashboard through `kubectl proxy` only.

Bad:

```yaml
image: gcr.io/kubernetes-helm/tiller:v2.16.0
```

Good:

```yaml
image: example/shop:1.4.2
```",
    references: &["https://helm.sh/docs/topics/v2_v3_migration/", "https://kubernetes.io/docs/tasks/access-application-cluster/web-ui-dashboard/"],
};

pub(crate) fn check(graph: &Graph, found: &mut Found<'_>) {
    for container in graph.containers() {
        let Some(node) = container.at(&["image"]) else { continue };
        let image = Image::parse(node.text().unwrap_or(""));
        let name = image.name.rsplit('/').next().unwrap_or("");
        if matches!(name, "tiller" | "kubernetes-dashboard-amd64")
            || image.name.ends_with("kubernetesui/dashboard")
        {
            container
                .report(found, Some(node), format!("`{name}` has given away clusters"))
                .fix("do without it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_them() {
        fires(&RULE, &container("image: gcr.io/kubernetes-helm/tiller:v2.16.0"), &["7:12"]);
        fires(&RULE, &container("image: kubernetesui/dashboard:v2.7.0"), &["7:12"]);
    }

    #[test]
    fn is_silent_on_others() {
        is_silent(&RULE, &container("image: a/b:1"));
    }
}

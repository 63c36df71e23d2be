//! A step that is root on its node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/argo-privileged-step",
    title: "a step has the whole node",
    severity: Severity::High,
    help: "\
A privileged container, or one that has the node's container socket, is root on the node, and so reads the secrets of every
other pod there. Build images with a tool that needs neither.

Bad:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  templates:
    - name: image
      container:
        image: docker:27
        securityContext: {privileged: true}
```

Good:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  templates:
    - name: image
      container:
        image: moby/buildkit:rootless
        securityContext: {runAsNonRoot: true}
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for container in workflow.containers() {
        let privileged = container.at(&["securityContext", "privileged"]).filter(|node| node.truth() == Some(true));
        if let Some(node) = privileged {
            found.at(workflow.source, &node.span, "this step is root on its node").subject(&workflow.name).fix("build without privileges");
        }
    }
    let templates = workflow.templates.iter().chain([workflow.spec]);
    for volume in templates.filter_map(|node| node.get("volumes")).flat_map(|volumes| volumes.items()) {
        let Some(path) = volume.at(&["hostPath", "path"]) else { continue };
        if path.text().is_some_and(|path| path.ends_with(".sock") || matches!(path, "/" | "/var/run" | "/var/lib/docker" | "/etc")) {
            found
                .at(workflow.source, &path.span, "through this the step has the whole node")
                .subject(&workflow.name)
                .fix("build without the node's socket");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec:\n";

    #[test]
    fn fires_on_sidecars_and_sockets() {
        let text = format!("{HEAD}  volumes: [{{hostPath: {{path: /var/run/docker.sock}}}}]\n  templates:\n    - sidecars: [{{securityContext: {{privileged: true}}}}]\n");
        fires_on(&RULE, FILE, &text, &["5:31", "7:49"]);
    }

    #[test]
    fn is_silent_on_plain_steps() {
        is_silent_on(&RULE, FILE, &format!("{HEAD}  templates:\n    - container: {{securityContext: {{privileged: false}}}}\n"));
    }
}

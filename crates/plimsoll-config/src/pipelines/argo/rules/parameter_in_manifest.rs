//! A parameter pasted into an object for the cluster.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/argo-parameter-in-manifest",
    title: "a parameter becomes part of an object that is created in the cluster",
    severity: Severity::High,
    help: "\
A `resource` template sends its manifest to the cluster with the rights of the workflow's service account. A parameter with line
breaks adds whatever its sender likes: a host path, another image, another namespace. Let the manifest be fixed, and hand values
over with `manifestFrom` and a tool that quotes them, or allow only values from an `enum`.

Bad:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  templates:
    - name: deploy
      resource:
        action: apply
        manifest: |
          apiVersion: v1
          kind: ConfigMap
          metadata: {name: \"{{inputs.parameters.name}}\"}
```

Good:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  templates:
    - name: deploy
      resource:
        action: apply
        manifest: |
          apiVersion: v1
          kind: ConfigMap
          metadata: {name: settings}
```",
    references: &["https://argo-workflows.readthedocs.io/en/latest/walk-through/kubernetes-resources/"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for template in workflow.templates {
        let Some(manifest) = template.at(&["resource", "manifest"]) else { continue };
        let text = workflow.source.slice(&manifest.span);
        let Some(at) = text.find("{{").filter(|_| text.contains(".parameters.")) else { continue };
        let length = text[at..].find("}}").map_or(2, |end| end + 2);
        let place = manifest.span.start + at..manifest.span.start + at + length;
        found
            .at(workflow.source, &place, "whoever sets the parameter decides what is created")
            .subject(&workflow.name)
            .fix("keep the manifest fixed, or allow only values from an `enum`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec:\n";

    #[test]
    fn fires_at_the_parameter() {
        let text = format!("{HEAD}  templates:\n    - resource:\n        manifest: |\n          kind: {{{{workflow.parameters.a}}}}\n");
        fires_on(&RULE, FILE, &text, &["8:17"]);
    }

    #[test]
    fn is_silent_without_one() {
        is_silent_on(&RULE, FILE, &format!("{HEAD}  templates:\n    - resource: {{manifest: 'kind: A'}}\n"));
    }
}

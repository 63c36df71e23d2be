//! A step in the network of its node.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/argo-host-network",
    title: "a step uses the network of its node",
    severity: Severity::Medium,
    help: "\
In the node's network no network policy holds, and the address is reached from which clouds hand out the node's credentials.

Bad:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  hostNetwork: true
  templates: []
```

Good:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  templates: []
```",
    references: &["https://kubernetes.io/docs/concepts/security/pod-security-standards/"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    if let Some((key, _)) = workflow.spec.entry("hostNetwork").filter(|(_, value)| value.truth() == Some(true)) {
        found.at(workflow.source, &key.span, "no network policy holds for its pods").subject(&workflow.name).fix("remove `hostNetwork`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec:\n";

    #[test]
    fn fires_in_scheduled_workflows_too() {
        let text = "apiVersion: argoproj.io/v1alpha1\nkind: CronWorkflow\nmetadata: {name: a}\nspec:\n  workflowSpec:\n    hostNetwork: true\n";
        fires_on(&RULE, FILE, text, &["6:5"]);
    }

    #[test]
    fn is_silent_without_it() {
        is_silent_on(&RULE, FILE, &format!("{HEAD}  hostNetwork: false\n"));
    }
}

//! A workflow with the rights of everybody.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/argo-default-service-account",
    title: "a workflow runs with the default service account",
    severity: Severity::Low,
    help: "\
Without `serviceAccountName` the pods have the account that everything else in the namespace has. Rights that one workflow needs
then belong to all, and nobody can take them back. Give each workflow an account of its own with the rights that it needs.

Bad:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  entrypoint: build
  templates: []
```

Good:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  entrypoint: build
  serviceAccountName: build
  templates: []
```",
    references: &["https://argo-workflows.readthedocs.io/en/latest/service-accounts/"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let account = workflow.spec.get("serviceAccountName");
    let default = account.is_none_or(|node| node.text() == Some("default"));
    // Without an entry point it only holds templates for others, which bring their account.
    let Some((key, _)) = workflow.spec.entry("entrypoint").filter(|_| default) else { return };
    let own = workflow.templates.iter().all(|template| template.get("serviceAccountName").is_some()) && !workflow.templates.is_empty();
    if !own {
        let place = account.map_or(&key.span, |node| &node.span);
        found
            .at(workflow.source, place, "its pods have the rights of everything in the namespace")
            .subject(&workflow.name)
            .fix("set `serviceAccountName` to an account of its own");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec:\n";

    #[test]
    fn fires_where_it_is_missing_or_the_default() {
        fires_on(&RULE, FILE, &format!("{HEAD}  entrypoint: a\n"), &["5:3"]);
        fires_on(&RULE, FILE, &format!("{HEAD}  entrypoint: a\n  serviceAccountName: default\n"), &["6:23"]);
    }

    #[test]
    fn is_silent_on_an_own_one_and_on_mere_templates() {
        is_silent_on(&RULE, FILE, &format!("{HEAD}  entrypoint: a\n  serviceAccountName: b\n"));
        is_silent_on(&RULE, FILE, &format!("{HEAD}  templates: []\n"));
    }
}

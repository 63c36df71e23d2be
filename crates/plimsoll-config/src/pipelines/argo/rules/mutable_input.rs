//! An input that can change under its name.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/argo-mutable-input",
    title: "an input of a step can change under its name",
    severity: Severity::Medium,
    help: "\
A git artifact without a revision, or with a branch, is whatever was pushed last; one over plain HTTP is whatever somebody on the
way answers. Name a commit, and fetch over HTTPS.

Bad:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  templates:
    - name: build
      inputs:
        artifacts:
          - name: source
            path: /src
            git: {repo: \"https://example.com/a.git\"}
```

Good:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  templates:
    - name: build
      inputs:
        artifacts:
          - name: source
            path: /src
            git: {repo: \"https://example.com/a.git\", revision: 0123456789abcdef0123456789abcdef01234567}
```",
    references: &["https://argo-workflows.readthedocs.io/en/latest/walk-through/hardwired-artifacts/"],
};

use crate::pipelines::words;

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let arguments = workflow.spec.at(&["arguments", "artifacts"]);
    let inputs = workflow.templates.iter().filter_map(|template| template.at(&["inputs", "artifacts"]));
    for artifact in arguments.into_iter().chain(inputs).flat_map(|artifacts| artifacts.items()) {
        if let Some((key, git)) = artifact.entry("git") {
            let revision = git.get("revision");
            if revision.is_none_or(|node| node.text().is_some_and(words::is_branch)) {
                let place = revision.map_or(&key.span, |node| &node.span);
                found.at(workflow.source, place, "this is whatever was pushed last").subject(&workflow.name).fix("set `revision` to a commit");
            }
        }
        if let Some(address) = artifact.at(&["http", "url"]).filter(|node| node.text().is_some_and(|text| text.starts_with("http://"))) {
            found
                .at(workflow.source, &address.span, "anybody on the way can answer for this address")
                .subject(&workflow.name)
                .fix("fetch it over HTTPS");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec:\n";

    #[test]
    fn fires_on_branches_and_plain_addresses() {
        let text = format!("{HEAD}  arguments:\n    artifacts:\n      - git: {{revision: main}}\n      - http: {{url: 'http://a'}}\n");
        fires_on(&RULE, FILE, &text, &["7:25", "8:21"]);
    }

    #[test]
    fn is_silent_on_commits_and_parameters() {
        let text = format!("{HEAD}  arguments:\n    artifacts:\n      - git: {{revision: '{{{{workflow.parameters.a}}}}'}}\n      - http: {{url: 'https://a'}}\n");
        is_silent_on(&RULE, FILE, &text);
    }
}

//! A parameter pasted into a script.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/argo-parameter-in-script",
    title: "a parameter becomes part of a script",
    severity: Severity::Medium,
    help: "\
The template is filled in before the shell reads it, so whoever starts the workflow, or sends the event that does, writes
commands with the parameter, and they run with the workflow's service account. Hand it over as an environment variable.

Bad:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  templates:
    - name: build
      script:
        image: alpine
        command: [sh]
        source: git checkout {{inputs.parameters.branch}}
```

Good:

```yaml
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  templates:
    - name: build
      script:
        image: alpine
        command: [sh]
        env:
          - {name: BRANCH, value: \"{{inputs.parameters.branch}}\"}
        source: git checkout \"$BRANCH\"
```",
    references: &["https://argo-workflows.readthedocs.io/en/latest/security/"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for program in workflow.containers().into_iter().flat_map(programs) {
        let text = workflow.source.slice(&program.span);
        let Some((at, length)) = pasted(text) else { continue };
        let place = program.span.start + at..program.span.start + at + length;
        found
            .at(workflow.source, &place, format!("`{}` is pasted into the script", &text[at..at + length]))
            .subject(&workflow.name)
            .fix("hand it over in `env` and write \"$NAME\" in the script");
    }
}

/// The first template in `text` that is filled in with what somebody else chose.
fn pasted(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text[from..].find("{{").map(|at| from + at) {
        let length = text[at..].find("}}").map_or(text.len() - at, |end| end + 2);
        let inner = text[at + 2..at + length].trim_start_matches(['=', ' ']);
        let chosen = ["inputs.parameters", "workflow.parameters", "item", "tasks.", "steps."];
        if chosen.iter().any(|name| inner.contains(name)) {
            return Some((at, length));
        }
        from = at + length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    const HEAD: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec:\n";

    #[test]
    fn fires_on_sources_and_on_arguments_of_a_shell() {
        let text = format!("{HEAD}  templates:\n    - container:\n        command: [sh, -c]\n        args: [\"echo {{{{workflow.parameters.a}}}}\"]\n");
        fires_on(&RULE, FILE, &text, &["8:22"]);
    }

    #[test]
    fn is_silent_on_arguments_that_no_shell_reads() {
        let text = format!("{HEAD}  templates:\n    - container:\n        command: [git]\n        args: [\"checkout {{{{inputs.parameters.a}}}}\"]\n");
        is_silent_on(&RULE, FILE, &text);
    }
}

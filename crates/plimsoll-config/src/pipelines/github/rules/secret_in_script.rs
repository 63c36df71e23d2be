//! A secret pasted into a script.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-secret-in-script",
    title: "a secret is pasted into a script",
    severity: Severity::Low,
    help: "\
The value becomes part of a file on the runner's disk and of the process list, and a quote or a dollar in it breaks the script
or runs as a command. Hand it over as a variable.

Bad:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: deploy --token ${{ secrets.DEPLOY_TOKEN }}
```

Good:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - env:
          DEPLOY_TOKEN: ${{ secrets.DEPLOY_TOKEN }}
        run: deploy --token \"${DEPLOY_TOKEN}\"
```",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for (_, step) in workflow.steps() {
        let Some(program) = step.program() else { continue };
        let mut expressions = workflow.expressions(program);
        expressions.retain(|expression| contexts(expression.inner).iter().any(|context| context.starts_with("secrets.")));
        let Some(first) = expressions.first() else { continue };
        let names: Vec<&str> = expressions.iter().map(|expression| expression.inner).collect();
        let issue = found.at(workflow.source, &first.span, format!("`{}` becomes part of the script", names.join("`, `")));
        issue.fix("hand it over in `env` and write \"$NAME\" in the script").identity(names.join(" "));
        if step.run().is_some() {
            let edits = change::through_variables(workflow, step, &expressions).unwrap_or_default();
            edits.into_iter().for_each(|edit| {
                issue.edit(edit);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_secrets_in_scripts_and_its_diff_hands_them_over() {
        let text = "jobs:\n  a:\n    steps:\n      - run: curl -u ${{ secrets.A }} b\n";
        fires_on(&RULE, WORKFLOW, text, &["4:22"]);
        let changes = ["-      - run: curl -u ${{ secrets.A }} b", "+      - env:", "+          A: ${{ secrets.A }}", "+        run: curl -u \"${A}\" b"];
        is_fixed_by_its_diff(&RULE, WORKFLOW, text, &changes);
    }

    #[test]
    fn is_silent_on_variables() {
        is_silent_on(&RULE, WORKFLOW, "jobs:\n  a:\n    steps:\n      - run: curl -u $A b\n        env: {A: \"${{ secrets.A }}\"}\n");
    }
}

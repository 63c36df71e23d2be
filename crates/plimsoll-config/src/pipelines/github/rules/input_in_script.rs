//! An input pasted into a script.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-input-in-script",
    title: "an input or a branch name becomes part of a script",
    severity: Severity::Low,
    help: "\
The expression is replaced by its value before the shell reads the script. Whoever starts the workflow, or calls the action,
writes commands with it; a caller may well pass a pull request's title on. Hand the value over as a variable.

Bad:

```yaml
on: workflow_dispatch
permissions: {}
jobs:
  release:
    runs-on: ubuntu-24.04
    steps:
      - run: ./release.sh ${{ inputs.version }}
```

Good:

```yaml
on: workflow_dispatch
permissions: {}
jobs:
  release:
    runs-on: ubuntu-24.04
    steps:
      - env:
          INPUTS_VERSION: ${{ inputs.version }}
        run: ./release.sh \"${INPUTS_VERSION}\"
```",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for (_, step) in workflow.steps() {
        let Some(program) = step.program() else { continue };
        let mut expressions = workflow.expressions(program);
        expressions.retain(|expression| contexts(expression.inner).iter().any(|context| is_given(workflow, context)));
        let Some(first) = expressions.first() else { continue };
        let names: Vec<&str> = expressions.iter().map(|expression| expression.inner).collect();
        let message = format!("`{}` is pasted into the script", names.join("`, `"));
        let issue = found.at(workflow.source, &first.span, message);
        issue.fix("hand it over in `env` and write \"$NAME\" in the script").identity(names.join(" "));
        if step.run().is_some() {
            let edits = change::through_variables(workflow, step, &expressions).unwrap_or_default();
            edits.into_iter().for_each(|edit| {
                issue.edit(edit);
            });
        }
    }
}

/// Whether whoever starts the run chooses the text.
fn is_given(workflow: &Workflow<'_>, context: &str) -> bool {
    let input = context.strip_prefix("inputs.").or(context.strip_prefix("github.event.inputs."));
    let ways = [&["on", "workflow_dispatch", "inputs"][..], &["on", "workflow_call", "inputs"], &["inputs"]];
    // A truth value or a number is no command.
    let typed = input.and_then(|name| ways.iter().find_map(|way| workflow.root.at(way)?.get(name)?.get("type")?.text()));
    (input.is_some() && !matches!(typed, Some("boolean" | "number")))
        || matches!(context, "github.ref_name" | "github.event.release.name" | "github.event.release.tag_name")
        || context.starts_with("github.event.client_payload")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_inputs_of_workflows_and_actions() {
        let action = "inputs: {a: {}}\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.a }}\n      shell: bash\n";
        fires_on(&RULE, "action.yml", action, &["5:17"]);
        is_fixed_by_its_diff(
            &RULE,
            "action.yml",
            action,
            &[
                "-    - run: echo ${{ inputs.a }}",
                "+    - env:",
                "+        INPUTS_A: ${{ inputs.a }}",
                "+      run: echo \"${INPUTS_A}\"",
            ],
        );
    }

    #[test]
    fn is_silent_on_truth_values_and_on_other_shells_there_is_no_diff() {
        let text = "on:\n  workflow_dispatch:\n    inputs:\n      a: {type: boolean}\njobs:\n  b:\n    steps:\n      - run: echo ${{ inputs.a }}\n";
        is_silent_on(&RULE, WORKFLOW, text);
        let text = "jobs:\n  b:\n    steps:\n      - run: echo ${{ inputs.a }}\n        shell: pwsh\n";
        assert_eq!(crate::test::found(&RULE, &[(WORKFLOW, text)])[0].diff, None);
    }
}

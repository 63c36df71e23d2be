//! Text of strangers written into the environment of later steps.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-environment-file",
    title: "text of a stranger can set variables of later steps",
    severity: Severity::High,
    help: "\
What a step appends to `$GITHUB_ENV` or `$GITHUB_PATH` holds for all later steps. A line break in the text sets another
variable, such as `LD_PRELOAD` or `NODE_OPTIONS`, and the next step runs what it names. Use a step's output, and hand it on as
data.

Bad:

```yaml
on: pull_request_target
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: echo \"TITLE=$TITLE\" >> \"$GITHUB_ENV\"
        env:
          TITLE: ${{ github.event.pull_request.title }}
```

Good:

```yaml
on: pull_request_target
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: printf '%s' \"$TITLE\" | wc -c
        env:
          TITLE: ${{ github.event.pull_request.title }}
```",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for (_, step) in workflow.steps() {
        let Some(run) = step.run() else { continue };
        let (span, text) = workflow.raw(run);
        let foreign = workflow.all_expressions(step.node).iter().any(|expression| contexts(expression.inner).iter().any(|context| anybody_writes(context)));
        // In a run on files of a stranger, whatever a command prints may be theirs.
        let copied = workflow.trigger("workflow_run").is_some() && writes(text).is_some_and(|at| text[..at].lines().last().is_some_and(|line| line.contains("cat ")));
        if let Some(at) = writes(text).filter(|_| foreign || copied) {
            let place = span.start + at..span.start + at + "GITHUB_ENV".len();
            found
                .at(workflow.source, &place, "a line break in a stranger's text sets variables of later steps")
                .fix("use a step's output instead, or check the text before");
        }
    }
}

/// Where the script names one of the files that the runner reads.
fn writes(text: &str) -> Option<usize> {
    let name = ["GITHUB_ENV", "GITHUB_PATH"].iter().filter_map(|name| text.find(name)).min();
    name.filter(|_| text.contains(">"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_foreign_text_and_on_foreign_files() {
        let text = "on: issues\njobs:\n  a:\n    steps:\n      - run: echo \"A=${{ github.event.issue.title }}\" >> $GITHUB_ENV\n";
        fires_on(&RULE, WORKFLOW, text, &["5:59"]);
        let text = "on: workflow_run\njobs:\n  a:\n    steps:\n      - run: cat pr.env >> $GITHUB_ENV\n";
        fires_on(&RULE, WORKFLOW, text, &["5:29"]);
    }

    #[test]
    fn is_silent_on_own_values() {
        is_silent_on(&RULE, WORKFLOW, "on: issues\njobs:\n  a:\n    steps:\n      - run: echo A=1 >> $GITHUB_ENV\n");
    }
}

//! A right to write that every job has.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-write-for-all-jobs",
    title: "every job may write, though one would do",
    severity: Severity::Low,
    help: "\
Rights at the top of a workflow go to each of its jobs, and so to each action in them. Give a right to write to the one job
that needs it; then a bad action in a test job finds nothing to use.

Bad:

```yaml
on: push
permissions:
  contents: write
jobs:
  test: {}
  release: {}
```

Good:

```yaml
on: push
permissions:
  contents: read
jobs:
  test: {}
  release:
    permissions:
      contents: write
```",
    references: &["https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let heirs = workflow.jobs.iter().filter(|job| job.node.get("permissions").is_none()).count();
    let granted = workflow.root.get("permissions").filter(|_| heirs > 1);
    for (key, value) in granted.map_or(&[][..], |node| node.entries()) {
        if value.text() == Some("write") {
            let span = key.span.start..value.span.end;
            found
                .at(workflow.source, &span, format!("`{}: write` is given to {heirs} jobs", key.text))
                .fix("move it to the job that needs it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_each_right_that_several_jobs_get() {
        let text = "permissions:\n  contents: write\n  issues: read\n  packages: write\njobs:\n  a: {}\n  b: {}\n";
        fires_on(&RULE, WORKFLOW, text, &["2:3", "4:3"]);
    }

    #[test]
    fn is_silent_with_one_job() {
        is_silent_on(&RULE, WORKFLOW, "permissions:\n  contents: write\njobs:\n  a: {}\n");
    }
}

//! A secret in the environment of more steps than need it.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-secret-too-wide",
    title: "every step of a job sees a secret",
    severity: Severity::Low,
    help: "\
A variable of the workflow or of a job is in the environment of each of its steps, and so of each action and each test in them.
Set it at the step that needs it.

Bad:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    env:
      NPM_TOKEN: ${{ secrets.NPM_TOKEN }}
    steps:
      - run: npm ci
      - run: npm publish
```

Good:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: npm ci
      - run: npm publish
        env:
          NPM_TOKEN: ${{ secrets.NPM_TOKEN }}
```",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let steps: usize = workflow.jobs.iter().map(|job| job.steps.len()).sum();
    let wide = workflow.jobs.iter().map(|job| (job.node, job.steps.len())).chain([(workflow.root, steps)]);
    for (node, steps) in wide.filter(|(_, steps)| *steps > 1) {
        for (key, value) in node.get("env").map_or(&[][..], |env| env.entries()) {
            if value.text().is_some_and(|text| text.contains("secrets.")) {
                found
                    .at(workflow.source, &key.span, format!("`{}` is in the environment of {steps} steps", key.text))
                    .fix("set it at the step that needs it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_workflows_and_jobs() {
        let text = "env: {A: \"${{ secrets.A }}\"}\njobs:\n  a:\n    env: {B: \"${{ secrets.B }}\"}\n    steps: [{run: a}, {run: b}]\n";
        fires_on(&RULE, WORKFLOW, text, &["1:7", "4:11"]);
    }

    #[test]
    fn is_silent_on_a_single_step_and_on_what_is_no_secret() {
        let text = "env: {A: b}\njobs:\n  a:\n    env: {B: \"${{ secrets.B }}\"}\n    steps: [{run: a}]\n";
        is_silent_on(&RULE, WORKFLOW, text);
    }
}

//! A trigger that gives strangers a run with secrets.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-privileged-trigger",
    title: "anybody can start a run that has the secrets",
    severity: Severity::Medium,
    help: "\
`pull_request_target` and `workflow_run` start in the context of the base repository, also for forks: with its secrets, its
caches and a token that may write. One careless step is enough. Use `pull_request` where the work allows it; else keep
permissions empty, check out nothing of the pull request, and take its text only as data.

Bad:

```yaml
on: pull_request_target
jobs:
  greet:
    runs-on: ubuntu-24.04
    steps:
      - run: ./build.sh
```

Good:

```yaml
on: pull_request
jobs:
  greet:
    runs-on: ubuntu-24.04
    steps:
      - run: ./build.sh
```",
    references: &["https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for name in ["pull_request_target", "workflow_run"] {
        let Some(trigger) = workflow.trigger(name) else { continue };
        // Labelling and the like: no program of the repository runs, and the token can do nothing else.
        let harmless = workflow.steps().all(|(_, step)| step.run().is_none() && !step.is("actions/checkout"))
            && workflow.jobs.iter().all(|job| job.calls().is_none());
        if !harmless {
            found
                .at(workflow.source, &trigger.span, format!("`{name}` runs with the secrets for anybody who opens a pull request"))
                .fix("use `pull_request`, or check out nothing and keep `permissions` empty");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_both_triggers_in_each_spelling() {
        let jobs = "jobs:\n  a:\n    steps:\n      - run: x\n";
        fires_on(&RULE, WORKFLOW, &format!("on: pull_request_target\n{jobs}"), &["1:5"]);
        fires_on(&RULE, WORKFLOW, &format!("on: [push, workflow_run]\n{jobs}"), &["1:12"]);
        fires_on(&RULE, WORKFLOW, &format!("on:\n  pull_request_target:\n    types: [opened]\n{jobs}"), &["2:3"]);
    }

    #[test]
    fn is_silent_on_pull_request_and_on_mere_labelling() {
        is_silent_on(&RULE, WORKFLOW, "on: pull_request\njobs:\n  a:\n    steps:\n      - run: x\n");
        is_silent_on(&RULE, WORKFLOW, "on: pull_request_target\njobs:\n  a:\n    steps:\n      - uses: actions/labeler@v5\n");
    }
}

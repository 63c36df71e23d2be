//! A condition on a name that others can have.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-actor-condition",
    title: "a condition trusts the name of whoever acted last",
    severity: Severity::Medium,
    help: "\
`github.actor` is whoever caused the run, not whoever wrote the code. A stranger can make a bot act on their pull request, by
rebasing it for instance, and then the condition holds for their commits. Ask for the author of the pull request.

Bad:

```yaml
on: pull_request_target
permissions: {}
jobs:
  merge:
    if: github.actor == 'dependabot[bot]'
    runs-on: ubuntu-24.04
    steps: []
```

Good:

```yaml
on: pull_request_target
permissions: {}
jobs:
  merge:
    if: github.event.pull_request.user.login == 'dependabot[bot]'
    runs-on: ubuntu-24.04
    steps: []
```",
    references: &["https://www.synacktiv.com/publications/github-actions-exploitation-dependabot"],
};

use crate::diff::Edit;

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let Some(trigger) = workflow.public() else { return };
    let jobs = workflow.jobs.iter().map(|job| job.node);
    let steps = workflow.steps().map(|(_, step)| step.node);
    for node in jobs.chain(steps).filter_map(|node| node.get("if")) {
        let (span, text) = workflow.raw(node);
        let names = ["github.actor", "github.triggering_actor"];
        let Some((name, at)) = names.iter().find_map(|name| Some((*name, text.find(name)?))) else { continue };
        // `github.actor != 'bot'` only skips work; `github.actor_id` is another value.
        let rest = text[at + name.len()..].trim_start();
        if !rest.starts_with("==") || !text.contains("[bot]") {
            continue;
        }
        let place = span.start + at..span.start + at + name.len();
        let issue = found.at(workflow.source, &place, format!("`{name}` is who acted last, not who wrote the code"));
        issue.fix("compare `github.event.pull_request.user.login`");
        if trigger.name.starts_with("pull_request") {
            issue.edit(Edit::replace(place, "github.event.pull_request.user.login"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_name_of_a_bot_and_its_diff_asks_for_the_author() {
        let text = "on: pull_request\njobs:\n  a:\n    if: ${{ github.actor == 'renovate[bot]' }}\n";
        fires_on(&RULE, WORKFLOW, text, &["4:13"]);
        is_fixed_by_its_diff(
            &RULE,
            WORKFLOW,
            text,
            &[
                "-    if: ${{ github.actor == 'renovate[bot]' }}",
                "+    if: ${{ github.event.pull_request.user.login == 'renovate[bot]' }}",
            ],
        );
    }

    #[test]
    fn is_silent_on_skipping_and_on_pushes() {
        is_silent_on(&RULE, WORKFLOW, "on: pull_request\njobs:\n  a:\n    if: github.actor != 'renovate[bot]'\n");
        is_silent_on(&RULE, WORKFLOW, "on: push\njobs:\n  a:\n    if: github.actor == 'renovate[bot]'\n");
    }
}

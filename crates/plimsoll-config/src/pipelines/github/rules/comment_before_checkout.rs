//! A comment starts a run on code that can still change.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-comment-before-checkout",
    title: "a comment approves code that can change before it is fetched",
    severity: Severity::High,
    help: "\
Between the comment of a maintainer and the checkout, the author of the pull request can push another commit: what runs, with
the secrets, is not what was looked at. Fetch the commit that the comment was about, or let an environment with reviewers
approve the run.

Bad:

```yaml
on: issue_comment
permissions: {}
jobs:
  test:
    if: github.event.comment.author_association == 'MEMBER'
    runs-on: ubuntu-24.04
    steps:
      - run: gh pr checkout ${{ github.event.issue.number }} && make test
```

Good:

```yaml
on: pull_request
permissions: {}
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - run: make test
```",
    references: &["https://docs.github.com/en/code-security/code-scanning/reference/code-scanning-codeql-query-help/actions"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let Some(trigger) = workflow.trigger("issue_comment") else { return };
    for (job, step) in workflow.steps() {
        let Some(run) = step.run() else { continue };
        let text = run.text().unwrap_or("");
        let moving = text.contains("gh pr checkout") || text.contains("refs/pull/") || text.contains("headRefName");
        if moving && guarded(job) {
            found
                .at(workflow.source, &run.span, format!("on `{}` the code can change behind the approval", trigger.name))
                .subject(job.name)
                .fix("use an environment with required reviewers, which approves one commit");
        }
    }
}

/// Whether a condition lets only some people's comments through.
fn guarded(job: &Job<'_>) -> bool {
    let condition = job.node.get("if").and_then(|node| node.text()).unwrap_or("");
    ["author_association", "comment.body", "comment.user", "github.actor"].iter().any(|sign| condition.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_branch_that_a_comment_approves() {
        let text = "on: issue_comment\njobs:\n  a:\n    if: contains(github.event.comment.body, '/test')\n    steps:\n      - run: git fetch origin refs/pull/1/head\n";
        fires_on(&RULE, WORKFLOW, text, &["6:14"]);
    }

    #[test]
    fn is_silent_on_comments_that_fetch_nothing() {
        is_silent_on(&RULE, WORKFLOW, "on: issue_comment\njobs:\n  a:\n    steps:\n      - run: gh issue list\n");
    }
}

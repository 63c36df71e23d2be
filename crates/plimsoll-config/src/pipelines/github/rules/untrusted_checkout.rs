//! Code of a stranger, fetched into a run that has the secrets.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-untrusted-checkout",
    title: "a privileged run checks out the code of a pull request",
    severity: Severity::High,
    help: "\
`pull_request_target`, `workflow_run` and comments run with the secrets and a token that may write, for anybody who opens a pull
request. With its code in the workspace, every build file, test and hook in it is a way to run commands; Nx, Trivy and TanStack
were taken over like this. Build pull requests on `pull_request`, without secrets, and hand results to a second workflow as data.

Bad:

```yaml
on: pull_request_target
permissions: {}
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - run: make test
```

Good:

```yaml
on: pull_request
permissions: {}
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
      - run: make test
```",
    references: &["https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/", "https://docs.github.com/en/actions/reference/security/secure-use"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let Some(trigger) = workflow.privileged() else { return };
    for job in &workflow.jobs {
        for (index, step) in job.steps.iter().enumerate() {
            let Some(node) = foreign(workflow, step) else { continue };
            // Whatever runs behind it may run what was fetched.
            let runs = job.steps[index + 1..].iter().any(|step| step.run().is_some() || step.uses.is_some_and(|uses| uses.is_local()));
            let severity = if runs { Severity::Critical } else { Severity::High };
            found
                .at(workflow.source, &node.span, format!("on `{}` this fetches the code of a stranger, next to the secrets", trigger.name))
                .severity(severity)
                .subject(job.name)
                .fix("build it on `pull_request`, where there are no secrets");
        }
    }
}

/// What of the step fetches the head of a pull request.
fn foreign<'a>(workflow: &Workflow<'a>, step: &Step<'a>) -> Option<&'a crate::yaml::Node> {
    if step.is("actions/checkout") {
        let named = [step.with("ref"), step.with("repository")].into_iter().flatten();
        return named.into_iter().find(|node| is_head(node.text().unwrap_or("")));
    }
    let run = step.run()?;
    let (_, text) = workflow.raw(run);
    let fetches = text.contains("gh pr checkout") || (text.contains("git fetch") || text.contains("git checkout")) && is_head(text);
    fetches.then_some(run)
}

fn is_head(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let heads = ["head.sha", "head.ref", "head_ref", "head_sha", "head_branch", "head.repo", "head_commit", "head_repository", "refs/pull/", "pull/$"];
    heads.iter().any(|head| text.contains(head)) && !text.contains("base.sha")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::found;

    fn on(trigger: &str, step: &str) -> String {
        format!("on: [{trigger}]\njobs:\n  a:\n    steps:\n{step}")
    }
    const HEAD: &str = "      - uses: actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n";

    #[test]
    fn fires_on_each_privileged_trigger_and_is_graver_where_something_runs_then() {
        fires_on(&RULE, WORKFLOW, &on("pull_request_target", HEAD), &["7:16"]);
        assert_eq!(found(&RULE, &[(WORKFLOW, &on("pull_request_target", HEAD))])[0].severity, Severity::High);
        let text = on("pull_request_target", &format!("{HEAD}      - run: npm ci\n"));
        assert_eq!(found(&RULE, &[(WORKFLOW, &text)])[0].severity, Severity::Critical);
        fires_on(&RULE, WORKFLOW, &on("issue_comment", "      - run: gh pr checkout 1\n"), &["5:14"]);
        let text = HEAD.replace("pull_request.head.sha", "workflow_run.head_branch");
        fires_on(&RULE, WORKFLOW, &on("workflow_run", &text), &["7:16"]);
    }

    #[test]
    fn is_silent_without_secrets_and_on_the_base() {
        is_silent_on(&RULE, WORKFLOW, &on("pull_request", HEAD));
        is_silent_on(&RULE, WORKFLOW, &on("pull_request_target", "      - uses: actions/checkout@v4\n"));
    }
}

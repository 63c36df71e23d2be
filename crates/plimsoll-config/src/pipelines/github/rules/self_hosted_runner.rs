//! Code of strangers on a machine of your own.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-self-hosted-runner",
    title: "strangers can run code on a machine of yours",
    severity: Severity::Medium,
    help: "\
A runner of your own is usually not thrown away after a job. What a pull request leaves there meets the next job, and the
runner stands inside of your network. Run pull requests on hosted runners, or on ones that live for a single job, and keep the
repository private otherwise.

Bad:

```yaml
on: pull_request
permissions: {}
jobs:
  test:
    runs-on: [self-hosted, linux]
    steps:
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
      - run: make test
```",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use#hardening-for-self-hosted-runners"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let Some(trigger) = workflow.public() else { return };
    for job in &workflow.jobs {
        let Some(runner) = job.node.get("runs-on") else { continue };
        let labels = runner.get("labels").unwrap_or(runner);
        let own = runner.get("group").is_some() || labels.text().into_iter().chain(labels.texts()).any(|label| label == "self-hosted");
        if own {
            found
                .at(workflow.source, &runner.span, format!("on `{}` strangers run code on this machine", trigger.name))
                .subject(job.name)
                .fix("run it on a hosted runner, or on one that lives for a single job");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_each_spelling() {
        for runner in ["self-hosted", "[self-hosted, x]", "{group: big}", "{labels: [self-hosted]}"] {
            fires_on(&RULE, WORKFLOW, &format!("on: pull_request\njobs:\n  a:\n    runs-on: {runner}\n"), &["4:14"]);
        }
    }

    #[test]
    fn is_silent_on_hosted_runners_and_own_pushes() {
        is_silent_on(&RULE, WORKFLOW, "on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-24.04\n");
        is_silent_on(&RULE, WORKFLOW, "on: push\njobs:\n  a:\n    runs-on: self-hosted\n");
    }
}

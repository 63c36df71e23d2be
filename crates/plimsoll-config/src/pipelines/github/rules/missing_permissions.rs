//! A token whose rights nobody chose.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-missing-permissions",
    title: "nobody says what the token of the run may do",
    severity: Severity::Medium,
    help: "\
Without `permissions` the token has the repository's default, which in older repositories and organisations may write to
everything: code, releases, packages. Each action and each tool in the job has that token. Say what is needed, for all jobs
`contents: read`, and more for the one job that needs more.

Bad:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: make
```

Good:

```yaml
on: push
permissions:
  contents: read

jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: make
```",
    references: &["https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions", "https://owasp.org/www-project-top-10-ci-cd-security-risks/CICD-SEC-05-Insufficient-PBAC"],
};

use crate::diff::Edit;

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let only_called = workflow.triggers.iter().all(|trigger| trigger.name == "workflow_call");
    let unsaid = workflow.jobs.iter().filter(|job| job.node.get("permissions").is_none()).count();
    // A workflow that is only called has no more than its caller gives.
    let open = !workflow.is_action() && !only_called && unsaid > 0 && workflow.root.get("permissions").is_none();
    let Some((key, _)) = workflow.root.entry("jobs").filter(|_| open) else { return };
    let issue = found.at(workflow.source, &key.span, "the token has whatever the repository gives by default");
    issue.identity("permissions").fix("add `permissions: {contents: read}` above `jobs`, and more only to the job that needs it");
    if !writes(workflow) {
        issue.edit(Edit::insert(key.span.start, "permissions:\n  contents: read\n\n"));
    }
}

/// Whether some step seems to write with the token, so that less would break it.
fn writes(workflow: &Workflow<'_>) -> bool {
    let text = workflow.source.text.to_ascii_lowercase();
    let signs = ["github_token", "github.token", "github-token", "git push", "gh pr", "gh release", "gh issue", "gh api", "upload-sarif", "codeql", "create-release", "gh-release", "deploy-pages", "create-pull-request", "stale@", "labeler@"];
    signs.iter().any(|sign| text.contains(sign)) || workflow.jobs.iter().any(|job| job.calls().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::found;

    #[test]
    fn fires_where_some_job_has_none() {
        fires_on(&RULE, WORKFLOW, "on: push\njobs:\n  a:\n    permissions: {}\n  b: {}\n", &["2:1"]);
        is_fixed_by_its_diff(&RULE, WORKFLOW, "on: push\njobs:\n  a: {}\n", &["+permissions:", "+  contents: read", "+"]);
        let text = "on: push\njobs:\n  a:\n    steps:\n      - run: git push\n";
        assert_eq!(found(&RULE, &[(WORKFLOW, text)])[0].diff, None, "with less, it would break");
    }

    #[test]
    fn is_silent_where_all_have_and_where_the_caller_decides() {
        is_silent_on(&RULE, WORKFLOW, "on: push\npermissions: {}\njobs:\n  a: {}\n");
        is_silent_on(&RULE, WORKFLOW, "on: push\njobs:\n  a:\n    permissions: {}\n");
        is_silent_on(&RULE, WORKFLOW, "on: workflow_call\njobs:\n  a: {}\n");
        is_silent_on(&RULE, "action.yml", "runs:\n  using: composite\n  steps: []\n");
    }
}

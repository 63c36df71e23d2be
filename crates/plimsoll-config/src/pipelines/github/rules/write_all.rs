//! A token that may do everything.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-write-all",
    title: "the token of the run may write everything",
    severity: Severity::High,
    help: "\
Each action and each tool in the job can push code, publish releases and packages, and approve pull requests. Name the few
rights that the job needs.

Bad:

```yaml
on: push
permissions: write-all
jobs: {}
```

Good:

```yaml
on: push
permissions:
  contents: read
jobs: {}
```",
    references: &["https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let nodes = workflow.jobs.iter().map(|job| job.node).chain([workflow.root]);
    for node in nodes.filter_map(|node| node.get("permissions")) {
        if node.text() == Some("write-all") {
            found
                .at(workflow.source, &node.span, "the token may write everything")
                .fix("name the rights that are needed, such as `contents: read`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_workflows_and_jobs() {
        fires_on(&RULE, WORKFLOW, "permissions: write-all\njobs:\n  a:\n    permissions: write-all\n", &["1:14", "4:18"]);
    }

    #[test]
    fn is_silent_on_named_rights() {
        is_silent_on(&RULE, WORKFLOW, "permissions: read-all\njobs:\n  a:\n    permissions: {contents: write}\n");
    }
}

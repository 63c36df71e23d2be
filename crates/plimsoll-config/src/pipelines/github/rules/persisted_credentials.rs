//! A token left behind in the workspace.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-persisted-credentials",
    title: "the checkout leaves its token on the disk",
    severity: Severity::Low,
    help: "\
`actions/checkout` writes the token into the git configuration unless it is told not to. Every later step can read it, and an
artifact or an image made from the workspace takes it along.

Bad:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
```

Good:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
```",
    references: &["https://github.com/actions/checkout#usage"],
};

use crate::diff::Edit;

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for job in &workflow.jobs {
        for step in job.steps.iter().filter(|step| step.is("actions/checkout")) {
            let set = step.with("persist-credentials");
            if set.is_some_and(|node| node.truth() == Some(false) || matches!(node.text(), Some("false"))) {
                continue;
            }
            let Some(uses) = step.uses else { continue };
            let issue = found.at(workflow.source, &uses.node.span, "its token stays in the workspace, for every step behind it");
            issue.subject(job.name).fix("set `persist-credentials: false`");
            if set.is_none() && !needs_them(workflow, job) {
                change(workflow, step).into_iter().for_each(|edit| {
                    issue.edit(edit);
                });
            }
        }
    }
}

/// Whether a later step talks to the remote with what the checkout left.
fn needs_them(workflow: &Workflow<'_>, job: &Job<'_>) -> bool {
    let text = workflow.source.slice(&job.node.span).to_ascii_lowercase();
    let signs = ["git push", "git fetch", "git pull", "git ls-remote", "git-auto-commit", "create-pull-request", "semantic-release", "changesets/action", "release-please", "gh-pages", "submodule"];
    signs.iter().any(|sign| text.contains(sign))
}

fn change(workflow: &Workflow<'_>, step: &Step<'_>) -> Option<Edit> {
    let entry = "persist-credentials: false";
    let (key, uses) = step.node.entry("uses")?;
    match step.node.get("with") {
        Some(with) => change::first_entry(workflow.source, with, entry),
        None => Some(change::after_line(workflow.source, uses, key.span.start, &format!("with:\n  {entry}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::found;

    fn with(step: &str) -> String {
        format!("jobs:\n  a:\n    steps:\n{step}")
    }

    #[test]
    fn fires_where_it_is_not_off_and_its_diff_turns_it_off() {
        let text = with("      - uses: actions/checkout@v4 # it\n      - run: make\n");
        fires_on(&RULE, WORKFLOW, &text, &["4:15"]);
        is_fixed_by_its_diff(&RULE, WORKFLOW, &text, &["+        with:", "+          persist-credentials: false"]);
        let text = with("      - name: get\n        uses: actions/checkout@v4\n        with:\n          fetch-depth: 0\n");
        is_fixed_by_its_diff(&RULE, WORKFLOW, &text, &["+          persist-credentials: false"]);
        let text = with("      - uses: actions/checkout@v4\n      - run: git push\n");
        assert_eq!(found(&RULE, &[(WORKFLOW, &text)])[0].diff, None, "the push needs it");
    }

    #[test]
    fn is_silent_where_it_is_off() {
        is_silent_on(&RULE, WORKFLOW, &with("      - uses: actions/checkout@v4\n        with: {persist-credentials: false}\n"));
    }
}

//! A condition that asks for a part of a text.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-substring-condition",
    title: "a condition looks for a part of a text where it means one of a list",
    severity: Severity::Medium,
    help: "\
`contains('main develop', github.ref_name)` is also true for a branch that is called `dev` or `m`: of a text it asks whether a
part of it matches. Ask a list instead.

Bad:

```yaml
on: push
jobs:
  deploy:
    if: contains('refs/heads/main refs/heads/develop', github.ref)
    steps: []
```

Good:

```yaml
on: push
jobs:
  deploy:
    if: contains(fromJSON('[\"refs/heads/main\", \"refs/heads/develop\"]'), github.ref)
    steps: []
```",
    references: &["https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#contains"],
};

/// What whoever pushes or opens a pull request can name.
const CHOSEN: &[&str] = &["github.ref", "github.ref_name", "github.head_ref", "github.base_ref", "github.actor", "github.triggering_actor"];

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let jobs = workflow.jobs.iter().map(|job| job.node);
    let steps = workflow.steps().map(|(_, step)| step.node);
    for node in jobs.chain(steps).filter_map(|node| node.get("if")) {
        let (span, text) = workflow.raw(node);
        for (at, call) in text.match_indices("contains(") {
            let arguments = text[at + call.len()..].trim_start();
            let Some((_, rest)) = arguments.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) else { continue };
            let second = rest.trim_start().strip_prefix(',').and_then(|rest| rest.split(')').next()).map(str::trim);
            if second.is_some_and(|second| CHOSEN.contains(&second)) {
                found
                    .at(workflow.source, &(span.start + at..span.end), "a part of the text is enough to make this true")
                    .fix("ask a list: `contains(fromJSON('[\"a\", \"b\"]'), …)`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_text_of_names() {
        fires_on(&RULE, WORKFLOW, "jobs:\n  a:\n    if: x && contains('a b', github.actor)\n", &["3:14"]);
    }

    #[test]
    fn is_silent_on_lists_and_on_parts_of_titles() {
        is_silent_on(&RULE, WORKFLOW, "jobs:\n  a:\n    if: contains(github.event.head_commit.message, 'skip')\n");
    }
}

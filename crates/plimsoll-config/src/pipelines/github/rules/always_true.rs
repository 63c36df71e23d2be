//! A condition that is text, and so always true.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-always-true",
    title: "a condition is always true",
    severity: Severity::Medium,
    help: "\
A condition with `${{ }}` around only a part of it, or with a line break behind it, is a text with a value in it. A text that is
not empty is true, whatever it says, so the job runs always. Write the condition without braces.

Bad:

```yaml
on: pull_request
jobs:
  deploy:
    if: ${{ github.ref == 'refs/heads/main' }} && success()
    steps: []
```

Good:

```yaml
on: pull_request
jobs:
  deploy:
    if: github.ref == 'refs/heads/main' && success()
    steps: []
```",
    references: &["https://docs.github.com/en/actions/reference/workflows-and-actions/expressions"],
};

use crate::diff::Edit;

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    let jobs = workflow.jobs.iter().map(|job| job.node);
    let steps = workflow.steps().map(|(_, step)| step.node);
    for node in jobs.chain(steps).filter_map(|node| node.get("if")) {
        // The text as YAML reads it: a block keeps its last line break, which is text too.
        let text = node.text().unwrap_or("");
        let whole = text.starts_with("${{") && text.ends_with("}}") && text.matches("${{").count() == 1;
        if whole || !text.contains("${{") {
            continue;
        }
        let issue = found.at(workflow.source, &node.span, "the condition is a text around `${{ }}`, and a text is always true");
        issue.fix("write the condition without `${{ }}`");
        let (span, raw) = workflow.raw(node);
        if raw.len() < 2_000 && !raw.contains(['\n', '"']) && span == node.span {
            issue.edit(Edit::replace(span, raw.replace("${{ ", "").replace("${{", "").replace(" }}", "").replace("}}", "")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_text_around_an_expression() {
        let text = "jobs:\n  a:\n    if: ${{ false }} && x\n    steps:\n      - if: |\n          ${{ false }}\n        run: y\n";
        fires_on(&RULE, WORKFLOW, text, &["3:9", "6:11"]);
        is_fixed_by_its_diff(&RULE, WORKFLOW, text, &["-    if: ${{ false }} && x", "+    if: false && x"]);
    }

    #[test]
    fn is_silent_on_whole_expressions() {
        let text = "jobs:\n  a:\n    if: ${{ false && x }}\n    steps:\n      - if: failure()\n      - if: |-\n          ${{ x }}\n";
        is_silent_on(&RULE, WORKFLOW, text);
    }
}

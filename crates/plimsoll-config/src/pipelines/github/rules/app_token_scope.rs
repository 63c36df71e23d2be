//! A token of an application with all of its rights.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-app-token-scope",
    title: "a token of an application has all its rights",
    severity: Severity::Low,
    help: "\
A token made from an application's key has every right of the installation, on every repository of it, unless the step asks for
less. Name the rights, and the repositories.

Bad:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/create-github-app-token@0123456789abcdef0123456789abcdef01234567 # v2
        with:
          app-id: 1
          private-key: ${{ secrets.APP_KEY }}
```

Good:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/create-github-app-token@0123456789abcdef0123456789abcdef01234567 # v2
        with:
          app-id: 1
          private-key: ${{ secrets.APP_KEY }}
          permission-contents: read
```",
    references: &["https://github.com/actions/create-github-app-token#usage"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for (_, step) in workflow.steps().filter(|(_, step)| step.is("actions/create-github-app-token")) {
        let inputs = step.node.get("with").map_or(&[][..], |with| with.entries());
        let limited = inputs.iter().any(|(key, _)| key.text.starts_with("permission-"));
        let Some(uses) = step.uses.filter(|_| !limited) else { continue };
        found
            .at(workflow.source, &uses.node.span, "the token has every right of the application's installation")
            .fix("add the `permission-…` inputs that are needed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_without_a_right_that_is_named() {
        let text = "jobs:\n  a:\n    steps:\n      - uses: actions/create-github-app-token@v2\n        with: {owner: a}\n";
        fires_on(&RULE, WORKFLOW, text, &["4:15"]);
    }

    #[test]
    fn is_silent_with_one() {
        let text = "jobs:\n  a:\n    steps:\n      - uses: actions/create-github-app-token@v2\n        with: {permission-issues: write}\n";
        is_silent_on(&RULE, WORKFLOW, text);
    }
}

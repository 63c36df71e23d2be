//! All secrets, handed to another workflow.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-inherited-secrets",
    title: "all secrets are handed to the called workflow",
    severity: Severity::Medium,
    help: "\
`secrets: inherit` gives every secret of the repository and the organisation to the called workflow, also those that are added
next year. Name the ones that it needs.

Bad:

```yaml
on: push
permissions: {}
jobs:
  deploy:
    uses: ./.github/workflows/deploy.yml
    secrets: inherit
```

Good:

```yaml
on: push
permissions: {}
jobs:
  deploy:
    uses: ./.github/workflows/deploy.yml
    secrets:
      deploy-key: ${{ secrets.DEPLOY_KEY }}
```",
    references: &["https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for job in &workflow.jobs {
        let Some(node) = job.node.get("secrets").filter(|node| node.text() == Some("inherit")) else { continue };
        let foreign = job.calls().is_some_and(|uses| !uses.is_local());
        found
            .at(workflow.source, &node.span, "the called workflow gets every secret there is")
            .severity(if foreign { Severity::High } else { Severity::Medium })
            .subject(job.name)
            .fix("name the secrets that it needs");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_inheritance() {
        fires_on(&RULE, WORKFLOW, "jobs:\n  a:\n    uses: a/b/c.yml@v1\n    secrets: inherit\n", &["4:14"]);
    }

    #[test]
    fn is_silent_on_named_secrets() {
        is_silent_on(&RULE, WORKFLOW, "jobs:\n  a:\n    uses: a/b/c.yml@v1\n    secrets: {a: b}\n");
    }
}

//! A key of a cloud or a registry that stays valid.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-long-lived-credentials",
    title: "a stored key is used where a short-lived identity would do",
    severity: Severity::Low,
    help: "\
A key that is stored stays valid until somebody replaces it, also after it was stolen from a log or a cache. Clouds and package
registries take the run's own identity instead, which lasts minutes and names the workflow.

Bad:

```yaml
on: push
permissions: {}
jobs:
  deploy:
    runs-on: ubuntu-24.04
    steps:
      - uses: aws-actions/configure-aws-credentials@0123456789abcdef0123456789abcdef01234567 # v4
        with:
          aws-access-key-id: ${{ secrets.AWS_ID }}
          aws-secret-access-key: ${{ secrets.AWS_KEY }}
          aws-region: eu-central-1
```

Good:

```yaml
on: push
permissions: {}
jobs:
  deploy:
    runs-on: ubuntu-24.04
    permissions:
      id-token: write
    steps:
      - uses: aws-actions/configure-aws-credentials@0123456789abcdef0123456789abcdef01234567 # v4
        with:
          role-to-assume: arn:aws:iam::123456789012:role/deploy
          aws-region: eu-central-1
```",
    references: &["https://docs.github.com/en/actions/concepts/security/openid-connect", "https://docs.pypi.org/trusted-publishers/"],
};

/// Actions, with the input by which they take a stored key.
const KEYS: &[(&str, &str)] = &[
    ("aws-actions/configure-aws-credentials", "aws-secret-access-key"),
    ("google-github-actions/auth", "credentials_json"),
    ("azure/login", "creds"),
    ("pypa/gh-action-pypi-publish", "password"),
    ("rubygems/release-gem", "api-key"),
    ("hashicorp/vault-action", "token"),
];

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for (_, step) in workflow.steps() {
        let stored = KEYS.iter().filter(|(name, _)| step.is(name)).find_map(|(_, input)| step.node.get("with")?.entry(input));
        if let Some((key, _)) = stored {
            found
                .at(workflow.source, &key.span, format!("`{}` is a key that stays valid until somebody replaces it", key.text))
                .fix("let the job prove its own identity with `id-token: write`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_stored_keys() {
        let text = "jobs:\n  a:\n    steps:\n      - uses: pypa/gh-action-pypi-publish@v1\n        with:\n          password: ${{ secrets.PYPI }}\n";
        fires_on(&RULE, WORKFLOW, text, &["6:11"]);
    }

    #[test]
    fn is_silent_on_the_identity_of_the_run() {
        is_silent_on(&RULE, WORKFLOW, "jobs:\n  a:\n    steps:\n      - uses: pypa/gh-action-pypi-publish@v1\n");
    }
}

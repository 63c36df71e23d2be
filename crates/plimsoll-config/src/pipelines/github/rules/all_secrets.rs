//! Every secret in one value.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/github-all-secrets",
    title: "every secret of the repository reaches one place",
    severity: Severity::High,
    help: "\
`toJSON(secrets)`, or a secret whose name is computed, makes the runner load all of them: one careless or injected step has
everything. It is also what injected workflows ask for. Name the secrets that are needed.

Bad:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: ./deploy.sh
        env:
          ALL: ${{ toJSON(secrets) }}
```

Good:

```yaml
on: push
permissions: {}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: ./deploy.sh
        env:
          DEPLOY_KEY: ${{ secrets.DEPLOY_KEY }}
```",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use", "https://owasp.org/www-project-top-10-ci-cd-security-risks/CICD-SEC-06-Insufficient-Credential-Hygiene"],
};

pub(crate) fn check(workflow: &Workflow<'_>, found: &mut Found<'_>) {
    for expression in workflow.all_expressions(workflow.root) {
        if contexts(expression.inner).iter().any(|context| matches!(context.as_str(), "secrets" | "secrets.*")) {
            found
                .at(workflow.source, &expression.span, format!("`{}` holds every secret", expression.inner))
                .fix("name the secrets that are needed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_all_of_them_and_on_computed_names() {
        for inner in ["toJSON(secrets)", "secrets[matrix.name]", "secrets.*"] {
            fires_on(&RULE, WORKFLOW, &format!("env:\n  A: ${{{{ {inner} }}}}\njobs: {{}}\n"), &["2:6"]);
        }
    }

    #[test]
    fn is_silent_on_a_name() {
        is_silent_on(&RULE, WORKFLOW, "env:\n  A: ${{ secrets['A'] }}\n  B: ${{ toJSON(secrets.B) }}\njobs: {}\n");
    }
}

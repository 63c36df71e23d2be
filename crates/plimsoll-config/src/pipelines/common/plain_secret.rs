//! A secret that is written into the pipeline.

use super::prelude::*;
use crate::names;

pub(crate) static RULE: Rule = Rule {
    id: "config/pipeline-plain-secret",
    title: "a secret is written into the pipeline",
    severity: Severity::High,
    help: "\
Everybody who can read the repository has it, and everybody who ever could: it stays in the history. Take it out, replace it
by a new one, and let the system keep the new one as a secret.

Bad:

```yaml
on: push
env:
  DB_PASSWORD: hunter2hunter2
jobs: {}
```

Good:

```yaml
on: push
env:
  DB_PASSWORD: ${{ secrets.DB_PASSWORD }}
jobs: {}
```",
    references: &["https://owasp.org/www-project-top-10-ci-cd-security-risks/CICD-SEC-06-Insufficient-Credential-Hygiene"],
};

pub(crate) fn check(facts: &Facts, found: &mut Found<'_>) {
    for variable in &facts.variables {
        if names::is_secret(&variable.name) && words::is_literal_secret(&variable.value.text) {
            found
                .at(&facts.source, &variable.value.span, format!("the value of `{}` stands in the file", variable.name))
                .subject(&variable.name)
                .identity(&variable.name)
                .mask()
                .fix("replace the secret by a new one, and keep that one in the system's store of secrets");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::found;

    #[test]
    fn fires_on_values_and_shows_none() {
        let text = "variables:\n  API_TOKEN: s3cr3tvalue\n";
        fires_on(&RULE, ".gitlab-ci.yml", text, &["2:14"]);
        let shown = format!("{:?}", found(&RULE, &[(".gitlab-ci.yml", text)]));
        assert!(!shown.contains("s3cr3t"), "{shown}");
        fires_on(&RULE, "Jenkinsfile", "pipeline { environment { API_KEY = 'abcdefgh' } }\n", &["1:37"]);
    }

    #[test]
    fn is_silent_on_references_and_on_names_about_secrets() {
        let text = "variables:\n  API_TOKEN: $OTHER\n  SECRET_NAME: shop\n  DB_PASSWORD: ''\n  TOKEN: changeme\n";
        is_silent_on(&RULE, ".gitlab-ci.yml", text);
        is_silent_on(&RULE, "Jenkinsfile", "pipeline { environment { API_KEY = credentials('a') } }\n");
    }
}

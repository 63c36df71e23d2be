//! A credential that Groovy puts into a script.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/jenkins-secret-in-string",
    title: "a credential is put into the text of a script",
    severity: Severity::Medium,
    help: "\
Groovy puts the value into the command line, where every process on the agent sees it, and a quote in it breaks the script.
Between single quotes the shell takes it from its environment.

Bad:

```groovy
node {
  withCredentials([string(credentialsId: 'a', variable: 'API_TOKEN')]) {
    sh \"curl -H token:$API_TOKEN https://example.com\"
  }
}
```

Good:

```groovy
node {
  withCredentials([string(credentialsId: 'a', variable: 'API_TOKEN')]) {
    sh 'curl -H \"token:$API_TOKEN\" https://example.com'
  }
}
```",
    references: &["https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#interpolation-of-sensitive-environment-variables"],
};

pub(crate) fn check(file: &Jenkinsfile<'_>, found: &mut Found<'_>) {
    for script in file.scripts().filter(|script| script.interpolates()) {
        let inner = script.inner();
        let values = groovy::values(file.source.slice(&inner), inner.start);
        let secret = values.iter().find(|value| file.secrets.contains(value.inner.strip_prefix("env.").unwrap_or(value.inner)));
        if let Some(value) = secret {
            found
                .at(file.source, &value.span, format!("`{}` becomes part of the command line", value.inner))
                .fix("use single quotes, and let the shell take it from the environment");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_credentials_of_blocks_and_of_the_environment() {
        fires_on(&RULE, FILE, "environment { A = credentials('b') }\nsh \"x ${A_PSW}\"\n", &["2:7"]);
    }

    #[test]
    fn is_silent_between_single_quotes() {
        is_silent_on(&RULE, FILE, "environment { A = credentials('b') }\nsh 'x $A'\nsh \"y $B\"\n");
    }
}

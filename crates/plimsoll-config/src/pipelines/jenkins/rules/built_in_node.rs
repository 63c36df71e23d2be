//! A build on the controller.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/jenkins-built-in-node",
    title: "a build runs on the controller",
    severity: Severity::Medium,
    help: "\
On the controller's own node a build reads every credential and every other job from the disk. Run builds on agents.

Bad:

```groovy
pipeline {
  agent { label 'built-in' }
}
```

Good:

```groovy
pipeline {
  agent { label 'linux' }
}
```",
    references: &["https://www.jenkins.io/doc/book/security/controller-isolation/"],
};

pub(crate) fn check(file: &Jenkinsfile<'_>, found: &mut Found<'_>) {
    for index in 0..file.tokens.len() {
        let label = file.argument(index).filter(|_| matches!(file.word(index), "label" | "node"));
        if let Some(label) = label.filter(|label| matches!(file.text(label).text.trim(), "master" | "built-in")) {
            found.at(file.source, &label.span, "this runs next to every credential").fix("name an agent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_both_names() {
        fires_on(&RULE, FILE, "node('master') { }\nagent { label \"built-in\" }\n", &["1:6", "2:15"]);
    }

    #[test]
    fn is_silent_on_agents() {
        is_silent_on(&RULE, FILE, "node('linux') { git branch: 'master' }\n");
    }
}

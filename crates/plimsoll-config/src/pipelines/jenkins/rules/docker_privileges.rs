//! A container that has its host.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/jenkins-docker-privileges",
    title: "a container of a build has the whole host",
    severity: Severity::High,
    help: "\
A privileged container, or one that has the host's Docker socket, is root on the agent, and meets every later build there. Build
images with a tool that needs neither.

Bad:

```groovy
pipeline {
  agent { docker { image 'docker:27'; args '-v /var/run/docker.sock:/var/run/docker.sock' } }
}
```

Good:

```groovy
pipeline {
  agent { docker { image 'moby/buildkit:rootless'; args '--read-only' } }
}
```",
    references: &["https://docs.docker.com/engine/security/#docker-daemon-attack-surface"],
};

/// Parts of arguments that give a container its host.
const WHOLE: &[&str] = &["--privileged", "docker.sock", "--pid=host", "--net=host", "--network=host", "--cap-add=ALL", "--cap-add ALL", "-v /:/"];

pub(crate) fn check(file: &Jenkinsfile<'_>, found: &mut Found<'_>) {
    for index in 0..file.tokens.len() {
        let word = file.word(index);
        let takes = word == "args" || word.ends_with(".inside") || word.ends_with(".withRun") || word == "inside" || word == "withRun";
        let Some(arguments) = file.argument(index).filter(|_| takes) else { continue };
        let text = file.text(arguments).text;
        if let Some(part) = WHOLE.iter().find(|part| text.contains(*part)) {
            found.at(file.source, &arguments.span, format!("`{part}` gives the container its host")).fix("build without it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_agents_and_on_steps() {
        fires_on(&RULE, FILE, "agent { docker { args '--privileged' } }\nx.inside('--net=host') { }\n", &["1:23", "2:10"]);
    }

    #[test]
    fn is_silent_on_other_arguments() {
        is_silent_on(&RULE, FILE, "agent { docker { args '-u 1000' } }\n");
    }
}

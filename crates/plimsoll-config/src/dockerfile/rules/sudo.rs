//! `sudo` in a step of a build.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-sudo",
    title: "sudo in a build step",
    severity: Severity::Low,
    help: "\
Steps run as root already, unless `USER` says otherwise; then say `USER root` for the step that needs it. An image
with `sudo` in it gives an intruder the way to root as well.

Bad:

```dockerfile
RUN sudo apt-get update
```

Good:

```dockerfile
USER root
RUN apt-get update
USER app
```",
    references: &["https://docs.docker.com/build/building/best-practices/#user"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for command in file.named("RUN").flat_map(|run| run.commands(&file.source)) {
        if let Some(word) =
            command.words.iter().find(|word| !word.text.contains('=')).filter(|word| word.text == "sudo")
        {
            found
                .at(&file.source, &word.span, "sudo in a build step")
                .fix("write `USER root` before the step that needs it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_sudo() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN sudo a\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN a && A=1 sudo b\n", &["2:14"]);
    }

    #[test]
    fn is_silent_where_it_is_no_command() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-get install sudo\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN a\n");
    }
}

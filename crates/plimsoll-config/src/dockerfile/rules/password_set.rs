//! A password that is set in a build step.

use super::prelude::*;
use crate::shell::{Command, Word};
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-password-set",
    title: "password set in a build step",
    severity: Severity::High,
    help: "\
The password is in the image, its history and this file, the same for everybody who pulls it. An account without a
password cannot be logged into; use keys or exec.

Bad:

```dockerfile
RUN echo 'root:toor' | chpasswd
```

Good:

```dockerfile
RUN useradd --system --uid 10001 app
```",
    references: &["https://docs.docker.com/build/building/secrets/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        for command in run.commands(&file.source) {
            let place = match command.program() {
                "chpasswd" => Some(command.span()),
                "passwd" => command.flag(&["--stdin"]).map(|_| command.span()),
                "useradd" | "usermod" => password(&command).map(|word| word.span.clone()),
                _ => None,
            };
            if let Some(place) = place {
                found
                    .at(&file.source, &place, "sets a password that is the same wherever the image runs")
                    .identity(command.program())
                    .hide(&run.body.span(&(0..run.body.text.len())))
                    .fix("leave the account without a password");
            }
        }
    }
}

fn password(command: &Command) -> Option<&Word> {
    let flag = command.flag(&["--password"]).or_else(|| command.short('p'))?;
    let value = command.arguments().iter().find(|word| word.span.start > flag.span.start);
    let value =
        flag.text.split_once('=').map(|(_, value)| value).or_else(|| value.map(|word| word.text.as_str()));
    value.is_some_and(|value| !value.is_empty() && !value.starts_with(['!', '*', '$'])).then_some(flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_password() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN echo 'root:toor' | chpasswd\n", &["2:24"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN useradd -m -p secret app\n", &["2:16"]);
    }

    #[test]
    fn is_silent_on_accounts_without() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN useradd -m app\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN usermod -p '!' app\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN passwd -l root\n");
    }
}

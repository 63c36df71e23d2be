//! A secret as a build argument.

use super::prelude::*;
use crate::{dockerfile::parse::Instruction, names};
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-secret-in-arg",
    title: "secret as a build argument",
    severity: Severity::Medium,
    help: "\
Build arguments are kept in the image's history and in the build's record; whoever can pull the image can read them. A
secret mount is there for the one command that needs it and leaves nothing behind.

Bad:

```dockerfile
ARG NPM_TOKEN
RUN npm ci
```

Good:

```dockerfile
RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci
```",
    references: &["https://docs.docker.com/build/building/secrets/", "https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    let arguments = file.globals.iter().chain(file.instructions()).filter(|argument| argument.name == "ARG");
    for pair in arguments.flat_map(Instruction::pairs).filter(|pair| names::is_secret(&pair.key.text)) {
        let value = pair.value.as_ref().map_or("", |value| value.text.as_str());
        let has_value = names::is_secret_value(value) && !value.contains('$');
        let issue = found.at(
            &file.source,
            &pair.key.span,
            format!("the build argument `{}` stays in the image's history", pair.key.text),
        );
        issue.subject(&pair.key.text).fix("use `RUN --mount=type=secret` where it is needed");
        if let Some(value) = pair.value.as_ref().filter(|_| has_value) {
            issue.severity(Severity::High).hide(&value.span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_secret() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nARG NPM_TOKEN\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "ARG DB_PASSWORD=hunter2\nFROM a:1\n", &["1:5"]);
    }

    #[test]
    fn is_silent_on_other_arguments_and_secret_mounts() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nARG VERSION\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nARG TOKEN_FILE=/x\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN --mount=type=secret,id=npm_token npm ci\n");
    }
}

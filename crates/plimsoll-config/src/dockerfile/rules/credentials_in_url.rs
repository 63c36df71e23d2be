//! A user and password inside of a URL.

use super::prelude::*;
use crate::names;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-credentials-in-url",
    title: "credentials inside of a URL",
    severity: Severity::High,
    help: "\
The URL stays in the image's history, in logs, and in what the tool writes down, such as `.git/config`. Use a secret
mount or an SSH mount.

Bad:

```dockerfile
RUN git clone https://ci:s3cr3t@git.example.org/app.git
```

Good:

```dockerfile
RUN --mount=type=ssh git clone git@git.example.org:app.git
```",
    references: &["https://docs.docker.com/build/building/secrets/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for instruction in
        file.instructions().filter(|i| matches!(i.name.as_str(), "RUN" | "ENV" | "ARG" | "ADD"))
    {
        let text = &instruction.body.text;
        for (at, _) in text.match_indices("://") {
            let Some(length) = credentials(&text[at + 3..]) else { continue };
            let span = instruction.body.span(&(at + 3..at + 3 + length));
            found
                .at(&file.source, &span, "a URL holds a password, which stays in the image's history")
                .identity("credentials")
                .hide(&span)
                .fix("use `RUN --mount=type=secret` or `--mount=type=ssh`; replace the password");
        }
    }
}

/// Length of `user:password` before an `@`; none where the password is a variable or a stand-in.
fn credentials(rest: &str) -> Option<usize> {
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '/' | '\'' | '"' | '#' | '?'))
        .unwrap_or(rest.len());
    let at = rest[..end].rfind('@')?;
    let (user, password) = rest[..at].split_once(':')?;
    let is_real =
        !user.is_empty() && names::is_secret_value(password) && !password.contains(['$', '{', '<', '*']);
    is_real.then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_password() {
        fires_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN git clone https://ci:s3cr3t@git.a.org/b.git\n",
            &["2:23"],
        );
        fires_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nENV DATABASE_URL=postgres://app:hunter2@db/app\n",
            &["2:29"],
        );
    }

    #[test]
    fn is_silent_on_variables_and_plain_urls() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN git clone https://git.a.org/b.git\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN git clone https://x:${TOKEN}@git.a.org/b.git\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN git clone ssh://git@a.org:22/b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV X=postgres://user:@db\n");
    }
}

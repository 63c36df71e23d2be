//! A secret as an environment variable of the image.

use super::prelude::*;
use crate::names;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-secret-in-env",
    title: "secret in the image's environment",
    severity: Severity::High,
    help: "\
Everybody who can pull the image reads its environment with `docker inspect`, and every process in the container sees
it. Give the secret when the container starts, or in a build as a secret mount, which leaves nothing behind. What was
published already must be replaced.

Bad:

```dockerfile
ENV DATABASE_PASSWORD=hunter2
```

Good:

```dockerfile
RUN --mount=type=secret,id=database_password ./migrate
```",
    references: &["https://docs.docker.com/build/building/secrets/", "https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for env in file.named("ENV") {
        for pair in env.pairs() {
            let Some(value) = pair.value.as_ref().filter(|value| names::is_secret_value(&value.text)) else {
                continue;
            };
            if !names::is_secret(&pair.key.text) || value.text.contains('$') {
                continue;
            }
            found
                .at(&file.source, &pair.key.span, format!("`{}` holds a secret that stays in the image", pair.key.text))
                .subject(&pair.key.text)
                .hide(&value.span)
                .fix("give it when the container starts, or as `RUN --mount=type=secret`; replace it if it was real");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_secret_with_a_value() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nENV DB_PASSWORD=hunter2\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nENV A=1 \\\n  API_KEY='abc123def'\n", &["3:3"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nENV AWS_SECRET_ACCESS_KEY wJalrXUtnFEMI\n", &["2:5"]);
    }

    #[test]
    fn is_silent_on_empty_values_files_and_other_names() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV DB_PASSWORD=\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV DB_PASSWORD_FILE=/run/secrets/db\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV KEY=value\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV TOKEN=$TOKEN\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV PUBLIC_KEY=abc\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV TOKENIZERS_PARALLELISM=false\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nENV ALLOW_EMPTY_PASSWORD=yes\n");
    }
}

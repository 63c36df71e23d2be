//! A key that may sign for every repository.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-apt-key",
    title: "key that is trusted for every repository",
    severity: Severity::Low,
    help: "\
`apt-key` adds a key that may sign packages of every repository, Debian's own included, and it is gone from newer
systems. Put the key into a file of its own and name it with `signed-by`.

Bad:

```dockerfile
RUN curl https://example.org/key.gpg | apt-key add -
```

Good:

```dockerfile
COPY example.gpg /etc/apt/keyrings/example.gpg
RUN echo \"deb [signed-by=/etc/apt/keyrings/example.gpg] https://example.org/apt stable main\" > /etc/apt/sources.list.d/example.list
```",
    references: &["https://manpages.debian.org/stable/apt/apt-key.8.en.html"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for command in file.named("RUN").flat_map(|run| run.commands(&file.source)) {
        if command.program() == "apt-key"
            && command.operands().any(|word| matches!(word.text.as_str(), "add" | "adv"))
        {
            found
                .at(&file.source, &command.span(), "this key may sign for every repository")
                .fix("put it into a file and name it with `signed-by`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_key() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl https://a.org/k | apt-key add -\n", &["2:28"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-key adv --recv-keys 1\n", &["2:5"]);
    }

    #[test]
    fn is_silent_on_keyrings() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN apt-key del 1\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nCOPY k.gpg /etc/apt/keyrings/\n");
    }
}

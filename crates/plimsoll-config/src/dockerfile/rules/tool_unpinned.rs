//! A tool that is installed in its newest version.

use super::prelude::*;
use crate::shell::{Command, Word};
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-tool-unpinned",
    title: "tool without a version",
    severity: Severity::Low,
    help: "\
The next build gets whatever was published last, and a build that worked yesterday fails or does something else. Name
the version; for cargo also `--locked`, so that its dependencies are the tested ones.

Bad:

```dockerfile
RUN go install example.org/tool@latest
```

Good:

```dockerfile
RUN go install example.org/tool@v1.4.2
```",
    references: &["https://go.dev/ref/mod#go-install"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for command in file.named("RUN").flat_map(|run| run.commands(&file.source)) {
        if let Some((word, fix)) = unpinned(&command) {
            found
                .at(&file.source, &word.span, format!("`{}` is whatever was published last", word.text))
                .subject(&word.text)
                .fix(fix);
        }
    }
}

fn unpinned(command: &Command) -> Option<(&Word, &'static str)> {
    let mut words = command.operands();
    let (program, verb) = (command.program(), words.next()?.text.as_str());
    let word = words.next();
    match (program, verb) {
        ("go", "install" | "get") => command
            .operands()
            .find(|word| ["@latest", "@main", "@master"].iter().any(|end| word.text.ends_with(end)))
            .map(|word| (word, "write `@v<version>`")),
        ("cargo", "install" | "binstall")
            if command.flag(&["--version", "--vers", "--path", "--git"]).is_none() =>
        {
            word.filter(|word| !word.text.contains(['@', '$']))
                .map(|word| (word, "write `--locked <name>@<version>`"))
        }
        ("gem", "install") if command.flag(&["-v", "--version"]).is_none() => {
            word.filter(|word| !word.text.contains([':', '$', '/'])).map(|word| (word, "add `-v <version>`"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_newest() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN go install a.org/b@latest\n", &["2:16"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN cargo install --locked b\n", &["2:28"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN gem install --no-document b\n", &["2:31"]);
    }

    #[test]
    fn is_silent_on_versions() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN go install a.org/b@v1.2.3\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN cargo install --locked b@1.2.3\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN cargo install --path .\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN gem install b -v 1\n");
    }
}

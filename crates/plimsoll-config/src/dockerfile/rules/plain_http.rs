//! A download over a connection that anybody on the way can change.

use super::prelude::*;
use crate::shell;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-plain-http",
    title: "download without encryption",
    severity: Severity::Medium,
    help: "\
Over plain HTTP everybody on the way can read and replace what is downloaded. Use HTTPS; where there is none, compare
a digest.

Bad:

```dockerfile
RUN curl -O http://example.org/tool.tar.gz
```

Good:

```dockerfile
RUN curl -O https://example.org/tool.tar.gz
```",
    references: &["https://docs.docker.com/build/building/best-practices/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for run in file.named("RUN") {
        let commands = run.commands(&file.source);
        if commands.iter().any(shell::is_checksum) {
            continue;
        }
        for command in commands.iter().filter(|command| shell::is_download(command)) {
            for word in command.arguments().iter().filter(|word| is_plain(&word.text)) {
                found
                    .at(&file.source, &word.span, "a download that anybody on the way can replace")
                    .fix("use https");
            }
        }
    }
}

fn is_plain(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let host = rest.split(['/', ':']).next().unwrap_or("");
    !matches!(host, "localhost" | "127.0.0.1" | "host.docker.internal" | "169.254.169.254")
        && !host.starts_with('$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_http() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl -O http://a.org/b\n", &["2:13"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nRUN cd /x && wget http://a.org/b\n", &["2:19"]);
    }

    #[test]
    fn is_silent_on_https_the_machine_itself_and_checked_digests() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl -O https://a.org/b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN curl http://localhost:8080/health\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nRUN echo http://a.org\n");
        is_silent_on(
            &RULE,
            "Dockerfile",
            "FROM a:1\nRUN wget http://a.org/b && echo '00 b' | sha256sum -c\n",
        );
    }
}

//! `ADD` of something from the network whose content nobody checks.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-add-remote",
    title: "download that is not checked against a digest",
    severity: Severity::Medium,
    help: "\
`ADD` with a URL takes whatever the server sends on the day of the build. Give the digest that you expect, so that
another file stops the build.

Bad:

```dockerfile
ADD https://example.org/tool.tar.gz /opt/
```

Good:

```dockerfile
ADD --checksum=sha256:24454f83… https://example.org/tool.tar.gz /opt/
```",
    references: &["https://docs.docker.com/reference/dockerfile/#add---checksum"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for add in file.named("ADD").filter(|add| add.flag("checksum").is_none()) {
        for word in add.sources().iter().filter(|word| is_download(&word.text)) {
            found
                .at(&file.source, &word.span, "a download that is not checked against a digest")
                .fix("add `--checksum=sha256:…`");
        }
    }
}

fn is_download(text: &str) -> bool {
    let is_git = text.split('#').next().is_some_and(|url| url.ends_with(".git"));
    (text.starts_with("https://") || text.starts_with("http://")) && !is_git
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_url() {
        fires_on(&RULE, "Dockerfile", "FROM a:1\nADD https://a.org/b.tgz /b\n", &["2:5"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nADD --chown=1:1 a http://a.org/b /b/\n", &["2:19"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1\nADD [\"https://a.org/b\", \"/b\"]\n", &["2:5"]);
    }

    #[test]
    fn is_silent_on_a_url_with_a_checksum_and_on_files() {
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nADD --checksum=sha256:00 https://a.org/b.tgz /b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nADD a.tgz /b\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\nADD https://a.org/b.git#v1 /b\n");
    }
}

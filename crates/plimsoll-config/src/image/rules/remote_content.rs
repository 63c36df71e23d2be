//! An image with something from the network that nobody checked.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/image-remote-content",
    title: "image with an unchecked download",
    severity: Severity::Medium,
    help: "\
The history shows an `ADD` from the network without a digest, or a script that ran as it came. Nobody can say what it
was on the day of the build.

Bad:

```json
{\"history\": [{\"created_by\": \"ADD https://example.org/tool /bin/tool\"}]}
```

Good:

```json
{\"history\": [{\"created_by\": \"COPY tool /bin/tool\"}]}
```",
    references: &["https://docs.docker.com/reference/dockerfile/#add---checksum"],
};

pub(crate) fn check(image: &Image, found: &mut Found<'_>) {
    for node in image.steps() {
        let text = node.text().unwrap_or("");
        let mut words = text.split_whitespace();
        let adds = words.next() == Some("ADD") && !text.contains("--checksum=");
        if adds && words.any(|word| word.starts_with("http://") || word.starts_with("https://")) {
            image
                .report(found, Some(node), "something from the network that nobody checked")
                .fix("add it with `--checksum`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_an_unchecked_download() {
        fires_on(
            &RULE,
            "config.json",
            &image("}, \"history\": [{\"created_by\": \"ADD https://a.org/b /b # buildkit\"}], \"x\": {"),
            &["2:44"],
        );
    }

    #[test]
    fn is_silent_on_files_and_checksums() {
        is_silent_on(
            &RULE,
            "config.json",
            &image(
                "}, \"history\": [{\"created_by\": \"COPY b /b # buildkit\"}, {\"created_by\": \"ADD --checksum=sha256:0 https://a.org/b /b\"}], \"x\": {",
            ),
        );
    }
}

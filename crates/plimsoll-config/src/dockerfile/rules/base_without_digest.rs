//! A base image whose version can be published anew.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-base-without-digest",
    title: "base image without a digest",
    severity: Severity::Low,
    help: "\
A tag is a name that its owner can move: `node:22` of today and of next week are different images, and whoever takes
over the registry account decides what you build on. A digest names exactly the bytes that you tested. Let a bot
propose new ones, so that an update is a commit somebody sees.

Bad:

```dockerfile
FROM node:22.11-bookworm-slim
```

Good:

```dockerfile
FROM node:22.11-bookworm-slim@sha256:4b0c…
```",
    references: &["https://docs.docker.com/build/building/best-practices/#pin-base-image-versions"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for stage in &file.stages {
        let Base::Image(image) = &stage.base else { continue };
        if image.digest.is_some() || image.is_moving() {
            continue;
        }
        let Some(word) = stage.from.words.first() else { continue };
        let tag = image.tag.as_deref().unwrap_or("");
        found
            .at(
                &file.source,
                &word.span,
                format!("`{}:{tag}` can be published anew: it has no digest", image.name),
            )
            .subject(&image.name)
            .fix("add the digest of the image that you tested: `@sha256:…`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_tag_alone() {
        fires_on(&RULE, "Dockerfile", "FROM node:22\n", &["1:6"]);
        fires_on(&RULE, "Dockerfile", "FROM scratch\nFROM r.io/a/b:1.2 AS c\n", &["2:6"]);
    }

    #[test]
    fn is_silent_on_a_digest_and_where_no_tag_is() {
        is_silent_on(&RULE, "Dockerfile", "FROM node:22@sha256:0\n");
        is_silent_on(&RULE, "Dockerfile", "FROM node\n");
        is_silent_on(&RULE, "Dockerfile", "ARG BASE\nFROM $BASE\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a@sha256:0 AS b\nFROM b\n");
    }
}

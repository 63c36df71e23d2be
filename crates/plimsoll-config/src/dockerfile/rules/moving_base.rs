//! A base image without a tag, or with a tag that is meant to move.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-moving-base",
    title: "base image that is another one tomorrow",
    severity: Severity::Medium,
    help: "\
A base without a tag means `latest`: whatever was published last. The next build gets another system than the one that was
tested, and nobody decided that. Name the version that you tested, and better its digest too.

Bad:

```dockerfile
FROM node
```

Good:

```dockerfile
FROM node:22.11-bookworm-slim@sha256:…
```",
    references: &["https://docs.docker.com/build/building/best-practices/#pin-base-image-versions"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    for stage in &file.stages {
        let Base::Image(image) = &stage.base else { continue };
        let Some(word) = stage.from.words.first().filter(|_| image.is_moving()) else { continue };
        let message = match &image.tag {
            Some(tag) => format!("`{}` has the tag `{tag}`, which moves", image.name),
            None => format!("`{}` names no version, so it is whatever was published last", image.name),
        };
        found
            .at(&file.source, &word.span, message)
            .subject(&image.name)
            .fix("name the version that you tested, as `name:version@sha256:…`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_base_without_a_version() {
        fires_on(&RULE, "Dockerfile", "FROM node\n", &["1:6"]);
        fires_on(&RULE, "Dockerfile", "FROM --platform=linux/amd64 r.io/a/node:latest AS x\n", &["1:29"]);
        fires_on(&RULE, "Dockerfile", "ARG BASE=node\nFROM ${BASE}\n", &["2:6"]);
        fires_on(&RULE, "Dockerfile", "FROM a:1 AS b\nFROM node\n", &["2:6"]);
    }

    #[test]
    fn is_silent_on_a_version_a_digest_and_an_earlier_stage() {
        is_silent_on(&RULE, "Dockerfile", "FROM node:22\n");
        is_silent_on(&RULE, "Dockerfile", "FROM node@sha256:0\n");
        is_silent_on(&RULE, "Dockerfile", "FROM node:22 AS build\nFROM build\n");
        is_silent_on(&RULE, "Dockerfile", "FROM scratch\n");
        is_silent_on(&RULE, "Dockerfile", "ARG VERSION=3\nFROM node:$VERSION\n");
    }
}

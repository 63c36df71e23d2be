//! An image that does not say where it comes from.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/image-without-source",
    title: "image that does not say where it comes from",
    severity: Severity::Info,
    help: "\
Whoever finds the image running wants its source and its commit. Two labels say both, and tools show them.

Bad:

```json
{\"config\": {\"Labels\": {}}}
```

Good:

```json
{\"config\": {\"Labels\": {\"org.opencontainers.image.source\": \"https://git.example.org/shop\", \"org.opencontainers.image.revision\": \"3f78685\"}}}
```",
    references: &["https://github.com/opencontainers/image-spec/blob/main/annotations.md"],
};

pub(crate) fn check(image: &Image, found: &mut Found<'_>) {
    let labels = image.config("Labels");
    let says = |key: &str| labels.is_some_and(|labels| labels.get(key).is_some());
    if !says("org.opencontainers.image.source") && !says("org.opencontainers.image.revision") {
        image
            .report(found, None, "does not say where it comes from")
            .identity("source")
            .fix("add the labels `org.opencontainers.image.source` and `.revision`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_without_labels() {
        fires_on(&RULE, "config.json", &image("\"Labels\": {\"a\": \"b\"}"), &["2:3"]);
        fires_on(&RULE, "config.json", &image("\"Cmd\": []"), &["2:3"]);
    }

    #[test]
    fn is_silent_with_one() {
        is_silent_on(
            &RULE,
            "config.json",
            &image("\"Labels\": {\"org.opencontainers.image.source\": \"a\"}"),
        );
    }
}

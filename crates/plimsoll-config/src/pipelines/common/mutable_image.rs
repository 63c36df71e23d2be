//! A job in an image that can change under its name.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/pipeline-mutable-image",
    title: "a job runs in an image that is named by a tag",
    severity: Severity::Low,
    help: "\
A tag is moved by whoever may push to the registry; the next run has other tools in it, beside your source and your secrets.
Name the digest, and keep the tag beside it for people.

Bad:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    container: rust:1.95
    steps:
      - run: cargo test
```

Good:

```yaml
on: push
jobs:
  build:
    runs-on: ubuntu-24.04
    container: rust:1.95@sha256:9f1c7d0d7e0bd8a6a7b3b9f1c7d0d7e0bd8a6a7b3b9f1c7d0d7e0bd8a6a7b3b1
    steps:
      - run: cargo test
```",
    references: &["https://docs.docker.com/reference/cli/docker/image/pull/"],
};

pub(crate) fn check(facts: &Facts, found: &mut Found<'_>) {
    for image in facts.images.iter().filter(|image| words::image_pin(&image.text) == words::Pin::Mutable) {
        let message = format!("`{}` is whatever the registry has under this name", image.text.trim());
        found
            .at(&facts.source, &image.span, message)
            .fix(format!("append the digest: `{}@sha256:…`", image.text.trim().split('@').next().unwrap_or("")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_images_and_services_by_tag() {
        let text = "image: alpine:3\na:\n  image:\n    name: rust\n  services: [postgres:16]\n  script: make\n";
        fires_on(&RULE, ".gitlab-ci.yml", text, &["1:8", "4:11", "5:14"]);
    }

    #[test]
    fn is_silent_on_digests_and_variables() {
        let digest = "0123456789abcdef".repeat(4);
        let text = format!("image: alpine@sha256:{digest}\na:\n  image: $BUILDER\n  script: make\n");
        is_silent_on(&RULE, ".gitlab-ci.yml", &text);
    }
}

//! A builder that is not Docker's own, or any version of it.

use super::prelude::*;
use crate::dockerfile::image::Image;
pub(crate) static RULE: Rule = Rule {
    id: "config/dockerfile-foreign-frontend",
    title: "builder image that nobody fixed",
    severity: Severity::Medium,
    help: "\
The image named after `# syntax=` runs the whole build and sees all of its secrets. Use Docker's own with its major
version, or name any other by its digest.

Bad:

```dockerfile
# syntax=example/frontend
```

Good:

```dockerfile
# syntax=docker/dockerfile:1
```",
    references: &["https://docs.docker.com/build/buildkit/frontend/"],
};

pub(crate) fn check(file: &Dockerfile, found: &mut Found<'_>) {
    let Some((text, span)) = &file.directives.syntax else { return };
    let image = Image::parse(text);
    let own = image.name.strip_prefix("docker.io/").unwrap_or(&image.name);
    let is_own = matches!(own, "docker/dockerfile" | "docker/dockerfile-upstream");
    if image.digest.is_some()
        || is_own && image.tag.as_deref().is_some_and(|tag| tag.starts_with(|c: char| c.is_ascii_digit()))
    {
        return;
    }
    let message = if is_own {
        "the builder of this file is whatever was published last"
    } else {
        "the builder of this file is somebody else's and not fixed"
    };
    found
        .at(&file.source, span, message)
        .fix("write `docker/dockerfile:1`, or name the image with its digest");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_builder_that_moves() {
        fires_on(&RULE, "Dockerfile", "# syntax=a/b:1\nFROM a:1\n", &["1:10"]);
        fires_on(&RULE, "Dockerfile", "# syntax=docker/dockerfile:latest\nFROM a:1\n", &["1:10"]);
        fires_on(&RULE, "Dockerfile", "# syntax = docker/dockerfile\nFROM a:1\n", &["1:12"]);
    }

    #[test]
    fn is_silent_on_dockers_own_and_on_digests() {
        is_silent_on(&RULE, "Dockerfile", "# syntax=docker/dockerfile:1.7-labs\nFROM a:1\n");
        is_silent_on(&RULE, "Dockerfile", "# syntax=a/b@sha256:0\nFROM a:1\n");
        is_silent_on(&RULE, "Dockerfile", "FROM a:1\n");
    }
}

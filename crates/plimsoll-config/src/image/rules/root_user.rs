//! An image that starts as root.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/image-root-user",
    title: "image that starts as root",
    severity: Severity::Medium,
    help: "\
The image names no user, or names root, so everything in its containers runs as root unless whoever starts it thinks
of it. Give it a user, by number.

Bad:

```json
{\"config\": {\"User\": \"\"}}
```

Good:

```json
{\"config\": {\"User\": \"10001:10001\"}}
```",
    references: &["https://github.com/opencontainers/image-spec/blob/main/config.md"],
};

pub(crate) fn check(image: &Image, found: &mut Found<'_>) {
    let user = image.config("User");
    let name = user.and_then(Node::text).unwrap_or("");
    if matches!(name.split(':').next(), Some("" | "root" | "0")) {
        image
            .report(found, user, "the image starts as root")
            .identity("user")
            .fix("build it with `USER 10001:10001`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_root_and_nobody() {
        fires_on(&RULE, "config.json", &image("\"User\": \"\""), &["2:22"]);
        fires_on(&RULE, "config.json", &image("\"User\": \"root\""), &["2:22"]);
        fires_on(&RULE, "config.json", &image("\"Cmd\": [\"a\"]"), &["2:3"]);
        fires_on(&RULE, "config.json", &image("\"User\": \"0:0\""), &["2:22"]);
    }

    #[test]
    fn is_silent_on_a_user() {
        is_silent_on(&RULE, "config.json", &image("\"User\": \"10001\""));
        is_silent_on(&RULE, "config.json", &image("\"User\": \"app:app\""));
    }
}

//! A secret in the environment of an image.

use super::prelude::*;
use crate::names;
pub(crate) static RULE: Rule = Rule {
    id: "config/image-secret-in-env",
    title: "secret in the environment of an image",
    severity: Severity::High,
    help: "\
Everybody who can pull the image reads its environment. Replace the secret, build the image without it, and give it
when the container starts.

Bad:

```json
{\"config\": {\"Env\": [\"DB_PASSWORD=hunter2\"]}}
```

Good:

```json
{\"config\": {\"Env\": [\"PORT=8080\"]}}
```",
    references: &["https://github.com/opencontainers/image-spec/blob/main/config.md"],
};

pub(crate) fn check(image: &Image, found: &mut Found<'_>) {
    for node in image.config("Env").map_or(&[][..], Node::items) {
        let Some((name, value)) = node.text().and_then(|text| text.split_once('=')) else { continue };
        if names::is_secret(name) && names::is_secret_value(value) {
            image
                .report(
                    found,
                    Some(node),
                    &format!("`{name}` holds a secret that everybody who can pull the image reads"),
                )
                .identity(name)
                .hide(&node.span)
                .fix("replace it, and give it when the container starts");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_secret() {
        fires_on(&RULE, "config.json", &image("\"Env\": [\"A=b\", \"DB_PASSWORD=hunter2\"]"), &["2:29"]);
    }

    #[test]
    fn is_silent_on_settings() {
        is_silent_on(
            &RULE,
            "config.json",
            &image("\"Env\": [\"DB_PASSWORD=\", \"DB_PASSWORD_FILE=/a\", \"PATH=/bin\"]"),
        );
    }
}

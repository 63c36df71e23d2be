//! A secret in the history of an image.

use super::prelude::*;
use crate::names;
pub(crate) static RULE: Rule = Rule {
    id: "config/image-secret-in-history",
    title: "secret in the history of an image",
    severity: Severity::High,
    help: "\
Build arguments are written into the history, where everybody who can pull the image reads them. Replace the secret,
and build with a secret mount.

Bad:

```json
{\"history\": [{\"created_by\": \"|1 NPM_TOKEN=npm_x7Kq /bin/sh -c npm ci\"}]}
```

Good:

```json
{\"history\": [{\"created_by\": \"RUN /bin/sh -c npm ci\"}]}
```",
    references: &["https://docs.docker.com/build/building/secrets/"],
};

pub(crate) fn check(image: &Image, found: &mut Found<'_>) {
    for node in image.steps() {
        for word in node.text().unwrap_or("").split_whitespace() {
            let Some((name, value)) = word.trim_start_matches("--").split_once('=') else { continue };
            let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if is_name && names::is_secret(name) && names::is_secret_value(value) && !value.contains('$') {
                image
                    .report(found, Some(node), &format!("`{name}` stands in the history with its value"))
                    .identity(name)
                    .hide(&node.span)
                    .fix("replace it, and build with `--mount=type=secret`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_a_build_argument() {
        fires_on(
            &RULE,
            "config.json",
            &image(
                "}, \"history\": [{\"created_by\": \"|1 NPM_TOKEN=npm_x7Kq /bin/sh -c npm ci\"}], \"x\": {",
            ),
            &["2:44"],
        );
    }

    #[test]
    fn is_silent_on_other_arguments() {
        is_silent_on(
            &RULE,
            "config.json",
            &image(
                "}, \"history\": [{\"created_by\": \"|1 VERSION=1 /bin/sh -c npm ci\"}, {\"created_by\": \"ARG NPM_TOKEN\"}], \"x\": {",
            ),
        );
    }
}

//! An image that offers SSH.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/image-ssh-port",
    title: "image that offers SSH",
    severity: Severity::Medium,
    help: "\
There is a way in already, `docker exec` or `kubectl exec`, which the platform checks and logs. An SSH server has its
own keys and users that nobody rotates.

Bad:

```json
{\"config\": {\"ExposedPorts\": {\"22/tcp\": {}}}}
```

Good:

```json
{\"config\": {\"ExposedPorts\": {\"8080/tcp\": {}}}}
```",
    references: &["https://github.com/opencontainers/image-spec/blob/main/config.md"],
};

pub(crate) fn check(image: &Image, found: &mut Found<'_>) {
    for (key, _) in image.config("ExposedPorts").map_or(&[][..], Node::entries) {
        if matches!(key.text.as_str(), "22" | "22/tcp") {
            image.report_key(found, key, "the image offers SSH").fix("use `docker exec` or `kubectl exec`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_its_port() {
        fires_on(
            &RULE,
            "config.json",
            &image("\"ExposedPorts\": {\"80/tcp\": {}, \"22/tcp\": {}}"),
            &["2:45"],
        );
    }

    #[test]
    fn is_silent_on_others() {
        is_silent_on(&RULE, "config.json", &image("\"ExposedPorts\": {\"8022/tcp\": {}}"));
    }
}

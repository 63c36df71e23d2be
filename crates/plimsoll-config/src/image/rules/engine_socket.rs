//! An image that expects to be given its host.

use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "config/image-engine-socket",
    title: "image that wants the socket of the engine",
    severity: Severity::Medium,
    help: "\
Whoever can talk to the socket of the container engine starts a container with the whole host in it. An image that
declares it as a volume expects that.

Bad:

```json
{\"config\": {\"Volumes\": {\"/var/run/docker.sock\": {}}}}
```

Good:

```json
{\"config\": {\"Volumes\": {\"/data\": {}}}}
```",
    references: &["https://docs.docker.com/engine/security/#docker-daemon-attack-surface"],
};

pub(crate) fn check(image: &Image, found: &mut Found<'_>) {
    for (key, _) in image.config("Volumes").map_or(&[][..], Node::entries) {
        if ["docker.sock", "containerd.sock", "crio.sock", "podman.sock"]
            .iter()
            .any(|end| key.text.ends_with(end))
        {
            image
                .report_key(found, key, "the image expects to be given its host")
                .fix("do without the socket");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fires_on_the_socket() {
        fires_on(&RULE, "config.json", &image("\"Volumes\": {\"/var/run/docker.sock\": {}}"), &["2:26"]);
    }

    #[test]
    fn is_silent_on_other_volumes() {
        is_silent_on(&RULE, "config.json", &image("\"Volumes\": {\"/data\": {}}"));
    }
}
